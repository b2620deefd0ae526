"""Measures the cost of a block of work: wall and CPU seconds and peak memory, child processes included."""

import os
import resource
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

_SAMPLE_SECONDS = 0.1
_PAGE_BYTES = resource.getpagesize()


class ChildUsage(Protocol):
    """Resources that child processes have used."""

    @property
    def child_cpu_seconds(self) -> float: ...

    @property
    def peak_rss_bytes(self) -> int: ...


class UsageSource(Protocol):
    def pop_child_usage(self) -> ChildUsage:
        """Resources that child processes have used since the last call."""
        ...


class Meter:
    """A context manager; the measurements are available after the block, even if it raised.

    ``peak_rss_bytes`` is the largest sum over this process and its descendants, with shared pages counted
    once, sampled ten times a second. For a block too short for a sample it is the sum of the peaks of the
    processes, an upper bound.
    """

    wall_seconds = 0.0
    cpu_seconds = 0.0
    peak_rss_bytes = 0

    def __init__(self, pipeline: UsageSource) -> None:
        self._pipeline = pipeline

    def __enter__(self) -> Self:
        _reset_peak()
        self._pipeline.pop_child_usage()
        self._peak = PeakMemory(lambda: process_tree(os.getpid()))
        self._peak.start()
        self._began = time.perf_counter(), _own_cpu_seconds()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        wall, own = self._began
        children = self._pipeline.pop_child_usage()
        self.wall_seconds = time.perf_counter() - wall
        self.cpu_seconds = _own_cpu_seconds() - own + children.child_cpu_seconds
        self._peak.end()
        self.peak_rss_bytes = self._peak.bytes or _own_peak_bytes() + children.peak_rss_bytes

    def metadata(self) -> dict[str, float | int]:
        return {
            "wall_seconds": round(self.wall_seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "peak_rss_bytes": self.peak_rss_bytes,
        }


class PeakMemory:
    """A context manager: ``bytes`` is the peak memory that a set of processes used together during the block.

    Pages that several processes share count once (PSS). The kernel computes PSS by walking all page tables:
    milliseconds per hundred megabytes, which an OCR process would notice. It is therefore read only if the
    set of processes has changed, or if the resident size indicates a new peak. 0 if the block was too short
    for a sample.
    """

    def __init__(
        self, processes: Callable[[], Iterable[int]], every_seconds: float = _SAMPLE_SECONDS
    ) -> None:
        self.bytes = 0
        self._processes = processes
        self._every_seconds = every_seconds
        self._known: set[int] = set()
        self._shared_bytes = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="peak memory", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def sample(self) -> None:
        """Take a sample."""
        processes = set(self._processes())
        resident = sum(map(_resident_bytes, processes))
        if processes == self._known and resident - self._shared_bytes <= self.bytes:
            return
        held = sum(map(pss_bytes, processes))
        self._known = processes
        # Memory that is allocated or freed in between must not count as shared.
        self._shared_bytes = min(resident, sum(map(_resident_bytes, processes))) - held
        self.bytes = max(self.bytes, held)

    def _watch(self) -> None:
        while not self._ended.wait(self._every_seconds):
            self.sample()


def process_tree(root: int) -> Iterator[int]:
    """A process and all of its descendants."""
    yield root
    try:
        tasks = os.listdir(f"/proc/{root}/task")
        children = [Path(f"/proc/{root}/task/{task}/children").read_text() for task in tasks]
    except OSError:  # it ended meanwhile
        return
    for child in " ".join(children).split():
        yield from process_tree(int(child))


def pss_bytes(process: int) -> int:
    """Proportional set size (PSS): resident memory, with each page divided by the number of processes that
    map it.
    """
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:  # it ended meanwhile
        pass
    return 0


def _resident_bytes(process: int) -> int:
    """Resident memory, shared or not."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):  # it ended meanwhile
        return 0


def _own_cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _own_peak_bytes() -> int:
    """The largest resident size of this process since it started or its peak was last reset."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _reset_peak() -> None:
    # A worker processes many documents; "5" makes the kernel reset the peak of the previous ones.
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:  # not permitted in some containers: the peak then covers the life of the process
        return
