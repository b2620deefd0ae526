"""An OCR engine in child processes: pages are read concurrently, and none of them can block indefinitely.

The memory of the models belongs to the child processes and not to the worker, a crash of native code costs
one page, and memory that an engine does not release is freed when its process is replaced after a number of
pages.
"""

import json
import os
import queue
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docpipe_assets import errors
from docpipe_assets.engines import load_engine
from docpipe_assets.errors import Crashed, DocpipeError, EngineError, MemoryLimit, WallTimeout
from docpipe_assets.model import Box
from docpipe_assets.protocols import Lines, OcrEngine, PageImage, PlacedWord

_PAGES_PER_PROCESS = 500
_PROBE_SIDE = 64
_MALLOC = {
    # One arena, and large blocks released immediately: the peak of a page drops by 30 MB at no cost in time.
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(4 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TOP_PAD_": str(16 * 2**20),
}
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS"), "1")


@dataclass(frozen=True)
class OcrLimits:
    """Limits of the processes of a pool."""

    processes: int
    memory_bytes: int
    """Private data of each process (RLIMIT_DATA)."""
    wall_seconds: float
    """For one page, including the loading of the models."""


class OcrPool:
    """Has the name and version of the engine that it runs. Thread-safe.

    ``read`` raises the errors of the engine. If its process dies or hangs on a page, it raises Crashed,
    MemoryLimit or WallTimeout; if it dies on every page, EngineError.
    """

    def __init__(self, engine_name: str, limits: OcrLimits) -> None:
        self._engine_name = engine_name
        engine: OcrEngine = load_engine("ocr", engine_name, "read")
        self.name, self.version = engine.name, engine.version
        self._limits = limits
        self._lock = threading.Lock()
        self._idle: queue.LifoQueue[_Process | None] = queue.LifoQueue()
        self._processes = 0
        self._cpu_seconds = 0.0
        self.limit(limits)

    def limit(self, limits: OcrLimits) -> None:
        """Apply new limits. Must not be called while pages are being read."""
        if limits.memory_bytes != self._limits.memory_bytes or limits.processes < self._processes:
            self.close()
        self._limits = limits
        for _ in range(limits.processes - self._processes):
            self._idle.put(None)
        self._processes = limits.processes

    def read(self, image: PageImage) -> Lines:
        process = self._idle.get()
        try:
            process, lines = self._read(process, image)
            return lines
        except _ProcessDied as death:
            process = None
            raise self._classify_death(death, image) from death
        except WallTimeout:
            process = None
            raise
        finally:
            self._idle.put(process)

    def pop_cpu_seconds(self) -> float:
        """CPU seconds that the processes have used since the last call."""
        with self._lock:
            taken, self._cpu_seconds = self._cpu_seconds, 0.0
        return taken

    def close(self) -> None:
        """Stop the processes; the pool may be used again."""
        for _ in range(self._processes):
            process = self._idle.get()
            if process is not None:
                process.end()
        self._processes = 0

    def _read(self, process: "_Process | None", image: PageImage) -> "tuple[_Process | None, Lines]":
        """Retry in a new process if an old one died: earlier pages may be the cause."""
        is_new = process is None
        process = process or _Process(self._engine_name, self._limits)
        try:
            lines = self._ask(process, image)
        except _ProcessDied:
            if is_new:
                raise
            return self._read(None, image)
        if process.pages >= _PAGES_PER_PROCESS:
            process.end()
            return None, lines
        return process, lines

    def _ask(self, process: "_Process", image: PageImage) -> Lines:
        before = process.cpu_seconds
        try:
            return process.read(image, self._limits.wall_seconds)
        finally:
            with self._lock:
                self._cpu_seconds += process.cpu_seconds - before

    def _classify_death(self, death: "_ProcessDied", image: PageImage) -> DocpipeError:
        """The error of the page, or of the engine if it does not survive an empty page either."""
        with tempfile.TemporaryDirectory() as folder:
            probe = empty_page(Path(folder), image.dpi)
            process = _Process(self._engine_name, self._limits)
            try:
                self._ask(process, probe)
            except _ProcessDied:
                return EngineError(
                    f"the OCR engine {self.name} crashes on every page ({death}). {EngineError.advice}"
                )
            except DocpipeError as error:
                return error
            finally:
                process.end()
        if death.signal_number == signal.SIGKILL:
            return MemoryLimit(f"the OCR engine was killed while reading a page image of {_size(image)}")
        return Crashed(
            f"the OCR engine crashed on a page image of {_size(image)} ({death})", death.signal_number
        )


def empty_page(folder: Path, dpi: float) -> PageImage:
    """A small empty page, to test an engine."""
    page = PageImage(folder / "probe.grey", _PROBE_SIDE, _PROBE_SIDE, dpi)
    page.path.write_bytes(b"\xff" * _PROBE_SIDE**2)
    return page


class _ProcessDied(Exception):
    def __init__(self, status: int) -> None:
        self.signal_number = -status if status < 0 else signal.SIGABRT
        how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        super().__init__(how)


class _Process:
    """A process with a loaded engine; used by one thread at a time."""

    def __init__(self, engine_name: str, limits: OcrLimits) -> None:
        self.pages = 0
        self.cpu_seconds = 0.0
        self._rest = b""
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", f"{__package__}.ocr_process", engine_name, str(limits.memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Engines may need the environment of their packages; the module path is ours.
            env={
                **os.environ,
                **_MALLOC,
                **_ONE_THREAD,
                "PYTHONPATH": os.pathsep.join(map(_absolute, sys.path)),
            },
        )

    def read(self, image: PageImage, wall_seconds: float) -> Lines:
        request = {
            "path": str(image.path.absolute()),
            "width": image.width,
            "height": image.height,
            "dpi": image.dpi,
        }
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._death() from None
        answer = json.loads(self._line(wall_seconds, image))
        self.pages += 1
        self.cpu_seconds = answer["cpu_seconds"]
        if "error" in answer:
            raise _deserialize_error(answer)
        return tuple(
            tuple(PlacedWord(text, Box(*box), confidence, turns) for text, box, confidence, turns in line)
            for line in answer["lines"]
        )

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()

    def _line(self, wall_seconds: float, image: PageImage) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        deadline = time.monotonic() + wall_seconds
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while b"\n" not in self._rest:
            if not poll.poll(max(deadline - time.monotonic(), 0) * 1000):
                self.end()
                raise WallTimeout(
                    f"the OCR engine took longer than {wall_seconds:g} seconds for a page image of "
                    f"{_size(image)}"
                )
            block = os.read(descriptor, 2**20)
            if not block:
                raise self._death()
            self._rest += block
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _death(self) -> _ProcessDied:
        self.end()
        return _ProcessDied(self._process.returncode)


def _deserialize_error(answer: dict[str, Any]) -> DocpipeError:
    kind = getattr(errors, answer["error"])
    error: DocpipeError = kind(answer["message"])
    if answer["trace"]:
        error.add_note(answer["trace"])
    return error


def _size(image: PageImage) -> str:
    return f"{image.width:,} x {image.height:,} pixels"


def _absolute(entry: str) -> str:
    return os.path.abspath(entry)
