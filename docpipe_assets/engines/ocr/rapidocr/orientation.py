"""The orientation of a page (upright, upside down, sideways) and the transform back to its own coordinates.

Quarter turns count clockwise, from upright to the actual orientation: after one turn, lines run down.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from docpipe_assets.engines.ocr.rapidocr.detection import Quad
from docpipe_assets.engines.ocr.rapidocr.recognition import extent
from docpipe_assets.model import Box

LINE_RATIO = 2.0  # shorter boxes may contain one or two letters, which are as high as they are wide


def is_sideways(quads: Sequence[Quad]) -> bool:
    """Whether more text, by length, runs along the height of the page than along its width."""
    along_width = along_height = 0
    for width, height in map(extent, quads):
        if width >= LINE_RATIO * height:
            along_width += width
        elif height >= LINE_RATIO * width:
            along_height += height
    return along_height > along_width


def set_upright(page: NDArray[np.uint8], quarter_turns: int) -> NDArray[np.uint8]:
    """The page rotated to upright."""
    return np.ascontiguousarray(np.rot90(page, quarter_turns)) if quarter_turns else page


def to_page(box: Box, quarter_turns: int, width: int, height: int) -> Box:
    """Transform a box of the upright page to the coordinates of the page as given.

    ``width`` and ``height`` are those of the page as given.
    """
    left, top, right, bottom = box
    match quarter_turns:
        case 1:
            return Box(width - bottom, left, width - top, right)
        case 2:
            return Box(width - right, height - bottom, width - left, height - top)
        case 3:
            return Box(top, height - right, bottom, height - left)
        case _:
            return box
