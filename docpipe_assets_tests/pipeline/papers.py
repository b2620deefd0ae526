"""Small documents of one page, each with a property that a fault engine looks for."""

from pathlib import Path

from PIL import Image

from docpipe_assets_tests.hostile.tiny_pdf import SENTENCE, show, simple

DEFECT_IN_SPLITTING = b"\n%% a defect in splitting\n"
"""At the end of a file, where readers of PDF leave it alone."""


def letter(number: int) -> bytes:
    """A page of text."""
    return simple(show(f"{SENTENCE} {number}."))


def invoice(number: int) -> bytes:
    """As a letter, with a word that is a name to the moody NER engine."""
    return simple(show(f"{SENTENCE} with the invoice {number}."))


def awkward_letter(number: int) -> bytes:
    """As a letter, with what the moody reader can't split."""
    return letter(number) + DEFECT_IN_SPLITTING


def write_scan(path: Path, number: int) -> Path:
    """A page that is an image, and comes to OCR."""
    shade = Image.new("L", (400, 500), 255)
    shade.paste(number % 200, (50, 50, 350, 90))
    shade.paste(number // 200, (50, 150, 350, 190))
    shade.save(path, resolution=72)
    return path


def write_scans(folder: Path, count: int) -> list[Path]:
    return [write_scan(folder / f"scan {number:03d}.pdf", number) for number in range(count)]
