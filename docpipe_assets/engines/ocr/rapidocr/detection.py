"""Detects text lines on a page image with a PP-OCR detection network and converts its output map to boxes.

The network returns a small map of the page with the probability of each pixel to be in the core of a text
line ("differentiable binarization", Liao et al. 2019). Cores are shrunk lines; each is expanded by an amount
that follows from its area and outline.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Shape (1, 3, height, width), values -1 to 1, to (1, 1, height of the map, width of the map), 0 to 1."""
Quad = NDArray[np.float32]
"""Corners top left, top right, bottom right, bottom left, in pixels; shape (4, 2)."""

CORE_THRESHOLD = 0.3
"""Probability above which a pixel belongs to a core."""
MEAN_THRESHOLD = 0.5
"""Minimum mean probability inside the outline of a core."""
GROWTH = 1.6
"""Unclip ratio: a core grows on every side by this ratio times its area divided by its perimeter."""
END_GROWTH = 0.5
"""Additional growth at both ends, as a share of the core height: on grey or noisy pages, cores end inside the
last letter."""
STRIDE = 32
"""The sides of the input are multiples of this: the network halves them five times."""
MIN_SIDE = 3.0
"""Minimum side of a core, in pixels of the map."""


def detect(page: NDArray[np.uint8], network: Network, longest_side: int) -> list[Quad]:
    """The quadrilaterals of the text lines on a grey page, unordered.

    The page is reduced to ``longest_side`` pixels for the network: memory and time grow with its square.
    """
    height, width = page.shape
    scale = min(1.0, longest_side / max(height, width))
    reduced = cv2.resize(page, (_to_stride(width * scale), _to_stride(height * scale)))
    # Grey values 0 to 255 become -1 to 1, the range with which the network was trained.
    plane = reduced.astype(np.float32) / np.float32(127.5) - np.float32(1.0)
    likelihood = network(np.broadcast_to(plane, (1, 3, *plane.shape)).copy())[0, 0]
    stretch = np.array([width / likelihood.shape[1], height / likelihood.shape[0]], dtype=np.float32)
    last = np.array([width - 1, height - 1], dtype=np.float32)
    return [np.clip(quad * stretch, 0, last) for quad in _quads(likelihood)]


def _to_stride(side: float) -> int:
    return max(STRIDE, round(side / STRIDE) * STRIDE)


def _quads(likelihood: NDArray[np.float32]) -> list[Quad]:
    """Boxes of the cores in a probability map, expanded to whole lines, in pixels of the map."""
    # Thin strokes produce cores with pinholes and cracks; dilation by one pixel closes these.
    cores = cv2.dilate((likelihood > CORE_THRESHOLD).astype(np.uint8), np.ones((2, 2), np.uint8))
    outlines, _ = cv2.findContours(cores, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for outline in (np.asarray(points, dtype=np.int32) for points in outlines):
        centre, (side_a, side_b), angle = cv2.minAreaRect(outline)
        if min(side_a, side_b) < MIN_SIDE or _mean_inside(likelihood, outline) < MEAN_THRESHOLD:
            continue
        growth = GROWTH * side_a * side_b / (2 * (side_a + side_b))
        ends = END_GROWTH * min(side_a, side_b)
        along_a, along_b = (ends, 0.0) if side_a > side_b else (0.0, ends)
        grown = (centre, (side_a + 2 * (growth + along_a), side_b + 2 * (growth + along_b)), angle)
        found.append(_ordered(np.asarray(cv2.boxPoints(grown), dtype=np.float32)))
    return found


def _mean_inside(likelihood: NDArray[np.float32], outline: NDArray[np.int32]) -> float:
    left, top, width, height = cv2.boundingRect(outline)
    inside = np.zeros((height, width), dtype=np.uint8)
    cv2.fillPoly(inside, [outline - np.array([left, top])], 1)
    return float(cv2.mean(likelihood[top : top + height, left : left + width], inside)[0])


def _ordered(corners: NDArray[np.float32]) -> Quad:
    by_side = corners[np.argsort(corners[:, 0], kind="stable")]
    top_left, bottom_left = by_side[:2][np.argsort(by_side[:2, 1], kind="stable")]
    top_right, bottom_right = by_side[2:][np.argsort(by_side[2:, 1], kind="stable")]
    return np.array([top_left, top_right, bottom_right, bottom_left], dtype=np.float32)
