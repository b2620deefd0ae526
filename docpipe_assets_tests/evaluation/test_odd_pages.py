"""Unusual pages have the correct outcome; the command ``evaluation.odd_pages`` shows all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from docpipe_assets.model import PageFlag, TextMethod
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.settings import Settings
from docpipe_assets_tests.evaluation.odd_pages import found_share, pasted_scan, read_page, scribbled


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DocumentPipeline]:
    made = DocumentPipeline(Settings(data_dir=tmp_path_factory.mktemp("pipeline"), ocr_dpi=150))
    yield made
    made.close()


def test_a_scan_in_a_typed_page_is_read_in_addition_to_its_text(
    pipeline: DocumentPipeline, tmp_path: Path
) -> None:
    odd = pasted_scan()
    text = read_page(pipeline, odd.pdf, tmp_path)
    assert (text.method, text.engine, text.flags) == (TextMethod.BOTH, "text_layer+rapidocr", ())
    assert text.ocr_start is not None
    share = found_share(text.text, odd.truth)
    assert share is not None
    assert share > 0.98
    typed, pasted = odd.truth.split("\n", 1)
    assert text.text[: text.ocr_start].split() == typed.split()
    assert found_share(text.text[text.ocr_start :], pasted) == pytest.approx(1.0, abs=0.03)


def test_unreadable_pages_are_flagged(pipeline: DocumentPipeline, tmp_path: Path) -> None:
    text = read_page(pipeline, scribbled().pdf, tmp_path)
    assert PageFlag.TEXT_LEFT in text.flags
    assert text.language is None
