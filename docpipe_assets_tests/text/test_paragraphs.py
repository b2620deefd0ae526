"""Paragraphs are detected by spacing, indentation or a short last line, also on skewed and rotated pages."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe_assets.model import Box
from docpipe_assets.protocols import Line, Lines, PlacedWord
from docpipe_assets.text.page_text import assemble
from docpipe_assets.text.paragraphs import paragraph_starts

SIZE, LEADING = 10.0, 12.0
LETTER_WIDTH = 5.0

Row = tuple[float, float, str]
"""Left edge, top in lines, and the text."""


def line(left: float, top: float, text: str) -> Line:
    words = []
    for word in text.split():
        right = left + LETTER_WIDTH * len(word)
        words.append(PlacedWord(word, Box(left, top * LEADING, right, top * LEADING + SIZE)))
        left = right + LETTER_WIDTH
    return tuple(words)


FULL = "one line of some fifty letters goes on and on and"
SHORT = "to its end."

BY_WHITE: list[Row] = [
    (0, 0, "Dear Ms. Ortega:"),
    (0, 1.6, FULL),
    (0, 2.6, SHORT),
    (0, 4.2, FULL),
    (0, 5.2, FULL),
]
BY_INDENT: list[Row] = [
    (20, 0, FULL),
    (0, 1, FULL),
    (0, 2, FULL + "."),
    (20, 3, "The " + FULL),
    (0, 4, SHORT),
]
BY_A_SHORT_LINE: list[Row] = [(0, 0, FULL), (0, 1, SHORT), (0, 2, "The next " + FULL), (0, 3, FULL)]
ADDRESS: list[Row] = [
    *((0, 0, "Maria Ortega"), (0, 1, "Ortega & Pell LLP"), (0, 2, "400 Main Street")),
    *((0, 4, "The letter " + FULL), (0, 5, FULL), (0, 6, FULL)),
]
ITEMS: list[Row] = [
    (0, 0, FULL + ":"),
    (0, 1, "1. " + FULL + ";"),
    (0, 2, "and " + SHORT),
    (0, 3, "2. " + FULL),
]
TESTIMONY: list[Row] = [
    *((0, 0, "8 Q. Did you drive?"), (0, 2, "9 A. I did. " + FULL), (0, 4, "10 went " + SHORT)),
    (0, 6, "11 Q. Where to?"),
]
COLUMNS_THAT_GO_ON: list[Row] = [(0, 0, FULL), (0, 1, FULL), (300, 0, "goes " + FULL), (300, 1, FULL)]
COLUMNS_THAT_BEGIN: list[Row] = [(0, 0, FULL), (0, 1, SHORT), (300, 0, "Goes " + FULL), (300, 1, FULL)]
DOUBLE_SPACED: list[Row] = [*((0, 2 * n, FULL) for n in range(4)), (0, 8, SHORT), (0, 10, "He " + FULL)]
TABLE: list[Row] = [(0, 0, FULL), (0, 1, SHORT), *((4, 3 + 1.3 * n, f"Hose {n} $17.00") for n in range(5))]
HANGING: list[Row] = [(0, 0, "(a) " + FULL), (20, 1, FULL), (20, 2, SHORT), (0, 3, "(b) " + FULL)]


@pytest.mark.parametrize(
    ("rows", "begin"),
    [
        pytest.param(BY_WHITE, [0, 1, 3], id="white"),
        pytest.param(BY_INDENT, [0, 3], id="indent"),
        pytest.param(BY_A_SHORT_LINE, [0, 2], id="a short last line"),
        pytest.param(ADDRESS, [0, 3], id="an address is one block"),
        pytest.param(ITEMS, [0, 1, 3], id="items"),
        pytest.param(TESTIMONY, [0, 1, 3], id="questions and answers in numbered lines"),
        pytest.param(COLUMNS_THAT_GO_ON, [0], id="goes on in the next column"),
        pytest.param(COLUMNS_THAT_BEGIN, [0, 2], id="begins with the next column"),
        pytest.param(DOUBLE_SPACED, [0, 5], id="double-spaced"),
        pytest.param(TABLE, [0, 2], id="a table is one block"),
        pytest.param(HANGING, [0, 3], id="hanging items"),
    ],
)
@pytest.mark.parametrize("quarter_turns", range(4))
@pytest.mark.parametrize("degrees", [0.0, 2.0, -2.0])
def test_the_beginnings_of_blocks_are_detected(
    rows: list[Row], begin: list[int], quarter_turns: int, degrees: float
) -> None:
    lines = tuple(line(*row) for row in rows)
    askew = _moved(lines, lambda box: _tilted(box, math.radians(degrees)), 0)
    turned = _moved(askew, lambda box: _turned(box, quarter_turns), quarter_turns)
    assert sorted(paragraph_starts(turned)) == begin


def test_type_of_another_size_is_a_separate_block() -> None:
    heading = tuple(word._replace(box=word.box._replace(bottom=16.0)) for word in line(0, 0, "The Heading"))
    assert paragraph_starts((heading, line(0, 1.4, FULL), line(0, 2.4, FULL))) == {0, 1}


def test_the_offsets_are_those_of_the_text() -> None:
    text, _, paragraphs = assemble((line(0, 0, "\x07"), *(line(*row) for row in BY_WHITE)))
    assert [text[start:].split()[0] for start in paragraphs] == ["Dear", "one", "one"]
    assert paragraphs[0] == 0


def test_a_word_that_continues_does_not_begin_a_paragraph() -> None:
    text, _, paragraphs = assemble(
        (line(0, 0, "This is an exam-"), line(0, 3, "ple of it."), line(0, 6, "End."))
    )
    assert text == "This is an example\nof it.\nEnd."
    assert paragraphs == (0, text.index("End"))


def test_text_without_a_size_has_no_effect() -> None:
    flat = tuple(word._replace(box=Box(0, 5, 0, 5)) for word in line(0, 0, "flat"))
    assert 0 in paragraph_starts((flat, line(0, 1, FULL), flat, flat, line(0, 2, FULL), flat))
    assert paragraph_starts((flat, flat)) == {0}


@given(
    st.lists(
        st.lists(
            st.builds(
                PlacedWord,
                st.sampled_from(["A", "b", "1.", "12", "Q.", "end.", "\ud800", "é"]),
                st.builds(Box, *[st.floats(-1e6, 1e6)] * 4),
                st.just(1.0),
                st.integers(0, 3),
            ),
            max_size=3,
        ).map(tuple),
        max_size=12,
    ).map(tuple)
)
def test_any_page_has_its_first_line_first_and_offsets_that_ascend(lines: Lines) -> None:
    text, words, paragraphs = assemble(lines)
    assert (paragraphs[:1] == (0,)) is bool(words)
    assert list(paragraphs) == sorted(set(paragraphs))
    assert all(start == 0 or text[start - 1] == "\n" for start in paragraphs)


def test_an_empty_page_has_no_paragraphs() -> None:
    assert paragraph_starts(()) == paragraph_starts(((), ())) == set()


def _moved(lines: Lines, move: Callable[[Box], Box], quarter_turns: int) -> Lines:
    return tuple(
        tuple(word._replace(box=move(word.box), quarter_turns=quarter_turns) for word in one) for one in lines
    )


def _tilted(box: Box, radians: float) -> Box:
    """Of the same height, like the boxes that OCR returns for words on a skewed page."""
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    x, y = (
        x * math.cos(radians) - y * math.sin(radians) - x,
        x * math.sin(radians) + y * math.cos(radians) - y,
    )
    return Box(box.left + x, box.top + y, box.right + x, box.bottom + y)


def _turned(box: Box, quarter_turns: int) -> Box:
    for _ in range(quarter_turns):  # clockwise: the top becomes the right side
        box = Box(-box.bottom, box.left, -box.top, box.right)
    return box
