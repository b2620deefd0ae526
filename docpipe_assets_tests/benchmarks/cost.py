"""The cost of a command: wall time, CPU time and peak memory of all its processes."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from docpipe_assets.runtime.meter import PeakMemory, process_tree

MEGABYTE = 2**20
_SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Cost:
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    """The peak of the sum over all processes, shared pages counted once (PSS), sampled."""
    status: int
    """As in ``subprocess``: 0 on success, the negative signal number if it was killed."""

    @property
    def peak_megabytes(self) -> float:
        return self.peak_bytes / MEGABYTE


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs a module with this interpreter."""
    return [sys.executable, "-m", name, *arguments]


def cost_of(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    stdout: Path | None = None,
    until: Callable[[], bool] = lambda: False,
) -> Cost:
    """Run a command until it ends, or kill it as soon as ``until`` returns true."""
    used_before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    with (stdout or Path(os.devnull)).open("wb") as output:
        process = subprocess.Popen(command, env={**os.environ, **(environment or {})}, stdout=output)
    with PeakMemory(lambda: process_tree(process.pid), _SAMPLE_SECONDS) as peak:
        while process.poll() is None:
            if until():
                process.kill()
            time.sleep(0.02)
        wall_seconds = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = used.ru_utime + used.ru_stime - used_before.ru_utime - used_before.ru_stime
    return Cost(wall_seconds, cpu_seconds, peak.bytes, process.returncode)
