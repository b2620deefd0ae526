"""Maps spans of a document to places on its pages, with a window over the page stream."""

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
PAGE_MARKS = frozenset({MarkRole.STAMP, MarkRole.LEGEND})
"""Stamps and legends: marks that describe the page and not its subject."""


class Outline(Enum):
    """Granularity of the boxes of a place."""

    NONE = auto()
    """For spans whose boxes would only outline whole pages."""
    PAGES = auto()
    LINES = auto()


class TextWindow(Generic[P]):
    """A moving window of pages around a span.

    Pages are read as far as a span needs them, and kept until ``drop_before`` drops them.
    """

    def __init__(self, pages: Iterable[P]) -> None:
        self._source: Iterator[P] = iter(pages)
        self._pages: deque[P] = deque()
        self._not_yielded: deque[P] = deque()
        self._is_iterated = False
        self._is_exhausted = False

    def __iter__(self) -> Iterator[P]:
        """Every page once, in order, including those that the window has read ahead."""
        self._is_iterated = True
        while self._not_yielded or self.read_page() is not None:
            yield self._not_yielded.popleft()

    def read_until(self, end: int) -> None:
        """Read pages until one ends at or after ``end``, or no page is left."""
        while not self._is_exhausted and (not self._pages or self._pages[-1].end < end):
            self.read_page()

    def read_page(self) -> P | None:
        """Read one more page; None if there is none."""
        page = next(self._source, None)
        if page is None:
            self._is_exhausted = True
        else:
            self._pages.append(page)
            if self._is_iterated:
                self._not_yielded.append(page)
        return page

    def any_page(self) -> P:
        """Any page of the window: it has the document and the version. At least one must have been read."""
        return self._pages[-1]

    def drop_before(self, start: int) -> None:
        """Drop the pages that end before ``start``, but never the last one read."""
        while len(self._pages) > 1 and self._pages[0].end < start:
            self._pages.popleft()

    def advance_to(self, start: int) -> None:
        """Read up to the page that contains ``start``; pages before it are dropped as they are read."""
        self.drop_before(start)
        while not self._is_exhausted and (not self._pages or self._pages[-1].end < start):
            self.read_page()
            self.drop_before(start)

    def drain(self) -> None:
        """Read to the end and keep only the last page."""
        while self.read_page() is not None:
            while len(self._pages) > 1:
                self._pages.popleft()

    def spans(self, start: int, end: int) -> tuple[PageSpan, ...]:
        """The part of the span on each page that contains some of it, in page order."""
        return tuple(
            PageSpan(page=p.page, start=max(start, p.start), end=min(end, p.end), bates=p.bates)
            for p in self._pages
            if p.start < end and p.end > start
        )

    def marks(self, start: int, end: int, roles: Container[MarkRole] = MARKS) -> Iterator[tuple[int, int]]:
        """The parts of the span that are not body text, in order; by default all of them."""
        self.read_until(end)
        for page in self._pages:
            if page.start < end and page.end > start:
                for mark in page.marks:
                    first, last = page.start + mark.start, page.start + mark.end
                    if mark.role in roles and first < end and last > start:
                        yield first, last

    def text(self, start: int, end: int) -> str:
        """The text of the span, with the separators between pages."""
        self.read_until(end)
        parts = [
            p.text[max(start - p.start, 0) : max(end - p.start, 0)]
            for p in self._pages
            if p.start <= end and p.end >= start
        ]
        return PAGE_SEPARATOR.join(parts)


class PageWindow(TextWindow[PageText]):
    """A window that also maps words to their boxes."""

    def place(
        self, document: str, version: str, start: int, end: int, outline: Outline = Outline.LINES
    ) -> Place:
        """The place of a span: its pages, boxes, and the Bates labels of its first and last page."""
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


def mask_spans(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with the spans replaced by spaces, so that offsets stay valid."""
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
    """One box per line. Adjoining words are parts of a word that was hyphenated at the end of a line."""
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
