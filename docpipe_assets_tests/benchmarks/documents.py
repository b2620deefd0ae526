"""Writes large documents for benchmarks page by page: the same arguments produce the same bytes.

    python -m docpipe_assets_tests.benchmarks.documents scan|text|huge PATH [--pages N] [--megabytes N]

A scanned page is assembled from JPEG strips that were encoded once, each a line of text on speckled paper, so
generating a thousand different pages that OCR can read costs little more than writing them to disk.
``scan_text`` and ``typed_text`` return the text of a page.
"""

import argparse
import io
import random
import re
import zlib
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from wordfreq import top_n_list

MEGABYTE = 1_000_000
PAGE_INCHES = (8.5, 11.0)
LINES_OF_A_SCAN = 40
LINES_OF_TYPE = 52

_DPI_MIN, _DPI_MAX = 100, 600
_HUGE_DPI = 900
_HUGE_QUALITY = 75
_BITS_PER_PIXEL = 1.0
"""Of a scan: a gray page with some noise, as office scanners store it."""
_POOL = 24
"""The number of different lines of text in a scan."""

_NAMES = ("Maria Ortega", "Douglas Pell", "Ingrid Vasquez-Hale", "Theodore Lindqvist", "Pamela Osei-Brandt")
_FIRMS = ("Corvane Freight LLC", "Ellsmoor Holdings Inc", "First Cascadia Mutual Bank", "Brannock & Sons")
_PLACES = ("Reno, Nevada", "Ellsmoor, Oregon", "Fennimore, Idaho", "Castellane County")
_DEEDS = ("wrote to", "met with", "signed for", "was seen by", "sent the invoice to", "telephoned")
_MONTHS = ("January", "March", "May", "June", "August", "October", "December")


def write_scan(path: Path, pages: int, megabytes: float) -> None:
    """Letter pages that are one gray image each, without a text layer; about ``megabytes`` in total.

    The resolution follows from the bytes that a page may have, from 100 to 600 dpi.
    """
    bytes_per_page = int(megabytes * MEGABYTE / pages)
    dpi = (bytes_per_page * 8 / _BITS_PER_PIXEL / (PAGE_INCHES[0] * PAGE_INCHES[1])) ** 0.5
    paper = _Paper(int(min(max(dpi, _DPI_MIN), _DPI_MAX)), "L")
    quality = max((q for q in range(5, 96, 5) if paper.page_bytes(q) <= bytes_per_page), key=int, default=5)
    _write_images(path, pages, _Strips(paper, quality), bytes_per_page)


def write_huge_images(path: Path, pages: int = 20) -> None:
    """Letter pages that are one color image of 900 dpi each: 76 megapixels, 227 MB when decoded."""
    _write_images(path, pages, _Strips(_Paper(_HUGE_DPI, "RGB"), _HUGE_QUALITY), 0)


def write_text(path: Path, pages: int) -> None:
    """Pages with a text layer of some 4,500 characters each, and no image."""
    with _written(path) as pdf:
        font = pdf.add(b"<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman >>")
        tree = pdf.reserve()
        kids = array("L")
        for page in range(1, pages + 1):
            shown = b"".join(b"(%s) '\n" % line.encode("ascii") for line in typed_text(page).split("\n"))
            contents = pdf.stream(b"BT /F1 10 Tf 13 TL 60 750 Td\n" + shown + b"ET\n")
            resources = b"<< /Font << /F1 %d 0 R >> >>" % font
            kids.append(pdf.page(tree, resources, contents))
        pdf.finish(tree, kids)


def scan_text(page: int) -> str:
    """The text of a page of ``write_scan`` and ``write_huge_images``, from 1; lines end with a newline."""
    return "\n".join([*map(_sentence, _lines_of_scan(page)), bates(page)])


def typed_text(page: int) -> str:
    """The text of a page of ``write_text``, from 1."""
    chance = random.Random(page)
    # Sentences of names and dates compress to a fifth of the size of prose, so other words are inserted.
    lines = (
        " ".join(chance.choices(_common_words(), k=13)) if line % 4 else _sentence(page * 100 + line)
        for line in range(LINES_OF_TYPE - 1)
    )
    return "\n".join([*lines, bates(page)])


def bates(page: int) -> str:
    return f"BENCH {page:06d}"


def _sentence(number: int) -> str:
    chance = random.Random(number)
    day = f"{chance.choice(_MONTHS)} {chance.randint(1, 28)}, {chance.randint(1995, 2024)}"
    deed = f"{chance.choice(_NAMES)} {chance.choice(_DEEDS)} {chance.choice(_FIRMS)}"
    return f"On {day}, {deed} in {chance.choice(_PLACES)}."


@cache
def _common_words() -> list[str]:
    return [word for word in top_n_list("en", 3000) if word.isascii() and word.isalpha()]


def _lines_of_scan(page: int) -> list[int]:
    return random.Random(page).choices(range(_POOL), k=LINES_OF_A_SCAN)


@dataclass(frozen=True)
class _Paper:
    """Strips of a page as pixels: every strip is as wide as the page and contains at most one line."""

    dpi: int
    mode: str

    @property
    def width(self) -> int:
        return int(PAGE_INCHES[0] * self.dpi)

    @property
    def strip_height(self) -> int:
        # Complete rows of a JPEG's blocks, so that strips can be concatenated.
        block = 16 if self.mode == "RGB" else 8
        return int(PAGE_INCHES[1] * self.dpi / (LINES_OF_A_SCAN + 8) / block) * block

    @property
    def strips(self) -> int:
        return round(PAGE_INCHES[1] * self.dpi / self.strip_height)

    def strip(self, text: str, seed: int) -> Image.Image:
        chance = np.random.default_rng(seed)
        shape = (self.strip_height, self.width, *([3] if self.mode == "RGB" else []))
        sheet = Image.new("L", (self.width, self.strip_height), 236)
        if text:
            font = ImageFont.load_default(self.dpi * 10.5 / 72)
            ImageDraw.Draw(sheet).text((self.dpi, self.strip_height // 2), text, 40, font, anchor="lm")
        tone = np.asarray(sheet.convert(self.mode), dtype=np.int16)
        # From a table: generating normal noise for millions of pixels takes seconds.
        noise = _grain()[chance.integers(0, 4096, shape, dtype=np.uint16)]
        return Image.fromarray(np.clip(tone + noise, 0, 255).astype(np.uint8), self.mode)

    def page_bytes(self, quality: int) -> int:
        """The approximate size of a page."""
        line, blank = (len(_jpeg(self.strip(text, 0), quality)) for text in (_sentence(0), ""))
        return LINES_OF_A_SCAN * line + (self.strips - LINES_OF_A_SCAN) * blank


@cache
def _grain() -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    return np.random.default_rng(1).normal(0, 6, 4096).round().astype(np.int16)


class _Strips:
    """Encoded strips, assembled into complete JPEG images.

    Each row of blocks ends with a restart marker, which resets the state of the decoder;
    so rows that were encoded with the same tables may follow each other in any order.
    """

    def __init__(self, paper: _Paper, quality: int) -> None:
        self.paper = paper
        self._quality = quality
        self.header = _header(_jpeg(paper.strip("", 0), quality), paper.strips * paper.strip_height)
        self._lines = [_rows(_jpeg(paper.strip(_sentence(n), n), quality)) for n in range(_POOL)]
        self._blanks = [_rows(_jpeg(paper.strip("", 1000 + n), quality)) for n in range(4)]

    def page(self, page: int, bytes_at_least: int) -> bytes:
        top = (self.paper.strips - LINES_OF_A_SCAN) // 2
        label = _rows(_jpeg(self.paper.strip(bates(page), page), self._quality))
        strips = [self._lines[line] for line in _lines_of_scan(page)]
        below = self.paper.strips - top - LINES_OF_A_SCAN
        blanks = [self._blanks[(page + n) % len(self._blanks)] for n in range(top + below)]
        blanks[-2 if below > 2 else -1] = label
        rows = [row for strip in (*blanks[:top], *strips, *blanks[top:]) for row in strip]
        scan = b"".join(row + b"\xff%c" % (0xD0 + number % 8) for number, row in enumerate(rows))[:-2]
        length = len(self.header) + len(scan) + 2
        return self.header + _comments(page, bytes_at_least - length) + self._start + scan + b"\xff\xd9"

    @property
    def _start(self) -> bytes:
        """The start-of-scan segment of a baseline image with one or three components."""
        if self.paper.mode == "L":
            return bytes.fromhex("ffda0008010100003f00")
        return bytes.fromhex("ffda000c03010002110311003f00")


def _jpeg(image: Image.Image, quality: int) -> bytes:
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=quality, subsampling="4:2:0", restart_marker_rows=1)
    return encoded.getvalue()


def _header(jpeg: bytes, height: int) -> bytes:
    """All segments before the start of scan, with another height in the frame header."""
    start = jpeg.index(b"\xff\xda")
    frame = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:frame] + height.to_bytes(2) + jpeg[frame + 2 : start]


def _rows(jpeg: bytes) -> list[bytes]:
    """The rows of blocks of an image, without the restart markers between them."""
    start = jpeg.index(b"\xff\xda")
    length = int.from_bytes(jpeg[start + 2 : start + 4])
    return re.split(rb"\xff[\xd0-\xd7]", jpeg[start + 2 + length : -2])


def _comments(page: int, size: int) -> bytes:
    """Comment segments of about ``size`` bytes that differ from page to page and can't be compressed."""
    filling = random.Random(page).randbytes(min(max(size, 16), 1024))
    segments = []
    while size > 4:
        length = min(size - 4, 65_000)
        segments.append(
            b"\xff\xfe" + (length + 2).to_bytes(2) + (filling * (length // len(filling) + 1))[:length]
        )
        size -= length + 4
    return b"".join(segments)


class _GrowingPdf:
    """Writes objects one after the other, and stores only the offset of each."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._offsets = array("Q")
        sink.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

    def reserve(self) -> int:
        self._offsets.append(0)
        return len(self._offsets)

    def add(self, body: bytes, number: int | None = None) -> int:
        number = number or self.reserve()
        self._offsets[number - 1] = self._sink.tell()
        self._sink.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
        return number

    def stream(self, data: bytes, entries: bytes = b"", *, is_packed: bool = False) -> int:
        if not is_packed:
            data, entries = zlib.compress(data), entries + b" /Filter /FlateDecode"
        return self.add(b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(data), entries, data))

    def page(self, tree: int, resources: bytes, contents: int) -> int:
        return self.add(
            b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 612 792] /Resources %s /Contents %d 0 R >>"
            % (tree, resources, contents)
        )

    def finish(self, tree: int, kids: "array[int]") -> None:
        # One flat list, as reportlab and img2pdf write it.
        listed = b" ".join(b"%d 0 R" % kid for kid in kids)
        self.add(b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), listed), tree)
        root = self.add(b"<< /Type /Catalog /Pages %d 0 R >>" % tree)
        start = self._sink.tell()
        self._sink.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(self._offsets) + 1))
        for offset in self._offsets:
            self._sink.write(b"%010d 00000 n \n" % offset)
        size = len(self._offsets) + 1
        self._sink.write(
            b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, root, start)
        )


@contextmanager
def _written(path: Path) -> Iterator[_GrowingPdf]:
    with path.open("wb", buffering=MEGABYTE) as sink:
        yield _GrowingPdf(sink)


def _write_images(path: Path, pages: int, strips: _Strips, bytes_per_page: int) -> None:
    paper = strips.paper
    colours = b"/DeviceRGB" if paper.mode == "RGB" else b"/DeviceGray"
    entries = (
        b" /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace %s /BitsPerComponent 8"
        b" /Filter /DCTDecode" % (paper.width, paper.strips * paper.strip_height, colours)
    )
    with _written(path) as pdf:
        tree = pdf.reserve()
        kids = array("L")
        for page in range(1, pages + 1):
            image = pdf.stream(strips.page(page, bytes_per_page - 500), entries, is_packed=True)
            contents = pdf.stream(b"q 612 0 0 792 0 0 cm /Scan Do Q\n")
            kids.append(pdf.page(tree, b"<< /XObject << /Scan %d 0 R >> >>" % image, contents))
        pdf.finish(tree, kids)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("kind", choices=["scan", "text", "huge"])
    parser.add_argument("path", type=Path)
    parser.add_argument("--pages", type=int, default=None)
    parser.add_argument("--megabytes", type=float, default=600)
    options = parser.parse_args()
    match options.kind:
        case "scan":
            write_scan(options.path, options.pages or 1500, options.megabytes)
        case "text":
            write_text(options.path, options.pages or 5000)
        case _:
            write_huge_images(options.path, options.pages or 20)
    print(f"{options.path}: {options.path.stat().st_size / MEGABYTE:,.1f} MB")


if __name__ == "__main__":
    main()
