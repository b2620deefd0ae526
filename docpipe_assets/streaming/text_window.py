"""Place spans of a document on its pages: a window over the page stream, never the whole text."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Container, Iterable, Iterator, Sequence
from enum import Enum, auto
from typing import Generic, TypeVar

from docpipe_assets.model import (
    PAGE_SEPARATOR,
    Box,
    MarkRole,
    PageBox,
    PageProse,
    PageSpan,
    PageText,
    Place,
    Word,
)

P = TypeVar("P", bound=PageProse)

MARKS = frozenset(MarkRole)
LABELS = frozenset({MarkRole.STAMP, MarkRole.LEGEND})
"""Marks that say something of the page, and nothing of what it is about."""


class Outline(Enum):
    """How finely the boxes of a place follow its words."""

    NONE = auto()
    """Where they would only outline whole pages."""
    PAGES = auto()
    LINES = auto()


class TextWindow(Generic[P]):
    """The pages around a span that moves forward.

    Pages are read as far as a span asks for, and kept until ``forget_before`` lets go of them.
    """

    def __init__(self, pages: Iterable[P]) -> None:
        self._unread: Iterator[P] = iter(pages)
        self._pages: deque[P] = deque()
        self._unseen: deque[P] = deque()
        self._is_followed = False
        self._is_read = False

    def __iter__(self) -> Iterator[P]:
        """Every page once, in order, also those that spans made the window read meanwhile."""
        self._is_followed = True
        while self._unseen or self.read_page() is not None:
            yield self._unseen.popleft()

    def read_until(self, end: int) -> None:
        """Read pages until one ends at or after ``end``, or no page is left."""
        while not self._is_read and (not self._pages or self._pages[-1].end < end):
            self.read_page()

    def read_page(self) -> P | None:
        """Read one page more; None where there is none."""
        page = next(self._unread, None)
        if page is None:
            self._is_read = True
        else:
            self._pages.append(page)
            if self._is_followed:
                self._unseen.append(page)
        return page

    def owner(self) -> P:
        """A page at hand: it names the document and the version. At least one must have been read."""
        return self._pages[-1]

    def forget_before(self, start: int) -> None:
        """Let go of the pages that end before ``start``, but never of the last one read."""
        while len(self._pages) > 1 and self._pages[0].end < start:
            self._pages.popleft()

    def come_to(self, start: int) -> None:
        """Read on to the page on which ``start`` lies; the pages before it are let go of as they come."""
        self.forget_before(start)
        while not self._is_read and (not self._pages or self._pages[-1].end < start):
            self.read_page()
            self.forget_before(start)

    def read_past(self) -> None:
        """Read to the end and keep no page but the last one."""
        while self.read_page() is not None:
            while len(self._pages) > 1:
                self._pages.popleft()

    def spans(self, start: int, end: int) -> tuple[PageSpan, ...]:
        """The part of the span on each page that holds some of it, in page order."""
        return tuple(
            PageSpan(page=p.page, start=max(start, p.start), end=min(end, p.end), bates=p.bates)
            for p in self._pages
            if p.start < end and p.end > start
        )

    def marks(self, start: int, end: int, roles: Container[MarkRole] = MARKS) -> Iterator[tuple[int, int]]:
        """The parts of the span that are not of the body, in order; by default all of them."""
        self.read_until(end)
        for page in self._pages:
            if page.start < end and page.end > start:
                for mark in page.marks:
                    first, last = page.start + mark.start, page.start + mark.end
                    if mark.role in roles and first < end and last > start:
                        yield first, last

    def text(self, start: int, end: int) -> str:
        """What stands at the span, with the separators between pages."""
        self.read_until(end)
        parts = [
            p.text[max(start - p.start, 0) : max(end - p.start, 0)]
            for p in self._pages
            if p.start <= end and p.end >= start
        ]
        return PAGE_SEPARATOR.join(parts)


class PageWindow(TextWindow[PageText]):
    """A window that also knows where on its pages the words stand."""

    def place(
        self, document: str, version: str, start: int, end: int, outline: Outline = Outline.LINES
    ) -> Place:
        """The place of a span: its pages, boxes, and the Bates labels of its first and its last page."""
        self.read_until(end)
        touched = [p for p in self._pages if p.start < end and p.end > start]
        nearest = touched or [p for p in self._pages if p.start <= start][-1:] or list(self._pages)[:1]
        first, last = (nearest[0].page, nearest[-1].page) if nearest else (1, 1)
        return Place(
            document=document,
            version=version,
            start=start,
            end=end,
            page=first,
            last_page=last,
            boxes=tuple(box for p in touched for box in _boxes(p, start - p.start, end - p.start, outline)),
            bates=nearest[0].bates if nearest else None,
            last_bates=nearest[-1].bates if first != last else None,
        )


def blanked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with spaces where the spans are, so that offsets stay; what they hold is not read."""
    parts: list[str] = []
    at = 0
    for start, end in spans:
        start, end = max(start, at), min(end, len(text))
        if start < end:
            parts += [text[at:start], " " * (end - start)]
            at = end
    return "".join(parts) + text[at:]


def _boxes(page: PageText, start: int, end: int, outline: Outline) -> Iterator[PageBox]:
    """The boxes of the words of a page that overlap a span."""
    words = page.words[bisect_right(page.words, start, key=_end) : bisect_left(page.words, end, key=_start)]
    if outline is Outline.LINES:
        yield from _line_boxes(page, words)
    elif outline is Outline.PAGES and words:
        yield PageBox(page=page.page, box=Box.around([word.box for word in words]))


def _line_boxes(page: PageText, words: Sequence[Word]) -> Iterator[PageBox]:
    """One box for each line. Words that adjoin are parts of one that was divided at the end of a line."""
    line: list[Box] = []
    for index, word in enumerate(words):
        between = page.text[words[index - 1].end : word.start] if index else " "
        if not between or "\n" in between:
            yield PageBox(page=page.page, box=Box.around(line))
            line = []
        line.append(word.box)
    if line:
        yield PageBox(page=page.page, box=Box.around(line))


def _start(word: Word) -> int:
    return word.start


def _end(word: Word) -> int:
    return word.end
