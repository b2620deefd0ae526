"""An OCR engine in a child process: reads the page images that its pool sends, one at a time.

    python -m docpipe_assets.engines.ocr_process ENGINE MEMORY_BYTES

A request is a line of JSON on standard input, a response one on the original standard output. The process
exits when its input is closed, even during a page, so it never outlives the worker.
"""

import ctypes
import json
import os
import queue
import resource
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from docpipe_assets.engines import load_engine
from docpipe_assets.errors import DocpipeError, InternalError, MemoryLimit
from docpipe_assets.protocols import OcrEngine, PageImage

OUT_OF_MEMORY_SCORE = 500
"""If the machine runs out of memory, the kernel kills this process before the worker, and after a child that
parses."""


def main() -> None:
    engine_name, memory_bytes = sys.argv[1], int(sys.argv[2])
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Output of a library must not be parsed as a response.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    ceiling = resource.getrlimit(resource.RLIMIT_DATA)[1]
    if ceiling == resource.RLIM_INFINITY or memory_bytes < ceiling:
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, ceiling))
    with suppress(OSError):  # if /proc is read-only, the kernel's default applies
        Path("/proc/self/oom_score_adj").write_text(str(OUT_OF_MEMORY_SCORE))
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, requests), daemon=True).start()
    engine: OcrEngine | None = None
    while True:
        request = json.loads(requests.get())
        try:
            engine = engine or load_engine("ocr", engine_name, "read")
            answer = {"lines": engine.read(PageImage(Path(request.pop("path")), **request))}
        except MemoryError:
            answer = _failure(MemoryLimit("out of memory while reading the page image"))
        except DocpipeError as error:
            answer = _failure(error)
        except Exception as error:  # noqa: BLE001 -- serialized as a typed error and raised by the pool
            defect = InternalError(f"{type(error).__name__} in the OCR engine {engine_name}: {error}")
            answer = _failure(defect, traceback.format_exc())
        answer["cpu_seconds"] = _cpu_seconds()
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()
        _trim_memory()


def _listen(source: BinaryIO, requests: "queue.SimpleQueue[bytes]") -> None:
    for line in source:
        requests.put(line)
    os._exit(0)


def _cpu_seconds() -> float:
    """CPU seconds of this process and of the programs that it has run."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _trim_memory() -> None:
    """Release the memory of the page that the C library would keep: a third of the process, which other
    processes need.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


def _failure(error: DocpipeError, trace: str = "") -> dict[str, Any]:
    return {"error": type(error).__name__, "message": error.message, "trace": trace}


if __name__ == "__main__":
    main()
