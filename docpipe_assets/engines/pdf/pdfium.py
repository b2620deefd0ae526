"""PDFium: renders a page to grey pixels. Runs inside the sandbox only."""

import ctypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from docpipe_assets.errors import UnreadablePdf

PIXELS_MAX = 40_000_000
SIDE_MAX = 30_000
DPI_MIN = 36


def render(path: str, page: int, dpi: float, target: str) -> Iterator[dict[str, Any]]:
    """Write the page as it is seen, 8 bits grey, to ``target``; one value: width, height, dpi.

    The resolution falls for a page so large that it would pass ``PIXELS_MAX``.
    """
    try:
        document = pypdfium2.PdfDocument(path)
        shown = document[page - 1]
        width_points, height_points = shown.get_size()
    except (pypdfium2.PdfiumError, IndexError) as error:
        raise UnreadablePdf(f"page {page} can't be loaded by PDFium ({error})") from error
    dpi = fitting_dpi(width_points, height_points, dpi)
    bitmap = shown.render(scale=dpi / 72, grayscale=True, may_draw_forms=False)
    with Path(target).open("wb") as sink:
        rows = ctypes.cast(pdfium.FPDFBitmap_GetBuffer(bitmap), ctypes.c_void_p).value or 0
        for row in range(bitmap.height):
            sink.write(ctypes.string_at(rows + row * bitmap.stride, bitmap.width))
    yield {"width": bitmap.width, "height": bitmap.height, "dpi": dpi}


def fitting_dpi(width_points: float, height_points: float, dpi: float) -> float:
    """The resolution nearest to ``dpi`` at which the page stays within the pixel cap.

    Raises UnreadablePdf when even ``DPI_MIN`` is too much.
    """
    inches = max(width_points, 1) / 72, max(height_points, 1) / 72
    allowed = min((PIXELS_MAX / (inches[0] * inches[1])) ** 0.5, SIDE_MAX / max(inches))
    if allowed < DPI_MIN:
        raise UnreadablePdf(
            f"a page of {width_points:.0f} x {height_points:.0f} points is too large to render at {DPI_MIN} dpi"
        )
    return min(dpi, allowed)
