"""An OCR engine whose pages are read in processes of their own: several at once, none of them for ever.

The models' memory is theirs and not the worker's, a crash of the native code costs one page, and what
an engine does not give back goes with its process, which is replaced after so many pages.
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
    # One arena, and large blocks given back at once: a page's peak falls by 30 MB and costs no time.
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(4 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TOP_PAD_": str(16 * 2**20),
}
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS"), "1")


@dataclass(frozen=True)
class OcrLimits:
    """What the processes of a pool may use."""

    processes: int
    memory_bytes: int
    """Of each: its private data (RLIMIT_DATA)."""
    wall_seconds: float
    """For one page, the loading of the models included."""


class OcrPool:
    """Has the name and version of the engine that it runs. Threads may share it.

    ``read`` raises what the engine raises and, where its process dies or hangs at a page, Crashed,
    MemoryLimit or WallTimeout; EngineError where it dies at any page.
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
        """From now on these limits. Not while pages are being read."""
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
        except _Died as death:
            process = None
            raise self._blamed(death, image) from death
        except WallTimeout:
            process = None
            raise
        finally:
            self._idle.put(process)

    def take_cpu_seconds(self) -> float:
        """What the processes have used since this was last asked."""
        with self._lock:
            taken, self._cpu_seconds = self._cpu_seconds, 0.0
        return taken

    def close(self) -> None:
        """End the processes; the pool may be used again."""
        for _ in range(self._processes):
            process = self._idle.get()
            if process is not None:
                process.end()
        self._processes = 0

    def _read(self, process: "_Process | None", image: PageImage) -> "tuple[_Process | None, Lines]":
        """Once more in a new process where an old one died: earlier pages may be to blame."""
        is_new = process is None
        process = process or _Process(self._engine_name, self._limits)
        try:
            lines = self._ask(process, image)
        except _Died:
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

    def _blamed(self, death: "_Died", image: PageImage) -> DocpipeError:
        """The page's error, or the engine's where it does not survive a page of our own either."""
        with tempfile.TemporaryDirectory() as folder:
            probe = empty_page(Path(folder), image.dpi)
            process = _Process(self._engine_name, self._limits)
            try:
                self._ask(process, probe)
            except _Died:
                return EngineError(
                    f"the OCR engine {self.name} dies at every page ({death}). {EngineError.advice}"
                )
            except DocpipeError as error:
                return error
            finally:
                process.end()
        if death.signal_number == signal.SIGKILL:
            return MemoryLimit(f"the OCR engine was killed at a page image of {_size(image)}")
        return Crashed(
            f"the OCR engine died at a page image of {_size(image)} ({death})", death.signal_number
        )


def empty_page(folder: Path, dpi: float) -> PageImage:
    """A small page without anything on it, to see an engine at work."""
    page = PageImage(folder / "probe.grey", _PROBE_SIDE, _PROBE_SIDE, dpi)
    page.path.write_bytes(b"\xff" * _PROBE_SIDE**2)
    return page


class _Died(Exception):
    def __init__(self, status: int) -> None:
        self.signal_number = -status if status < 0 else signal.SIGABRT
        how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        super().__init__(how)


class _Process:
    """A process with a loaded engine, which is asked by one thread at a time."""

    def __init__(self, engine_name: str, limits: OcrLimits) -> None:
        self.pages = 0
        self.cpu_seconds = 0.0
        self._rest = b""
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", f"{__package__}.ocr_process", engine_name, str(limits.memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Engines may need what their packages are configured by; the path of modules is ours.
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
            raise _carried(answer)
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
                    f"the OCR engine took more than {wall_seconds:g} seconds for a page image of "
                    f"{_size(image)}"
                )
            block = os.read(descriptor, 2**20)
            if not block:
                raise self._death()
            self._rest += block
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _death(self) -> _Died:
        self.end()
        return _Died(self._process.returncode)


def _carried(answer: dict[str, Any]) -> DocpipeError:
    kind = getattr(errors, answer["error"])
    error: DocpipeError = kind(answer["message"])
    if answer["trace"]:
        error.add_note(answer["trace"])
    return error


def _size(image: PageImage) -> str:
    return f"{image.width:,} x {image.height:,} pixels"


def _absolute(entry: str) -> str:
    return os.path.abspath(entry)
