"""Small one-page documents, each with a property that triggers a fault engine."""

import os
from pathlib import Path

import pikepdf
from PIL import Image

from docpipe_assets_tests.hostile.tiny_pdf import SENTENCE, show, simple

DEFECT_IN_SPLITTING = b"\n%% a defect in splitting\n"
CRASHES = b"\n%% crashes the parser\n"
HANGS = b"\n%% hangs the parser\n"
"""At the end of a file, where PDF readers ignore them."""


def letter(number: int) -> bytes:
    """A page of text."""
    return simple(show(f"{SENTENCE} {number}."))


def invoice(number: int) -> bytes:
    """A letter with a word that the switchable NER engine recognizes as a name."""
    return simple(show(f"{SENTENCE} with the invoice {number}."))


def unsplittable_letter(number: int) -> bytes:
    """A letter that the switchable reader can't split."""
    return letter(number) + DEFECT_IN_SPLITTING


def write_scan(path: Path, number: int) -> Path:
    """A page that is an image and requires OCR."""
    shade = Image.new("L", (400, 500), 255)
    shade.paste(number % 200, (50, 50, 350, 90))
    shade.paste(number // 200, (50, 150, 350, 190))
    shade.save(path, resolution=72)
    return path


def write_scans(folder: Path, count: int) -> list[Path]:
    return [write_scan(folder / f"scan {number:03d}.pdf", number) for number in range(count)]


def write_padded(path: Path, source: Path, size_bytes: int) -> Path:
    """The same pages with ``size_bytes`` additional bytes that no page uses."""
    with pikepdf.open(source) as pdf:
        pdf.Root.Ballast = pdf.make_stream(os.urandom(size_bytes))
        pdf.save(path)
    return path
