"""Text fragments are returned in reading order."""

import math
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from docpipe_assets.model import Box
from docpipe_assets.protocols import PlacedWord
from docpipe_assets.text.reading_order import Piece, reading_order

HEIGHT = 40.0


def piece(text: str, left: float, right: float, y: float, slope: float = 0.0) -> Piece:
    """A piece on a page that was rotated by ``slope`` about its top left corner."""
    x = (left + right) / 2
    cos, sin = math.cos(slope), math.sin(slope)
    words = (PlacedWord(text, Box(left, y - HEIGHT / 2, right, y + HEIGHT / 2)),)
    return Piece(words, x * cos - y * sin, x * sin + y * cos, right - left, HEIGHT, slope)


def read(*pieces: Piece) -> list[str]:
    return [" ".join(word.text for word in line) for line in reading_order(pieces)]


def column(name: str, left: float, right: float, rows: int, y: float, slope: float = 0.0) -> list[Piece]:
    return [piece(f"{name}{n}", left, right, y + 60 * n, slope) for n in range(rows)]


@pytest.mark.parametrize("degrees", [-3.0, -1.0, 0.0, 1.0, 3.0])
def test_pieces_of_one_line_stay_together_on_a_skewed_page(degrees: float) -> None:
    slope = math.radians(degrees)
    halves = [
        p
        for n in range(10)
        for p in (
            piece(f"b{n}", 1250, 2300, 300 + 60 * n, slope),
            piece(f"a{n}", 200, 1300, 300 + 60 * n, slope),
        )
    ]
    # Two adjacent halves are one line of prose, not two columns.
    assert read(*halves[:4]) == ["a0 b0", "a1 b1"]


@pytest.mark.parametrize("degrees", [-2.0, 0.0, 2.0])
def test_columns_are_read_one_after_the_other(degrees: float) -> None:
    slope = math.radians(degrees)
    right = column("r", 1320, 2250, 8, 300, slope)
    left = column("l", 300, 1230, 8, 300, slope)
    assert read(*right, *left) == [f"l{n}" for n in range(8)] + [f"r{n}" for n in range(8)]


def test_three_columns_are_read_one_after_the_other() -> None:
    columns = [column(name, 200 + 750 * n, 850 + 750 * n, 6, 300) for n, name in enumerate("abc")]
    mixed = [piece for row in zip(*columns, strict=True) for piece in row]
    assert read(*mixed) == [f"{name}{n}" for name in "abc" for n in range(6)]


def test_a_title_over_columns_is_read_first_and_a_footer_last() -> None:
    body = [*column("l", 300, 1230, 6, 400), *column("r", 1320, 2250, 6, 400)]
    title, footer = piece("title", 600, 1900, 200), piece("footer", 600, 1900, 1000)
    order = read(footer, *body, title)
    assert order == ["title", *(f"l{n}" for n in range(6)), *(f"r{n}" for n in range(6)), "footer"]


def test_a_table_is_read_row_by_row() -> None:
    cells = [
        piece(f"{name}{n}", left, left + 180, 300 + 60 * n)
        for n in range(6)
        for name, left in (("x", 300), ("y", 900), ("z", 1500))
    ]
    assert read(*reversed(cells)) == [f"x{n} y{n} z{n}" for n in range(6)]


def test_line_numbers_of_a_deposition_stay_with_their_lines() -> None:
    numbers = [piece(str(n), 150, 200, 300 + 60 * n) for n in range(1, 9)]
    text = [piece(f"line{n}", 300, 2200, 300 + 60 * n) for n in range(1, 9)]
    assert read(*numbers, *text) == [f"{n} line{n}" for n in range(1, 9)]


def test_line_numbers_of_two_pages_on_one_sheet_stay_with_their_lines() -> None:
    halves = [
        [
            piece(str(n), left, left + 40, 300 + 60 * n),
            piece(f"{name}{n}", left + 100, left + 900, 300 + 60 * n),
        ]
        for n in range(1, 9)
        for name, left in (("l", 150), ("r", 1350))
    ]
    assert read(*(p for half in halves for p in half)) == [
        f"{n} {name}{n}" for name in "lr" for n in range(1, 9)
    ]


def words(y: float, *placed: tuple[str, float, float]) -> Piece:
    """One piece with several words."""
    boxes = [
        PlacedWord(text, Box(left, y - HEIGHT / 2, right, y + HEIGHT / 2)) for text, left, right in placed
    ]
    left, right = placed[0][1], placed[-1][2]
    return Piece(tuple(boxes), (left + right) / 2, y, right - left, HEIGHT, 0.0)


def test_lines_of_two_columns_that_were_read_as_one_are_split() -> None:
    merged = [
        words(
            300 + 60 * n,
            (f"a{n}", 200, 600),
            (f"b{n}", 610, 1000),
            (f"c{n}", 1080, 1500),
            (f"d{n}", 1510, 1900),
        )
        for n in range(6)
    ]
    assert read(*merged) == [f"a{n} b{n}" for n in range(6)] + [f"c{n} d{n}" for n in range(6)]


def test_a_wide_gap_within_lines_of_one_column_splits_nothing() -> None:
    lines = [words(300 + 60 * n, (f"{n}.", 200, 240), (f"text{n}", 330, 1900)) for n in range(6)]
    assert read(*lines) == [f"{n}. text{n}" for n in range(6)]


@pytest.mark.parametrize("degrees", [-45, -20, 20, 45])
def test_a_slanted_stamp_follows_the_rows_that_it_overlaps(degrees: float) -> None:
    stamp = replace(piece("stamp", 800, 1700, 480), angle=math.radians(degrees))
    assert read(stamp, *column("l", 300, 2200, 6, 300)) == [*(f"l{n}" for n in range(6)), "stamp"]


def test_vertical_text_in_the_margin_comes_last() -> None:
    stamp = replace(piece("stamp", 60, 100, 420), height=400.0, quarter_turns=3)
    assert read(stamp, *column("l", 300, 2200, 6, 300)) == [*(f"l{n}" for n in range(6)), "stamp"]


@pytest.mark.parametrize(("turn", "order"), [(1, ["c", "b", "a"]), (3, ["a", "b", "c"])])
def test_a_sideways_page_is_read_in_its_own_order(turn: int, order: list[str]) -> None:
    lines = [
        replace(piece(name, 300 + 60 * n, 340 + 60 * n, 1000), height=900.0, quarter_turns=turn)
        for n, name in enumerate("abc")
    ]
    assert read(*lines) == order


def test_an_empty_page_has_no_lines() -> None:
    assert reading_order([]) == ()


@example(
    [
        (0.0, 5.0, 64.0, 0.0),
        (0.0, 320.0, 43.0, 0.0),
        (157.0, 924.0, 22.0, 0.0),
        (609.0, 1038.0, 21.0, 0.0),
        (806.0, 529.0, 0.0, 0.0),
        (1057.0, 320.0, 63.0, 0.0),
        (1095.0, 5.0, 42.0, 0.0),
        (1057.0, 320.0, 21.0, 0.0),
    ]
)
@given(
    st.lists(
        st.tuples(st.floats(0, 2500), st.floats(5, 2000), st.floats(0, 3300), st.floats(-0.1, 0.1)),
        max_size=40,
    )
)
def test_no_piece_is_lost_or_duplicated(boxes: list[tuple[float, float, float, float]]) -> None:
    pieces = [piece(str(n), x, x + width, y, slope) for n, (x, width, y, slope) in enumerate(boxes)]
    words = [word.text for line in reading_order(pieces) for word in line]
    assert sorted(words, key=int) == [str(n) for n in range(len(pieces))]


def test_a_title_over_the_middle_column_is_first_and_a_footer_last() -> None:
    columns = [p for n, name in enumerate("abc") for p in column(name, 200 + 750 * n, 850 + 750 * n, 6, 400)]
    title, foot = piece("title", 1050, 1500, 280), piece("foot", 1200, 1350, 900)
    order = read(*columns, foot, title)
    assert order == ["title", *(f"{name}{n}" for name in "abc" for n in range(6)), "foot"]


def test_a_middle_column_that_is_longer_keeps_its_lines() -> None:
    columns = [
        p
        for n, (name, rows) in enumerate((("a", 6), ("b", 9), ("c", 6)))
        for p in column(name, 200 + 750 * n, 850 + 750 * n, rows, 300)
    ]
    assert read(*columns) == [
        f"{name}{n}" for name, rows in (("a", 6), ("b", 9), ("c", 6)) for n in range(rows)
    ]
