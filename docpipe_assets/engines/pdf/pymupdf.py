"""PyMuPDF: opens, repairs, and reads the text layer. Runs inside the sandbox only.

Every public function is a generator of JSON values, so that a page which kills the process costs
that page and not the ones before it.
"""

import sys
from collections.abc import Iterator
from typing import Any, TypeAlias

from docpipe_assets.bates import bates_label
from docpipe_assets.errors import (
    BadPageTree,
    NoPages,
    NotAPdf,
    PasswordRequired,
    TooManyPages,
    UnreadablePdf,
    UnsupportedEncryption,
)
from docpipe_assets.model import Box

# PyMuPDF imports these when they are installed, and with them ONNX Runtime, which starts threads:
# 100 MB and a second of CPU for what we never call, in a process that has to stay forkable.
for _name in ("pymupdf.layout", "pymupdf4llm"):
    sys.modules.setdefault(_name, None)  # type: ignore[arg-type]
import pymupdf  # noqa: E402

_Matrix: TypeAlias = Any
_Page: TypeAlias = Any

_FOREIGN = {
    b"<!doctype html": "an HTML page",
    b"<html": "an HTML page",
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
_WORD_FLAGS = (
    pymupdf.TEXTFLAGS_WORDS & ~pymupdf.TEXT_PRESERVE_LIGATURES | pymupdf.TEXT_CID_FOR_UNKNOWN_UNICODE
)
_INK_DPI = 50
_COVER_CELLS = 48


def inspect(path: str, max_pages: int) -> Iterator[dict[str, Any]]:
    """Open and count: one value, the fields of ``PdfFacts``. Raises the ``DocumentError`` that applies."""
    _refuse_foreign(path)
    document = _open(path)
    claimed = document.page_count
    if claimed > max_pages:
        raise TooManyPages(f"{claimed:,} pages, more than the {max_pages:,} that are allowed")
    unloadable = [number for number in range(claimed) if not _loads(document, number)]
    if claimed == 0:
        raise NoPages("opens, but has no pages")
    if len(unloadable) == claimed:
        raise BadPageTree(f"claims {claimed:,} pages, none of which can be loaded")
    metadata = document.metadata or {}
    warnings = [line for line in pymupdf.TOOLS.mupdf_warnings().splitlines() if line.strip()]
    if unloadable:
        named = ", ".join(str(number + 1) for number in unloadable[:20])
        warnings.insert(0, f"{len(unloadable)} of {claimed} pages can't be loaded: {named}")
    yield {
        "pages": claimed,
        "is_encrypted": bool(metadata.get("encryption")),
        "is_repaired": bool(document.is_repaired),  # read last: it flips while pages load
        "warnings": [_clean(line)[:300] for line in warnings[:50]],
        "pdf_version": _clean(metadata.get("format") or "").removeprefix("PDF ") or None,
        "producer": _clean(metadata.get("producer") or "")[:300] or None,
        "title": _clean(metadata.get("title") or "")[:300] or None,
    }


def repair(path: str, target: str) -> Iterator[bool]:
    """Write what MuPDF made of a damaged file as a sound one."""
    document = _open(path)
    document.save(target, garbage=1, encryption=pymupdf.PDF_ENCRYPT_NONE)
    yield True


def survey(path: str) -> Iterator[dict[str, Any]]:
    """The fields of ``model.Page``, one value a page."""
    document = _open(path)
    for number in range(document.page_count):
        page = document[number]
        rotation, upright, width, height = _unrotate(page)
        words = _words(page, upright)
        yield {
            "page": number + 1,
            "width_points": width,
            "height_points": height,
            "rotation_degrees": rotation,
            "text_characters": sum(len(text) for text, *_ in words),
            "image_cover": _image_cover(page, _paint_log(page)),
            "bates": bates_label([(text, Box(*box)) for text, box, *_ in words], width, height),
        }
        pymupdf.TOOLS.store_shrink(100)


def read(path: str, first: int) -> Iterator[dict[str, Any]]:
    """The fields of ``PageContent`` from page ``first`` on, one value a page."""
    document = _open(path)
    for number in range(first - 1, document.page_count):
        page = document[number]
        _, upright, width, height = _unrotate(page)
        words = _words(page, upright)
        yield {
            "page": number + 1,
            "width_points": width,
            "height_points": height,
            "lines": _lines(words),
            "signals": _signals(page, words, upright),
        }
        pymupdf.TOOLS.store_shrink(100)  # without it the store fills to 250 MB above the start


def _refuse_foreign(path: str) -> None:
    with open(path, "rb") as source:
        start = source.read(1024)
    if b"%PDF-" in start:  # 2 % of good files have something before the header
        return
    head = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, kind in _FOREIGN.items():
        if head.startswith(magic):
            raise NotAPdf(f"named as a PDF, but is {kind}")


def _open(path: str) -> Any:
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        document = pymupdf.open(path, filetype="pdf")
    except pymupdf.EmptyFileError as error:
        raise UnreadablePdf("holds nothing that could be opened") from error
    except (pymupdf.FileDataError, RuntimeError, ValueError) as error:
        reason = _clean(str(error.__cause__ or error))
        if "encryption" in reason or "crypt" in reason:
            raise UnsupportedEncryption(f"encrypted in a way that can't be read ({reason})") from error
        raise UnreadablePdf(f"can't be opened as a PDF, even after repair ({reason})") from error
    if not document.is_pdf:
        raise NotAPdf("named as a PDF, but opens as another kind of document")
    if document.needs_pass and not document.authenticate(""):
        raise PasswordRequired("encrypted, and does not open without a password")
    return document


def _loads(document: Any, number: int) -> bool:
    try:
        document.load_page(number)
    except (RuntimeError, ValueError):
        return False
    return True


def _unrotate(page: _Page) -> tuple[int, _Matrix, float, float]:
    """Take the rotation off, because PyMuPDF's coordinates are unrotated; return the way back."""
    rotation, upright = page.rotation, page.rotation_matrix
    width, height = page.rect.width, page.rect.height
    page.set_rotation(0)
    return rotation, upright, round(width, 2), round(height, 2)


def _words(page: _Page, upright: _Matrix) -> list[tuple[str, tuple[float, float, float, float], int, int]]:
    """Text, upright box, block and line of each word."""
    found = []
    for x0, y0, x1, y1, text, block, line, _ in page.get_text("words", flags=_WORD_FLAGS, sort=False):
        box = pymupdf.Rect(x0, y0, x1, y1) * upright
        found.append((_clean(text), (*(round(v, 2) for v in box),), block, line))
    return [word for word in found if word[0]]


def _lines(words: list[tuple[str, tuple[float, float, float, float], int, int]]) -> list[list[Any]]:
    lines: list[list[Any]] = []
    last: tuple[int, int] | None = None
    for text, box, block, line in words:
        if (block, line) != last:
            lines.append([])
            last = (block, line)
        lines[-1].append([text, box, 1.0])
    return lines


def _signals(page: _Page, words: list[Any], upright: _Matrix) -> dict[str, float]:
    text = "".join(word[0] for word in words)
    paint = _paint_log(page)
    shown = sum(kind in ("fill-text", "stroke-text") for kind, _ in paint)
    hidden = sum(kind == "ignore-text" for kind, _ in paint)
    cover = _image_cover(page, paint)
    signals = {
        "characters": float(len(text)),
        "bad_character_share": _share(sum(map(_is_bad, text)), len(text)),
        "cid_marks": float(text.count("(cid:")),
        "one_letter_token_share": _share(sum(len(w[0]) == 1 for w in words), len(words)),
        "image_cover": cover,
        "vector_paths": float(sum("path" in kind for kind, _ in paint)),
        "hidden_text_share": _share(hidden, shown + hidden),
    }
    if cover >= 0.5:
        signals["ink_outside_words_share"] = _ink_outside_words(page, words, upright)
    return signals


def _paint_log(page: _Page) -> list[tuple[str, tuple[float, float, float, float]]]:
    try:
        return list(page.get_bboxlog())
    except RuntimeError:  # a broken content stream: its text has been read as far as it goes
        return []


def _image_cover(page: _Page, paint: list[tuple[str, tuple[float, float, float, float]]]) -> float:
    """Share of the page under images, counted on a grid so that stacked strips count once."""
    area = page.rect
    boxes = [pymupdf.Rect(box) & area for kind, box in paint if kind in ("fill-image", "fill-imgmask")]
    cells = range(_COVER_CELLS)
    step_x, step_y = area.width / _COVER_CELLS, area.height / _COVER_CELLS
    covered: set[tuple[int, int]] = set()
    for box in boxes[:500]:
        columns = [c for c in cells if box.x0 <= area.x0 + (c + 0.5) * step_x <= box.x1]
        rows = [r for r in cells if box.y0 <= area.y0 + (r + 0.5) * step_y <= box.y1]
        covered.update((r, c) for r in rows for c in columns)
        if len(covered) == _COVER_CELLS**2:
            break
    return round(len(covered) / _COVER_CELLS**2, 3)


def _ink_outside_words(page: _Page, words: list[Any], upright: _Matrix) -> float:
    """Share of the dark pixels that no word box covers, on a small grey image of the page."""
    image = page.get_pixmap(dpi=_INK_DPI, colorspace=pymupdf.csGRAY, alpha=False)
    import numpy

    ink = (
        numpy.frombuffer(image.samples, numpy.uint8).reshape(image.height, image.stride)[:, : image.width]
        < 110
    )
    total = int(ink.sum())
    if total == 0:
        return 0.0
    scale, back = _INK_DPI / 72, ~upright
    inside = numpy.zeros_like(ink)
    for _, box, *_ in words:
        r = pymupdf.Rect(box) * back * pymupdf.Matrix(scale, scale)
        inside[max(int(r.y0) - 1, 0) : int(r.y1) + 2, max(int(r.x0) - 1, 0) : int(r.x1) + 2] = True
    return round(1 - int((ink & inside).sum()) / total, 3)


def _clean(text: str) -> str:
    """Without control characters, lone surrogates and white space at the ends."""
    kept = (c if c >= " " and not "\x7f" <= c <= "\x9f" else " " for c in text)
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in kept).strip()


def _is_bad(character: str) -> bool:
    return character == "\ufffd" or "\ue000" <= character <= "\uf8ff"


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
