"""Reads page images with the PP-OCR models that the RapidOCR package carries.

The two networks are run here and not through RapidOCR's own pipeline, for what that cannot be told:
memory patterns off (they more than double the peak), no colour copy of the page, the weight of
spaces before decoding, and no attempt to fetch a model that is missing.
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
LARGEST_DETECTOR_SIDE = 1280
SAMPLE_LINES = 3
FEWEST_ON_ITS_SIDE = 3
"""Characters that make text on its side in a page that stands upright."""
SURE = 0.9
LEAD = 5.0
"""In characters of full confidence: so much better must a page read on its head to be turned over."""
NARROWEST, WIDEST = 0.7, 1.5


class RapidOcr:
    """Loads its models at the first page and keeps them for the life of the process.

    One thread does all the work: a process for each core is faster than threads, and the result
    does not depend on the machine.
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
        """``detector_side``: longest side, in pixels, of an ordinary page as the detector sees it.

        Lines below ``minimum_confidence`` (a mean over characters) are specks, not text. The lines of a
        page are widened or narrowed until a character takes ``steps_per_character`` steps of the
        recogniser: with fewer, narrow letters run together; more only cost time. ``backend`` is what
        the networks run on (see ``backends``).
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

        from docpipe_assets.engines.ocr.rapidocr.flattening import parted

        page = _pixels(image)
        networks = load_networks(self._backend)
        try:
            layers = parted(page, image.dpi)
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
                f"page image of {image.width} x {image.height} pixels: no memory left to read it; "
                "lower DOCPIPE_OCR_DPI or give the worker more memory"
            ) from exc

    def _lines(self, page: "NDArray[np.uint8]", image: PageImage, networks: Networks) -> tuple[Line, ...]:
        from docpipe_assets.engines.ocr.rapidocr.detection import detect
        from docpipe_assets.engines.ocr.rapidocr.orientation import set_upright

        quads = detect(page, networks.detect, self._side(image))
        turns, stretch = self._outlook(page, quads, networks)
        if turns:
            page = set_upright(page, turns)
            quads = detect(page, networks.detect, self._side(image))
        pieces = [self._piece(page, quad, stretch, networks) for quad in quads]
        lines = reading_order([piece for piece in pieces if piece is not None])
        return tuple(tuple(_as_it_lies(word, turns, image) for word in line) for line in lines)

    def _side(self, image: PageImage) -> int:
        """A page larger than a letter is seen larger, so that its text is not: up to a bound on memory."""
        longest_inches = max(image.width, image.height) / image.dpi
        wanted = round(self._detector_side * longest_inches / ORDINARY_INCHES)
        return max(self._detector_side, min(wanted, LARGEST_DETECTOR_SIDE))

    def _outlook(
        self, page: "NDArray[np.uint8]", quads: Sequence["Quad"], networks: Networks
    ) -> tuple[int, float]:
        """How many quarters the page is turned clockwise, and how much to widen its lines.

        Both from a reading of its longest lines as they are. Boxes tell whether the page lies on a side;
        which way is up is only doubted where the lines do not read well.
        """
        from docpipe_assets.engines.ocr.rapidocr.orientation import is_sideways

        turns, opposite = (1, 3) if is_sideways(quads) else (0, 2)
        sample = self._sample(page, quads, turns, networks)
        if turns == 1 or sample.confidence < SURE:
            other = self._sample(page, quads, opposite, networks)
            if other.weight > sample.weight + (LEAD if turns == 0 else 0.0):
                turns, sample = opposite, other
        if not sample.steps_per_character:
            return 0, 1.0
        return turns, min(max(self._steps_per_character / sample.steps_per_character, NARROWEST), WIDEST)

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
        # A lone digit may read well on its side, too: as another one.
        words, confidence, turn = max(
            (r for r in readings if r[2] == 0 or sum(len(word.text) for word in r[0]) >= FEWEST_ON_ITS_SIDE),
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
        """The words in a box that is turned so many quarters, and the mean confidence of a character."""
        from docpipe_assets.engines.ocr.rapidocr.recognition import recognise, straighten, words_of

        line, back = straighten(page, quad, turn)
        alphabet = self._alphabet(networks)
        characters = recognise(line, networks.recognise, alphabet, stretch)
        if not characters:
            return (), 0.0
        confidence = sum(character.confidence for character in characters) / len(characters)
        return words_of(characters, line, back), confidence


class _Sample(NamedTuple):
    """A reading of a few lines of a page, one way up."""

    steps_per_character: float
    """0 where no character was read."""
    confidence: float
    """The mean over characters."""
    weight: float
    """The sum over characters."""


def _as_it_lies(word: PlacedWord, turns: int, image: PageImage) -> PlacedWord:
    """A word that was read after the page had been set upright."""
    from docpipe_assets.engines.ocr.rapidocr.orientation import on_page

    box = on_page(word.box, turns, image.width, image.height)
    return word._replace(box=box, quarter_turns=(word.quarter_turns + turns) % 4)


def _version_of(package: str) -> str:
    try:
        return installed_version(package)
    except PackageNotFoundError as exc:
        raise ConfigurationError(
            f"OCR engine rapidocr: the package {package} is not installed; install docpipe again, with "
            f"{'the extra openvino' if package == 'openvino' else 'its dependencies'}"
        ) from exc


def _pixels(image: PageImage) -> "NDArray[np.uint8]":
    import numpy as np

    pixels = np.fromfile(image.path, dtype=np.uint8)
    if pixels.size != image.width * image.height:
        raise EngineError(
            f"page image {image.path.name}: {pixels.size} bytes instead of {image.width} x {image.height}; "
            "the renderer's output was cut, check the room in DOCPIPE_DATA_DIR"
        )
    return pixels.reshape(image.height, image.width)
