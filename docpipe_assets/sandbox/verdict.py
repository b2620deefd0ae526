"""Converts the outcome of a call to a typed error.

Terms of the sandbox: the *zygote* is the process that forks a child per call. An *item* is one value that the
called function yields; the *step* is the work of the child for one item. The *leash* is the socket over which
the caller ends the child, and over which the zygote reports its exit. The *headroom* is the memory limit
minus the data size at the fork.
"""

import re
import signal
from dataclasses import dataclass
from pathlib import Path

from docpipe_assets import errors
from docpipe_assets.errors import (
    CpuTimeout,
    Crashed,
    DiskLimit,
    DocpipeError,
    EngineError,
    InternalError,
    MemoryLimit,
    ResourceError,
)
from docpipe_assets.sandbox.limits import Limits
from docpipe_assets.sandbox.wire import JSON

_MEMORY_SUSPECT_SHARE = 0.5
"""Share of the headroom above which a crash counts as out of memory. Samples may be a tenth of a second old.
Mistaking a crash for out of memory costs an attempt in the large lane, which decides it; mistaking out of
memory for a crash would quarantine a good document."""
_CPU_CLOCK_SECONDS = 0.1
_CPU_CLOCK_SHARE = 0.02
"""Timers count clock ticks and the exit report counts nanoseconds: the reported CPU time may be below the
limit that ended the child, by this many seconds or, in long calls, by this share of the limit."""
_STDERR_BYTES_READ = 4096
_NO_MEMORY = re.compile(rb"bad_alloc|out of memory|cannot allocate|memory allocation", re.IGNORECASE)
_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGTRAP, signal.SIGFPE)


@dataclass(frozen=True)
class ChildExit:
    """The zygote's report on a child that has exited and was reaped."""

    wait_status: int
    cpu_seconds: float
    peak_rss_bytes: int
    peak_data_bytes: int
    rss_before_bytes: int
    data_before_bytes: int
    """Both at the time of the fork."""
    killed_for: str | None
    """Why the zygote killed it: ``memory``, ``disk``, ``leash`` (requested by its caller), ``closing``."""
    memory_kills: int
    """Number of out-of-memory kills by the kernel during the life of the child."""

    @property
    def signal_number(self) -> int:
        return self.wait_status & 0x7F

    @property
    def exit_code(self) -> int:
        return self.wait_status >> 8


def error_from_exit(child_exit: ChildExit, limits: Limits, what: str, stderr: bytes) -> DocpipeError:
    """The error of a child that ended without reporting one; ``what`` identifies the call and item.

    The signal distinguishes an exceeded limit from a crash, except for memory: a failed allocation makes many
    libraries crash. A crash counts as MemoryLimit if the library wrote so to its standard error, or if the
    child's resident size or data had taken half of its headroom.
    """
    number = child_exit.signal_number
    if number == signal.SIGXFSZ or child_exit.killed_for == "disk":
        return DiskLimit(f"{what}: wrote more than {limits.file_bytes} bytes of files")
    spent = child_exit.cpu_seconds >= limits.cpu_seconds - max(
        _CPU_CLOCK_SHARE * limits.cpu_seconds, _CPU_CLOCK_SECONDS
    )
    if number == signal.SIGPROF and limits.step_cpu_seconds is not None and not spent:
        return CpuTimeout(f"{what}: used up {limits.step_cpu_seconds:g} CPU seconds", is_page=True)
    if number in (signal.SIGPROF, signal.SIGXCPU) or (number == signal.SIGKILL and spent):
        return CpuTimeout(f"{what}: the call used up {limits.cpu_seconds:g} CPU seconds")
    if _ran_out_of_memory(child_exit, limits, stderr):
        peak, allowed = max(child_exit.peak_rss_bytes, child_exit.peak_data_bytes), limits.memory_bytes
        return MemoryLimit(
            f"{what}: out of memory, with {peak >> 20} MiB in use of {allowed >> 20} MiB allowed"
        )
    if number == 0:
        return Crashed(
            f"{what}: the parser exited with status {child_exit.exit_code} and without a result",
            signal.SIGABRT,
        )
    if child_exit.killed_for == "leash":
        return Crashed(f"{what}: the parser closed its pipe without a result, and was killed", signal.SIGKILL)
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    text = stderr.decode("utf-8", "replace").strip()
    return Crashed(
        f"{what}: the parser was killed by {name}" + (f" ({text.splitlines()[-1][:200]})" if text else ""),
        number if number in set(signal.Signals) else signal.SIGKILL,
    )


def _ran_out_of_memory(child_exit: ChildExit, limits: Limits, stderr: bytes) -> bool:
    if (
        child_exit.signal_number == signal.SIGKILL
        and child_exit.killed_for is None
        and child_exit.memory_kills
    ):
        return True
    if child_exit.signal_number == signal.SIGSYS or child_exit.killed_for == "memory":
        return True  # by the system call filter, for requesting all of the headroom at once; or by the zygote
    if child_exit.signal_number in _CRASHES:
        room = limits.memory_bytes - child_exit.data_before_bytes
        grown = max(
            child_exit.peak_rss_bytes - child_exit.rss_before_bytes,
            child_exit.peak_data_bytes - child_exit.data_before_bytes,
        )
        return grown >= _MEMORY_SUSPECT_SHARE * room or _NO_MEMORY.search(stderr) is not None
    # A library that calls exit() after an error message.
    return child_exit.signal_number == 0 and _NO_MEMORY.search(stderr) is not None


def stderr_tail(stderr: Path) -> bytes:
    """The end of the standard error of the child and its libraries."""
    try:
        with stderr.open("rb") as file:
            file.seek(max(stderr.stat().st_size - _STDERR_BYTES_READ, 0))
            return file.read(_STDERR_BYTES_READ)
    except FileNotFoundError:
        return b""


def deserialize_error(body: JSON, what: str) -> DocpipeError:
    """The typed error that a child reported, of the same class; an invalid report is an InternalError.

    The child selects one of docpipe's own error classes and sets instance attributes; it can neither select
    another class nor change the properties of a class.
    """
    if not isinstance(body, dict) or not isinstance(body.get("message"), str):
        return InternalError(f"{what}: reported an invalid failure")
    kind = getattr(errors, str(body.get("class")), None)
    if not (isinstance(kind, type) and issubclass(kind, DocpipeError)):
        return InternalError(f"{what}: {body.get('class')}: {body['message']}")
    # These errors carry no document, so prefix the call and the item.
    lacks_context = issubclass(kind, ResourceError | InternalError)
    error = kind(f"{what}: {body['message']}" if lacks_context else str(body["message"]))
    attributes = body.get("attributes")
    for name, value in attributes.items() if isinstance(attributes, dict) else ():
        if name.isidentifier() and not name.startswith("_") and not hasattr(kind, name):
            setattr(error, name, value)
    notes = body.get("notes")
    for note in notes if isinstance(notes, list) else ():
        error.add_note(str(note))
    return _with_known_signal(error)


def _with_known_signal(error: DocpipeError) -> DocpipeError:
    if isinstance(error, Crashed) and error.signal_number not in set(signal.Signals):
        error.signal_number = signal.SIGKILL
    return error


def zygote_lost(what: str) -> EngineError:
    return EngineError(f"{what}: the zygote of the sandbox was killed or closed during the call; try again")
