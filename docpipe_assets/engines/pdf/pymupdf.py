"""PyMuPDF: opens and repairs PDFs and reads the text layer. Runs inside the sandbox only.

Every public function is a generator of JSON values, so that a page that kills the process does not affect the
pages before it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from docpipe_assets.bates.stamps import MARGIN_SHARE
from docpipe_assets.engines.pdf.plain import (
    clean,
    fitting_dpi,
    foreign_kind,
    named_pages,
    number,
    rounded,
    share,
    stamp,
    word_signals,
)
from docpipe_assets.errors import (
    BadPageTree,
    NoPages,
    NotAPdf,
    PasswordRequired,
    TooManyPages,
    UnreadablePdf,
    UnsupportedEncryption,
)

# PyMuPDF imports these if they are installed, and with them ONNX Runtime, which starts threads:
# 100 MB and a second of CPU for unused code, in a process that has to stay forkable.
for _name in ("pymupdf.layout", "pymupdf4llm"):
    sys.modules.setdefault(_name, None)  # type: ignore[arg-type]
import pymupdf  # noqa: E402

_Matrix: TypeAlias = Any
_Page: TypeAlias = Any
_RawWord: TypeAlias = tuple[float, float, float, float, str, int, int, int]
_Texts: TypeAlias = list[tuple[str, _RawWord]]
_Words: TypeAlias = list[tuple[str, tuple[float, float, float, float], int, int]]
_Paint: TypeAlias = list[tuple[str, tuple[float, float, float, float]]]

# MuPDF's own errors are not RuntimeErrors; the binding raises these for unexpected conditions.
_FAILURES = (pymupdf.mupdf.FzErrorBase, RuntimeError, ValueError, AssertionError, ArithmeticError)
_WORD_FLAGS = (
    pymupdf.TEXTFLAGS_WORDS & ~pymupdf.TEXT_PRESERVE_LIGATURES | pymupdf.TEXT_CID_FOR_UNKNOWN_UNICODE
)
_PAGE_KEYS = frozenset(("Parent", "Contents", "MediaBox", "Resources"))
_PAGES_PER_OPENING = 1_000
_INK_PIXELS_MAX = 2_500_000
_INK_COVER = 0.02
_INK_PATHS = (100, 20_000)
_COVER_CELLS = 48
_CHARACTERS_MAX = 2_000_000
_WORD_CHARACTERS_MAX = 10_000


def warm_up() -> None:
    """Read a generated page: its one-time initialization (10 ms) is then shared by every forked child."""
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((72, 72), "A page")
    _signals(page, _words(page, page.rotation_matrix)[0], page.rotation_matrix)
    document.close()


def inspect(path: str, max_pages: int) -> Iterator[dict[str, Any]]:
    """Open and count: one value, the fields of ``PdfFacts``. Raises the applicable ``DocumentError``."""
    with open(path, "rb") as source:
        kind = foreign_kind(source.read(1024))
    if kind:
        raise NotAPdf(f"named as a PDF, but is {kind}")
    document = _open(path)
    with _translated("its pages can't be counted"):
        claimed = document.page_count
    # The stated count may be too low, and the pages beyond it would be lost silently.
    counted = _counted(document)
    is_counted_low = 0 < claimed < counted
    claimed = max(claimed, counted) if is_counted_low else claimed
    if claimed > max_pages and (is_counted_low or _loads(document, max_pages)):
        raise TooManyPages(f"{claimed:,} pages, more than the allowed {max_pages:,}")
    if claimed <= 0:
        raise NoPages("opens, but has no pages")
    unloadable = []
    for n in range(min(claimed, max_pages)):
        if n and n % _PAGES_PER_OPENING == 0 and not document.is_repaired:
            document = _open(path)  # MuPDF caches every object that it has loaded
        if not _loads(document, n):
            unloadable.append(n + 1)
    pages = claimed
    if claimed > max_pages:
        pages = max(set(range(1, max_pages + 1)).difference(unloadable), default=0)
        unloadable = [n for n in unloadable if n < pages]
    if len(unloadable) == pages:
        raise BadPageTree(f"claims {claimed:,} pages, none of which can be loaded")
    with _translated("its metadata can't be read"):
        metadata = document.metadata or {}
    warnings = [line for line in pymupdf.TOOLS.mupdf_warnings().splitlines() if line.strip()]
    if unloadable:
        warnings.insert(0, f"{len(unloadable)} of {pages} pages can't be loaded: {named_pages(unloadable)}")
    if pages != claimed:
        warnings.insert(0, f"claims {claimed:,} pages; page {pages} is the last one there")
    yield {
        "pages": pages,
        "is_encrypted": bool(metadata.get("encryption")),
        # Read last, because it changes while pages load. A damaged page tree counts as damage.
        "is_repaired": bool(document.is_repaired) or bool(unloadable) or pages != claimed or is_counted_low,
        "warnings": [clean(line)[:300] for line in warnings[:50]],
        "pdf_version": clean(metadata.get("format") or "").removeprefix("PDF ") or None,
        "producer": clean(metadata.get("producer") or "")[:300] or None,
        "title": clean(metadata.get("title") or "")[:300] or None,
    }


def copy(path: str, pages: int, target: str) -> Iterator[list[int]]:
    """Save MuPDF's repaired version of a damaged file; yields an empty list, because no page is missing.

    The page tree is not changed, so a damaged one raises BadPageTree.
    """
    document = _open(path)
    with _translated("can't be repaired"):
        if document.page_count != pages or not all(_loads(document, n) for n in range(pages)):
            raise BadPageTree(f"not all of {pages:,} pages can be loaded")
        document.save(target, garbage=1, encryption=pymupdf.mupdf.PDF_ENCRYPT_NONE)
    yield []


def rebuild(path: str, pages: int, target: str) -> Iterator[list[int]]:
    """Write the pages that MuPDF can load to a new file with ``pages`` pages and a new page tree.

    Yields the numbers of the pages that it can't load; they are replaced by empty pages.
    """
    document = _open(path)
    missing = [n for n in range(pages) if not _loads(document, n)]
    with _translated("can't be rebuilt"):
        sound = pymupdf.open()
        start = 0
        for gap in [*missing, pages]:
            if gap > start:
                sound.insert_pdf(document, from_page=start, to_page=gap - 1, links=False)
            if gap < pages:
                sound.new_page()
            start = gap + 1
        sound.save(target)
    yield [n + 1 for n in missing]


def survey(path: str, first: int) -> Iterator[dict[str, Any]]:
    """The fields of ``model.Page`` from page ``first`` on, one value per page."""
    document = _open(path)
    for index in range(first - 1, document.page_count):
        with _translated(f"page {index + 1} can't be read"):
            page = document[index]
            rotation, upright, width, height = _unrotate(page)
            texts, left_out = _texts(page)
            cover = _image_cover(page, _paint_log(page))
            found = {
                "page": index + 1,
                "width_points": width,
                "height_points": height,
                "rotation_degrees": rotation,
                "text_characters": sum(len(text) for text, _ in texts) + left_out,
                "image_cover": cover,
                "bates": _stamp(texts, upright, width, height),
            }
        _shrink_store(cover)
        yield found


def read(path: str, first: int) -> Iterator[dict[str, Any]]:
    """The fields of ``PageContent`` from page ``first`` on, one value per page."""
    document = _open(path)
    for index in range(first - 1, document.page_count):
        with _translated(f"page {index + 1} can't be read"):
            pymupdf.TOOLS.reset_mupdf_warnings()
            page = document[index]
            _, upright, width, height = _unrotate(page)
            words, left_out = _words(page, upright)
            signals = _signals(page, words, upright)
            signals["parser_warnings"] = float(len(pymupdf.TOOLS.mupdf_warnings().splitlines()))
            if left_out:
                signals["characters_left_out"] = float(left_out)
            found = {
                "page": index + 1,
                "width_points": width,
                "height_points": height,
                "lines": _lines(words),
                "signals": signals,
            }
        del page
        _shrink_store(signals["image_cover"])
        yield found


def render(path: str, page: int, dpi: float, target: str) -> Iterator[dict[str, Any]]:
    """Like PDFium's, for pages that PDFium can't render."""
    document = _open(path)
    with _translated(f"page {page} can't be rendered by MuPDF either"):
        shown = document[page - 1]
        fitting = fitting_dpi(shown.rect.width, shown.rect.height, dpi)
        if fitting is None:
            raise UnreadablePdf(f"page {page} is too large to render")
        scale = pymupdf.Matrix(fitting / 72, fitting / 72)
        image = shown.get_pixmap(matrix=scale, colorspace=pymupdf.csGRAY, alpha=False)
        pixels = image.samples_mv
        with Path(target).open("wb") as sink:
            for row in range(image.height):
                sink.write(pixels[row * image.stride : row * image.stride + image.width])
    yield {"width": image.width, "height": image.height, "dpi": fitting}


def _shrink_store(cover: float) -> None:
    """Empty MuPDF's store, which images fill up to 250 MB; only if needed, because it also caches fonts.

    Called before a page is yielded: the process then waits while others render and read it.
    """
    if cover > 0:
        pymupdf.TOOLS.store_shrink(100)


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Translates any failure of MuPDF or its binding to an UnreadablePdf with a description of
    the operation.
    """
    try:
        yield
    except _FAILURES as error:
        raise UnreadablePdf(f"{what} ({clean(str(error.__cause__ or error))[:300]})") from error


def _open(path: str) -> Any:
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        document = pymupdf.open(path, filetype="pdf")
        is_pdf = document.is_pdf
        is_locked = is_pdf and document.needs_pass and not document.authenticate("")
    except pymupdf.EmptyFileError as error:
        raise UnreadablePdf("contains nothing that can be opened") from error
    except _FAILURES as error:
        reason = clean(str(error.__cause__ or error))[:300]
        if "encryption" in reason or "crypt" in reason:
            raise UnsupportedEncryption(f"encrypted with an unsupported method ({reason})") from error
        raise UnreadablePdf(f"can't be opened as a PDF, even after repair ({reason})") from error
    if not is_pdf:
        raise NotAPdf("named as a PDF, but is another kind of document")
    if is_locked:
        raise PasswordRequired("encrypted, and can't be opened without a password")
    return document


def _counted(document: Any) -> int:
    """Number of pages in the page tree, regardless of its stated count; 0 if it can't be determined."""
    mupdf = pymupdf.mupdf
    try:
        pdf = mupdf.pdf_document_from_fz_document(document)
        root = mupdf.pdf_dict_gets(mupdf.pdf_trailer(pdf), "Root")
        nodes, met, pages = [mupdf.pdf_dict_gets(root, "Pages")], set(), 0
        while nodes:
            kids = mupdf.pdf_dict_gets(nodes.pop(), "Kids")
            for index in range(mupdf.pdf_array_len(kids)):
                node = mupdf.pdf_array_get(kids, index)
                number = mupdf.pdf_to_num(node)
                if mupdf.pdf_is_array(mupdf.pdf_dict_gets(node, "Kids")):
                    if not number or number not in met:  # no number: it is inline in its parent
                        nodes.append(node)
                elif mupdf.pdf_is_dict(node):
                    pages += 1
                met.add(number)
    except _FAILURES:
        return 0
    return pages


def _loads(document: Any, index: int) -> bool:
    """Whether the page exists; MuPDF treats null and any dictionary as an empty page."""
    try:
        page = document.load_page(index)
        return not _PAGE_KEYS.isdisjoint(document.xref_get_keys(page.xref))
    except _FAILURES:
        return False


def _unrotate(page: _Page) -> tuple[int, _Matrix, float, float]:
    """Remove the rotation, because PyMuPDF's coordinates are unrotated; return the transform back."""
    rotation, upright = page.rotation, page.rotation_matrix
    width, height = page.rect.width, page.rect.height
    page.set_rotation(0)
    return rotation, upright, number(width), number(height)


def _texts(page: _Page) -> tuple[_Texts, int]:
    """The cleaned text of each word and the word as MuPDF returns it; and the number of characters beyond the
    limit.
    """
    found: _Texts = []
    left_out = characters = 0
    for word in page.get_text("words", flags=_WORD_FLAGS, sort=False):
        text = word[4]
        room = _WORD_CHARACTERS_MAX if characters < _CHARACTERS_MAX else 0
        left_out += max(len(text) - room, 0)
        if kept := clean(text[:room]):
            characters += len(kept)
            found.append((kept, word))
    return found, left_out


def _words(page: _Page, upright: _Matrix) -> tuple[_Words, int]:
    """Text, upright box, block and line of each word; and the number of characters beyond the limit."""
    texts, left_out = _texts(page)
    is_turned = _is_turned(upright)
    return [(text, _box(word, upright, is_turned), word[5], word[6]) for text, word in texts], left_out


def _is_turned(upright: _Matrix) -> bool:
    return tuple(upright) != (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def _box(word: _RawWord, upright: _Matrix, is_turned: bool) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = pymupdf.Rect(word[:4]) * upright if is_turned else word[:4]
    return rounded(x0, y0, x1, y1)


def _stamp(texts: _Texts, upright: _Matrix, width: float, height: float) -> str | None:
    """The Bates label of the page; boxes are computed only for words at possible positions of a label."""
    is_turned = _is_turned(upright)
    edge, side = MARGIN_SHARE * height + 1, MARGIN_SHARE * width + 1
    near = (
        texts
        if is_turned
        else [
            (text, word)
            for text, word in texts
            if not edge < (word[1] + word[3]) / 2 < height - edge
            or not side < (word[0] + word[2]) / 2 < width - side
        ]
    )
    return stamp([(text, _box(word, upright, is_turned)) for text, word in near], width, height)


def _lines(words: _Words) -> list[list[Any]]:
    lines: list[list[Any]] = []
    last: tuple[int, int] | None = None
    for text, box, block, line in words:
        if (block, line) != last:
            lines.append([])
            last = (block, line)
        lines[-1].append([text, box, 1.0])
    return lines


def _signals(page: _Page, words: _Words, upright: _Matrix) -> dict[str, float]:
    paint = _paint_log(page)
    shown = sum(kind in ("fill-text", "stroke-text") for kind, _ in paint)
    hidden = sum(kind == "ignore-text" for kind, _ in paint)
    signals = {
        **word_signals([word[0] for word in words]),
        "image_cover": _image_cover(page, paint),
        "vector_paths": float(sum("path" in kind for kind, _ in paint)),
        "hidden_text_share": share(hidden, shown + hidden),
    }
    # Only such pages may have visible text outside the layer, or a layer that differs from the visible text.
    if (
        signals["image_cover"] >= _INK_COVER
        or _INK_PATHS[0] <= signals["vector_paths"] <= _INK_PATHS[1]
        or signals["hidden_text_share"] >= 0.5
    ):
        signals |= _ink_signals(page, words, upright)
    return signals


def _paint_log(page: _Page) -> _Paint:
    try:
        return list(page.get_bboxlog())
    except _FAILURES:  # a broken content stream: its text was read up to the error
        return []


def _image_cover(page: _Page, paint: _Paint) -> float:
    """Share of the page that images cover, counted on a grid so that stacked strips count once."""
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


def _ink_signals(page: _Page, words: _Words, upright: _Matrix) -> dict[str, float]:
    """Ink that the words do not cover, measured on a small grey image of the page as a reader sees it."""
    import numpy

    from docpipe_assets.engines.pdf import ink

    square_inches = max(page.rect.width * page.rect.height, 1) / 72**2
    dpi = min(ink.DPI, (_INK_PIXELS_MAX / square_inches) ** 0.5)
    zoom = upright * pymupdf.Matrix(dpi / 72, dpi / 72)
    image = page.get_pixmap(matrix=zoom, colorspace=pymupdf.csGRAY, alpha=False)
    grey = numpy.frombuffer(image.samples, numpy.uint8).reshape(image.height, image.stride)
    boxes = numpy.array([word[1] for word in words], dtype=numpy.float64).reshape(-1, 4) * dpi / 72
    boxes -= numpy.array([image.x, image.y] * 2)
    lines: dict[tuple[int, int], int] = {}
    numbers = [lines.setdefault((word[2], word[3]), len(lines)) for word in words]
    return ink.measures(grey[:, : image.width], boxes, dpi, numbers)
