"""Measures the ink on a page that no word covers, on a small grey image. Runs inside the sandbox only.

Text of any script has a characteristic pattern: within a narrow vertical strip of the page, rows that many
strokes cross alternate with rows that none crosses, and at the same heights in the neighbouring strip. Rules,
borders and frames have few crossings; photographs, hatching and noise have no quiet rows in between, or not
at the same heights. The amount of text-like lines is measured as a length in inches, strip by strip.
"""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Grey: TypeAlias = NDArray[np.uint8]
Ink: TypeAlias = NDArray[np.bool_]
Sides: TypeAlias = Sequence[float]
"""Left, top, right, bottom in pixels."""

DPI = 100
"""At a lower resolution, letters of 7 points merge; a higher one only costs memory."""

_DARK = 110
_CONTRAST = 40
_BLOCK = 32
_STRIP_INCHES = 0.75
_MIN_CROSSINGS = 7
_QUIET_CROSSINGS = 2
_LINE_INCHES = (0.035, 0.4)
_EMPTY = 0.004
_GAP_PIXELS = 2.0


def around_words(
    path: str, width: int, height: int, dpi: float, boxes: list[list[float]]
) -> Iterator[dict[str, float]]:
    """The measurements of a page image on disk, 8-bit grey; word boxes are in its pixels."""
    factor = max(1, round(dpi / DPI))
    pixels = np.memmap(path, np.uint8, "r", shape=(height, width))
    small = _reduced(pixels, factor)
    scaled = np.asarray(boxes, dtype=np.float64).reshape(-1, 4) / factor
    yield measures(small, scaled, dpi / factor)


def _reduced(pixels: Grey, factor: int) -> Grey:
    """The mean of each square of ``factor`` pixels, computed row by row to save memory."""
    if factor == 1:
        return np.array(pixels)
    height, width = pixels.shape[0] // factor, pixels.shape[1] // factor
    small = np.empty((height, width), np.uint8)
    for row in range(height):
        band = pixels[row * factor : (row + 1) * factor, : width * factor]
        columns = band.sum(axis=0, dtype=np.uint16).reshape(width, factor)
        small[row] = columns.sum(axis=1, dtype=np.uint32) // factor**2
    return small


def measures(
    grey: Grey, boxes: NDArray[np.float64], dpi: float, lines: Sequence[int] = ()
) -> dict[str, float]:
    """All measurements of a page by name; ``boxes`` are words, ``lines`` the line number of each word.

    ``ink_share`` of the pixels, ``ink_outside_words_share`` of the ink, ``line_inches`` on the whole page,
    ``unread_line_inches`` outside words and ``unread_line_ink_share``, the share of the outside ink in these
    lines. If ``lines`` are given: ``words_without_ink_share`` and ``gap_ink_ratio`` (ink density between
    neighbours on a line, relative to that inside words).
    """
    ink = _ink(grey)
    outside = ink & ~_covered(ink.shape, boxes)
    total, left = int(ink.sum()), int(outside.sum())
    unread, unread_ink = _lines(outside, dpi)
    found = {
        "ink_share": round(total / ink.size, 4) if ink.size else 0.0,
        "ink_outside_words_share": round(left / total, 3) if total else 0.0,
        "line_inches": _lines(ink, dpi)[0],
        "unread_line_inches": unread,
        "unread_line_ink_share": round(unread_ink / left, 3) if left else 0.0,
    }
    if len(lines) and len(lines) == len(boxes):
        found |= _fit(ink, boxes, lines)
    return found


def _ink(grey: Grey) -> Ink:
    """Pixels that are dark, or darker than the surrounding paper."""
    height, width = grey.shape
    rows, columns = -(-height // _BLOCK), -(-width // _BLOCK)
    padded = np.pad(grey, ((0, rows * _BLOCK - height), (0, columns * _BLOCK - width)), mode="edge")
    blocks = padded.reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2).reshape(rows, columns, -1)
    paper = np.percentile(blocks, 85, axis=2).astype(np.int16)
    threshold = np.repeat(np.repeat(paper - _CONTRAST, _BLOCK, 0), _BLOCK, 1)[:height, :width]
    dark: Ink = (grey < _DARK) | (grey < threshold)
    return dark


def _covered(shape: tuple[int, ...], boxes: NDArray[np.float64]) -> Ink:
    inside = np.zeros(shape, np.bool_)
    for left, top, right, bottom in boxes:
        inside[
            max(int(top) - 1, 0) : max(int(bottom) + 2, 0), max(int(left) - 1, 0) : max(int(right) + 2, 0)
        ] = True
    return inside


def _lines(ink: Ink, dpi: float) -> tuple[float, int]:
    """The length of text-like lines in inches, and the ink in them."""
    strip = round(_STRIP_INCHES * dpi)
    strips = ink.shape[1] // strip if strip else 0
    if not strips or not ink.any():
        return 0.0, 0
    rows = ink.shape[0]
    crossings = np.zeros((rows, strips * strip), np.bool_)
    np.not_equal(ink[:, 1 : strips * strip], ink[:, : strips * strip - 1], out=crossings[:, 1:])
    counts = crossings.reshape(rows, strips, strip).sum(axis=2, dtype=np.uint16)
    amounts = ink[:, : strips * strip].reshape(rows, strips, strip).sum(axis=2, dtype=np.uint16)
    lowest, highest = (round(inches * dpi) for inches in _LINE_INCHES)
    found = [_bands(column, max(lowest, 2), highest) for column in counts.T]
    lines = inked = 0
    for number, bands in enumerate(found):
        before = found[number - 1] if number else []
        after = found[number + 1] if number + 1 < strips else []
        for start, end in bands:
            if _goes_on(start, end, before) or _goes_on(start, end, after):
                lines += 1
                inked += int(amounts[start:end, number].sum())
    return round(lines * _STRIP_INCHES, 2), inked


def _bands(crossings: NDArray[np.uint16], lowest: int, highest: int) -> list[tuple[int, int]]:
    """Row ranges of the height of a line with many crossings, between rows with hardly any."""
    busy = np.concatenate(([False], crossings > _QUIET_CROSSINGS, [False]))
    edges = np.flatnonzero(busy[1:] != busy[:-1])
    bands = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if lowest <= end - start <= highest:
            crossed = np.sort(crossings[start:end])[::-1]
            if crossed[: max(lowest, (end - start) // 3)].min() >= _MIN_CROSSINGS:
                bands.append((int(start), int(end)))
    return bands


def _goes_on(first: int, last: int, neighbours: list[tuple[int, int]]) -> bool:
    """Whether a band continues in a neighbouring strip: a line is longer than a strip is wide, a part of a
    picture rarely is.
    """
    for start, end in neighbours:
        common = min(end, last) - max(start, first)
        if common >= 0.5 * max(last - first, end - start):
            return True
    return False


def _fit(ink: Ink, boxes: NDArray[np.float64], lines: Sequence[int]) -> dict[str, float]:
    """Whether the boxes match the visible words."""
    table = np.zeros((ink.shape[0] + 1, ink.shape[1] + 1), np.int32)
    table[1:, 1:] = ink.cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int32)

    def shares(sides: NDArray[np.float64]) -> NDArray[np.float64]:
        limit = np.array([ink.shape[1], ink.shape[0]] * 2)
        left, top, right, bottom = np.clip(np.rint(sides), 0, limit).astype(int).T
        area = np.maximum((right - left) * (bottom - top), 1)
        inked = table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left]
        result: NDArray[np.float64] = inked / area
        return result

    height = boxes[:, 3] - boxes[:, 1]
    found = {"words_without_ink_share": round(float((shares(boxes) < _EMPTY).mean()), 4)}
    middle = np.column_stack(
        (boxes[:, 0], boxes[:, 1] + 0.2 * height, boxes[:, 2], boxes[:, 3] - 0.2 * height)
    )
    follows = np.diff(np.asarray(lines)) == 0
    gaps = np.column_stack((middle[:-1, 2] + 1, middle[:-1, 1], middle[1:, 0] - 1, middle[:-1, 3]))
    width = gaps[:, 2] - gaps[:, 0]
    gaps = gaps[follows & (width >= _GAP_PIXELS) & (width <= height[:-1])]
    inside = float(shares(middle).mean())
    if len(gaps) >= 10 and inside > 0:
        found["gap_ink_ratio"] = round(float(shares(gaps).mean()) / inside, 3)
    return found
