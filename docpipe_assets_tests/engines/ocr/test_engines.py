"""Every OCR engine in the folder reads a page correctly, reproducibly, and returns boxes that
match the ink.
"""

import inspect
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont

from docpipe_assets.engines import available, load_engine
from docpipe_assets.engines.ocr.tesseract import Tesseract
from docpipe_assets.errors import ConfigurationError, EngineError
from docpipe_assets.evaluation.text_score import score
from docpipe_assets.protocols import OcrEngine, PageImage
from docpipe_assets_tests.engines.ocr.textract_service import Service, textract_service
from docpipe_assets_tests.evaluation.ocr.sheet import font_of

WIDTH, HEIGHT, DPI = 1700, 1300, 200.0
LINES = (
    "STILLWELL BANK, N.A., Plaintiff, v. NORVANE & SONS, Defendant.",
    "On March 4, 2019, Rosalind Achterberg wrote to the Port Ellery",
    "Transit Authority that the second shipment had not arrived,",
    "and demanded payment of $1,284,550.75 within thirty days.",
    "See Ashgrove v. Pell, 947 F.3d 184, 189 (8th Cir. 1998).",
    "The witness could not recall whether the valve was inspected;",
    "her assistant kept the ledger at 42 Juniper Street, Suite 7.",
    "Any reply must reach the clerk by 5 p.m. on the first Monday.",
)


def is_engine(name: str) -> bool:
    module = import_module(f"docpipe_assets.engines.ocr.{name}")
    members = inspect.getmembers(module, inspect.isclass)
    return any(hasattr(c, "read") and c.__module__ == module.__name__ for _, c in members)


ENGINES = [name for name in available("ocr") if is_engine(name)]


@pytest.fixture(scope="module")
def textract() -> Iterator[Service]:
    """A local service that reads with one of docpipe's engines and responds like AWS."""
    with textract_service(load_engine("ocr", "rapidocr", "read").read) as service:
        service.polls_until_done = 0
        yield service


MARKS = {
    "rapidocr_openvino": [pytest.mark.long],
    "tesseract": [pytest.mark.needs("tesseract")],
    "textract": [pytest.mark.long],
}
"""Each engine takes as long as all other tests; the optional ones are tested by ``.ci/run``."""


@pytest.fixture(params=[pytest.param(name, marks=MARKS.get(name, [])) for name in ENGINES])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> OcrEngine:
    if request.param == "textract":
        service = request.getfixturevalue("textract")
        for name, value in {
            "DOCPIPE_TEXTRACT_URL": "s3://pages/now",
            "DOCPIPE_TEXTRACT_ENDPOINT_URL": service.url,
            "DOCPIPE_S3_ENDPOINT_URL": service.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }.items():
            monkeypatch.setenv(name, value)
    found: OcrEngine = load_engine("ocr", request.param, "read")
    assert found.version
    return found


def typeset(lines: tuple[str, ...], degrees: float = 0.0) -> Image.Image:
    page = Image.new("L", (WIDTH, HEIGHT), 255)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(38)
    for n, line in enumerate(lines):
        draw.text((180, 160 + n * 80), line, fill=10, font=font)
    return page.rotate(degrees, resample=Image.Resampling.BICUBIC, fillcolor=255)


def as_page(image: Image.Image, folder: Path) -> PageImage:
    path = folder / "page.grey"
    path.write_bytes(image.tobytes())
    return PageImage(path, image.width, image.height, DPI)


def text_of(lines: Any) -> str:
    return "\n".join(" ".join(word.text for word in line) for line in lines)


def test_the_folder_has_the_engines_that_the_settings_name() -> None:
    assert {"rapidocr", "rapidocr_openvino", "tesseract", "textract"} <= set(ENGINES)


@pytest.mark.parametrize("degrees", [0.0, 1.5, -1.5])
def test_a_page_is_read_with_less_than_one_error_in_a_hundred_characters(
    engine: OcrEngine, tmp_path: Path, degrees: float
) -> None:
    truth = "\n".join(LINES)
    found = text_of(engine.read(as_page(typeset(LINES, degrees), tmp_path)))
    assert score(found, truth).character_error_rate < 0.01, found


def test_numbered_lines_keep_their_numbers(tmp_path: Path) -> None:
    """A single digit is taller than wide, but must not be read as vertical text."""
    image = typeset(LINES)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(38)
    for n in range(len(LINES)):
        draw.text((90, 160 + n * 80), str(n + 1), fill=10, font=font)
    lines = load_engine("ocr", "rapidocr", "read").read(as_page(image, tmp_path))
    assert [line[0].text for line in lines] == [str(n + 1) for n in range(len(LINES))]


@pytest.mark.parametrize("turn", [Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270])
def test_a_vertical_stamp_is_read(tmp_path: Path, turn: Image.Transpose) -> None:
    image, stamp = typeset(LINES), Image.new("L", (400, 50), 255)
    ImageDraw.Draw(stamp).text((5, 5), "CALDERA 000123", fill=10, font=ImageFont.load_default(34))
    image.paste(stamp.transpose(turn), (60, 500))
    lines = load_engine("ocr", "rapidocr", "read").read(as_page(image, tmp_path))
    assert "CALDERA 000123" in text_of(lines)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_rotated_page_is_read_and_its_boxes_match_its_words(tmp_path: Path, turns: int) -> None:
    quarter = [Image.Transpose.ROTATE_270, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_90]
    engine = load_engine("ocr", "rapidocr", "read")
    upright = engine.read(as_page(typeset(LINES), tmp_path))
    turned = engine.read(as_page(typeset(LINES).transpose(quarter[turns - 1]), tmp_path))
    assert score(text_of(turned), "\n".join(LINES)).character_error_rate < 0.01
    assert {word.quarter_turns for line in turned for word in line} == {turns}
    assert {word.quarter_turns for line in upright for word in line} == {0}
    for was, now in zip(chain(*upright), chain(*turned), strict=True):
        left, top, right, bottom = was.box
        where = {
            1: (HEIGHT - bottom, left, HEIGHT - top, right),
            2: (WIDTH - right, HEIGHT - bottom, WIDTH - left, HEIGHT - top),
            3: (top, WIDTH - right, bottom, WIDTH - left),
        }
        assert now.box == pytest.approx(where[turns], abs=8)


def test_text_under_a_stamp_is_read_and_the_stamp_after_it(tmp_path: Path) -> None:
    page = typeset(LINES)
    font = ImageFont.load_default(190)
    left, top, right, bottom = (round(side) for side in font.getbbox("DRAFT"))
    stamp = Image.new("L", (right - left, bottom - top), 255)
    ImageDraw.Draw(stamp).text((-left, -top), "DRAFT", fill=170, font=font, stroke_width=9, stroke_fill=170)
    stamp = stamp.rotate(35, expand=True, fillcolor=255)
    over = Image.new("L", page.size, 255)
    over.paste(stamp, (500, 150))
    found = load_engine("ocr", "rapidocr", "read").read(as_page(ImageChops.multiply(page, over), tmp_path))
    assert score(text_of(found), "\n".join([*LINES, "DRAFT"])).character_error_rate < 0.01, text_of(found)
    assert found[-1][0].text == "DRAFT"


def test_accented_letters_are_preserved(tmp_path: Path) -> None:
    line = "Fiona O'Néill met José Peña and Zoë Müller in the café; the résumé was façade."
    page = Image.new("L", (WIDTH, 300), 255)
    ImageDraw.Draw(page).text((80, 120), line, fill=10, font=font_of("vera", 34))
    assert text_of(load_engine("ocr", "rapidocr", "read").read(as_page(page, tmp_path))) == line


def test_both_back_ends_read_the_same(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    page = as_page(typeset(LINES, 1.0), tmp_path)
    first, second = (
        load_engine("ocr", name, "read").read(page) for name in ("rapidocr", "rapidocr_openvino")
    )
    assert text_of(first) == text_of(second)
    for one, other in zip(chain(*first), chain(*second), strict=True):
        assert one.box == pytest.approx(other.box, abs=2)
        assert one.confidence == pytest.approx(other.confidence, abs=0.01)


def test_the_same_page_gives_the_same_words(engine: OcrEngine, tmp_path: Path) -> None:
    page = as_page(typeset(LINES, 1.0), tmp_path)
    assert engine.read(page) == engine.read(page)


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_an_empty_page_has_no_words(engine: OcrEngine, tmp_path: Path, grey: int) -> None:
    assert engine.read(as_page(Image.new("L", (WIDTH, HEIGHT), grey), tmp_path)) == ()


@pytest.mark.parametrize("size", [(1, 1), (40, 3000), (3000, 2)])
def test_an_unusual_page_does_not_fail(engine: OcrEngine, tmp_path: Path, size: tuple[int, int]) -> None:
    assert engine.read(as_page(Image.new("L", size, 255), tmp_path)) == ()


@pytest.mark.parametrize("degrees", [0.0, 1.5])
def test_boxes_lie_on_the_page_and_cover_the_ink(engine: OcrEngine, tmp_path: Path, degrees: float) -> None:
    image = typeset(LINES, degrees)
    ink = np.asarray(image) < 128
    covered = np.zeros_like(ink)
    for line in engine.read(as_page(image, tmp_path)):
        for word in line:
            left, top, right, bottom = word.box
            assert 0 <= left < right <= WIDTH
            assert 0 <= top < bottom <= HEIGHT
            assert 0 <= word.confidence <= 1
            covered[int(top) : int(bottom) + 1, int(left) : int(right) + 1] = True
    assert (ink & covered).sum() > 0.99 * ink.sum()


def test_each_word_is_inside_its_own_box(engine: OcrEngine, tmp_path: Path) -> None:
    """The ink of a word ends at its box: half a letter of a neighbor would be visible."""
    font = ImageFont.load_default(38)
    found = engine.read(as_page(typeset(LINES), tmp_path))
    words = LINES[1].split(" ")
    assert [word.text for word in found[1]] == words
    for n, word in enumerate(found[1]):
        left = 180 + font.getlength(" ".join([*words[:n], ""]))
        right = 180 + font.getlength(" ".join(words[: n + 1]))
        middle = (word.box.left + word.box.right) / 2
        assert middle == pytest.approx((left + right) / 2, abs=14)
        assert word.box.left < left + 6
        assert word.box.right > right - 6


def test_a_truncated_image_is_an_error_and_not_a_blank_page(engine: OcrEngine, tmp_path: Path) -> None:
    page = as_page(typeset(LINES), tmp_path)
    page.path.write_bytes(page.path.read_bytes()[:-1000])
    with pytest.raises(EngineError, match="bytes"):
        engine.read(page)


@pytest.mark.parametrize("name", ENGINES)
def test_creating_an_engine_and_reading_its_version_loads_no_library(name: str) -> None:
    code = f"""
import sys
from docpipe_assets.engines import load_engine
from docpipe_assets.errors import ConfigurationError
engine = load_engine("ocr", {name!r}, "read")
try:
    engine.version
except ConfigurationError:
    pass
assert not {{"onnxruntime", "openvino", "rapidocr", "cv2", "numpy"}} & set(sys.modules), "loaded too early"
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_a_missing_program_is_an_error_with_advice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"tesseract is not installed; install it .*rapidocr"):
        Tesseract().read(as_page(typeset(LINES), tmp_path))
