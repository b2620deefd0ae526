"""Puts recognised pieces of text into reading order: skew taken out, rows grouped, columns told apart."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from docpipe_assets.protocols import PlacedWord

Line = tuple[PlacedWord, ...]


@dataclass(frozen=True)
class Piece:
    """A run of words that was recognised as one: its centre, extent and slope on the page."""

    words: Line
    x: float
    y: float
    width: float
    """Along the text."""
    height: float
    """Across the text."""
    angle: float
    """Slope of the text in radians, positive when it falls to the right."""
    quarter_turns: int = 0
    """1 where the text runs down the page, 3 where it runs up."""

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


SLOPE_RATIO = 3.0  # shorter pieces say little about the slope of the page
ROW_OVERLAP = 0.5
COLUMN_ROWS = 3
COLUMN_WIDTH = 8.0  # in line heights: prose is wider, the cells of a table and line numbers are not
CROSSING_SLACK = 0.6  # in line heights: boxes are drawn wider than their ink, some reach into a gutter


def reading_order(pieces: Sequence[Piece]) -> tuple[Line, ...]:
    """The lines of a page from top to bottom, one column after the other.

    Text on its side comes last, each piece a line: in a margin it belongs to no row of the page.
    """
    upright = _levelled([piece for piece in pieces if piece.words and piece.quarter_turns == 0])
    rows = [*_rows_by_column(upright)]
    rows += [[p] for p in sorted(pieces, key=lambda p: -p.x) if p.words and p.quarter_turns == 1]
    rows += [[p] for p in sorted(pieces, key=lambda p: p.x) if p.words and p.quarter_turns == 3]
    return tuple(tuple(word for piece in row for word in piece.words) for row in rows)


def _levelled(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces with their centres turned back by the median slope of the page."""
    slopes = [piece.angle for piece in pieces if piece.width >= SLOPE_RATIO * piece.height]
    slope = median(slopes) if slopes else 0.0
    cos, sin = math.cos(slope), math.sin(slope)
    return [replace(p, x=p.x * cos + p.y * sin, y=p.y * cos - p.x * sin) for p in pieces]


def _rows_by_column(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    gutter = _gutter(pieces)
    if gutter is None:
        yield from _rows(pieces)
        return
    for band in _bands(pieces, gutter):
        columns = _columns(band, gutter)
        if columns:
            for column in columns:
                yield from _rows_by_column(column)
        else:
            yield from _rows(band)


def _gutter(pieces: Sequence[Piece]) -> float | None:
    """The vertical line that has the most text in columns on both sides of it, if there is any."""
    if len(pieces) < 2 * COLUMN_ROWS:
        return None
    height = median(piece.height for piece in pieces)
    edges = sorted({round(piece.right / height): piece.right for piece in pieces}.values())
    best, best_count = None, 0
    for edge in edges:
        columned = sum(len(band) for band in _bands(pieces, edge) if _columns(band, edge))
        if columned > best_count:
            best, best_count = edge, columned
    return best


def _bands(pieces: Sequence[Piece], gutter: float) -> Iterator[list[Piece]]:
    """The pieces from top to bottom, cut where one (a title, a full-width line) crosses the gutter."""
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


def _columns(band: Sequence[Piece], gutter: float) -> tuple[list[Piece], list[Piece]] | None:
    """The pieces left and right of the gutter where both sides are columns of prose, else None."""
    if any(_crosses(piece, gutter) for piece in band):
        return None
    left = [piece for piece in band if piece.x < gutter]
    right = [piece for piece in band if piece.x >= gutter]
    return (left, right) if _is_column(left) and _is_column(right) else None


def _is_column(pieces: Sequence[Piece]) -> bool:
    if len(pieces) < COLUMN_ROWS:
        return False
    return median(piece.width for piece in pieces) >= COLUMN_WIDTH * median(p.height for p in pieces)


def _rows(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Pieces that stand beside each other, each row from left to right."""
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
    """The share of the smaller height that a piece and a row have in common."""
    top = sum(p.top for p in row) / len(row)
    bottom = sum(p.bottom for p in row) / len(row)
    return (min(bottom, piece.bottom) - max(top, piece.top)) / min(bottom - top, piece.height)
