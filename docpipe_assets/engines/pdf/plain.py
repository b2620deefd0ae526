"""Sanitizes the values that leave a child process, whatever the file contains."""

import math
import re
from collections.abc import Sequence

from docpipe_assets.bates.stamps import bates_label
from docpipe_assets.model import Box

_DPI_MIN = 36
_PIXELS_MAX = 40_000_000
_SIDE_MAX = 30_000
_POINTS_MAX = 1e9
_BAD = re.compile("[\ufffd\ue000-\uf8ff]")
LONE_SYMBOLS = 0.2

FOREIGN = {
    b"<!doctype html": "an HTML page",
    b"<html": "an HTML page",
    b"<?xml": "an XML file",
    b"<svg": "an SVG image",
    b"\x89png": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"gif8": "a GIF image",
    b"ii*\x00": "a TIFF image",
    b"mm\x00*": "a TIFF image",
    b"pk\x03\x04": "a zip archive or Office file",
    b"{\\rtf": "an RTF file",
    b"\xd0\xcf\x11\xe0": "an old Office file",
    b"\x1f\x8b": "a gzip file",
    b"\x7felf": "a program",
    b"mz": "a program",
}
"""First bytes, in lower case, of files that are often named .pdf and are not PDFs."""


def foreign_kind(start: bytes) -> str | None:
    """The type of a file that begins with these bytes, if it is certainly not a PDF."""
    if b"%PDF-" in start:  # 2 % of valid files have bytes before the header
        return None
    head = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return next((kind for magic, kind in FOREIGN.items() if head.startswith(magic)), None)


def clean(text: str) -> str:
    """The text without control characters, lone surrogates and white space at the ends."""
    if text.isprintable():
        return text.strip()
    kept = (c if c >= " " and not "\x7f" <= c <= "\x9f" else " " for c in text)
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in kept).strip()


def number(value: float) -> float:
    """A measurement in points, rounded; NaN becomes 0, values beyond any page the limit."""
    if math.isnan(value):
        return 0.0
    return round(max(-_POINTS_MAX, min(value, _POINTS_MAX)), 2)


def rounded(x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
    """A box with finite sides, to a hundredth of a point."""
    if -_POINTS_MAX < x0 <= x1 < _POINTS_MAX and -_POINTS_MAX < y0 <= y1 < _POINTS_MAX:
        return round(x0, 2), round(y0, 2), round(x1, 2), round(y1, 2)
    return number(x0), number(y0), number(x1), number(y1)


def stamp(words: Sequence[tuple[str, Sequence[float]]], width: float, height: float) -> str | None:
    """The Bates label of the page, as far as the page alone determines it."""
    return bates_label([(text, Box(*box)) for text, box in words], width, height)


def word_signals(words: Sequence[str]) -> dict[str, float]:
    """Signals of the soundness of a text layer from its characters."""
    characters = sum(map(len, words))
    # Symbol fonts encode bullets and check marks this way, as isolated single characters.
    lone = sum(len(word) == 1 and bool(_BAD.match(word)) for word in words)
    bad = sum(len(_BAD.findall(word)) for word in words) - (lone if lone <= LONE_SYMBOLS * len(words) else 0)
    return {
        "characters": float(characters),
        "bad_character_share": share(bad, characters),
        "cid_marks": float(sum(word.count("(cid:") for word in words)),
        "one_letter_token_share": share(
            sum(len(word) == 1 and not word.isdecimal() for word in words), len(words)
        ),
    }


def share(part: float, whole: float) -> float:
    return round(part / whole, 4) if whole else 0.0


def named_pages(pages: list[int]) -> str:
    more = f" and {len(pages) - 20} more" if len(pages) > 20 else ""
    return ", ".join(map(str, pages[:20])) + more


def fitting_dpi(width_points: float, height_points: float, dpi: float) -> float | None:
    """The resolution nearest to ``dpi`` at which a page stays within 40 megapixels.

    None if even 36 dpi would exceed the limit.
    """
    inches = max(width_points, 1) / 72, max(height_points, 1) / 72
    allowed = min((_PIXELS_MAX / (inches[0] * inches[1])) ** 0.5, _SIDE_MAX / max(inches))
    return min(dpi, allowed) if allowed >= _DPI_MIN else None
