"""What is summed up in an artifact's header, so that reports need not read its rows."""

from collections.abc import Mapping
from typing import Any

from docpipe_assets.bates.checks import DocumentBates
from docpipe_assets.model import PageText, PageTexts, RawPdf, RawPdfs, Records, TextMethod
from docpipe_assets.storage.artifact import Tally


def _raw_pdf_tally(row: RawPdf) -> Mapping[str, float]:
    return {"pages": row.pages, "source_bytes": row.size_bytes}


def _ocr_text_tally(row: PageText) -> Mapping[str, float]:
    found = {"pages": 1, "characters": len(row.text), f"pages_{row.method.value}": 1}
    if row.flags:
        found[FLAGGED_PAGES] = 1
    return found


TALLIES: dict[type[Records[Any]], Tally] = {RawPdfs: _raw_pdf_tally, PageTexts: _ocr_text_tally}
"""What is summed up in an artifact's header, so that reports need not read its rows."""

BATES = "bates"
"""The note in the header of a text: ``bates.findings.BatesSummary`` as JSON."""


class BatesNotes:
    """Checks the labels of a document's pages while its text is written."""

    def __init__(self) -> None:
        self._labels = DocumentBates()

    def see(self, row: PageText) -> None:
        self._labels.see(row)

    def said(self) -> dict[str, Any]:
        return {BATES: self._labels.summary().as_json()}


FAILED_PAGES = f"pages_{TextMethod.FAILED.value}"
FLAGGED_PAGES = "pages_flagged"
