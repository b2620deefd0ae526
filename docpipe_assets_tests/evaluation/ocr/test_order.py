"""Reading order on generated sheets, without an engine: unordered fragments as a detector returns them."""

import random

import pytest

from docpipe_assets.evaluation.text_score import score
from docpipe_assets.model import Box
from docpipe_assets.protocols import PlacedWord
from docpipe_assets.text.reading_order import Piece, reading_order
from docpipe_assets_tests.evaluation.ocr import layouts
from docpipe_assets_tests.evaluation.ocr.generated_texts import Texts
from docpipe_assets_tests.evaluation.ocr.layouts import Type
from docpipe_assets_tests.evaluation.ocr.sheet import Run, Sheet, width_of


def piece_of(run: Run, chance: random.Random) -> Piece:
    """A line with a box that is 1.5 times as high as its type, wider than its ink, and slightly displaced."""
    top, bottom = run.y - 1.1 * run.size, run.y + 0.45 * run.size
    words, x = [], run.x
    for text in run.text.split():
        width = width_of(text, run.font, run.size)
        words.append(PlacedWord(text, Box(x, top, x + width, bottom)))
        x += width + width_of(" ", run.font, run.size)
    left, right = run.x - 0.6 * run.size, words[-1].box.right + 0.6 * run.size
    y = (top + bottom) / 2 + chance.uniform(-0.1, 0.1) * run.size
    return Piece(tuple(words), (left + right) / 2, y, right - left, bottom - top, 0.0)


def error_rate(sheet: Sheet, seed: int) -> float:
    chance = random.Random(seed)
    pieces = [piece_of(run, chance) for run in sheet.runs if run.text.strip()]
    chance.shuffle(pieces)
    read = "\n".join(" ".join(word.text for word in line) for line in reading_order(pieces))
    return score(read, sheet.text).character_error_rate


@pytest.mark.parametrize("seed", range(1, 5))
@pytest.mark.parametrize(("count", "gutter"), [(2, 14.0), (2, 24.0), (3, 18.0)])
def test_columns_of_any_text_are_read_one_after_the_other(seed: int, count: int, gutter: float) -> None:
    texts = Texts(seed)
    text = "\n\n".join(["# Statement of Account", *texts.paragraphs(10), "@ HPL 000147"])
    assert error_rate(layouts.columns(text, Type("vera", 7.5), count, gutter), seed) < 0.005


@pytest.mark.parametrize("seed", range(1, 5))
def test_letters_and_tables_are_read_row_by_row(seed: int) -> None:
    intro, *others = Texts(seed).paragraphs(4)
    rows = "\n".join(f"| {n}/4/2019 | hose and clamps | {n} | ${n * 17:,}.00 |" for n in range(1, 20))
    sheet = layouts.prose("\n\n".join([intro, rows, *others]), Type("vera", 8.0))
    assert error_rate(sheet, seed) == 0.0


@pytest.mark.parametrize("seed", range(1, 5))
def test_two_pages_of_testimony_are_read_one_after_the_other(seed: int) -> None:
    pages = ["\n\n".join(Texts(seed + n).paragraphs(3)) for n in (0, 50)]
    sheet = layouts.two_up(pages, Type("vera", 9.0), layouts.transcript)
    assert error_rate(sheet, seed) == 0.0
