"""Runs the PP-OCR networks on ONNX Runtime or OpenVINO, with one thread and minimal memory.

The models are the same, and so are their results except for the last digits of a float.
"""

from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from docpipe_assets.engines.ocr.rapidocr.latin_head import cut_in_subprocess
from docpipe_assets.errors import ConfigurationError, EngineError
from docpipe_assets.lazy import once

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]

DETECTOR = "PP-OCRv6_det_small.onnx"
RECOGNISER = "PP-OCRv6_rec_small.onnx"


class Networks(NamedTuple):
    detect: "Network"
    recognise: "Network"
    characters: tuple[str, ...]
    """By class of the recognizer; the first class is "no character"."""


@once
def load_networks(backend: str) -> Networks:
    """Both networks on ``onnxruntime`` or ``openvino``.

    Raises ConfigurationError if a model is missing, and EngineError if one can't be loaded.
    """
    import cv2

    cv2.setNumThreads(1)
    folder = files("rapidocr") / "models"
    loaded = []
    for name in (DETECTOR, RECOGNISER):
        try:
            model = (folder / name).read_bytes()
            if name == RECOGNISER:
                model = cut_in_subprocess(model)
            loaded.append(_LOADERS[backend](model))
        except FileNotFoundError as exc:
            raise ConfigurationError(
                f"OCR engine rapidocr: the installed package does not contain {name}; install rapidocr 3.10"
            ) from exc
        except Exception as exc:  # neither library's errors have another class in common
            raise EngineError(f"OCR model {name} can't be loaded: {exc}; reinstall rapidocr") from exc
    (detect, _), (recognise, characters) = loaded
    return Networks(_guarded(detect, DETECTOR), _guarded(recognise, RECOGNISER), ("", *characters, " "))


def _on_onnxruntime(model: bytes) -> "tuple[Network, list[str]]":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # Every line has a different width, so pools and plans for one shape would only accumulate.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    session: Any = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    [given] = session.get_inputs()
    characters = session.get_modelmeta().custom_metadata_map.get("character", "")
    return lambda pixels: session.run(None, {given.name: pixels})[0], characters.splitlines()


def _on_openvino(model: bytes) -> "tuple[Network, list[str]]":
    import openvino

    core = openvino.Core()
    read: Any = core.read_model(model)
    settings = {
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        # Otherwise it uses shorter floats if the processor supports them, and results depend on the machine.
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request: Any = core.compile_model(read, "CPU", settings).create_infer_request()
    characters = ""
    if read.has_rt_info(["framework", "character"]):
        characters = str(read.get_rt_info(["framework", "character"]).value)

    def run(pixels: "NDArray[np.float32]") -> "NDArray[np.float32]":
        request.infer([pixels], share_inputs=True)
        result: NDArray[np.float32] = request.get_output_tensor(0).data.copy()
        return result

    return run, characters.splitlines()


_LOADERS = {"onnxruntime": _on_onnxruntime, "openvino": _on_openvino}


def _guarded(network: "Network", name: str) -> "Network":
    """The network with its errors translated."""

    def run(pixels: "NDArray[np.float32]") -> "NDArray[np.float32]":
        try:
            return network(pixels)
        except MemoryError:
            raise
        except Exception as exc:  # neither library's errors have another class in common
            if "bad_alloc" in str(exc) or "Failed to allocate" in str(exc):
                raise MemoryError(str(exc)) from exc
            raise EngineError(f"OCR model {name} failed on an input of shape {pixels.shape}: {exc}") from exc

    return run
