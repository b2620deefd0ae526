"""Rows of artifacts over all documents."""

from typing import Any, Generic, TypeVar

from docpipe_assets.model.record import Record, Records


class CorpusRecord(Record):
    """What a corpus asset knows of one document."""

    document: str
    version: str
    made_from: str
    """The fingerprints of the document's artifacts that the row is made from."""


C = TypeVar("C", bound=CorpusRecord)


class CorpusRecords(Records[C], Generic[C]):
    """By document, one row each."""


class DocumentPages(CorpusRecord):
    """How many pages a document has and how they were read, as the headers of its artifacts tell."""

    pages: int
    read_version: str | None = None
    """Version of the bytes whose text was read; None when there is no text yet."""
    pages_by_method: dict[str, int] | None = None
    pages_flagged: int = 0
    bates: dict[str, Any] | None = None
    """``bates.findings.BatesSummary`` as JSON."""


class BatchReportRows(CorpusRecords[DocumentPages]):
    """The part of the batch report that grows with the documents; the ledger is never kept."""

    asset = "batch_report"
    record = DocumentPages
