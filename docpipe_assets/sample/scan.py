"""Converts typeset pages to scans: rendered, skewed, aged and stored as images without a text layer."""

import io
from collections.abc import Collection
from typing import Any

import numpy as np
import pikepdf
import pypdfium2
from PIL import Image, ImageFilter

SCAN_DPI = 200
JPEG_QUALITY = 42


def scan_pages(pdf: bytes, pages: Collection[int], sideways: Collection[int], seed: int) -> bytes:
    """Replace the given pages (from 1) by scans; those in `sideways` were scanned with a quarter turn.

    A sideways scan is stored turned and set upright by the page's /Rotate, as scanner software does.
    """
    images = {number: _aged(_rendered(pdf, number), seed * 1000 + number) for number in pages}
    with pikepdf.open(io.BytesIO(pdf)) as document:
        for number, image in images.items():
            page = document.pages[number - 1]
            is_sideways = number in sideways
            if is_sideways:
                image = image.transpose(Image.Transpose.ROTATE_90)
            width_points = image.width * 72 / SCAN_DPI
            height_points = image.height * 72 / SCAN_DPI
            page.obj.MediaBox = pikepdf.Array([0, 0, round(width_points), round(height_points)])
            page.obj.Rotate = 90 if is_sideways else 0
            page.obj.Resources = pikepdf.Dictionary(
                XObject=pikepdf.Dictionary(Scan=_image_stream(document, image))
            )
            drawing = f"q {width_points:.2f} 0 0 {height_points:.2f} 0 0 cm /Scan Do Q"
            page.obj.Contents = document.make_stream(drawing.encode("ascii"))
        return saved(document)


def turn_landscape_pages(pdf: bytes) -> bytes:
    """Store landscape pages as portrait ones with turned content and /Rotate 90; their appearance does not
    change.
    """
    with pikepdf.open(io.BytesIO(pdf)) as document:
        for page in document.pages:
            left, bottom, width, height = (float(value) for value in page.mediabox)
            if width > height:
                page.contents_add(f"q 0 1 -1 0 {height:g} 0 cm\n".encode("ascii"), prepend=True)
                page.contents_add(b"\nQ")
                page.obj.MediaBox = pikepdf.Array([left, bottom, height, width])
                page.obj.Rotate = 90
        return saved(document)


def saved(document: pikepdf.Pdf) -> bytes:
    """The document as bytes, the same for the same content: its file identifier is a hash."""
    document.remove_unreferenced_resources()
    buffer = io.BytesIO()
    document.save(buffer, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return buffer.getvalue()


def _rendered(pdf: bytes, number: int) -> Image.Image:
    document = pypdfium2.PdfDocument(pdf)
    try:
        bitmap = document[number - 1].render(scale=SCAN_DPI / 72, grayscale=True)
        image: Image.Image = bitmap.to_pil()
        return image.convert("L")
    finally:
        document.close()


def _aged(sheet: Image.Image, seed: int) -> Image.Image:
    """The sheet as seen by an office scanner: skewed by 1 to 2 degrees, grey, speckled, soft."""
    chance = np.random.default_rng(seed)
    angle_degrees = float(chance.uniform(1.0, 2.0)) * (1 if chance.random() < 0.5 else -1)
    skewed = sheet.rotate(angle_degrees, resample=Image.Resampling.BICUBIC, fillcolor=255)
    softened = skewed.filter(ImageFilter.GaussianBlur(0.7))
    tone = np.asarray(softened, dtype=np.float32)
    height, width = tone.shape

    # Toner is never black and paper never white; the lamp fades towards one edge.
    tone = 48.0 + tone * (236.0 - 48.0) / 255.0
    tone -= np.linspace(0.0, float(chance.uniform(6.0, 14.0)), width, dtype=np.float32)[None, :]
    tone += chance.normal(0.0, 6.0, (height, width)).astype(np.float32)
    _add_specks(tone, chance)
    _add_edge_shadow(tone, int(chance.integers(6, 16)))
    return Image.fromarray(np.clip(tone, 0, 255).astype(np.uint8))


def _add_specks(tone: "np.ndarray[Any, np.dtype[np.float32]]", chance: np.random.Generator) -> None:
    height, width = tone.shape
    for _ in range(140):
        row, column = int(chance.integers(0, height - 4)), int(chance.integers(0, width - 4))
        size = int(chance.integers(1, 4))
        tone[row : row + size, column : column + size] = float(chance.uniform(60, 130))


def _add_edge_shadow(tone: "np.ndarray[Any, np.dtype[np.float32]]", width_pixels: int) -> None:
    """The dark strip at the left edge of the sheet if the lid was not closed."""
    tone[:, :width_pixels] -= np.linspace(110.0, 0.0, width_pixels, dtype=np.float32)[None, :]


def _image_stream(document: pikepdf.Pdf, image: Image.Image) -> pikepdf.Object:
    encoded = io.BytesIO()
    image.save(encoded, format="JPEG", quality=JPEG_QUALITY, dpi=(SCAN_DPI, SCAN_DPI))
    return document.make_stream(
        encoded.getvalue(),
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=image.width,
        Height=image.height,
        ColorSpace=pikepdf.Name.DeviceGray,
        BitsPerComponent=8,
        Filter=pikepdf.Name.DCTDecode,
    )
