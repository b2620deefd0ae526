"""Tells where paragraphs begin on a page, from how its lines stand and end: text layers and OCR alike.

What is set as a block of its own counts: a heading, the lines of an address, a question, an answer, an
item of a list, a table. A line begins one when the white above it is wider than that around it, or when
it is indented, marked as an item or of other type; or when the line before it ends with a full stop
although the first word of this one would have had room there.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import quantiles

from docpipe_assets.lazy import lazy
from docpipe_assets.model import Box
from docpipe_assets.protocols import Line, Lines

GAP = 1.25
"""In steps from line to line around it: what is wider parts paragraphs."""
OTHER_TYPE = 1.35
"""How much higher one line is than the other."""
EM = 0.8
"""Of the height of a line: less is no indent, but how ink lies."""
FARTHEST = 4.0
"""In heights: a line further below stands for itself, and says nothing of the steps around it."""
NEAR = 20
"""Lines before and after, from which the margins of a column are taken."""
MARGIN = 6.0
"""In heights, from left to left: what begins further aside is not of one column."""
_TIGHT = 4
"""The tightest of so many shares of a page's steps is taken for that of its paragraphs."""

_FLAT = 0.01
"""In points: some PDFs have text without any height."""
_TERMINAL = re.compile(r"[.?!:…][\"'”’)\]]*$")
_NUMBER = re.compile(r"\d{1,2}")
_ITEM = re.compile(
    r"[QA][.:]?|\(?(?:\d{1,2}|[a-z]|[ivx]{1,5}|[IVX]{1,5}|[A-Z])[.)]|[•▪●○◦■–—*-]|¶|§+"
    r"|(?:From|To|Cc|CC|Bcc|Sent|Subject|Date|Re|RE|FROM|TO|DATE|SUBJECT):"
)


@dataclass(frozen=True)
class _Line:
    """A line as it is read: the text runs to the right, whichever way it stands on the page."""

    boxes: tuple[Box, ...]
    first: str
    last: str
    quarter_turns: int

    @lazy
    def left(self) -> float:
        return self.boxes[0].left

    @lazy
    def right(self) -> float:
        return self.boxes[-1].right

    @lazy
    def height(self) -> float:
        return max(_FLAT, *(box.bottom - box.top for box in self.boxes))

    @property
    def ends(self) -> bool:
        return _TERMINAL.search(self.last) is not None

    @property
    def is_item(self) -> bool:
        return _ITEM.fullmatch(self.first) is not None

    @property
    def runs_on(self) -> bool:
        return self.first[0].islower()

    def is_beside(self, other: "_Line") -> bool:
        """Whether one stands above the other, at the same margin: they are of one column."""
        shared = min(self.right, other.right) - max(self.left, other.left)
        return shared > 0 and self.quarter_turns == other.quarter_turns

    def step_to(self, below: "_Line") -> float:
        """How far down it is; measured where the lower one begins, because the page may lie askew."""
        begin = below.boxes[0]
        above = min(self.boxes, key=lambda box: abs(box.left - begin.left))
        return (begin.top + begin.bottom - above.top - above.bottom) / 2


def paragraph_starts(lines: Lines) -> set[int]:
    """The numbers of the lines that begin a paragraph; on every page the first one does."""
    numbered = list(_upright(lines))
    if not numbered:
        return set()
    page = _Page([line for _, line in numbered])
    return {number for at, (number, _) in enumerate(numbered) if page.begins(at)}


def _upright(lines: Lines) -> Iterator[tuple[int, _Line]]:
    """The lines that have words, without the numbers of numbered lines."""
    with_words = [(number, line) for number, line in enumerate(lines) if line]
    counts = [_count(line) for _, line in with_words]
    for at, (number, line) in enumerate(with_words):
        count = counts[at]
        around = counts[max(at - 1, 0) : at] + counts[at + 1 : at + 2]
        is_counted = count is not None and any(other in (count - 1, count + 1) for other in around)
        words = line[1:] if is_counted and len(line) > 1 else line
        turns = words[0].quarter_turns % 4
        boxes = tuple(_turned(word.box, turns) for word in words)
        yield number, _Line(boxes, words[0].text, words[-1].text, turns)


def _count(line: Line) -> int | None:
    return int(line[0].text) if _NUMBER.fullmatch(line[0].text) else None


def _turned(box: Box, quarter_turns: int) -> Box:
    match quarter_turns:
        case 1:
            return Box(box.top, -box.right, box.bottom, -box.left)
        case 2:
            return Box(-box.right, -box.bottom, -box.left, -box.top)
        case 3:
            return Box(-box.bottom, box.left, -box.top, box.right)
    return box


class _Page:
    def __init__(self, lines: Sequence[_Line]) -> None:
        self._lines = lines
        self._steps = [None, *(_step(above, below) for above, below in pairwise(lines))]
        shares = [step / line.height for step, line in zip(self._steps, lines, strict=True) if step]
        self._tight = quantiles(shares, n=_TIGHT)[0] if len(shares) > 1 else None

    def begins(self, at: int) -> bool:
        if at == 0:
            return True
        line, before, step = self._lines[at], self._lines[at - 1], self._steps[at]
        if step is None:  # another column, or far below
            return not line.runs_on and (before.ends or self._has_room(at))
        around = [near for near in (self._steps[at - 1], *self._steps[at + 1 : at + 2]) if near]
        if around and step > GAP * min(around):
            return True
        if not OTHER_TYPE > line.height / before.height > 1 / OTHER_TYPE:
            return True
        if line.runs_on:
            return False
        if line.is_item and before.ends:
            return True
        is_loose = self._tight is not None and step > GAP * self._tight * line.height
        if (is_loose or line.is_item or before.ends) and self._has_room(at):
            return True
        return self._is_indented(at)

    def _has_room(self, at: int) -> bool:
        """Whether the line's first word would have gone at the end of the line before."""
        line, before = self._lines[at], self._lines[at - 1]
        edge = max((other.right for other in self._column(at - 1)), default=before.right)
        first = line.boxes[0]
        return edge - before.right > first.right - first.left + EM * line.height

    def _column(self, at: int) -> Iterator[_Line]:
        """The lines around that are of one column with this one."""
        line = self._lines[at]
        farthest = MARGIN * line.height
        for other in self._lines[max(at - NEAR, 0) : at + NEAR + 1]:
            if abs(other.left - line.left) < farthest and other.is_beside(line):
                yield other

    def _is_indented(self, at: int) -> bool:
        line, before = self._lines[at], self._lines[at - 1]
        em = EM * line.height
        below = self._lines[at + 1] if self._steps[at + 1 : at + 2] not in ([], [None]) else None
        if line.left <= before.left + em:
            return False
        if before.is_item and not before.ends:  # it hangs
            return False
        return before.ends or (below is not None and line.left > below.left + em)


def _step(above: _Line, below: _Line) -> float | None:
    """None where the one is not the line under the other."""
    step = above.step_to(below)
    is_under = 0 < step < FARTHEST * max(above.height, below.height) and above.is_beside(below)
    return step if is_under else None
