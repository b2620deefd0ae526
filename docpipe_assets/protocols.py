"""The seams: what a PDF reader, an OCR engine, a NER engine and a store must offer, and no more."""

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol, TypeAlias

from docpipe_assets.model import Blob, Box, FoundName, Page, PageText


@dataclass(frozen=True)
class PdfFacts:
    """What opening a PDF tells. ``pages`` were counted by loading, never taken from a claim."""

    pages: int
    is_encrypted: bool
    is_repaired: bool
    warnings: tuple[str, ...]
    pdf_version: str | None
    producer: str | None
    title: str | None


class PlacedWord(NamedTuple):
    """A word with its box and confidence, before lines are assembled."""

    text: str
    box: Box
    confidence: float = 1.0
    quarter_turns: int = 0
    """Clockwise, of the word on the page: 1 where it runs down the page, 2 where it stands on its head."""


Line: TypeAlias = tuple[PlacedWord, ...]
Lines: TypeAlias = tuple[Line, ...]
"""Of a page, in reading order."""


@dataclass(frozen=True)
class PageContent:
    """The text layer of a page in reading order, and the signals for judging it.

    ``lines`` are the words of each line; ``signals`` are named measurements (see
    ``stages.splits_to_text``).
    """

    page: int
    width_points: float
    height_points: float
    lines: Lines
    signals: dict[str, float]


@dataclass(frozen=True)
class PageImage:
    """A rendered page: 8-bit grey pixels, ``height`` rows of ``width`` bytes, in a file."""

    path: Path
    width: int
    height: int
    dpi: float


class PdfPart(NamedTuple):
    """A window of pages, cut out as a file of its own. Pages are those of the whole document."""

    first_page: int
    last_page: int
    path: Path
    missing: tuple[int, ...] = ()
    """Pages that can't be loaded from the document; empty ones stand in their places."""


class PdfReader(Protocol):
    """Reads untrusted PDF files; every method works in a capped child process.

    Raises ``DocumentError`` for what the document is to blame for and ``ResourceError`` when a
    budget is spent. Page numbers are those of the file given, from 1.
    """

    version: str

    def inspect(self, pdf: Path, max_pages: int) -> PdfFacts: ...

    def survey(self, pdf: Path, pages: int) -> Iterator[Page]:
        """What is known of each of a part's pages without judging its text.

        A page that can't be read, or is not there, has a ``failure``; none fails the others.
        """
        ...

    def split(
        self, pdf: Path, pages: int, pages_per_part: int, bytes_per_part: int, *, is_damaged: bool = False
    ) -> Iterator[PdfPart]:
        """Cut into parts, in page order; each part's file vanishes when the next one is asked for.

        A file that is known to be damaged is repaired first, any other one when it turns out to be.
        """
        ...

    def read(self, pdf: Path, first: int = 1) -> Iterator[PageContent]:
        """The text of each page from ``first`` on; raises at a page that can't be read."""
        ...

    def render(self, pdf: Path, page: int, dpi: float) -> AbstractContextManager[PageImage]: ...

    def ink(self, image: PageImage, boxes: Sequence[Box]) -> Mapping[str, float]:
        """What the words found on a page image leave of its ink, by name; their boxes are in its pixels."""
        ...


class OcrEngine(Protocol):
    """Reads a rendered page. Boxes are in pixels of the image; lines come in reading order.

    Raises ``EngineError`` when the engine itself breaks.
    """

    name: str
    version: str
    """Changes whenever results can change. Reading it loads no model."""

    def read(self, image: PageImage) -> Lines: ...


@dataclass(frozen=True)
class NameContext:
    """What an engine may know of the document around the text it is given."""

    lowercase_words: Container[str]
    """Words that occur in lower case anywhere in the document."""


class NerEngine(Protocol):
    """Finds names in one chunk of text. Offsets are into that text; spans never overlap."""

    name: str
    version: str
    """Changes whenever results can change. Reading it loads no model."""

    def find(self, text: str, context: NameContext) -> Iterator[FoundName]: ...


@dataclass(frozen=True)
class StoredObject:
    """What a listing or HEAD tells of an object."""

    key: str
    size_bytes: int
    etag: str
    last_modified: datetime
    version_id: str | None = None


class Source(Protocol):
    """Objects by key, below one root, to read. Raises the classes under ``StoreError``."""

    url: str

    def head(self, key: str) -> StoredObject: ...

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[StoredObject]:
        """In the byte order of the keys, as S3 lists them."""
        ...

    def folders(self) -> Sequence[str]:
        """The first segments of the keys that have several; in a large bucket not all of them."""
        ...

    def open(self, key: str, etag: str | None = None) -> AbstractContextManager[BinaryIO]:
        """Read from the start; raises ObjectChanged when an ``etag`` is given and it is another by now."""
        ...

    def fetch(self, key: str, target: Path, size_bytes: int, etag: str | None = None) -> str:
        """Copy one version of an object to a file, and return its SHA-256.

        ``target`` is there when all ``size_bytes`` are, and only then; raises TransferCut when they are
        fewer or more, and ObjectChanged as ``open`` does.
        """
        ...


class Store(Source, Protocol):
    """A source that can be written to.

    A write is whole or did not happen: an old object stays readable until the new one is
    complete, and a failed write leaves it as it was.
    """

    def put(self, key: str, source: Path) -> StoredObject: ...

    def delete(self, key: str) -> None: ...


class PartStore(Protocol):
    """Where a stage keeps and finds files that belong to an artifact."""

    def keep(self, name: str, source: Path, sha256: str | None = None) -> Blob: ...

    def fetch(self, blob: Blob) -> AbstractContextManager[Path]: ...


class Checkpoints(Protocol):
    """Finished splits of an artifact that is being made.

    ``made_from`` is the fingerprint of that artifact: what was finished for another one is not found.
    """

    def load(self, made_from: str, first_page: int) -> Sequence[PageText] | None: ...

    def save(self, made_from: str, first_page: int, pages: Sequence[PageText]) -> None: ...


class Scratch(Protocol):
    """Gives temporary folders that vanish when the block ends."""

    def folder(self) -> AbstractContextManager[Path]: ...
