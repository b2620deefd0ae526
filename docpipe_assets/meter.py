"""Measures what a block of work costs: wall and CPU seconds and peak memory, all its processes included."""

import os
import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

_SAMPLE_SECONDS = 0.2


class ChildUsage(Protocol):
    """What child processes have cost."""

    @property
    def child_cpu_seconds(self) -> float: ...

    @property
    def peak_rss_bytes(self) -> int: ...


class Bench(Protocol):
    def take_child_usage(self) -> ChildUsage:
        """What children have cost since this was last asked."""
        ...


class Meter:
    """A context manager; the figures are there when the block has ended, also by an error.

    ``peak_rss_bytes`` is the largest sum over this process and all below it, pages that several of them
    share counted once; sampled five times a second. For a block too short to be sampled it is the sum
    of each process's own peak, which is never less.
    """

    wall_seconds = 0.0
    cpu_seconds = 0.0
    peak_rss_bytes = 0

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def __enter__(self) -> Self:
        _reset_peak()
        self._bench.take_child_usage()
        self._sampler = _Sampler()
        self._sampler.start()
        self._began = time.perf_counter(), _own_cpu_seconds()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        wall, own = self._began
        children = self._bench.take_child_usage()
        self.wall_seconds = time.perf_counter() - wall
        self.cpu_seconds = _own_cpu_seconds() - own + children.child_cpu_seconds
        self.peak_rss_bytes = self._sampler.end() or _own_peak_bytes() + children.peak_rss_bytes

    def metadata(self) -> dict[str, float | int]:
        return {
            "wall_seconds": round(self.wall_seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "peak_rss_bytes": self.peak_rss_bytes,
        }


class _Sampler(threading.Thread):
    def __init__(self) -> None:
        super().__init__(name="meter", daemon=True)
        self._ended = threading.Event()
        self._peak_bytes = 0

    def run(self) -> None:
        while not self._ended.wait(_SAMPLE_SECONDS):
            self._peak_bytes = max(self._peak_bytes, sum(map(share_bytes, process_tree(os.getpid()))))

    def end(self) -> int:
        """The peak; 0 when there was no time for a sample."""
        self._ended.set()
        self.join()
        return self._peak_bytes


def process_tree(root: int) -> Iterator[int]:
    """A process and all below it."""
    yield root
    try:
        tasks = os.listdir(f"/proc/{root}/task")
        children = [Path(f"/proc/{root}/task/{task}/children").read_text() for task in tasks]
    except OSError:  # it ended meanwhile
        return
    for child in " ".join(children).split():
        yield from process_tree(int(child))


def share_bytes(process: int) -> int:
    """Resident memory, a page that so many processes map counted as so small a part of it (PSS)."""
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:  # it ended meanwhile
        pass
    return 0


def _own_cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _own_peak_bytes() -> int:
    """The largest resident size of this process since it began or its peak was reset."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _reset_peak() -> None:
    # A worker lives for many documents; "5" makes the kernel forget the peak of the earlier ones.
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:  # not permitted in some containers: the peak is then that of the process
        return
