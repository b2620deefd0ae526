"""Peaks are those of all processes together, although most samples are partial."""

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import pytest

from docpipe_assets.runtime.meter import PeakMemory, process_tree

MEGABYTE = 2**20


def _hold(pipe: Connection) -> None:
    """Hold the requested number of megabytes until another number is requested."""
    held = b""
    for megabytes in iter(pipe.recv, None):
        del held
        held = os.urandom(1) * (megabytes * MEGABYTE)
        pipe.send(len(held))


class Holder:
    """A process that holds memory and shares none with this process."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self.process: BaseProcess = context.Process(target=_hold, args=(other,))
        self.process.start()
        other.close()
        self.hold(0)  # it has started

    def hold(self, megabytes: int) -> None:
        self._pipe.send(megabytes)
        self._pipe.recv()

    def end(self) -> None:
        self._pipe.send(None)
        self.process.join()


@pytest.fixture
def holders() -> Iterator[tuple[Holder, Holder]]:
    pair = Holder(), Holder()
    yield pair
    for one in pair:
        one.end()


def _of(holders: tuple[Holder, Holder]) -> list[int]:
    return [holder.process.pid or 0 for holder in holders]


def test_the_peak_is_that_of_the_sum_and_not_the_sum_of_peaks(holders: tuple[Holder, Holder]) -> None:
    one, other = holders
    peak = PeakMemory(lambda: _of(holders))
    peak.sample()
    nothing = peak.bytes
    for first, second in ((100, 0), (0, 100), (60, 60), (0, 0)):
        one.hold(0)
        other.hold(second)
        one.hold(first)
        peak.sample()
    assert peak.bytes - nothing == pytest.approx(120 * MEGABYTE, abs=8 * MEGABYTE)


_FORKS = """
import os, signal, time
held = os.urandom(1) * (200 * 2**20)
children = []
for _ in range(2):
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    children.append(child)
print("together", flush=True)
input()
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
print("alone", flush=True)
input()
"""


def test_memory_shared_by_forked_processes_counts_once() -> None:
    # In a separate program: this process has threads and must not be forked.
    command = [sys.executable, "-c", _FORKS]
    peaks = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        for state, processes in (("together", 3), ("alone", 1)):
            assert program.stdout.readline() == f"{state}\n"
            assert len(list(process_tree(program.pid))) == processes
            peak = PeakMemory(lambda: process_tree(program.pid))
            peak.sample()
            peaks.append(peak.bytes)
            program.stdin.write("\n")
            program.stdin.flush()
    together, alone = peaks
    assert alone > 200 * MEGABYTE
    assert 0 <= together - alone < 100 * MEGABYTE


def test_monitoring_finds_a_short_peak(holders: tuple[Holder, Holder]) -> None:
    one, _ = holders
    with PeakMemory(lambda: _of(holders), every_seconds=0.02) as peak:
        for megabytes in (50, 10, 300, 10):
            one.hold(megabytes)
            time.sleep(0.2)
    assert 300 * MEGABYTE < peak.bytes < 400 * MEGABYTE


def test_ended_processes_use_no_memory() -> None:
    holder = Holder()
    holder.end()
    peak = PeakMemory(lambda: [holder.process.pid or 0])
    peak.sample()
    assert peak.bytes == 0
