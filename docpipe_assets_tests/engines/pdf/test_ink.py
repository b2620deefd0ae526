"""Lines of text without words are detected; rules, pictures and specks are not mistaken for text."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from docpipe_assets.engines.pdf import ink
from docpipe_assets.engines.pdf.reader import IsolatedPdfReader
from docpipe_assets.model import Box
from docpipe_assets.protocols import PageImage

DPI = 100
SENTENCE = (
    "the witness could not recall whether the valve had been inspected before the shipment left the port"
)
NO_BOXES = np.empty((0, 4))


def paper() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    page = Image.new("L", (850, 1100), 245)
    return page, ImageDraw.Draw(page)


def set_lines(draw: ImageDraw.ImageDraw, count: int, *, shade: int = 20, top: int = 100) -> list[Box]:
    """Lines of text, and the boxes of their words."""
    font, boxes = ImageFont.load_default(14), []
    for row in range(count):
        x, y = 90.0, top + 22.0 * row
        for word in SENTENCE.split():
            draw.text((x, y), word, fill=shade, font=font)
            width = font.getlength(word)
            boxes.append(Box(x, y, x + width, y + 16))
            x += width + 5
    return boxes


def measured(page: Image.Image, boxes: NDArray[np.float64] = NO_BOXES) -> dict[str, float]:
    return ink.measures(np.asarray(page), boxes, DPI)


@pytest.mark.parametrize("shade", [20, 180])
def test_lines_without_words_are_measured_in_inches(shade: int) -> None:
    page, draw = paper()
    set_lines(draw, 10, shade=shade)
    found = measured(page)
    assert found["unread_line_inches"] == found["line_inches"] == pytest.approx(10 * 6.6, rel=0.15)


def test_lines_covered_by_words_do_not_count_as_unread() -> None:
    page, draw = paper()
    boxes = set_lines(draw, 10)
    all_of_it = measured(page, np.array(boxes))
    assert all_of_it["unread_line_inches"] == 0
    assert all_of_it["ink_outside_words_share"] < 0.02
    seven_lines = measured(page, np.array(boxes[: 7 * len(SENTENCE.split())]))
    assert seven_lines["unread_line_inches"] == pytest.approx(3 * 6.6, rel=0.2)


def ruled(draw: ImageDraw.ImageDraw) -> None:
    for row in range(30):
        draw.line((60, 80 + 30 * row, 790, 80 + 30 * row), fill=0, width=2)
    for column in range(9):
        draw.line((60 + 91 * column, 80, 60 + 91 * column, 950), fill=0, width=2)


def framed(draw: ImageDraw.ImageDraw) -> None:
    for inset in (20, 26, 34):
        draw.rectangle((inset, inset, 850 - inset, 1100 - inset), outline=30, width=3)


def specked(draw: ImageDraw.ImageDraw) -> None:
    chance = np.random.default_rng(4)
    for x, y in chance.integers(10, 840, (400, 2)):
        draw.ellipse((x, y, x + 2, y + 2), fill=60)


def pictured(draw: ImageDraw.ImageDraw) -> None:
    chance = np.random.default_rng(5)
    for _ in range(40):
        x, y = (int(v) for v in chance.integers(50, 700, 2))
        w, h = (int(v) for v in chance.integers(20, 140, 2))
        draw.ellipse((x, y, x + w, y + h), fill=int(chance.integers(20, 240)))


def signed(draw: ImageDraw.ImageDraw) -> None:
    chance = np.random.default_rng(6)
    points = [(400.0, 900.0)]
    for _ in range(30):
        points.append((points[-1][0] + chance.uniform(2, 12), 900 + chance.uniform(-30, 25)))
    draw.line(points, fill=20, width=3)


def dark_edge(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((0, 0, 30, 1100), fill=40)
    draw.rectangle((0, 1080, 850, 1100), fill=70)


@pytest.mark.parametrize("drawn", [ruled, framed, specked, pictured, signed, dark_edge])
def test_graphics_are_not_mistaken_for_lines_of_text(drawn: Callable[[ImageDraw.ImageDraw], None]) -> None:
    page, draw = paper()
    drawn(draw)
    assert measured(page)["unread_line_inches"] < 3


def test_words_of_another_page_are_detected_by_gaps_and_white_paper() -> None:
    page, draw = paper()
    boxes = np.array(set_lines(draw, 10))
    lines = [n // len(SENTENCE.split()) for n in range(len(boxes))]
    right = ink.measures(np.asarray(page), boxes, DPI, lines)
    assert right["gap_ink_ratio"] < 0.1
    assert right["words_without_ink_share"] == 0
    shifted = ink.measures(np.asarray(page), boxes + np.array((23, 0, 23, 0)), DPI, lines)
    assert shifted["gap_ink_ratio"] > 0.4
    below = ink.measures(np.asarray(page), boxes + np.array((0, 400, 0, 400)), DPI, lines)
    assert below["words_without_ink_share"] > 0.9


def test_an_empty_image_has_nothing_to_read() -> None:
    for size in ((1, 1), (2, 300), (850, 1100)):
        found = measured(Image.new("L", size, 255))
        assert (found["ink_share"], found["line_inches"]) == (0, 0)


def test_a_rendered_page_is_measured_in_the_sandbox(reader: IsolatedPdfReader, tmp_path: Path) -> None:
    page, draw = paper()
    boxes = set_lines(draw, 10)
    path = tmp_path / "page.grey"
    path.write_bytes(page.resize((2550, 3300)).tobytes())
    image = PageImage(path, 2550, 3300, 300.0)
    scaled = [Box(*(3 * side for side in box)) for box in boxes]
    read = reader.ink(image, scaled)
    missed = reader.ink(image, scaled[: len(scaled) // 2])
    assert read["unread_line_inches"] == 0
    assert missed["unread_line_inches"] == pytest.approx(5 * 6.6, rel=0.2)
