"""Budgets of a document by lane: memory, CPU, processes."""

import os
from importlib.util import find_spec

from docpipe_assets.engines.ocr_pool import OcrLimits
from docpipe_assets.lanes import LARGE
from docpipe_assets.sandbox import Limits
from docpipe_assets.settings import Settings

_WALL_PER_CPU = 10  # a child waits for disks and, on a busy machine, for other processes
_BASE_BYTES = 260 * 2**20
"""Maximum memory of a run outside OCR while a page is read: the run's process, the sandbox and a child in
it."""
_OCR_BYTES = 230 * 2**20
"""Maximum memory of an OCR process for an ordinary page (measured: ``benchmarks/memory.py``)."""
_OPENVINO_BYTES = 450 * 2**20
"""The same on OpenVINO (``benchmarks/ocr_settings.py``)."""
_FILE_BYTES = 16 * 1024**3
_OUTPUT_BYTES = 2 * 1024**3


def ocr_engine(settings: Settings) -> str:
    """The configured engine on the configured back-end, or on the one that the memory of a run suffices
    for.
    """
    if settings.ocr_engine != "rapidocr" or settings.ocr_backend == "onnxruntime":
        return settings.ocr_engine
    # One page at a time on OpenVINO is slower than two concurrent pages on ONNX Runtime.
    is_large_enough = settings.run_memory_bytes >= _BASE_BYTES + 2 * _OPENVINO_BYTES
    if settings.ocr_backend == "openvino" or (is_large_enough and find_spec("openvino") is not None):
        return "rapidocr_openvino"
    return settings.ocr_engine


def ocr_limits(settings: Settings, lane: str, engine: str) -> OcrLimits:
    """As many processes as the cores and the memory budget of the run allow."""
    budget = _budget(settings, lane)
    left = settings.run_memory_bytes * budget - _BASE_BYTES
    each = _OPENVINO_BYTES if engine == "rapidocr_openvino" else _OCR_BYTES
    return OcrLimits(
        processes=max(1, min(len(os.sched_getaffinity(0)), int(left / each))),
        memory_bytes=int(settings.ocr_memory_bytes * budget),
        wall_seconds=settings.page_cpu_seconds * budget * _WALL_PER_CPU,
    )


def sandbox_limits(settings: Settings, lane: str, *, by_page: bool) -> Limits:
    budget = _budget(settings, lane)
    cpu_seconds = settings.split_cpu_seconds * budget
    return Limits(
        cpu_seconds=cpu_seconds,
        wall_seconds=cpu_seconds * _WALL_PER_CPU,
        memory_bytes=int(settings.sandbox_memory_bytes * budget),
        file_bytes=_FILE_BYTES,
        output_bytes=_OUTPUT_BYTES,
        step_cpu_seconds=settings.page_cpu_seconds * budget if by_page else None,
    )


def _budget(settings: Settings, lane: str) -> float:
    """Factor of the current lane on the standard budget."""
    return settings.large_budget if lane == LARGE else 1.0
