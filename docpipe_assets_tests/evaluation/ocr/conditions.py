"""The degradation of a sheet between printer and file: a scan, a fax, a photocopy, a stamp."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from docpipe_assets_tests.evaluation.ocr.sheet import PAPER, font_of

Tones: TypeAlias = NDArray[np.float32]
FAX_DPI = (204.0, 196.0)
COARSE_FAX_DPI = (204.0, 98.0)
STAMPS = ("CONFIDENTIAL", "COPY", "DRAFT", "RECEIVED", "PRIVILEGED")


@dataclass(frozen=True)
class Scan:
    """An image, its horizontal and vertical resolution, and its text that is not on the sheet."""

    image: Image.Image
    dpi: tuple[float, float]
    added: str = ""


Condition: TypeAlias = Callable[[Image.Image, float, np.random.Generator], Scan]


def clean(page: Image.Image, dpi: float, chance: np.random.Generator) -> Scan:
    """Printed to a file."""
    return Scan(page, (dpi, dpi))


def ordinary(page: Image.Image, dpi: float, chance: np.random.Generator) -> Scan:
    """From an office scanner: slightly skewed, soft and gray, with a few specks."""
    askew = _turned(page, chance.uniform(-0.8, 0.8))
    tones = _printed(_soft(askew, dpi, chance.uniform(0.5, 0.9)), 38, 240)
    tones += chance.normal(0, chance.uniform(2, 5), tones.shape).astype(np.float32)
    _speckle(tones, chance, 60)
    return Scan(_jpeg(_image(tones), int(chance.integers(60, 85))), (dpi, dpi))


def blur(page: Image.Image, dpi: float, chance: np.random.Generator) -> Scan:
    """Out of focus."""
    tones = _printed(_soft(_turned(page, chance.uniform(-0.5, 0.5)), dpi, chance.uniform(1.6, 2.2)), 40, 238)
    return Scan(_image(_grained(tones, chance, 3)), (dpi, dpi))


def noise(page: Image.Image, dpi: float, chance: np.random.Generator) -> Scan:
    """Noise on the entire page, and specks of dust."""
    tones = _grained(_printed(_soft(page, dpi, 0.6), 50, 225), chance, chance.uniform(24, 36))
    _speckle(tones, chance, 1500)
    return Scan(_image(tones), (dpi, dpi))


def skew(page: Image.Image, dpi: float, chance: np.random.Generator) -> Scan:
    """Scanned with a skew of two to three degrees."""
    degrees = chance.uniform(2.0, 3.0) * (1 if chance.random() < 0.5 else -1)
    tones = _grained(_printed(_soft(_turned(page, degrees), dpi, 0.7), 40, 238), chance, 4)
    return Scan(_image(tones), (dpi, dpi))


def fax(page: Image.Image, dpi: float, chance: np.random.Generator) -> Scan:
    """Sent in fine mode: 204 x 196 dots to the inch, each black or white."""
    return _faxed(page, dpi, FAX_DPI, chance)


def coarse_fax(page: Image.Image, dpi: float, chance: np.random.Generator) -> Scan:
    """Sent in standard mode: half as many rows."""
    return _faxed(page, dpi, COARSE_FAX_DPI, chance)


def faint(page: Image.Image, dpi: float, chance: np.random.Generator) -> Scan:
    """Low toner, paper that is not white, and darker to one side."""
    tones = _printed(_soft(_turned(page, chance.uniform(-0.5, 0.5)), dpi, 0.7), 150, 214)
    tones -= np.linspace(0, chance.uniform(10, 30), tones.shape[1], dtype=np.float32)[None, :]
    return Scan(_image(_grained(tones, chance, 5)), (dpi, dpi))


def jpeg(page: Image.Image, dpi: float, chance: np.random.Generator) -> Scan:
    """Compressed strongly: blocks and ringing around every letter."""
    soft = _image(_grained(_printed(_soft(page, dpi, 0.6), 36, 242), chance, 3))
    return Scan(_jpeg(soft, int(chance.integers(10, 18))), (dpi, dpi))


def photocopy(page: Image.Image, dpi: float, chance: np.random.Generator) -> Scan:
    """A copy of a copy: hard black and white, strokes that thicken or break, dirt."""
    tones = np.asarray(_turned(page, chance.uniform(-1, 1)), dtype=np.float32)
    for _ in range(2):
        soft = _grained(_soft(_image(tones), dpi, 0.9), chance, 18)
        tones = np.where(soft < chance.uniform(115, 165), 0, 255).astype(np.float32)
    _speckle(tones, chance, 250)
    return Scan(_image(np.where(tones < 128, 0, 255).astype(np.float32)), (dpi, dpi))


def stamped(page: Image.Image, dpi: float, chance: np.random.Generator) -> Scan:
    """A word in large gray letters from corner to corner, over the text."""
    scanned = ordinary(page, dpi, chance)
    word = str(chance.choice(STAMPS))
    font = font_of("arial-bold", dpi * (0.9 if len(word) > 6 else 1.5))
    left, top, right, bottom = font.getbbox(word)
    stamp = Image.new("L", (round(right - left), round(bottom - top)), PAPER)
    ImageDraw.Draw(stamp).text((-left, -top), word, int(chance.integers(150, 190)), font)
    stamp = stamp.rotate(
        chance.uniform(35, 50), resample=Image.Resampling.BICUBIC, expand=True, fillcolor=PAPER
    )
    over = Image.new("L", page.size, PAPER)
    over.paste(stamp, ((page.width - stamp.width) // 2, (page.height - stamp.height) // 2))
    both = np.asarray(scanned.image, np.float32) * np.asarray(over, np.float32) / PAPER
    return Scan(_image(both), scanned.dpi, word)


CONDITIONS: dict[str, Condition] = {
    made.__name__: made
    for made in (clean, ordinary, blur, noise, skew, fax, coarse_fax, faint, jpeg, photocopy, stamped)
}


def _turned(page: Image.Image, degrees: float) -> Image.Image:
    return page.rotate(degrees, resample=Image.Resampling.BICUBIC, fillcolor=PAPER)


def _soft(page: Image.Image, dpi: float, radius_at_300: float) -> Tones:
    softened = page.filter(ImageFilter.GaussianBlur(radius_at_300 * dpi / 300))
    return np.asarray(softened, dtype=np.float32).copy()


def _printed(tones: Tones, ink: float, paper: float) -> Tones:
    return np.asarray(ink + tones * np.float32((paper - ink) / 255), dtype=np.float32)


def _grained(tones: Tones, chance: np.random.Generator, deviation: float) -> Tones:
    return tones + chance.normal(0, deviation, tones.shape).astype(np.float32)


def _speckle(tones: Tones, chance: np.random.Generator, count: int) -> None:
    height, width = tones.shape
    for _ in range(count):
        row, column, size = (int(chance.integers(0, n)) for n in (height - 4, width - 4, 3))
        tones[row : row + size + 1, column : column + size + 1] = chance.uniform(40, 130)


def _image(tones: NDArray[np.floating[Any]]) -> Image.Image:
    return Image.fromarray(np.clip(tones, 0, 255).astype(np.uint8))


def _jpeg(page: Image.Image, quality: int) -> Image.Image:
    encoded = io.BytesIO()
    page.save(encoded, "JPEG", quality=quality)
    with Image.open(encoded) as decoded:
        return decoded.convert("L")


def _faxed(page: Image.Image, dpi: float, fax_dpi: tuple[float, float], chance: np.random.Generator) -> Scan:
    soft = _image(_grained(_soft(_turned(page, chance.uniform(-0.6, 0.6)), dpi, 0.8), chance, 6))
    size = tuple(round(side * to / dpi) for side, to in zip(page.size, fax_dpi, strict=True))
    reduced = cv2.resize(np.asarray(soft), size, interpolation=cv2.INTER_AREA)
    dots = np.where(reduced < chance.uniform(135, 165), 0, 255).astype(np.uint8)
    flipped = chance.random(dots.shape) < 0.0005
    dots[flipped] = 255 - dots[flipped]
    return Scan(Image.fromarray(dots), fax_dpi)
