"""Reads the text of a line image with a PP-OCR recognition network and decodes its output to words.

The network returns, for each narrow column of the line, a probability for every character and for "no new
character" (connectionist temporal classification). The columns give the positions of the characters, and
thereby of the words; the white space between two words then gives their exact edges.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from docpipe_assets.engines.ocr.rapidocr.detection import Quad
from docpipe_assets.lazy import lazy
from docpipe_assets.model import Box
from docpipe_assets.protocols import PlacedWord

Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]

LINE_HEIGHT = 48
MIN_INPUT = 96
ROUND_INPUT = 32
"""Input widths are padded to a multiple of this: the runtime prepares the network for each new width."""
STEP = 8  # input columns per output step
# A ruled line or a torn edge may be detected as a text line five pixels high and a page wide; without a
# limit it would be stretched to tens of thousands of columns.
MAX_INPUT = 4800
TALL_RATIO = 1.5


class Character(NamedTuple):
    text: str
    confidence: float
    column: float
    """Position in the line, from 0 at the left end to 1 at the right end."""


@dataclass(frozen=True)
class Alphabet:
    """The characters of the network's classes: class 0 is none, the last one is the space."""

    characters: Sequence[str]
    space_weight: float
    """Corrects for the rarity of spaces in the training data of the network."""
    accent_weight: float = 1.0
    """Letters with accents are rarer in English texts than specks near letters are on scans: they must be
    likelier than the plain letter by this factor."""

    @lazy
    def weights(self) -> NDArray[np.float32]:
        """By class, the factor of its probability relative to the other letters."""
        return np.array(
            [self.accent_weight if _is_accented(text) else 1.0 for text in self.characters], dtype=np.float32
        )


def _is_accented(text: str) -> bool:
    return len(text) == 1 and text.isalpha() and not text.isascii()


def longest(quads: Sequence[Quad], count: int, quarter_turns: int = 0) -> list[Quad]:
    """The boxes with the largest ratio of length to height, in text direction."""

    def ratio(quad: Quad) -> float:
        along, across = extent(quad)
        return along / across if quarter_turns % 2 == 0 else across / along

    return sorted(quads, key=ratio, reverse=True)[:count]


def steps(line: NDArray[np.uint8]) -> float:
    """Number of network steps along a line without stretching."""
    height, width = line.shape
    return float(LINE_HEIGHT * width / height / STEP)


def turns_to_try(quad: Quad) -> tuple[int, ...]:
    """The possible quarter turns of a box: a tall one is a single character, or sideways text."""
    width, height = extent(quad)
    return (0, 1, 3) if height >= TALL_RATIO * width else (0,)


def straighten(
    page: NDArray[np.uint8], quad: Quad, quarter_turns: int = 0
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The line inside a quadrilateral as an upright image, and the transform back to the page.

    One quarter turn: text that runs down the page; three: text that runs up.
    """
    corners = np.ascontiguousarray(np.roll(quad, -quarter_turns, axis=0))
    width, height = extent(corners)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    line = cv2.warpPerspective(
        page,
        cv2.getPerspectiveTransform(corners, target),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    back = cv2.getPerspectiveTransform(target, corners)
    return np.asarray(line, dtype=np.uint8), np.asarray(back, dtype=np.float64)


def extent(quad: Quad) -> tuple[int, int]:
    """Width and height in whole pixels, at least two."""
    top_left, top_right, bottom_right, bottom_left = quad
    width = max(_length(top_left, top_right), _length(bottom_left, bottom_right))
    height = max(_length(top_left, bottom_left), _length(top_right, bottom_right))
    return max(2, round(width)), max(2, round(height))


def _length(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(a - b))


def recognise(
    line: NDArray[np.uint8], network: Network, alphabet: Alphabet, stretch: float = 1.0
) -> list[Character]:
    """The characters of an upright line, left to right, including spaces.

    The network has fixed steps along the line; ``stretch`` widens it, so that each of two narrow letters gets
    a step of its own.
    """
    height, width = line.shape
    scaled = min(MAX_INPUT, max(1, round(stretch * LINE_HEIGHT * width / height)))
    resized = cv2.resize(line, (scaled, LINE_HEIGHT)).astype(np.float32) / np.float32(127.5) - np.float32(1)
    columns = max(MIN_INPUT, -(-scaled // ROUND_INPUT) * ROUND_INPUT)
    plane = np.zeros((LINE_HEIGHT, columns), dtype=np.float32)
    plane[:, :scaled] = resized
    probabilities = network(np.broadcast_to(plane, (1, 3, *plane.shape)).copy())[0]
    return decode(probabilities, alphabet, scaled / columns)


def decode(probabilities: NDArray[np.float32], alphabet: Alphabet, input_share: float) -> list[Character]:
    """Best path decoding: the likeliest class of each column, repeats merged, empty ones dropped.

    ``input_share`` is the share of the network input that the line fills, from the left.
    """
    space = probabilities.shape[1] - 1
    best = (probabilities * alphabet.weights).argmax(axis=1)
    likelihood = probabilities[np.arange(len(best)), best]
    # Only against "no new character": if weighted against letters too, spaces would replace faint letters.
    best[(best == 0) & (probabilities[:, space] * alphabet.space_weight > likelihood)] = space
    starts = np.flatnonzero(np.diff(best, prepend=-1))
    characters = []
    for start, end in zip(starts, [*starts[1:], len(best)], strict=True):
        if best[start] == 0:
            continue
        peak = float(probabilities[start:end, best[start]].max())
        centre = (start + end) / 2 / len(best) / input_share
        characters.append(Character(alphabet.characters[best[start]], peak, min(centre, 1.0)))
    return characters


def words_of(
    characters: Sequence[Character], line: NDArray[np.uint8], back: NDArray[np.float64]
) -> tuple[PlacedWord, ...]:
    """The words of a line with their boxes on the page (``back`` transforms from line to page)."""
    groups: list[list[Character]] = [[]]
    for character in characters:
        if character.text.isspace():
            groups.append([])
        else:
            groups[-1].append(character)
    groups = [group for group in groups if group]
    if not groups:
        return ()
    height, width = line.shape
    darkness = (255 - line.astype(np.float32)).sum(axis=0)
    gaps = [
        _gap(darkness, before[-1].column * width, after[0].column * width)
        for before, after in pairwise(groups)
    ]
    lefts = [0.0, *(end for _, end in gaps)]
    rights = [*(start for start, _ in gaps), float(width)]
    return tuple(
        PlacedWord(
            "".join(c.text for c in group),
            _on_page(left, right, height, back),
            sum(c.confidence for c in group) / len(group),
        )
        for group, left, right in zip(groups, lefts, rights, strict=True)
    )


def _gap(darkness: NDArray[np.float32], before: float, after: float) -> tuple[float, float]:
    """Start and end of the white space between two words, searched between their nearest characters."""
    start, end = int(before), max(int(after), int(before) + 1)
    window = darkness[start : end + 1]
    if len(window) < 3:
        return (before + after) / 2, (before + after) / 2
    light = window <= window.min() + 0.1 * (darkness.max() - window.min())
    edges = np.flatnonzero(np.diff(light, prepend=False, append=False))
    runs = list(zip(edges[::2], edges[1::2], strict=True))
    first, last = max(runs, key=lambda run: run[1] - run[0])
    return float(start + first), float(start + last)


def _on_page(left: float, right: float, height: int, back: NDArray[np.float64]) -> Box:
    corners = np.array([[[left, 0], [right, 0], [right, height], [left, height]]], dtype=np.float64)
    placed = cv2.perspectiveTransform(corners, back)[0]
    return Box(*(float(v) for v in (*placed.min(axis=0), *placed.max(axis=0))))
