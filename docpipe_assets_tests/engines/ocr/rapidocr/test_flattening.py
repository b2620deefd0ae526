"""Large gray marks are separated from text; pages without them remain unchanged."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from docpipe_assets.engines.ocr.rapidocr.flattening import split_layers

DPI = 150.0
WIDTH, HEIGHT = 850, 1100


def page(*, stamp: int | None = None, size: int = 18) -> Image.Image:
    sheet = Image.new("L", (WIDTH, HEIGHT), 245)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size)
    if stamp is not None:
        large = ImageFont.load_default(190)
        draw.text((120, 400), "COPY", fill=stamp, font=large, stroke_width=6, stroke_fill=stamp)
    for n in range(40):
        draw.text((80, 60 + 24 * n), "The valve was shut, and nobody had shut it. " * 2, fill=20, font=font)
    return sheet


@pytest.mark.parametrize("size", [12, 18, 30])
def test_a_page_of_text_has_no_marks(size: int) -> None:
    assert split_layers(np.asarray(page(size=size)), DPI) is None


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_an_empty_page_has_no_marks(shade: int) -> None:
    assert split_layers(np.full((HEIGHT, WIDTH), shade, np.uint8), DPI) is None


def test_an_unusual_page_does_not_fail() -> None:
    assert split_layers(np.full((3, 2000), 200, np.uint8), DPI) is None


@pytest.mark.parametrize("shade", [150, 185])
def test_a_stamp_and_the_text_below_it_are_separated(shade: int) -> None:
    plain, stamped = np.asarray(page()), np.asarray(page(stamp=shade))
    layers = split_layers(stamped, DPI)
    assert layers is not None
    assert layers.text.shape == layers.marks.shape == stamped.shape
    under = (stamped == shade) & (plain > 230)  # where only the stamp was printed
    assert under.mean() > 0.02
    assert np.median(layers.text[under]) > 230
    assert np.median(layers.marks[under]) < shade + 15
    ink = plain < 60
    assert np.mean(layers.text[ink] < 120) > 0.97
    outside = layers.marks[:300][plain[:300] < 60]
    assert outside.min() > 230
