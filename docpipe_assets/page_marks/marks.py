"""Marks the text that does not belong to the body: stamps, legends, and repeated headers and footers.

Marked text stays in the text, so that quotes and offsets stay valid; readers of the body skip it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from docpipe_assets.bates.look_alikes import bare
from docpipe_assets.bates.runs import LOOKAHEAD_PAGES
from docpipe_assets.bates.stamps import MARGIN_SHARE
from docpipe_assets.model import Box, Legend, Mark, MarkRole, PageText, Stamp, Word
from docpipe_assets.page_marks.legends import legends_in

MIN_PAGES = 3
"""Minimum number of pages on which a line is at the same edge to be a header or footer, within
``LOOKAHEAD_PAGES`` pages."""
MIN_NUMBERED_PAGES = 2
"""The same for a line with the word "page" before a number."""
_WIDE_GAP = 2.0
"""In word heights: maximum gap between words of one segment."""
_PLACES = 6
"""Number of columns of the page width, to distinguish page numbers from numbers in a table."""
_MIN_KEYS = 100
"""Keys of distant pages are dropped when the number of keys has doubled since the last time, plus this
number."""
_NUMBER = re.compile(r"\d+")
_PUNCTUATION = re.compile(r"[^\w#]+")


class Segment(NamedTuple):
    """Close words of a line, with their span in the page text."""

    start: int
    end: int
    text: str
    box: Box
    edge: MarkRole | None
    """Header or footer, if it is near the upper or the lower edge."""
    line: int

    def key(self, width: float) -> str:
        """The key under which repetitions are found on other pages: the edge, and the text
        without numbers.
        """
        text = _PUNCTUATION.sub("", _NUMBER.sub("#", self.text.casefold()))
        if any(map(str.isalpha, text)):
            return f"{self.edge} {text}"
        return f"{self.edge} {text} {round((self.box.left + self.box.right) / 2 / max(width, 1) * _PLACES)}"


class Repeats:
    """Stores the lines at the edges of the surrounding pages."""

    def __init__(self) -> None:
        self._pages: dict[str, list[int]] = {}
        self._bound = _MIN_KEYS

    def add_page(self, page: int, keys: Iterable[str]) -> None:
        """Add a page; lines of distant pages are dropped."""
        for key in set(keys):
            self._pages.setdefault(key, []).append(page)
        if len(self._pages) > self._bound or page % LOOKAHEAD_PAGES == 0:
            first = page - 2 * LOOKAHEAD_PAGES
            self._pages = {
                key: [one for one in seen if one >= first]
                for key, seen in self._pages.items()
                if seen[-1] >= first
            }
            self._bound = 2 * len(self._pages) + _MIN_KEYS

    def is_repeated(self, page: int, key: str) -> bool:
        """Whether enough pages around this one have the key. The page itself counts."""
        seen = self._pages.get(key, ())
        fewest = MIN_NUMBERED_PAGES if "page#" in key else MIN_PAGES
        return sum(abs(other - page) <= LOOKAHEAD_PAGES for other in seen) >= fewest


def segments(page: PageText, words: Sequence[Word], height: float) -> list[Segment]:
    """These words of a page as segments, in text order."""
    found: list[Segment] = []
    line = last_end = 0
    for group in _words_by_segment(page.text, words):
        start, end = group[0].start, group[-1].end
        box = Box.around(word.box for word in group)
        line += "\n" in page.text[last_end:start]
        found.append(Segment(start, end, page.text[start:end], box, _edge(box, height), line))
        last_end = end
    return found


def marks_of(
    page: PageText, segments: Sequence[Segment], stamps: Sequence[Stamp], width: float, repeats: Repeats
) -> tuple[tuple[Mark, ...], tuple[Legend, ...]]:
    """The marks of a page, and its legends."""
    stamped = [words for stamp in stamps if (words := _words_of(stamp, page))]
    marks = [Mark(start=words[0].start, end=words[-1].end, role=MarkRole.STAMP) for words in stamped]
    legends: set[Legend] = set()
    repeated: dict[int, list[Mark]] = {}
    body_lines: set[int] = set()
    for segment in segments:
        edge = segment.edge
        is_repeated = edge is not None and repeats.is_repeated(page.page, segment.key(width))
        for start, end in _without(segment, marks[: len(stamped)]):
            found_legends = legends_in(page.text[start:end], is_in_margin=edge is not None)
            legends |= found_legends
            if found_legends:
                marks.append(Mark(start=start, end=end, role=MarkRole.LEGEND))
            elif is_repeated and edge is not None:
                repeated.setdefault(segment.line, []).append(Mark(start=start, end=end, role=edge))
            else:
                body_lines.add(segment.line)
    # A line number also repeats on each page and is not a header: the rest of its line is body text.
    marks += [mark for line, found in repeated.items() if line not in body_lines for mark in found]
    marks.sort(key=lambda mark: mark.start)
    return tuple(marks), tuple(sorted(legends))


def _words_by_segment(text: str, words: Iterable[Word]) -> Iterator[list[Word]]:
    group: list[Word] = []
    for word in words:
        if group and not _is_read_together(text, group[-1], word):
            yield group
            group = []
        group.append(word)
    if group:
        yield group


def _is_read_together(text: str, last: Word, word: Word) -> bool:
    """Whether the words are separated by one space and a small gap on the page."""
    if word.start != last.end + 1 or text[last.end] == "\n":
        return False
    height = max(last.box.bottom - last.box.top, word.box.bottom - word.box.top)
    return word.box.left - last.box.right <= _WIDE_GAP * height


def _edge(box: Box, height: float) -> MarkRole | None:
    middle = (box.top + box.bottom) / 2
    if middle <= MARGIN_SHARE * height:
        return MarkRole.HEADER
    return MarkRole.FOOTER if middle >= (1 - MARGIN_SHARE) * height else None


def _words_of(stamp: Stamp, page: PageText) -> list[Word]:
    """The words in the box of the stamp that match it as read, if they are consecutive in the text."""
    if stamp.box is None:
        return []
    wanted = bare(stamp.read_as or stamp.label)
    left, top, right, bottom = stamp.box
    inside = [
        n
        for n, word in enumerate(page.words)
        if top <= (word.box.top + word.box.bottom) / 2 <= bottom
        and left <= (word.box.left + word.box.right) / 2 <= right
    ]
    for first in range(len(inside)):
        text = ""
        for last in range(first, len(inside)):
            words = page.words[inside[first] : inside[last] + 1]
            if len(words) != last - first + 1:
                break
            text += bare(page.text[words[-1].start : words[-1].end])
            if text == wanted:
                return list(words)
    return []


def _without(segment: Segment, stamps: Sequence[Mark]) -> Iterator[tuple[int, int]]:
    """The spans of a segment outside stamps, without white space at the ends."""
    start = segment.start
    for stamp in sorted(stamps, key=lambda mark: mark.start):
        if segment.start <= stamp.start and stamp.end <= segment.end:
            yield from _stripped(segment, start, stamp.start)
            start = stamp.end
    yield from _stripped(segment, start, segment.end)


def _stripped(segment: Segment, start: int, end: int) -> Iterator[tuple[int, int]]:
    text = segment.text[start - segment.start : end - segment.start]
    if kept := text.strip():
        begin = start + len(text) - len(text.lstrip())
        yield begin, begin + len(kept)
