"""Scans of generated pages: rendered, skewed, noisy, blurred, and compressed like those of office
scanners.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from docpipe_assets.protocols import PageImage

RESOLUTIONS = (200, 300)


def scanned(pdf: bytes, page: int, seed: int, target: Path) -> PageImage:
    """Writes a page (from 1) as gray pixels to a file; its degradation depends only on the seed."""
    chance = np.random.default_rng(seed)
    dpi = int(chance.choice(RESOLUTIONS))
    document = pypdfium2.PdfDocument(pdf)
    try:
        image = document[page - 1].render(scale=dpi / 72, grayscale=True).to_pil().convert("L")
    finally:
        document.close()
    angle_degrees = float(chance.uniform(-1.5, 1.5))
    image = image.rotate(angle_degrees, resample=Image.Resampling.BICUBIC, fillcolor=255)
    image = image.filter(ImageFilter.GaussianBlur(float(chance.uniform(0.3, 0.9)) * dpi / 200))
    tone: NDArray[np.floating[Any]] = np.asarray(image, dtype=np.float32)
    ink, paper = float(chance.uniform(20, 90)), float(chance.uniform(215, 250))
    tone = ink + tone * (paper - ink) / 255 + chance.normal(0.0, chance.uniform(2, 14), tone.shape)
    for _ in range(int(chance.integers(0, 200))):
        row, column = (int(chance.integers(0, side - 4)) for side in tone.shape)
        tone[row : row + int(chance.integers(1, 4)), column : column + int(chance.integers(1, 4))] = ink
    aged = Image.fromarray(np.clip(tone, 0, 255).astype(np.uint8))
    packed = io.BytesIO()
    aged.save(packed, "JPEG", quality=int(chance.integers(30, 80)))
    pixels = Image.open(packed).convert("L")
    target.write_bytes(pixels.tobytes())
    return PageImage(target, pixels.width, pixels.height, float(dpi))
