"""Rows of corpus artifacts."""

from typing import Any, Generic, TypeVar

from docpipe_assets.model.record import Record, Records


class CorpusRecord(Record):
    """One document in a corpus artifact."""

    document: str
    version: str
    made_from: str
    """Fingerprints of the document's artifacts from which the row was derived."""


C = TypeVar("C", bound=CorpusRecord)


class CorpusRecords(Records[C], Generic[C]):
    """One row per document, sorted by document."""


class DocumentPages(CorpusRecord):
    """Number of pages of a document and how they were read, from the headers of its artifacts."""

    pages: int
    read_version: str | None = None
    """Version of the document whose text was read; None without text."""
    pages_by_method: dict[str, int] | None = None
    pages_flagged: int = 0
    bates: dict[str, Any] | None = None
    """``bates.findings.BatesSummary`` as JSON."""


class BatchReportRows(CorpusRecords[DocumentPages]):
    """The part of the batch report that is stored by document; the ledger is derived for each report."""

    asset = "batch_report"
    record = DocumentPages
