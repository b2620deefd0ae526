"""One OCR engine in a process of its own: reads the page images that its pool names, one after the other.

    python -m docpipe_assets.engines.ocr_process ENGINE MEMORY_BYTES

A request is a line of JSON on standard input, an answer one on what was standard output. The process
ends when its input does, also in the middle of a page: so it never outlives the worker.
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
"""Should the machine run out of memory: before the worker, and after a child that parses."""


def main() -> None:
    engine_name, memory_bytes = sys.argv[1], int(sys.argv[2])
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What a library prints must not be taken for an answer.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    ceiling = resource.getrlimit(resource.RLIMIT_DATA)[1]
    if ceiling == resource.RLIM_INFINITY or memory_bytes < ceiling:
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, ceiling))
    with suppress(OSError):  # where /proc is read-only the kernel decides alone
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
            answer = _failure(MemoryLimit("no memory left to read the page image"))
        except DocpipeError as error:
            answer = _failure(error)
        except Exception as error:  # noqa: BLE001 -- it crosses as a typed error and is raised by the pool
            defect = InternalError(f"{type(error).__name__} in the OCR engine {engine_name}: {error}")
            answer = _failure(defect, traceback.format_exc())
        answer["cpu_seconds"] = _cpu_seconds()
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()
        _give_memory_back()


def _listen(source: BinaryIO, requests: "queue.SimpleQueue[bytes]") -> None:
    for line in source:
        requests.put(line)
    os._exit(0)


def _cpu_seconds() -> float:
    """Of this process and of the programs that it has run to their end."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _give_memory_back() -> None:
    """What the page took and the C library would keep: a third of the process, which others need now."""
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


def _failure(error: DocpipeError, trace: str = "") -> dict[str, Any]:
    return {"error": type(error).__name__, "message": error.message, "trace": trace}


if __name__ == "__main__":
    main()
