"""Sorts recognized pieces of text in reading order: removes skew, groups rows, separates columns."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile
from statistics import median

from docpipe_assets.protocols import Line


@dataclass(frozen=True)
class Piece:
    """A run of words that was recognized as a unit: its centre, extent and slope on the page."""

    words: Line
    x: float
    y: float
    width: float
    """Along the text."""
    height: float
    """Across the text."""
    angle: float
    """Slope of the text in radians, positive if it falls to the right."""
    quarter_turns: int = 0
    """1 if the text runs down the page, 3 if it runs up."""

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        return self.y - self.height / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height / 2


SLOPE_RATIO = 3.0  # shorter pieces do not indicate the slope of the page
MAX_SKEW = math.radians(12)  # relative to the page: a larger slope is that of a slanted stamp, not skew
ROW_OVERLAP = 0.5
COLUMN_ROWS = 3
# In line heights, which are box heights, 1.5 times the type size:
COLUMN_WIDTH = 8.0  # prose is wider, table cells and line numbers are narrower
PART_GAP = 1.0  # the space between words of a line is narrower, that between columns is wider
CROSSING_SLACK = 0.6  # boxes are wider than their ink, some extend into a gutter
MIN_SEPARATION = 1.3  # in row distances: from a title to the text, or from the text to the foot of the page
MAX_CENTRE_OFFSET = 2.0  # maximum distance of a title's centre from that of the columns
HEAD_ROWS = 3


def reading_order(pieces: Sequence[Piece]) -> tuple[Line, ...]:
    """The lines of a page from top to bottom, one column after the other.

    Slanted stamps follow, sideways text comes last. Each piece of either is a line of its own: it belongs to
    no row of the page.
    """
    with_words = [piece for piece in pieces if piece.words]
    upright = [piece for piece in with_words if piece.quarter_turns == 0]
    slope = _slope(upright)
    aslant = [piece for piece in upright if _is_aslant(piece, slope)]
    level = [_levelled(piece, slope) for piece in upright if not _is_aslant(piece, slope)]
    rows = [*_rows_by_column([part for piece in level for part in parts_of(piece)])]
    rows += [[p] for p in sorted(aslant, key=lambda p: p.y)]
    rows += [[p] for p in sorted(with_words, key=lambda p: -p.x) if p.quarter_turns == 1]
    rows += [[p] for p in sorted(with_words, key=lambda p: p.x) if p.quarter_turns == 3]
    return tuple(tuple(word for piece in row for word in piece.words) for row in rows)


def _slope(pieces: Sequence[Piece]) -> float:
    """The slope of the page, in radians."""
    slopes = [piece.angle for piece in pieces if piece.width >= SLOPE_RATIO * piece.height]
    return median(slopes) if slopes else 0.0


def _is_aslant(piece: Piece, slope: float) -> bool:
    return piece.width >= SLOPE_RATIO * piece.height and abs(piece.angle - slope) > MAX_SKEW


def _levelled(piece: Piece, slope: float) -> Piece:
    """The piece with its centre rotated by the slope of the page."""
    cos, sin = math.cos(slope), math.sin(slope)
    return replace(piece, x=piece.x * cos + piece.y * sin, y=piece.y * cos - piece.x * sin)


def parts_of(piece: Piece) -> Iterator[Piece]:
    """The piece, split at wide gaps between its words: it may extend over two columns."""
    first, last = piece.words[0].box, piece.words[-1].box
    middle = (first.left + last.right) / 2
    cuts = [
        n
        for n, (before, after) in enumerate(pairwise(piece.words), start=1)
        if after.box.left - before.box.right > PART_GAP * piece.height
    ]
    if not cuts:
        yield piece
        return
    for start, end in pairwise([0, *cuts, len(piece.words)]):
        words = piece.words[start:end]
        left, right = words[0].box.left, words[-1].box.right
        yield replace(piece, words=words, x=piece.x + (left + right) / 2 - middle, width=right - left)


def _rows_by_column(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    gutter = gutter_of(pieces)
    if gutter is None:
        yield from _rows(pieces)
        return
    for band in _bands(pieces, gutter):
        head, body, foot = _head_and_foot(band, gutter)
        yield from head
        columns = _columns(body, gutter)
        if columns:
            for column in columns:
                yield from _rows_by_column(column)
        else:
            yield from _rows(body)
        yield from foot


def _head_and_foot(
    band: list[Piece], gutter: float
) -> tuple[list[list[Piece]], list[Piece], list[list[Piece]]]:
    """The centred rows above and below the columns that do not cross the gutter.

    Above three columns a short title does: it is over the middle one.
    """
    sides = [piece for piece in band if piece.x < gutter], [piece for piece in band if piece.x >= gutter]
    if not all(sides):
        return [], band, []
    middle = (min(piece.left for piece in band) + max(piece.right for piece in band)) / 2
    begin = max(min(piece.y for piece in side) for side in sides)
    end = min(max(piece.y for piece in side) for side in sides)
    rows = list(_rows(band))
    head = _margin_rows(rows, middle, lambda row: row[0].bottom < begin)
    foot = _margin_rows(rows[len(head) :][::-1], middle, lambda row: row[0].top > end)
    taken = {id(piece) for row in (*head, *foot) for piece in row}
    return head, [piece for piece in band if id(piece) not in taken], foot[::-1]


def _margin_rows(
    rows: Sequence[list[Piece]], middle: float, is_outside: Callable[[list[Piece]], bool]
) -> list[list[Piece]]:
    """The first rows, if they are few, outside the columns, centred, and separated from the others."""
    taken = list(takewhile(lambda row: is_outside(row) and _is_centred(row, middle), rows))
    if not taken or len(taken) > HEAD_ROWS or len(taken) == len(rows):
        return []
    heights = [row[0].y for row in rows[len(taken) - 1 :]]
    step, *steps = [abs(after - before) for before, after in pairwise(heights)]
    return taken if step > MIN_SEPARATION * median(steps or [0.0]) else []


def _is_centred(row: Sequence[Piece], middle: float) -> bool:
    return abs((row[0].left + row[-1].right) / 2 - middle) < MAX_CENTRE_OFFSET * row[0].height


def gutter_of(pieces: Sequence[Piece]) -> float | None:
    """The vertical line with the most text in columns on both sides, if there is one.

    Of several equal ones, that in the widest white space: a narrow one may lie between line numbers and their
    text.
    """
    if len(pieces) < 2 * COLUMN_ROWS:
        return None
    height = median(piece.height for piece in pieces)
    by_height = sorted(pieces, key=lambda p: p.y)
    rights = sorted(piece.right for piece in pieces)
    edges = sorted({round(right / height): right for right in rights}.values())
    found: list[tuple[int, float, float]] = []
    most = 0
    for edge in edges:
        bands = [band for band in _bands(by_height, edge) if _may_be_columns(band, edge)]
        if sum(map(len, bands)) < max(most, 1):
            continue
        columned = [band for band in bands if _columns(band, edge)]
        if columned:
            count = sum(map(len, columned))
            most = max(most, count)
            found.append((count, min(_white(band, edge) for band in columned), edge))
    return max(found, key=lambda candidate: (candidate[:2], -candidate[2]))[2] if found else None


def _white(band: Sequence[Piece], gutter: float) -> float:
    """Width of the white space around a gutter, between the nearest pieces on either side."""
    left = max(piece.right for piece in band if piece.x < gutter)
    right = min(piece.left for piece in band if piece.x >= gutter)
    return right - left


def _bands(pieces: Sequence[Piece], gutter: float) -> Iterator[list[Piece]]:
    """The pieces from top to bottom, split at pieces that cross the gutter (a title, a full-width line)."""
    band: list[Piece] = []
    is_crossing = False
    for piece in sorted(pieces, key=lambda p: p.y):
        if band and _crosses(piece, gutter) != is_crossing:
            yield band
            band = []
        is_crossing = _crosses(piece, gutter)
        band.append(piece)
    if band:
        yield band


def _crosses(piece: Piece, gutter: float) -> bool:
    slack = CROSSING_SLACK * piece.height
    return piece.left + slack < gutter < piece.right - slack


def _may_be_columns(band: Sequence[Piece], gutter: float) -> bool:
    if _crosses(band[0], gutter):
        return False
    left = sum(piece.x < gutter for piece in band)
    return left >= COLUMN_ROWS and len(band) - left >= COLUMN_ROWS


def _columns(band: Sequence[Piece], gutter: float) -> tuple[list[Piece], list[Piece]] | None:
    """The pieces left and right of the gutter if both sides are columns of prose, else None."""
    if not _may_be_columns(band, gutter):
        return None
    left = [piece for piece in band if piece.x < gutter]
    right = [piece for piece in band if piece.x >= gutter]
    return (left, right) if _is_column(left) and _is_column(right) else None


def _is_column(pieces: Sequence[Piece]) -> bool:
    """Whether the rows are prose, possibly with line numbers; table cells are short runs of text."""
    runs = [_longest_run(row) for row in _rows(pieces)]
    if len(runs) < COLUMN_ROWS:
        return False
    return median(runs) >= COLUMN_WIDTH * median(piece.height for piece in pieces)


def _longest_run(row: Sequence[Piece]) -> float:
    """Width of the longest stretch of a row without a gap between columns or cells."""
    longest, start, end = 0.0, row[0].left, row[0].right
    for piece in row[1:]:
        if piece.left - end > PART_GAP * piece.height:
            start = piece.left
        end = max(end, piece.right)
        longest = max(longest, end - start)
    return max(longest, row[0].width)


def _rows(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Adjacent pieces, each row from left to right."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda p: p.y):
        row = rows[-1] if rows else []
        if row and _overlap(row, piece) >= ROW_OVERLAP:
            row.append(piece)
        else:
            rows.append([piece])
    for row in rows:
        yield sorted(row, key=lambda p: p.left)


def _overlap(row: Sequence[Piece], piece: Piece) -> float:
    """Overlap of a piece and a row, as a share of the smaller height."""
    top = sum(p.top for p in row) / len(row)
    bottom = sum(p.bottom for p in row) / len(row)
    return (min(bottom, piece.bottom) - max(top, piece.top)) / min(bottom - top, piece.height)
