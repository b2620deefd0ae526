"""Detects the starts of paragraphs on a page from the layout of its lines; for text layers and OCR.

Every separate block counts: a heading, the lines of an address, a question, an answer, a list item, a table.
A line starts a block if the space above it is wider than the surrounding line spacing, if it is indented, an
item or of another type size, or if the previous line ends with a full stop although the first word of this
line would have fitted there.
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
"""Minimum ratio of a paragraph gap to the surrounding line spacing."""
OTHER_TYPE = 1.35
"""Minimum ratio of line heights of different type sizes."""
EM = 0.8
"""Minimum indent, in line heights; smaller offsets are noise."""
MAX_STEP = 4.0
"""Maximum line spacing, in line heights; a line further below is not used to measure spacing."""
NEAR = 20
"""Number of lines before and after from which the margins of a column are determined."""
MARGIN = 6.0
"""Maximum distance of left edges within one column, in line heights."""
_TIGHT = 4
"""The first of this number of quantiles of the line spacing is taken as the spacing within paragraphs."""

_FLAT = 0.01
"""Minimum line height in points: some PDFs have text without any height."""
_TERMINAL = re.compile(r"[.?!:…][\"'”’)\]]*$")
_NUMBER = re.compile(r"\d{1,2}")
_ITEM = re.compile(
    r"[QA][.:]?|\(?(?:\d{1,2}|[a-z]|[ivx]{1,5}|[IVX]{1,5}|[A-Z])[.)]|[•▪●○◦■–—*-]|¶|§+"
    r"|(?:From|To|Cc|CC|Bcc|Sent|Subject|Date|Re|RE|FROM|TO|DATE|SUBJECT):"
)


@dataclass(frozen=True)
class _Line:
    """A line in reading orientation: the text runs to the right, whatever its orientation on the page."""

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
        """Whether one is above the other, at the same margin: both are in the same column."""
        shared = min(self.right, other.right) - max(self.left, other.left)
        return shared > 0 and self.quarter_turns == other.quarter_turns

    def step_to(self, below: "_Line") -> float:
        """Distance to the line below, measured at its start, because the page may be skewed."""
        begin = below.boxes[0]
        above = min(self.boxes, key=lambda box: abs(box.left - begin.left))
        return (begin.top + begin.bottom - above.top - above.bottom) / 2


def paragraph_starts(lines: Lines) -> set[int]:
    """Indexes of the lines that start a paragraph; the first line of a page always does."""
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
        """Whether the first word of the line would have fitted at the end of the previous line."""
        line, before = self._lines[at], self._lines[at - 1]
        edge = max((other.right for other in self._column(at - 1)), default=before.right)
        first = line.boxes[0]
        return edge - before.right > first.right - first.left + EM * line.height

    def _column(self, at: int) -> Iterator[_Line]:
        """The nearby lines in the same column."""
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
        if before.is_item and not before.ends:  # a hanging indent
            return False
        return before.ends or (below is not None and line.left > below.left + em)


def _step(above: _Line, below: _Line) -> float | None:
    """None if the second line is not the line below the first."""
    step = above.step_to(below)
    is_under = 0 < step < MAX_STEP * max(above.height, below.height) and above.is_beside(below)
    return step if is_under else None
