"""A text layer keeps its own order if it is a reading order; its rows are lines."""

import random
from pathlib import Path

import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe_assets.model import Box
from docpipe_assets.protocols import Lines, PlacedWord
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.settings import Settings
from docpipe_assets.text.layer_order import MAX_LINES, joined_rows, layer_order


def texts(lines: Lines) -> list[str]:
    return [" ".join(word.text for word in line) for line in lines]


def line(text: str, left: float, top: float, height: float = 12.0) -> tuple[PlacedWord, ...]:
    placed = []
    for word in text.split():
        right = left + 6 * len(word)
        placed.append(PlacedWord(word, Box(left, top, right, top + height)))
        left = right + 6
    return tuple(placed)


def test_cells_of_a_row_and_line_numbers_belong_to_one_line() -> None:
    lines = (
        *(line("12", 50, 0), line("Q. Who paid", 90, 1), line("for it?", 90, 25)),
        *(line("Hose", 50, 50), line("2", 200, 50), line("$17.00", 300, 51)),
        *(line("Valve", 50, 64), line("$8.00", 300, 64)),
    )
    assert texts(joined_rows(lines)) == ["12 Q. Who paid", "for it?", "Hose 2 $17.00", "Valve $8.00"]


def test_text_above_before_or_sideways_stays_a_separate_line() -> None:
    on_its_side = [
        PlacedWord(text, Box(left, 0, left + 12, 60)) for text, left in (("abcdefgh", 0), ("i", 20))
    ]
    lines = (
        line("the last line of a column", 50, 700),
        line("the first of the next", 300, 50),
        line("right", 300, 90),
        line("left", 50, 90),
        (on_its_side[0],),
        (on_its_side[1],),
    )
    assert joined_rows(lines) == lines
    assert joined_rows(()) == ()
    assert joined_rows(((), line("a", 0, 0), ())) == ((), line("a", 0, 0), ())


PROSE = "the parties agreed that payment was due"
LEFT = [line(f"l{n} {PROSE}", 40, 100 + 14 * n) for n in range(12)]
RIGHT = [line(f"r{n} {PROSE}", 320, 100 + 14 * n) for n in range(12)]
TITLE = line("MEMORANDUM OF THE BOARD ON ALL OF THE MATTERS THAT WERE RAISED IN MAY", 100, 60)


def test_columns_written_row_by_row_are_read_one_after_the_other() -> None:
    written = [TITLE, *(side for row in zip(LEFT, RIGHT, strict=True) for side in row)]
    assert texts(layer_order(tuple(written))) == texts((TITLE, *LEFT, *RIGHT))


def test_columns_whose_rows_were_written_as_one_line_are_split() -> None:
    written = [TITLE, *((*left, *right) for left, right in zip(LEFT, RIGHT, strict=True))]
    assert texts(layer_order(tuple(written))) == texts((TITLE, *LEFT, *RIGHT))


@pytest.mark.parametrize("seed", range(3))
def test_lines_written_in_any_order_are_read_from_top_to_bottom(seed: int) -> None:
    written = random.Random(seed).sample(LEFT, len(LEFT))
    assert texts(layer_order(tuple(written))) == texts(tuple(LEFT))


def test_the_order_of_a_layer_is_kept_if_it_is_a_reading_order() -> None:
    stamp, foot = line("ACME 000012", 480, 780), line("- 12 -", 280, 760)
    caption = [line(f"party {n}", 40, 20 + 13 * n) for n in range(3)]
    number = [line(f"No. {n}", 320, 20 + 13 * n) for n in range(3)]
    blocks = [*LEFT[:4], *RIGHT[:4], *LEFT[4:8], *RIGHT[4:8], *LEFT[8:], *RIGHT[8:]]
    for written in (
        [*LEFT, *RIGHT, TITLE],
        blocks,
        [stamp, foot, *caption, *number, *LEFT],
        LEFT[::-1][:3],
        [
            line(f"{letter}{n}", 60 + 90 * c, 100 + 14 * n)
            for c, letter in enumerate("abcd")
            for n in range(9)
        ],
    ):
        assert layer_order(tuple(written)) == joined_rows(tuple(written))


def test_a_table_of_sentences_is_kept_row_by_row() -> None:
    cells = ["Driver door opens, driver leaves", "Telematics, door switch"]
    written = [line(f"{cells[c]} {n}", 40 + 280 * c, 100 + 14 * n) for n in range(9) for c in (0, 1)]
    assert layer_order(tuple(written)) == joined_rows(tuple(written))
    assert len(layer_order(tuple(written))) == 9


def test_rotated_or_sizeless_lines_follow_the_ordered_lines() -> None:
    on_its_side = (PlacedWord("abcdefgh", Box(580, 0, 592, 60)),)
    without_size = (PlacedWord("hidden", Box(50, 300, 90, 300)),)
    written = (on_its_side, without_size, *LEFT[::-1])
    assert texts(layer_order(written)) == texts((*LEFT, on_its_side, without_size))


def test_a_page_with_too_many_lines_for_print_keeps_its_own_order() -> None:
    written = tuple(line("x", 40, 14.0 * n) for n in range(MAX_LINES + 1))[::-1]
    assert layer_order(written) == written


boxes = st.tuples(*[st.floats(-100, 900)] * 4).map(
    lambda f: Box(min(f[0], f[2]), min(f[1], f[3]), max(f[0], f[2]), max(f[1], f[3]))
)


@given(
    st.lists(st.lists(st.builds(PlacedWord, st.text(min_size=1, max_size=9), boxes), max_size=4), max_size=30)
)
def test_no_word_is_lost_or_duplicated(lines: list[list[PlacedWord]]) -> None:
    written = tuple(map(tuple, lines))
    before, after = ([word for line in found for word in line] for found in (written, layer_order(written)))
    assert sorted(before) == sorted(after)


def test_a_pdf_written_row_by_row_is_read_by_columns(tmp_path: Path) -> None:
    path = tmp_path / "columns.pdf"
    with pymupdf.open() as document:
        page = document.new_page()
        for n in range(12):
            for left, side in ((50, "left"), (320, "right")):
                page.insert_text((left, 100 + 14 * n), f"{side} {n} of the text in prose here", fontsize=10)
        document.save(path)
    pipeline = DocumentPipeline(Settings(data_dir=tmp_path))
    try:
        (content,) = pipeline.reader.read(path)
    finally:
        pipeline.close()
    begun = [" ".join(text.split()[:2]) for text in texts(layer_order(content.lines))]
    assert begun == [f"{side} {n}" for side in ("left", "right") for n in range(12)]
