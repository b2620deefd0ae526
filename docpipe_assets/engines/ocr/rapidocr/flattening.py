"""Separates a page from large grey marks on it: a stamp across the text hides lines from the detector.

Marks broader than a stroke of text, such as stamp letters or shaded fields, form the background of the text
(a grey closing, Serra 1982). Dividing a page by its background leaves the text on white paper.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

GROUND_DPI = 100
STROKE_INCHES = 0.07  # more than that of 24-point type
MARK_INCHES = 0.3  # smaller marks are bold words or blurred lines
MARK_TONE = 0.88  # of the paper's
MIN_SHARE, MAX_SHARE = 0.003, 0.3
"""Minimum and maximum share of the page that marks cover: below, they are negligible; above, they are the
paper."""
INK_PERCENTILE = 1.0
WHITE_FROM = 0.65  # of the way from ink to paper


class Layers(NamedTuple):
    """Two images of the size of the page."""

    text: NDArray[np.uint8]
    """The page with the paper under large grey marks turned white."""
    marks: NDArray[np.uint8]
    """The background without the text: only the marks."""


def split_layers(page: NDArray[np.uint8], dpi: float) -> Layers | None:
    """None if the page has no large grey marks, as nearly all pages."""
    height, width = page.shape
    scale = min(1.0, GROUND_DPI / dpi)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    reduced = cv2.resize(page, size, interpolation=cv2.INTER_AREA)
    side = max(3, round(STROKE_INCHES * dpi * scale))
    ground = cv2.morphologyEx(reduced, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    paper = float(np.median(ground))
    marks = _large((ground < MARK_TONE * paper).astype(np.uint8), MARK_INCHES * dpi * scale)
    if not MIN_SHARE <= float(marks.mean()) <= MAX_SHARE:
        return None
    around = cv2.resize(cv2.dilate(marks, np.ones((side, side), np.uint8)), (width, height))
    whole = cv2.resize(ground, (width, height), interpolation=cv2.INTER_LINEAR)
    divided = cv2.divide(page, np.maximum(whole, 1), scale=paper)
    ink = float(np.percentile(page[::4, ::4], INK_PERCENTILE))
    white = ink + WHITE_FROM * (paper - ink)
    # Remnants of the edges of marks are lighter than ink.
    tones = np.interp(np.arange(256), [0, ink, white, 255], [0, ink, paper, 255]).astype(np.uint8)
    text = np.where(around > 0, cv2.LUT(divided, tones), page).astype(np.uint8)
    return Layers(text, np.where(around > 0, whole, np.uint8(paper)).astype(np.uint8))


def _large(marks: NDArray[np.uint8], side: float) -> NDArray[np.uint8]:
    """The marks that are at least ``side`` pixels wide and high."""
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(marks, connectivity=8)
    is_kept = (boxes[:, cv2.CC_STAT_WIDTH] >= side) & (boxes[:, cv2.CC_STAT_HEIGHT] >= side)
    is_kept[0] = False  # the paper
    return np.asarray(is_kept.astype(np.uint8)[labels], dtype=np.uint8)
