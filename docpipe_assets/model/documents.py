"""The document as received, and its page ranges."""

from datetime import datetime

from docpipe_assets.model.places import Blob
from docpipe_assets.model.record import Record, Records


class RawPdf(Record):
    """One version of a source document that opened as a PDF with at least one page."""

    document: str
    version: str
    """SHA-256 of the source bytes, hexadecimal."""
    size_bytes: int
    etag: str
    last_modified: datetime
    pdf: Blob
    """The pinned bytes. Later stages read these and never the intake bucket, which may change."""
    pages: int
    is_encrypted: bool = False
    """Encrypted, but opens without a password (an owner password restricts printing or copying)."""
    is_repaired: bool = False
    """Whether the file had to be repaired to open, or its page tree or page count is damaged."""
    warnings: tuple[str, ...] = ()
    pdf_version: str | None = None
    producer: str | None = None
    title: str | None = None


class Page(Record):
    """Properties of a page before its text is read."""

    page: int
    width_points: float
    height_points: float
    rotation_degrees: int
    text_characters: int
    """Number of characters in the words of the text layer."""
    image_cover: float
    """Share of the page area that images cover, 0 to 1."""
    bates: str | None = None
    """Bates label in the text layer; None also if only the image shows one."""
    failure: str | None = None
    """Code of the error that prevents reading the page; its measurements are then 0."""


class PageSplit(Record):
    """A range of consecutive pages as a part PDF, small enough to be processed as a unit."""

    document: str
    version: str
    split: int
    """Number of the split in the document, from 1."""
    first_page: int
    last_page: int
    part: Blob
    pages: tuple[Page, ...]


class RawPdfs(Records[RawPdf]):
    """One record: the pinned document."""

    asset = "raw_pdf"
    record = RawPdf


class PageSplits(Records[PageSplit]):
    """In page order, without gaps."""

    asset = "page_splits"
    record = PageSplit
