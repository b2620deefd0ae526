"""The output of the recognition network is decoded into characters with their positions."""

from importlib.resources import files

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from docpipe_assets.engines.ocr.rapidocr.latin_head import cut_to_latin, is_latin
from docpipe_assets.engines.ocr.rapidocr.recognition import (
    Alphabet,
    decode,
    recognise,
    straighten,
    turns_to_try,
    words_of,
)

CLASSES = ("", "a", "b", " ")


def answer(steps: str, **faint: float) -> NDArray[np.float32]:
    """Probabilities with one class for each step ("-" is none), and the given probability of a space."""
    table = np.full((len(steps), len(CLASSES)), 0.01, dtype=np.float32)
    for n, step in enumerate(steps):
        table[n, CLASSES.index("" if step == "-" else step)] = 0.9
    table[:, -1] = np.maximum(table[:, -1], faint.get("space", 0.0))
    return table


def decoded(steps: str, weight: float = 1.0, **faint: float) -> str:
    return "".join(c.text for c in decode(answer(steps, **faint), Alphabet(CLASSES, weight), 1.0))


@pytest.mark.parametrize(
    ("steps", "text"),
    [("aab", "ab"), ("a-a", "aa"), ("-aa--bb-", "ab"), ("a--b", "ab"), ("a b", "a b"), ("----", "")],
)
def test_repeats_are_one_character_and_empty_steps_none(steps: str, text: str) -> None:
    assert decoded(steps) == text


def test_a_faint_space_counts_between_letters_but_replaces_none() -> None:
    assert decoded("a-b", weight=1.0, space=0.06) == "ab"
    assert decoded("a-b", weight=20.0, space=0.06) == "a b"
    assert decoded("aab", weight=20.0, space=0.06) == "ab"


def test_columns_follow_the_steps_and_the_width_of_the_line() -> None:
    first, second = decode(answer("a---b-----"), Alphabet(CLASSES, 1.0), 0.5)
    assert first.column == pytest.approx(0.1)
    assert second.column == pytest.approx(0.9)


def line_image(text: str) -> NDArray[np.uint8]:
    image = Image.new("L", (1400, 60), 255)
    ImageDraw.Draw(image).text((20, 8), text, fill=0, font=ImageFont.load_default(36))
    return np.asarray(image)


def test_words_are_split_in_the_white_space_between_them() -> None:
    line = np.full((20, 100), 255, dtype=np.uint8)
    line[5:15, 10:40] = 0
    line[5:15, 60:90] = 0
    characters = decode(answer("-a-a--b-b-"), Alphabet(CLASSES, 1.0), 1.0)
    space = characters[0]._replace(text=" ")
    left, right = words_of([*characters[:2], space, *characters[2:]], line, np.eye(3))
    assert (left.text, right.text) == ("aa", "bb")
    assert left.box.right == pytest.approx(40, abs=1)
    assert right.box.left == pytest.approx(60, abs=1)


def test_a_rotated_line_is_cropped_upright_and_maps_back_to_the_page() -> None:
    page = np.full((300, 400), 255, dtype=np.uint8)
    quad = np.array([[50, 100], [250, 120], [247, 150], [47, 130]], dtype=np.float32)
    line, back = straighten(page, quad)
    height, width = line.shape
    for corner, wanted in zip([(0, 0), (width, 0), (width, height), (0, height)], quad, strict=True):
        x, y, z = back @ np.array([*corner, 1.0])
        assert (x / z, y / z) == pytest.approx(tuple(wanted), abs=0.01)


@pytest.mark.parametrize(("turn", "first_corner"), [(1, 1), (3, 3)])
def test_a_vertical_line_is_rotated_upright(turn: int, first_corner: int) -> None:
    page = np.full((300, 400), 255, dtype=np.uint8)
    quad = np.array([[50, 20], [90, 20], [90, 220], [50, 220]], dtype=np.float32)
    assert turn in turns_to_try(quad)
    line, back = straighten(page, quad, turn)
    assert line.shape == (40, 200)
    x, y, z = back @ np.array([0.0, 0.0, 1.0])
    assert (x / z, y / z) == pytest.approx(tuple(quad[first_corner]), abs=0.01)


def test_a_wide_line_is_not_rotated() -> None:
    assert turns_to_try(np.array([[0, 0], [90, 0], [90, 30], [0, 30]], dtype=np.float32)) == (0,)


def test_the_truncated_model_reads_like_the_complete_one() -> None:
    whole = (files("rapidocr") / "models" / "PP-OCRv6_rec_small.onnx").read_bytes()
    text = "Rosalind Achterberg demanded $1,284.75 by May 3, 2019."
    readings = []
    for model in (whole, cut_to_latin(whole)):
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        characters = session.get_modelmeta().custom_metadata_map["character"].splitlines()
        alphabet = Alphabet(("", *characters, " "), 20.0)

        def network(
            pixels: NDArray[np.float32], session: onnxruntime.InferenceSession = session
        ) -> NDArray[np.float32]:
            result: NDArray[np.float32] = session.run(None, {"x": pixels})[0]
            return result

        found = recognise(line_image(text), network, alphabet, 1.25)
        readings.append("".join(character.text for character in found))
    assert readings == [text, text]


@pytest.mark.parametrize("character", "azAZ09éßŁ§¶©½“”’–—…•€™☑")
def test_the_characters_of_american_filings_are_latin(character: str) -> None:
    assert is_latin(character)


@pytest.mark.parametrize("character", "漢あΑЖ，。☃")
def test_other_scripts_and_ornaments_are_not_latin(character: str) -> None:
    assert not is_latin(character)


@pytest.mark.parametrize(("accented", "text"), [(0.5, "e"), (0.85, "e"), (0.95, "é")])
def test_an_accented_letter_must_be_much_likelier_than_the_plain_one(accented: float, text: str) -> None:
    probabilities = np.array([[0.0, 1 - accented, accented, 0.0]], dtype=np.float32)
    [character] = decode(probabilities, Alphabet(("", "e", "é", " "), 1.0, 0.1), 1.0)
    assert character.text == text
    assert character.confidence == pytest.approx(accented if text == "é" else 1 - accented)
