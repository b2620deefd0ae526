"""How a page lies: upright, on its head, or on a side; and the way back to its own coordinates.

Quarter turns count clockwise, from upright to how the page lies: after one, its lines run down.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from docpipe_assets.engines.ocr.rapidocr.detection import Quad
from docpipe_assets.engines.ocr.rapidocr.recognition import extent
from docpipe_assets.model import Box

LINE_RATIO = 2.0  # shorter boxes may be of a letter or two, which are as high as they are wide


def is_sideways(quads: Sequence[Quad]) -> bool:
    """Whether more text, by its length, runs along the page's height than along its width."""
    along_width = along_height = 0
    for width, height in map(extent, quads):
        if width >= LINE_RATIO * height:
            along_width += width
        elif height >= LINE_RATIO * width:
            along_height += height
    return along_height > along_width


def set_upright(page: NDArray[np.uint8], quarter_turns: int) -> NDArray[np.uint8]:
    """The page turned back."""
    return np.ascontiguousarray(np.rot90(page, quarter_turns)) if quarter_turns else page


def on_page(box: Box, quarter_turns: int, width: int, height: int) -> Box:
    """A box of the page that was set upright, in the coordinates of the page as it lies.

    ``width`` and ``height`` are those of the page as it lies.
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
