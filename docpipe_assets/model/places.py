"""Where evidence is: boxes on pages, spans of the document, bytes in the lake."""

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
        """The box that holds all of them; there must be one."""
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return cls(min(lefts), min(tops), max(rights), max(bottoms))


# Words and boxes are by far the most numerous of all that is read: as slots they take 40 % of the memory
# that models do. They are checked when they are read, not when they are made.
@dataclass(frozen=True, slots=True)
class PageBox:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    page: int
    box: Box


class Place(Record):
    """Where evidence stands: document version, pages, character span, boxes and Bates label."""

    document: str
    version: str
    start: int
    end: int
    page: int
    last_page: int
    boxes: tuple[PageBox, ...] = ()
    """One for each line; for a chunk, one for each page."""
    bates: str | None = None
    """The label of the first page."""
    last_bates: str | None = None
    """That of the last page, where it is another one."""


class Blob(Record):
    """Bytes kept in the lake beside an artifact, addressed by key and verified by hash."""

    key: str
    size_bytes: int
    sha256: str


class PageSpan(Record):
    """The part of a document span that lies on one page, in document offsets."""

    page: int
    start: int
    end: int
    bates: str | None = None
