"""Reads page images with the PP-OCR models that the RapidOCR package carries, on ONNX Runtime.

The two networks are run here and not through RapidOCR's own pipeline, for what that cannot be told:
memory patterns off (they more than double the peak), no colour copy of the page, the weight of
spaces before decoding, and no attempt to fetch a model that is missing.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from importlib.resources import files
from operator import itemgetter
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from docpipe_assets.engines.ocr.latin_head import cut_aside
from docpipe_assets.errors import ConfigurationError, EngineError, MemoryLimit
from docpipe_assets.identity import digest
from docpipe_assets.protocols import PageImage
from docpipe_assets.rules.reading_order import Line, Piece, reading_order

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from docpipe_assets.engines.ocr.detection import Quad

    Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]

CODE_VERSION = "1"
PACKAGES = ("rapidocr", "onnxruntime", "onnx")
DETECTOR = "PP-OCRv6_det_small.onnx"
RECOGNISER = "PP-OCRv6_rec_small.onnx"
ORDINARY_INCHES = 11.0
LARGEST_DETECTOR_SIDE = 1280
SAMPLE_LINES = 3
NARROWEST, WIDEST = 0.9, 1.5


class Networks(NamedTuple):
    detect: "Network"
    recognise: "Network"
    characters: tuple[str, ...]
    """By class of the recogniser; the first stands for none."""


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
        steps_per_character: float = 2.0,
    ) -> None:
        """``detector_side``: longest side, in pixels, of an ordinary page as the detector sees it.

        Lines below ``minimum_confidence`` (a mean over characters) are specks, not text. The lines of a
        page are widened or narrowed until a character takes ``steps_per_character`` steps of the
        recogniser: with fewer, narrow letters run together; more only cost time.
        """
        self._detector_side = detector_side
        self._minimum_confidence = minimum_confidence
        self._space_weight = space_weight
        self._steps_per_character = steps_per_character
        settings = digest(
            [CODE_VERSION, detector_side, minimum_confidence, space_weight, steps_per_character]
        )[:8]
        packages = " ".join(f"{package} {_version_of(package)}" for package in PACKAGES)
        self.version = f"{packages} {settings}"

    def read(self, image: PageImage) -> tuple[Line, ...]:
        from docpipe_assets.engines.ocr.detection import detect

        page = _pixels(image)
        networks = _networks()
        try:
            quads = detect(page, networks.detect, self._side(image))
            stretch = self._stretch(page, quads, networks)
            pieces = [self._piece(page, quad, stretch, networks) for quad in quads]
        except MemoryError as exc:
            raise MemoryLimit(
                f"page image of {image.width} x {image.height} pixels: no memory left to read it; "
                "lower DOCPIPE_OCR_DPI or give the worker more memory"
            ) from exc
        return reading_order([piece for piece in pieces if piece is not None])

    def _side(self, image: PageImage) -> int:
        """A page larger than a letter is seen larger, so that its text is not: up to a bound on memory."""
        longest_inches = max(image.width, image.height) / image.dpi
        wanted = round(self._detector_side * longest_inches / ORDINARY_INCHES)
        return max(self._detector_side, min(wanted, LARGEST_DETECTOR_SIDE))

    def _stretch(self, page: "NDArray[np.uint8]", quads: Sequence["Quad"], networks: Networks) -> float:
        """How much to widen the lines of a page, from a reading of its longest ones as they are."""
        from docpipe_assets.engines.ocr.recognition import Alphabet, longest, recognise, steps, straighten

        alphabet = Alphabet(networks.characters, self._space_weight)
        lines = [straighten(page, quad)[0] for quad in longest(quads, SAMPLE_LINES)]
        read = [(line, recognise(line, networks.recognise, alphabet)) for line in lines]
        measured = [steps(line) / len(characters) for line, characters in read if characters]
        if not measured:
            return 1.0
        return min(max(self._steps_per_character / median(measured), NARROWEST), WIDEST)

    def _piece(
        self, page: "NDArray[np.uint8]", quad: "Quad", stretch: float, networks: Networks
    ) -> Piece | None:
        from docpipe_assets.engines.ocr.recognition import turns_to_try

        words, confidence, turn = max(
            ((*self._read_line(page, quad, turn, stretch, networks), turn) for turn in turns_to_try(quad)),
            key=itemgetter(1),
        )
        if not words or confidence < self._minimum_confidence:
            return None
        (left_x, left_y), (right_x, right_y) = (quad[0] + quad[3]) / 2, (quad[1] + quad[2]) / 2
        return Piece(
            words=words,
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
        from docpipe_assets.engines.ocr.recognition import Alphabet, recognise, straighten, words_of

        line, back = straighten(page, quad, turn)
        alphabet = Alphabet(networks.characters, self._space_weight)
        characters = recognise(line, networks.recognise, alphabet, stretch)
        if not characters:
            return (), 0.0
        confidence = sum(character.confidence for character in characters) / len(characters)
        return words_of(characters, line, back), confidence


def _version_of(package: str) -> str:
    try:
        return installed_version(package)
    except PackageNotFoundError as exc:
        raise ConfigurationError(
            f"OCR engine rapidocr: the package {package} is not installed; install docpipe again, with "
            "its dependencies"
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


@cache
def _networks() -> Networks:
    import cv2
    import onnxruntime

    cv2.setNumThreads(1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # Every line has another width, so pools and plans made for one shape only pile up.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    folder = files("rapidocr") / "models"
    sessions = []
    for name in (DETECTOR, RECOGNISER):
        try:
            model = (folder / name).read_bytes()
            if name == RECOGNISER:
                model = cut_aside(model)
            sessions.append(onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]))
        except FileNotFoundError as exc:
            raise ConfigurationError(
                f"OCR engine rapidocr: the installed package holds no model {name}; install rapidocr 3.10"
            ) from exc
        except Exception as exc:  # ONNX Runtime's errors have no other class in common
            raise EngineError(f"OCR model {name} does not load: {exc}; install rapidocr again") from exc
    detector, recogniser = sessions
    characters = recogniser.get_modelmeta().custom_metadata_map["character"].splitlines()
    return Networks(_network(detector, DETECTOR), _network(recogniser, RECOGNISER), ("", *characters, " "))


def _network(session: Any, name: str) -> "Network":
    """A loaded model as a function whose errors are ours."""

    def run(pixels: "NDArray[np.float32]") -> "NDArray[np.float32]":
        try:
            result: NDArray[np.float32] = session.run(None, {session.get_inputs()[0].name: pixels})[0]
        except MemoryError:
            raise
        except Exception as exc:  # ONNX Runtime's errors have no other class in common
            if "bad_alloc" in str(exc) or "Failed to allocate" in str(exc):
                raise MemoryError(str(exc)) from exc
            raise EngineError(f"OCR model {name} failed on an input of shape {pixels.shape}: {exc}") from exc
        return result

    return run
