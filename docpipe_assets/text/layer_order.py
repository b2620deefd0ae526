"""The line order of a text layer: its own order is kept if it is readable, and rows are joined."""

from itertools import pairwise

from docpipe_assets.model import Box
from docpipe_assets.protocols import Line, Lines, PlacedWord
from docpipe_assets.text.reading_order import (
    COLUMN_ROWS,
    ROW_OVERLAP,
    Piece,
    gutter_of,
    parts_of,
    reading_order,
)

ROW_SLACK = 0.3  # in line heights: maximum overlap of boxes next to each other
MIN_ADVANCE = 0.15  # from letter to letter, in line heights
MAX_LINES = 500  # a printed page has fewer; searching for columns among more is too expensive
MIN_CLIMBS = 4  # a header, a footer and a stamp may be written after the text
CLIMBS_SHARE = 0.2
PASSES_SHARE = 0.33  # of a column's lines: if blocks of columns follow each other, each has three
PROSE_SHARE = 0.4  # of lines that begin in lower case; hardly any table cell does


def layer_order(lines: Lines) -> Lines:
    """The lines of a text layer with its rows joined, in its own order unless that is not readable.

    The own order reflects captions, forms and side notes, which positions do not. It is replaced by the
    positional order (``reading_order``, as for OCR) if it repeatedly moves up the page, or changes the column
    with each row of prose. Sideways lines then come last.
    """
    own = joined_rows(lines)
    pieces = [_piece(line) for line in lines if _is_placed(line)]
    if len(pieces) > MAX_LINES:
        return own
    if not (_climbs_often([_piece(line) for line in own if _is_placed(line)]) or _goes_across(pieces)):
        return own
    return (*reading_order(pieces), *(line for line in lines if not _is_placed(line)))


def joined_rows(lines: Lines) -> Lines:
    """The lines of a text layer in their own order; a line that continues the previous one on the same row is
    joined to it.

    PDFs store the cells of a row, or a line and its number, as separate pieces.
    """
    rows: list[list[PlacedWord]] = []
    for line in lines:
        if rows and rows[-1] and line and _goes_on(rows[-1][-1], line[0]):
            rows[-1] += line
        else:
            rows.append(list(line))
    return tuple(map(tuple, rows))


def _goes_on(word: PlacedWord, following: PlacedWord) -> bool:
    last, first = word.box, following.box
    lowest = min(last.bottom - last.top, first.bottom - first.top)
    overlap = min(last.bottom, first.bottom) - max(last.top, first.top)
    is_beside = overlap >= ROW_OVERLAP * lowest and first.left >= last.right - ROW_SLACK * lowest
    return is_beside and _is_level(word) and _is_level(following)


def _is_level(word: PlacedWord) -> bool:
    """Whether a word is horizontal: a sideways word is higher than wide."""
    box = word.box
    return box.right - box.left > MIN_ADVANCE * (box.bottom - box.top) * len(word.text)


def _is_placed(line: Line) -> bool:
    """Whether a line is upright and has a size."""
    return bool(line) and all(
        _is_level(word) and word.quarter_turns == 0 and word.box.bottom > word.box.top for word in line
    )


def _piece(line: Line) -> Piece:
    left, top, right, bottom = Box.around(word.box for word in line)
    return Piece(line, (left + right) / 2, (top + bottom) / 2, right - left, bottom - top, 0.0)


def _climbs_often(rows: list[Piece]) -> bool:
    """Whether lines often follow a line below them; the next column is beside, not above."""
    climbs = sum(after.bottom <= row.top and after.left < row.right for row, after in pairwise(rows))
    return climbs >= max(MIN_CLIMBS, CLIMBS_SHARE * len(rows))


def _goes_across(pieces: list[Piece]) -> bool:
    """Whether the text changes from the left column to the right one about as often as it has rows.

    A table legitimately does. Unlike its cells, most lines of prose begin within a sentence.
    """
    parts = [part for piece in pieces for part in parts_of(piece)]
    beside = [(before, after) for before, after in pairwise(parts) if before.right <= after.left]
    gutter = gutter_of(parts) if len(beside) >= COLUMN_ROWS else None
    if gutter is None:
        return False
    left = sum(part.x < gutter for part in parts)
    passes = [pair for pair in beside if pair[0].x < gutter <= pair[1].x]
    if len(passes) < max(COLUMN_ROWS, PASSES_SHARE * min(left, len(parts) - left)):
        return False
    begun = [part.words[0].text[:1].islower() for pair in passes for part in pair]
    return sum(begun) >= PROSE_SHARE * len(begun)
