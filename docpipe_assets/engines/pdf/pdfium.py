"""PDFium: renders pages, and is the second parser if MuPDF fails. Runs inside the sandbox only."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pypdfium2
import pypdfium2.raw as pdfium

from docpipe_assets.engines.pdf.plain import (
    clean,
    fitting_dpi,
    named_pages,
    number,
    rounded,
    share,
    stamp,
    word_signals,
)
from docpipe_assets.engines.pdf.qpdf import without_date
from docpipe_assets.errors import (
    BadPageTree,
    DocumentError,
    MemoryLimit,
    NoPages,
    PasswordRequired,
    TooManyPages,
    UnreadablePdf,
    UnsupportedEncryption,
)

_Document: TypeAlias = Any
_Page: TypeAlias = Any
_Word: TypeAlias = tuple[str, tuple[float, float, float, float]]

_FAILURES = (pypdfium2.PdfiumError, IndexError, ValueError, ArithmeticError)
_CHARACTERS_MAX = 2_000_000
_OBJECTS_MAX = 100_000
_DEVICE_UNITS_PER_POINT = 100
_INVISIBLE = 3
_PAGES_PER_OPENING = 1_000


def inspect(path: str, max_pages: int) -> Iterator[dict[str, Any]]:
    """Open and count: one value, the fields of ``PdfFacts``. Raises the applicable ``DocumentError``."""
    document = _open(path)
    claimed = len(document)
    if claimed > max_pages and _loads(document, max_pages):
        raise TooManyPages(f"{claimed:,} pages, more than the allowed {max_pages:,}")
    if claimed <= 0:
        raise NoPages("opens in PDFium, but has no pages")
    loadable = [n + 1 for n in range(min(claimed, max_pages)) if _loads(document, n)]
    if not loadable:
        raise BadPageTree(f"claims {claimed:,} pages, none of which can be loaded")
    pages = claimed if claimed <= max_pages else loadable[-1]
    unloadable = sorted(set(range(1, pages + 1)).difference(loadable))
    with _translated("its metadata can't be read"):
        metadata = document.get_metadata_dict()
        version = document.get_version()
    warnings = ["opened by PDFium only"]
    if unloadable:
        warnings.append(f"{len(unloadable)} of {pages} pages can't be loaded: {named_pages(unloadable)}")
    yield {
        "pages": pages,
        "is_encrypted": pdfium.FPDF_GetSecurityHandlerRevision(document) >= 0,
        "is_repaired": True,
        "warnings": warnings,
        "pdf_version": f"{version // 10}.{version % 10}" if version else None,
        "producer": clean(metadata.get("Producer") or "")[:300] or None,
        "title": clean(metadata.get("Title") or "")[:300] or None,
    }


def rebuild(path: str, pages: int, target: str) -> Iterator[list[int]]:
    """Write the pages that PDFium can load to a new file with ``pages`` pages and a new page tree.

    Yields the numbers of the pages that it can't load; they are replaced by empty pages.
    """
    document = _open(path)
    missing = [n for n in range(pages) if not _loads(document, n)]
    with _translated("can't be repaired by PDFium"):
        sound = pypdfium2.PdfDocument.new()
        start = 0
        for gap in [*missing, pages]:
            if gap > start:
                sound.import_pages(document, list(range(start, gap)))
            if gap < pages:
                sound.new_page(612, 792)
            start = gap + 1
        if len(sound) != pages:
            raise BadPageTree(f"only {len(sound)} of {pages} pages can be copied")
        sound.save(target)
    yield [n + 1 for n in missing]


def split(
    path: str, pages: int, pages_per_part: int, bytes_per_part: int, is_pruned: bool, folder: str
) -> Iterator[dict[str, Any]]:
    """Like qpdf's, for documents with too many objects for qpdf, which keeps all of them in memory.

    Parts contain what their pages refer to, regardless of ``is_pruned``.
    """
    for opened in range(0, pages, _PAGES_PER_OPENING):  # PDFium caches every object that it has loaded
        document = _open(path)
        if len(document) != pages:
            raise BadPageTree(f"expected {pages:,} pages, but PDFium finds {len(document):,}")
        last = min(opened + _PAGES_PER_OPENING, pages)
        waiting = [
            (first, min(first + pages_per_part, last)) for first in range(opened, last, pages_per_part)
        ]
        waiting.reverse()
        while waiting:
            first, end = waiting.pop()
            part = Path(folder, f"{first + 1}-{end}.pdf")
            with _translated(f"pages {first + 1} to {end} can't be cut out by PDFium"):
                cut = pypdfium2.PdfDocument.new()
                cut.import_pages(document, list(range(first, end)))
                cut.save(part.with_suffix(".cut"))
                cut.close()
            without_date(part.with_suffix(".cut"), part)
            part.with_suffix(".cut").unlink()
            if end - first > 1 and part.stat().st_size > bytes_per_part:
                part.unlink()
                half = (end - first + 1) // 2
                waiting += [(first + half, end), (first, first + half)]
            else:
                yield {"first_page": first + 1, "last_page": end, "path": str(part)}
        document.close()


def survey(path: str, page: int) -> Iterator[dict[str, Any]]:
    """The fields of ``model.Page`` for one page."""
    with _translated(f"page {page} can't be read by PDFium either"):
        shown = _open(path)[page - 1]
        width, height = (number(side) for side in shown.get_size())
        words = [word for line in _lines(shown) for word in line]
        yield {
            "page": page,
            "width_points": width,
            "height_points": height,
            "rotation_degrees": shown.get_rotation(),
            "text_characters": sum(len(text) for text, _ in words),
            "image_cover": _paint(shown)["image_cover"],
            "bates": stamp(words, width, height),
        }


def read(path: str, page: int) -> Iterator[dict[str, Any]]:
    """The fields of ``PageContent`` for one page."""
    with _translated(f"page {page} can't be read by PDFium either"):
        shown = _open(path)[page - 1]
        width, height = (number(side) for side in shown.get_size())
        lines = _lines(shown)
        left_out = max(shown.get_textpage().count_chars() - _CHARACTERS_MAX, 0)
        words = [text for line in lines for text, _ in line]
        yield {
            "page": page,
            "width_points": width,
            "height_points": height,
            "lines": [[[text, box, 1.0] for text, box in line] for line in lines],
            "signals": {
                **word_signals(words),
                "read_by_pdfium": 1.0,
                **({"characters_left_out": float(left_out)} if left_out else {}),
                **_paint(shown),
            },
        }


def render(
    path: str, page: int, dpi: float, target: str, image_bytes_max: int | None
) -> Iterator[dict[str, Any]]:
    """Write the visible page, 8-bit grey, to ``target``; one value: width, height, dpi.

    The resolution is reduced for a page that would exceed the pixel limit. PDFium decompresses an image to
    its full size, whatever the resolution: an image larger than ``image_bytes_max`` raises MemoryLimit before
    it is decompressed.
    """
    with _translated(f"page {page} can't be rendered by PDFium"):
        shown = _open(path)[page - 1]
        if image_bytes_max is not None and (size := _largest_image_bytes(shown)) > image_bytes_max:
            raise MemoryLimit(f"page {page} has an image of {size:,} bytes when decompressed")
        width_points, height_points = (number(side) for side in shown.get_size())
        fitting = fitting_dpi(width_points, height_points, dpi)
        if fitting is None:
            raise UnreadablePdf(
                f"page {page} of {width_points:,.0f} x {height_points:,.0f} points is too large to render"
            )
        bitmap = shown.render(scale=fitting / 72, grayscale=True, may_draw_forms=False)
    with Path(target).open("wb") as sink:
        rows = ctypes.cast(pdfium.FPDFBitmap_GetBuffer(bitmap), ctypes.c_void_p).value or 0
        for row in range(bitmap.height):
            sink.write(ctypes.string_at(rows + row * bitmap.stride, bitmap.width))
    yield {"width": bitmap.width, "height": bitmap.height, "dpi": fitting}


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Translates any failure of PDFium or its binding to an UnreadablePdf with a description of the
    operation.
    """
    try:
        yield
    except _FAILURES as error:
        raise UnreadablePdf(f"{what} ({error})") from error


def _open(path: str) -> _Document:
    try:
        document = pypdfium2.PdfDocument(path)
        len(document)  # loads it
    except pypdfium2.PdfiumError as error:
        raise _refusal(error) from error
    return document


def _refusal(error: Any) -> DocumentError:
    if error.err_code == pdfium.FPDF_ERR_PASSWORD:
        return PasswordRequired("encrypted, and can't be opened without a password")
    if error.err_code == pdfium.FPDF_ERR_SECURITY:
        return UnsupportedEncryption("encrypted with an unsupported method")
    return UnreadablePdf(f"can't be opened by PDFium ({error})")


def _largest_image_bytes(page: _Page) -> int:
    """Decompressed size of the largest image of a page, from its metadata only."""
    largest = 0
    found = pdfium.FPDF_IMAGEOBJ_METADATA()
    for number_of_object, item in enumerate(page.get_objects([pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3)):
        if number_of_object == _OBJECTS_MAX:
            break
        if pdfium.FPDFImageObj_GetImageMetadata(item, page, found):
            largest = max(largest, found.width * found.height * found.bits_per_pixel // 8)
    return largest


def _loads(document: _Document, index: int) -> bool:
    try:
        document[index].close()
    except _FAILURES:
        return False
    return True


def _lines(page: _Page) -> list[list[_Word]]:
    """The words of each line, with their boxes on the page as a reader sees it."""
    text_page = page.get_textpage()
    lines: list[list[_Word]] = [[]]
    letters: list[str] = []
    boxes: list[tuple[float, float, float, float]] = []

    def end_word() -> None:
        if word := clean("".join(letters)):
            lefts, tops, rights, bottoms = zip(*boxes, strict=True)
            lines[-1].append((word, (min(lefts), min(tops), max(rights), max(bottoms))))
        letters.clear()
        boxes.clear()

    for index in range(min(text_page.count_chars(), _CHARACTERS_MAX)):
        code = pdfium.FPDFText_GetUnicode(text_page, index)
        character = chr(code) if code < 0x110000 else "\ufffd"
        if not character.isspace() and code:
            letters.append(character)
            boxes.append(_upright(page, text_page.get_charbox(index)))
            continue
        end_word()
        if character in "\r\n" and lines[-1]:
            lines.append([])
    end_word()
    return [line for line in lines if line]


def _upright(page: _Page, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """A box in PDF coordinates as left, top, right, bottom of the page as a reader sees it."""
    width, height = page.get_size()
    scale = _DEVICE_UNITS_PER_POINT
    x, y = ctypes.c_int(), ctypes.c_int()
    corners = []
    for across, up in ((box[0], box[1]), (box[2], box[3])):
        pdfium.FPDF_PageToDevice(
            page,
            0,
            0,
            int(width * scale),
            int(height * scale),
            0,
            across,
            up,
            ctypes.byref(x),
            ctypes.byref(y),
        )
        corners.append((x.value / scale, y.value / scale))
    (x0, y0), (x1, y1) = corners
    return rounded(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))


def _paint(page: _Page) -> dict[str, float]:
    """Measurements of the page content other than text. Overlapping images count twice."""
    width, height = page.get_size()
    covered, paths, texts, hidden = 0.0, 0, 0, 0
    for number_of_object, item in enumerate(page.get_objects(max_depth=3)):
        if number_of_object == _OBJECTS_MAX:
            break
        if item.type == pdfium.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = item.get_bounds()
            covered += max(min(right, width) - max(left, 0), 0) * max(min(top, height) - max(bottom, 0), 0)
        elif item.type == pdfium.FPDF_PAGEOBJ_PATH:
            paths += 1
        elif item.type == pdfium.FPDF_PAGEOBJ_TEXT:
            texts += 1
            hidden += pdfium.FPDFTextObj_GetTextRenderMode(item) == _INVISIBLE
    return {
        "image_cover": min(share(covered, width * height), 1.0),
        "vector_paths": float(paths),
        "hidden_text_share": share(hidden, texts),
    }
