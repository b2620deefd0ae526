"""Places of evidence: boxes on pages, spans of the document, bytes in the lake."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from pydantic import ConfigDict

from docpipe_assets.model.record import Record


class Box(NamedTuple):
    """A rectangle in points, origin top left."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, boxes: Iterable["Box"]) -> "Box":
        """The smallest box that contains all boxes; there must be at least one."""
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return cls(min(lefts), min(tops), max(rights), max(bottoms))


# Words and boxes are by far the most numerous records. With slots they take 40 % of the memory of pydantic
# models. They are validated when they are read, not when they are created.
@dataclass(frozen=True, slots=True)
class PageBox:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    page: int
    box: Box


class Place(Record):
    """The location of evidence: document version, pages, character span, boxes and Bates labels."""

    document: str
    version: str
    start: int
    end: int
    page: int
    last_page: int
    boxes: tuple[PageBox, ...] = ()
    """One box per line; for a chunk, one per page."""
    bates: str | None = None
    """The label of the first page."""
    last_bates: str | None = None
    """The label of the last page, if it differs."""


class Blob(Record):
    """A file in the lake that belongs to an artifact, addressed by key and verified by hash."""

    key: str
    size_bytes: int
    sha256: str


class PageSpan(Record):
    """The part of a document span that lies on one page, in document offsets."""

    page: int
    start: int
    end: int
    bates: str | None = None
