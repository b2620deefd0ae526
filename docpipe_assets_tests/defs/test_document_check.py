"""The check of a document warns about its Bates labels, and not if they are in sequence."""

from pathlib import Path

import dagster as dg
import pytest

from docpipe_assets.defs.checks import document_check
from docpipe_assets.model import CanonicalEntities, Chunks, Mentions, PageTexts
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.runtime.local_run import processed
from docpipe_assets.settings import Settings
from docpipe_assets.storage.file import LocalFiles
from docpipe_assets_tests.viewer.test_crops import two_pages

IN_ORDER, MISNAMED = "b/WOMBAT 000001-000002.pdf", "b/WOMBAT 000001-000003.pdf"


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dg.AssetCheckResult]:
    """The same two pages with two names."""
    folder: Path = tmp_path_factory.mktemp("checks")
    (folder / "x.pdf").write_bytes(two_pages())
    settings = Settings(
        data_dir=folder / "data", lake_url=(folder / "lake").as_uri(), ner_engines=("patterns",)
    )
    pipeline = DocumentPipeline(
        settings, intake=LocalFiles(dict.fromkeys((IN_ORDER, MISNAMED), folder / "x.pdf"))
    )
    results = {}
    try:
        for document in (IN_ORDER, MISNAMED):
            assert processed(pipeline, document)[1] is None
            pages, chunks = pipeline.load(PageTexts, document), pipeline.load(Chunks, document)
            mentions, entities = pipeline.load(Mentions, document), pipeline.load(CanonicalEntities, document)
            results[document] = document_check(pipeline, document, pages, chunks, mentions, entities)
    finally:
        pipeline.close()
    return results


def test_labels_in_sequence_pass_and_are_shown(checked: dict[str, dg.AssetCheckResult]) -> None:
    result = checked[IN_ORDER]
    assert result.passed
    assert result.metadata["bates"].value == "WOMBAT 000001-000002"
    assert "bates_findings" not in result.metadata


def test_a_finding_is_a_warning_that_describes_it(checked: dict[str, dg.AssetCheckResult]) -> None:
    result = checked[MISNAMED]
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    text = "the name (WOMBAT 000001-000003) states 3 pages, the document has 2"
    assert text in (result.description or "")
    assert text in str(result.metadata["bates_findings"].value)
