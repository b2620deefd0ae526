"""The document pipeline resolves the settings, and aggregates data for reports."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from docpipe_assets.errors import ConfigurationError
from docpipe_assets.model import PageFlag, PageTexts
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.settings import Settings
from docpipe_assets_tests.engines.faulty_ocr import Sound
from docpipe_assets_tests.stages.productions import page_texts

GIGABYTE = 2**30
HAS_OPENVINO = find_spec("openvino") is not None
SECOND = f"{Sound.__module__}:{Sound.__qualname__}"


@pytest.fixture
def pipeline(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DocumentPipeline]:
    made = DocumentPipeline(Settings(data_dir=tmp_path, **getattr(request, "param", {})))
    yield made
    made.close()


def test_pages_are_counted_by_method_and_flagged_pages_separately(pipeline: DocumentPipeline) -> None:
    first, second = page_texts("The first page.", "The second page.")
    flagged = second.model_copy(update={"flags": (PageFlag.TEXT_LEFT, PageFlag.MISREAD)})
    saved = pipeline.save(first.document, PageTexts("made", lambda: iter([first, flagged])))
    facts = saved.header.facts
    assert (facts["pages"], facts["pages_text_layer"], facts["pages_flagged"]) == (2, 2, 1)


@pytest.mark.parametrize("pipeline", [{"ocr_fallback": SECOND}], indirect=True)
def test_a_second_engine_is_created_if_configured(pipeline: DocumentPipeline) -> None:
    assert pipeline.fallback is not None
    assert pipeline.fallback.name == "sound"


def test_there_is_no_second_engine_by_default(pipeline: DocumentPipeline) -> None:
    assert pipeline.fallback is None


@pytest.mark.parametrize("pipeline", [{"ocr_fallback": "clairvoyance"}], indirect=True)
def test_a_nonexistent_second_engine_is_a_configuration_error(pipeline: DocumentPipeline) -> None:
    with pytest.raises(ConfigurationError, match="clairvoyance"):
        assert pipeline.fallback


def test_a_different_second_engine_changes_the_code_version(tmp_path: Path) -> None:
    plain, other = (
        DocumentPipeline(Settings(data_dir=tmp_path, ocr_fallback=name)).code_versions[PageTexts.asset]
        for name in ("", SECOND)
    )
    assert plain != other


def engine(folder: Path, **chosen: Any) -> str:
    return DocumentPipeline(Settings(data_dir=folder, **chosen)).ocr.name


@pytest.mark.parametrize(
    ("chosen", "name"),
    [
        ({}, "rapidocr"),
        ({"run_memory_bytes": GIGABYTE}, "rapidocr"),
        ({"run_memory_bytes": 4 * GIGABYTE, "ocr_backend": "onnxruntime"}, "rapidocr"),
        ({"ocr_engine": SECOND, "run_memory_bytes": 4 * GIGABYTE}, "sound"),
        pytest.param(
            {"ocr_engine": "tesseract", "run_memory_bytes": 4 * GIGABYTE},
            "tesseract",
            marks=pytest.mark.needs("tesseract"),
        ),
        ({"run_memory_bytes": 4 * GIGABYTE}, "rapidocr_openvino" if HAS_OPENVINO else "rapidocr"),
    ],
)
def test_the_ocr_back_end_depends_on_the_settings_and_the_memory(
    tmp_path: Path, chosen: dict[str, Any], name: str
) -> None:
    assert engine(tmp_path, **chosen) == name


@pytest.mark.skipif(not HAS_OPENVINO, reason="needs the extra openvino")
def test_a_configured_back_end_is_used_regardless_of_the_memory(tmp_path: Path) -> None:
    assert engine(tmp_path, ocr_backend="openvino") == "rapidocr_openvino"
