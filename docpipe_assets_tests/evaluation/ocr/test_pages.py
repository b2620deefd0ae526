"""The evaluation pages match their texts and are reproducible."""

import random
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from docpipe_assets_tests.evaluation.ocr import layouts
from docpipe_assets_tests.evaluation.ocr.conditions import CONDITIONS
from docpipe_assets_tests.evaluation.ocr.generated_set import aged, write
from docpipe_assets_tests.evaluation.ocr.generated_texts import Texts
from docpipe_assets_tests.evaluation.ocr.layouts import DoesNotFit, Type
from docpipe_assets_tests.evaluation.ocr.split_pages import FOLDER, recipes

TYPE = Type("vera", 9.0)
PARAGRAPH = "The valve was shut. Nobody had shut it."
LETTER = (
    "# Notice\n\nThe valve was shut.\nNobody had shut it.\n\n> 4/2/19\n\n| 1 | hose |\n| 2 | pump |\n\n@ B 7"
)


def test_a_letter_contains_the_given_text() -> None:
    sheet = layouts.prose(LETTER, TYPE)
    assert sheet.lines == ["Notice", PARAGRAPH, "4/2/19", "1 hose", "2 pump", "B 7"]
    drawn = ["Notice", PARAGRAPH, "4/2/19", "1", "hose", "2", "pump", "B 7"]
    assert [run.text for run in sheet.runs] == drawn


def test_a_transcript_numbers_its_lines() -> None:
    sheet = layouts.transcript("Q. Was it shut?\n\nA. It was.", TYPE)
    assert sheet.lines == ["1 Q. Was it shut?", "2 A. It was."]
    assert {run.text for run in sheet.runs} == {"1", "2", "Q. Was it shut?", "A. It was."}


@pytest.mark.parametrize("count", [2, 3])
def test_columns_are_side_by_side_and_read_one_after_the_other(count: int) -> None:
    words = [f"word{n}" for n in range(400)]
    sheet = layouts.columns(" ".join(words), TYPE, count)
    assert " ".join(sheet.lines).split() == words
    lefts = [run.x for run in sheet.runs]
    assert lefts == sorted(lefts)
    assert len(set(lefts)) == count


def test_two_pages_on_one_sheet_do_not_touch() -> None:
    sheet = layouts.two_up([LETTER, LETTER], TYPE, layouts.prose)
    half = len(sheet.runs) // 2
    assert (
        max(run.x for run in sheet.runs[:half]) < sheet.width / 2 <= min(run.x for run in sheet.runs[half:])
    )
    assert len(sheet.lines) == 12


def test_a_text_that_is_too_long_is_rejected() -> None:
    with pytest.raises(DoesNotFit):
        layouts.prose("\n\n".join(["word"] * 200), TYPE)


@pytest.mark.parametrize("condition", [name for name in CONDITIONS if name != "stamped"])
def test_a_condition_changes_the_page_reproducibly(condition: str) -> None:
    page = layouts.prose(LETTER, TYPE).image(100)
    first, second = (CONDITIONS[condition](page, 100, np.random.default_rng(3)) for _ in range(2))
    assert first.image.tobytes() == second.image.tobytes()
    assert (first.image.tobytes() == page.tobytes()) == (condition == "clean")
    assert first.image.width / first.dpi[0] == pytest.approx(8.5, abs=0.02)
    assert first.image.height / first.dpi[1] == pytest.approx(11, abs=0.02)
    dark = np.asarray(first.image) < 190
    assert 0.0005 < dark.mean() < 0.6


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_page_is_rotated_clockwise(turns: int) -> None:
    sheet = layouts.prose("Top left", TYPE)
    scan = aged("turned", "01", sheet, "clean", 50, 1, turns).scan
    rows, columns = np.nonzero(np.asarray(scan.image) < 128)
    place = (rows.mean() < scan.image.height / 2, columns.mean() < scan.image.width / 2)
    assert place == [(True, True), (True, False), (False, False), (False, True)][turns]


@pytest.mark.parametrize("kind", ["letter", "newsletter", "pleading", "testimony", "form", "table", "ledger"])
def test_generated_texts_depend_on_the_seed_alone(kind: str) -> None:
    first, second, other = (getattr(Texts(seed), kind)() for seed in (5, 5, 6))
    assert first == second != other
    assert len(first.split()) > 40


def test_written_pages_keep_their_resolution_and_their_text(tmp_path: Path) -> None:
    sheet = layouts.prose(LETTER, TYPE)
    sample = aged("degraded/fax", "01", sheet, "coarse_fax", 100, random.Random(1).randrange(99))
    assert write(iter([sample]), tmp_path) == 1
    with Image.open(tmp_path / "degraded/fax/01.png") as image:
        assert image.info["dpi"] == pytest.approx((204, 98), abs=0.1)
    assert (tmp_path / "degraded/fax/01.txt").read_text() == sheet.text


def test_the_split_has_a_recipe_for_each_text_and_at_least_thirty_pages() -> None:
    texts = {name for recipe in recipes() for name in recipe["texts"]}
    assert texts == {path.stem for path in FOLDER.glob("*.txt")}
    assert len(recipes()) >= 30
    assert {recipe["condition"] for recipe in recipes()} == CONDITIONS.keys()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_no_word_of_a_text_is_lost_in_its_blocks(path: Path) -> None:
    text = path.read_text("utf-8")
    blocks = layouts.parse(text)
    read = Counter(word for block in blocks for word in re.findall(r"\w+", block.text))
    assert read == Counter(re.findall(r"\w+", text))
