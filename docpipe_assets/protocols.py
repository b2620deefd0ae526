"""The protocols of PDF readers, OCR engines, NER engines and stores."""

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol, TypeAlias

from docpipe_assets.model import Blob, Box, FoundName, Page, PageText


@dataclass(frozen=True)
class PdfFacts:
    """Properties of an opened PDF. ``pages`` is counted by loading pages, never taken from the file's own
    count.
    """

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
    """Clockwise rotation of the word on the page: 1 if it runs down the page, 2 if it is upside down."""


Line: TypeAlias = tuple[PlacedWord, ...]
Lines: TypeAlias = tuple[Line, ...]
"""The lines of a page, in reading order."""


@dataclass(frozen=True)
class PageContent:
    """The text layer of a page in reading order, with the signals for judging it.

    ``lines`` contains the words of each line; ``signals`` are named measurements (see
    ``stages.splits_to_text``).
    """

    page: int
    width_points: float
    height_points: float
    lines: Lines
    signals: dict[str, float]


@dataclass(frozen=True)
class PageImage:
    """A rendered page in a file: 8-bit grey pixels, ``height`` rows of ``width`` bytes."""

    path: Path
    width: int
    height: int
    dpi: float


class PdfPart(NamedTuple):
    """A window of pages as a part PDF. Page numbers are those of the whole document."""

    first_page: int
    last_page: int
    path: Path
    missing: tuple[int, ...] = ()
    """Pages that can't be loaded from the document; the part has empty pages in their place."""


class PdfReader(Protocol):
    """Reads untrusted PDF files; every method runs in a capped child process.

    Raises ``DocumentError`` if the document is the cause and ``ResourceError`` if a budget is exceeded. Page
    numbers are those of the given file, from 1.
    """

    version: str

    def inspect(self, pdf: Path, max_pages: int) -> PdfFacts: ...

    def survey(self, pdf: Path, pages: int) -> Iterator[Page]:
        """Properties of each page of a part, without judging its text.

        A page that can't be read, or is missing, has a ``failure``; it does not affect other pages.
        """
        ...

    def split(
        self, pdf: Path, pages: int, pages_per_part: int, bytes_per_part: int, *, is_damaged: bool = False
    ) -> Iterator[PdfPart]:
        """Cut into part PDFs, in page order; the file of a part is deleted when the next part is requested.

        A file that is known to be damaged is repaired first; any other file when cutting it fails.
        """
        ...

    def read(self, pdf: Path, first: int = 1) -> Iterator[PageContent]:
        """The text of each page from ``first`` on; raises at a page that can't be read."""
        ...

    def render(self, pdf: Path, page: int, dpi: float) -> AbstractContextManager[PageImage]: ...

    def ink(self, image: PageImage, boxes: Sequence[Box]) -> Mapping[str, float]:
        """Measurements of the ink of a page image that the words do not cover, by name; boxes are in image
        pixels.
        """
        ...


class OcrEngine(Protocol):
    """Reads a rendered page. Boxes are in pixels of the image; lines are in reading order.

    Raises ``EngineError`` if the engine itself fails.
    """

    name: str
    version: str
    """Changes whenever results can change. Reading it loads no model."""

    def read(self, image: PageImage) -> Lines: ...


@dataclass(frozen=True)
class NameContext:
    """Document context for the text that an engine is given."""

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
    """Properties of an object from a listing or HEAD request."""

    key: str
    size_bytes: int
    etag: str
    last_modified: datetime
    version_id: str | None = None


class Source(Protocol):
    """Read access to objects by key, below one root. Raises subclasses of ``StoreError``."""

    url: str

    def head(self, key: str) -> StoredObject: ...

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[StoredObject]:
        """In byte order of the keys, as S3 lists them."""
        ...

    def folders(self) -> Sequence[str]:
        """The distinct first segments of keys with several segments; not complete in a large bucket."""
        ...

    def open(self, key: str, etag: str | None = None) -> AbstractContextManager[BinaryIO]:
        """Read from the start; raises ObjectChanged if ``etag`` is given and does not match."""
        ...

    def fetch(self, key: str, target: Path, size_bytes: int, etag: str | None = None) -> str:
        """Copy one version of an object to a file and return its SHA-256.

        ``target`` exists only if all ``size_bytes`` arrived. Raises TransferCut if the size differs, and
        ObjectChanged as ``open`` does.
        """
        ...


class Store(Source, Protocol):
    """A source with write access.

    Writes are atomic: the old object stays readable until the new one is complete, and a failed write does
    not change it.
    """

    def put(self, key: str, source: Path) -> StoredObject: ...

    def delete(self, key: str) -> None: ...


class PartStore(Protocol):
    """Stores and fetches the files that belong to an artifact."""

    def keep(self, name: str, source: Path, sha256: str | None = None) -> Blob: ...

    def fetch(self, blob: Blob) -> AbstractContextManager[Path]: ...


class Checkpoints(Protocol):
    """Finished splits of an artifact that is being built.

    ``made_from`` is the fingerprint of that artifact; splits of another fingerprint are not found.
    """

    def load(self, made_from: str, first_page: int) -> Sequence[PageText] | None: ...

    def save(self, made_from: str, first_page: int, pages: Sequence[PageText]) -> None: ...


class Scratch(Protocol):
    """Provides temporary folders that are deleted when the block ends."""

    def folder(self) -> AbstractContextManager[Path]: ...
