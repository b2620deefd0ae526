"""How a call ended -> the typed error it stands for."""

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

_MUCH_OF_THE_ROOM = 0.5
"""What was sampled may be a tenth of a second old. To take a crash for a want of memory costs an attempt in
the large lane, where it tells; to take a want of memory for a crash would quarantine a good document."""
# Timers count clock ticks and the report counts nanoseconds; they differ by this much.
_CPU_CLOCK_SECONDS = 0.1
_STDERR_BYTES_READ = 4096
_NO_MEMORY = re.compile(rb"bad_alloc|out of memory|cannot allocate|memory allocation", re.IGNORECASE)
_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGTRAP, signal.SIGFPE)


@dataclass(frozen=True)
class Ending:
    """What the zygote reports of a child that is dead and collected."""

    wait_status: int
    cpu_seconds: float
    peak_rss_bytes: int
    peak_data_bytes: int
    rss_before_bytes: int
    data_before_bytes: int
    """Both when it was forked."""
    killed_for: str | None
    """Why the zygote killed it: ``memory``, ``disk``, ``leash`` (its caller wanted so), ``closing``."""
    memory_kills: int
    """How often the kernel killed for want of memory while the child lived."""

    @property
    def signal_number(self) -> int:
        return self.wait_status & 0x7F

    @property
    def exit_code(self) -> int:
        return self.wait_status >> 8


def error_of(ending: Ending, limits: Limits, what: str, stderr: bytes) -> DocpipeError:
    """The error of a child that ended without saying how; ``what`` names the call and item.

    A signal tells a spent limit from a crash, except for memory: a refused allocation makes many
    libraries crash. A crash counts as the memory limit when the library said so on its standard
    error, or when the child's resident size or data had taken half of the room that it had.
    """
    number = ending.signal_number
    if number == signal.SIGXFSZ or ending.killed_for == "disk":
        return DiskLimit(f"{what}: wrote more than {limits.file_bytes} bytes of files")
    spent = ending.cpu_seconds >= limits.cpu_seconds - max(0.02 * limits.cpu_seconds, _CPU_CLOCK_SECONDS)
    if number == signal.SIGPROF and limits.step_cpu_seconds is not None and not spent:
        return CpuTimeout(f"{what}: used up {limits.step_cpu_seconds:g} CPU seconds", is_page=True)
    if number in (signal.SIGPROF, signal.SIGXCPU) or (number == signal.SIGKILL and spent):
        return CpuTimeout(f"{what}: the call used up {limits.cpu_seconds:g} CPU seconds")
    if _ran_out_of_memory(ending, limits, stderr):
        peak, allowed = max(ending.peak_rss_bytes, ending.peak_data_bytes), limits.memory_bytes
        return MemoryLimit(
            f"{what}: died of want of memory, with {peak >> 20} MiB in use of {allowed >> 20} MiB allowed"
        )
    if number == 0:
        return Crashed(
            f"{what}: the parser left with exit status {ending.exit_code} and without a result",
            signal.SIGABRT,
        )
    if ending.killed_for == "leash":
        return Crashed(f"{what}: the parser closed its pipe without a result, and was killed", signal.SIGKILL)
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    said = stderr.decode("utf-8", "replace").strip()
    return Crashed(
        f"{what}: the parser died by {name}" + (f" ({said.splitlines()[-1][:200]})" if said else ""),
        number if number in set(signal.Signals) else signal.SIGKILL,
    )


def _ran_out_of_memory(ending: Ending, limits: Limits, stderr: bytes) -> bool:
    if ending.signal_number == signal.SIGKILL and ending.killed_for is None and ending.memory_kills:
        return True
    if ending.signal_number == signal.SIGSYS or ending.killed_for == "memory":
        return True  # by the system call filter, for all of the room at once; or by the zygote
    if ending.signal_number in _CRASHES:
        room = limits.memory_bytes - ending.data_before_bytes
        grown = max(
            ending.peak_rss_bytes - ending.rss_before_bytes, ending.peak_data_bytes - ending.data_before_bytes
        )
        return grown >= _MUCH_OF_THE_ROOM * room or _NO_MEMORY.search(stderr) is not None
    # A library that calls exit() after saying why.
    return ending.signal_number == 0 and _NO_MEMORY.search(stderr) is not None


def last_words(stderr: Path) -> bytes:
    """The end of what the child and its libraries wrote to their standard error."""
    try:
        with stderr.open("rb") as file:
            file.seek(max(stderr.stat().st_size - _STDERR_BYTES_READ, 0))
            return file.read(_STDERR_BYTES_READ)
    except FileNotFoundError:
        return b""


def carried_error(body: JSON, what: str) -> DocpipeError:
    """The typed error a child reported, of the same class; what is not one is an InternalError.

    The child chooses among docpipe's own error classes and fills in instance attributes; it
    can neither name another class nor change what a class stands for.
    """
    if not isinstance(body, dict) or not isinstance(body.get("message"), str):
        return InternalError(f"{what}: reported a failure that cannot be read")
    kind = getattr(errors, str(body.get("class")), None)
    if not (isinstance(kind, type) and issubclass(kind, DocpipeError)):
        return InternalError(f"{what}: {body.get('class')}: {body['message']}")
    # These tell of the machine and not of the document; only the call and item place them.
    is_placeless = issubclass(kind, ResourceError | InternalError)
    error = kind(f"{what}: {body['message']}" if is_placeless else str(body["message"]))
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
    return EngineError(f"{what}: the sandbox's own process was killed or closed during the call; call again")
