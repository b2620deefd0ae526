"""Sums and summaries in the headers of artifacts, so that reports need not read their rows."""

from collections.abc import Mapping
from typing import Any

from docpipe_assets.bates.checks import DocumentBates
from docpipe_assets.model import PageText, PageTexts, RawPdf, RawPdfs, Records, TextMethod
from docpipe_assets.storage.artifact import HeaderSums


def _raw_pdf_sums(row: RawPdf) -> Mapping[str, float]:
    return {"pages": row.pages, "source_bytes": row.size_bytes}


def _ocr_text_sums(row: PageText) -> Mapping[str, float]:
    found = {"pages": 1, "characters": len(row.text), f"pages_{row.method.value}": 1}
    if row.flags:
        found[FLAGGED_PAGES] = 1
    return found


HEADER_SUMS: dict[type[Records[Any]], HeaderSums] = {RawPdfs: _raw_pdf_sums, PageTexts: _ocr_text_sums}
"""Per stream, the row sums whose totals the header contains."""

BATES = "bates"
"""Key of the note in the header of a text: ``bates.findings.BatesSummary`` as JSON."""


class BatesRowSummary:
    """Checks the Bates labels of a document while its text is written."""

    def __init__(self) -> None:
        self._labels = DocumentBates()

    def add_row(self, row: PageText) -> None:
        self._labels.add_page(row)

    def as_json(self) -> dict[str, Any]:
        return {BATES: self._labels.summary().as_json()}


FAILED_PAGES = f"pages_{TextMethod.FAILED.value}"
FLAGGED_PAGES = "pages_flagged"
