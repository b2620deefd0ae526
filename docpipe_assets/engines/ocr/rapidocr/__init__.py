"""Reads page images with the PP-OCR models of the RapidOCR package.

The two networks are run directly and not through RapidOCR's own pipeline, which does not support: disabling
memory patterns (they more than double the peak), avoiding a colour copy of the page, weighting spaces before
decoding, and failing instead of downloading a missing model.
"""

import math
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from operator import itemgetter
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from docpipe_assets.engines.ocr.rapidocr.backends import Networks, load_networks
from docpipe_assets.errors import ConfigurationError, EngineError, MemoryLimit
from docpipe_assets.identity import digest
from docpipe_assets.protocols import Line, PageImage, PlacedWord
from docpipe_assets.text.reading_order import Piece, reading_order

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from docpipe_assets.engines.ocr.rapidocr.detection import Quad
    from docpipe_assets.engines.ocr.rapidocr.recognition import Alphabet

CODE_VERSION = "2"
PACKAGES = ("rapidocr", "onnx")
ORDINARY_INCHES = 11.0
MAX_DETECTOR_SIDE = 1280
SAMPLE_LINES = 3
MIN_SIDEWAYS_CHARACTERS = 3
"""Minimum number of characters of sideways text on an upright page."""
MIN_CONFIDENCE = 0.9
TURN_MARGIN = 5.0
"""Margin by which the upside-down reading must be better for the page to be turned, in characters of full
confidence."""
MIN_STRETCH, MAX_STRETCH = 0.7, 1.5


class RapidOcr:
    """Loads its models with the first page and keeps them for the life of the process.

    Single-threaded: one process per core is faster than threads, and the result does not depend on the
    machine.
    """

    name = "rapidocr"

    def __init__(
        self,
        detector_side: int = 736,
        minimum_confidence: float = 0.3,
        space_weight: float = 20.0,
        accent_weight: float = 0.1,
        steps_per_character: float = 1.75,
        backend: str = "onnxruntime",
    ) -> None:
        """``detector_side``: longest side, in pixels, of an ordinary page in the detector.

        Lines below ``minimum_confidence`` (a mean over characters) are specks, not text. Lines are stretched
        until a character takes ``steps_per_character`` steps of the recognizer: with fewer, narrow letters
        merge; more only cost time. ``backend`` is the runtime of the networks (see ``backends``).
        """
        self._detector_side = detector_side
        self._minimum_confidence = minimum_confidence
        self._weights = space_weight, accent_weight
        self._steps_per_character = steps_per_character
        settings = digest(
            [CODE_VERSION, detector_side, minimum_confidence, *self._weights, steps_per_character]
        )[:8]
        self._backend = backend
        packages = " ".join(f"{package} {_version_of(package)}" for package in (*PACKAGES, backend))
        self.version = f"{packages} {settings}"

    def read(self, image: PageImage) -> tuple[Line, ...]:
        import cv2

        from docpipe_assets.engines.ocr.rapidocr.flattening import split_layers

        page = _pixels(image)
        networks = load_networks(self._backend)
        try:
            layers = split_layers(page, image.dpi)
            if layers is None:
                return self._lines(page, image, networks)
            text, marks = layers
            del page, layers  # each is as large as the page
            lines = self._lines(text, image, networks)
            del text
            return lines + self._lines(marks, image, networks)
        except (MemoryError, cv2.error) as exc:
            if isinstance(exc, cv2.error) and exc.code != cv2.Error.StsNoMem:
                raise
            raise MemoryLimit(
                f"page image of {image.width} x {image.height} pixels: out of memory; "
                "reduce DOCPIPE_OCR_DPI or give the worker more memory"
            ) from exc

    def _lines(self, page: "NDArray[np.uint8]", image: PageImage, networks: Networks) -> tuple[Line, ...]:
        from docpipe_assets.engines.ocr.rapidocr.detection import detect
        from docpipe_assets.engines.ocr.rapidocr.orientation import set_upright

        quads = detect(page, networks.detect, self._side(image))
        turns, stretch = self._orientation_and_stretch(page, quads, networks)
        if turns:
            page = set_upright(page, turns)
            quads = detect(page, networks.detect, self._side(image))
        pieces = [self._piece(page, quad, stretch, networks) for quad in quads]
        lines = reading_order([piece for piece in pieces if piece is not None])
        return tuple(tuple(_in_page_orientation(word, turns, image) for word in line) for line in lines)

    def _side(self, image: PageImage) -> int:
        """A page larger than letter size is detected at a larger size, so that its text keeps its size, up to
        a memory limit.
        """
        longest_inches = max(image.width, image.height) / image.dpi
        wanted = round(self._detector_side * longest_inches / ORDINARY_INCHES)
        return max(self._detector_side, min(wanted, MAX_DETECTOR_SIDE))

    def _orientation_and_stretch(
        self, page: "NDArray[np.uint8]", quads: Sequence["Quad"], networks: Networks
    ) -> tuple[int, float]:
        """The clockwise quarter turns of the page and the stretch factor of its lines.

        Both come from a reading of its longest lines. The boxes show whether the page is sideways; upside
        down is tested only if the lines have low confidence.
        """
        from docpipe_assets.engines.ocr.rapidocr.orientation import is_sideways

        turns, opposite = (1, 3) if is_sideways(quads) else (0, 2)
        sample = self._sample(page, quads, turns, networks)
        if turns == 1 or sample.confidence < MIN_CONFIDENCE:
            other = self._sample(page, quads, opposite, networks)
            if other.weight > sample.weight + (TURN_MARGIN if turns == 0 else 0.0):
                turns, sample = opposite, other
        if not sample.steps_per_character:
            return 0, 1.0
        return turns, min(
            max(self._steps_per_character / sample.steps_per_character, MIN_STRETCH), MAX_STRETCH
        )

    def _sample(
        self, page: "NDArray[np.uint8]", quads: Sequence["Quad"], turns: int, networks: Networks
    ) -> "_Sample":
        from docpipe_assets.engines.ocr.rapidocr.recognition import longest, recognise, steps, straighten

        alphabet = self._alphabet(networks)
        lines = [straighten(page, quad, turns)[0] for quad in longest(quads, SAMPLE_LINES, turns)]
        read = [(line, recognise(line, networks.recognise, alphabet)) for line in lines]
        measured = [(steps(line) / len(found), found) for line, found in read if found]
        if not measured:
            return _Sample(0.0, 0.0, 0.0)
        characters = [character for _, found in measured for character in found]
        return _Sample(
            median(one for one, _ in measured),
            sum(character.confidence for character in characters) / len(characters),
            sum(character.confidence for character in characters),
        )

    def _alphabet(self, networks: Networks) -> "Alphabet":
        from docpipe_assets.engines.ocr.rapidocr.recognition import Alphabet

        return Alphabet(networks.characters, *self._weights)

    def _piece(
        self, page: "NDArray[np.uint8]", quad: "Quad", stretch: float, networks: Networks
    ) -> Piece | None:
        from docpipe_assets.engines.ocr.rapidocr.recognition import turns_to_try

        readings = [
            (*self._read_line(page, quad, turn, stretch, networks), turn) for turn in turns_to_try(quad)
        ]
        # A single digit may also read well sideways, as a different digit.
        words, confidence, turn = max(
            (
                r
                for r in readings
                if r[2] == 0 or sum(len(word.text) for word in r[0]) >= MIN_SIDEWAYS_CHARACTERS
            ),
            key=itemgetter(1),
        )
        if not words or confidence < self._minimum_confidence:
            return None
        (left_x, left_y), (right_x, right_y) = (quad[0] + quad[3]) / 2, (quad[1] + quad[2]) / 2
        return Piece(
            words=tuple(word._replace(quarter_turns=turn) for word in words),
            x=float(left_x + right_x) / 2,
            y=float(left_y + right_y) / 2,
            width=math.hypot(right_x - left_x, right_y - left_y),
            height=math.hypot(*(quad[0] - quad[3])),
            angle=math.atan2(right_y - left_y, right_x - left_x),
            quarter_turns=turn,
        )

    def _read_line(
        self, page: "NDArray[np.uint8]", quad: "Quad", turn: int, stretch: float, networks: Networks
    ) -> tuple[Line, float]:
        """The words in a box with the given rotation, and the mean confidence of a character."""
        from docpipe_assets.engines.ocr.rapidocr.recognition import recognise, straighten, words_of

        line, back = straighten(page, quad, turn)
        alphabet = self._alphabet(networks)
        characters = recognise(line, networks.recognise, alphabet, stretch)
        if not characters:
            return (), 0.0
        confidence = sum(character.confidence for character in characters) / len(characters)
        return words_of(characters, line, back), confidence


class _Sample(NamedTuple):
    """A reading of a few lines of a page in one orientation."""

    steps_per_character: float
    """0 if no character was read."""
    confidence: float
    """Mean over characters."""
    weight: float
    """Sum over characters."""


def _in_page_orientation(word: PlacedWord, turns: int, image: PageImage) -> PlacedWord:
    """A word that was read on the upright page, in the coordinates of the page as given."""
    from docpipe_assets.engines.ocr.rapidocr.orientation import to_page

    box = to_page(word.box, turns, image.width, image.height)
    return word._replace(box=box, quarter_turns=(word.quarter_turns + turns) % 4)


def _version_of(package: str) -> str:
    try:
        return installed_version(package)
    except PackageNotFoundError as exc:
        raise ConfigurationError(
            f"OCR engine rapidocr: the package {package} is not installed; reinstall docpipe with "
            f"{'the extra openvino' if package == 'openvino' else 'its dependencies'}"
        ) from exc


def _pixels(image: PageImage) -> "NDArray[np.uint8]":
    import numpy as np

    pixels = np.fromfile(image.path, dtype=np.uint8)
    if pixels.size != image.width * image.height:
        raise EngineError(
            f"page image {image.path.name}: {pixels.size} bytes instead of {image.width} x {image.height}; "
            "the output of the renderer is truncated, check the free space in DOCPIPE_DATA_DIR"
        )
    return pixels.reshape(image.height, image.width)
