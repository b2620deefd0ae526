"""The forked child: applies the limits, runs one generator function, and writes its items as frames."""

import errno
import importlib
import os
import re
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from docpipe_assets.errors import (
    DiskLimit,
    DocpipeError,
    InternalError,
    MemoryLimit,
    OutputTooLarge,
)
from docpipe_assets.sandbox import confinement, wire
from docpipe_assets.sandbox.limits import Limits
from docpipe_assets.sandbox.memory import Allowance, allowance_under, map_large_blocks
from docpipe_assets.sandbox.wire import JSON

PIPE = 3
_TEXT_CHARACTERS_MAX = 8_000
_ATTRIBUTE_BYTES_MAX = 65_536
_DISK_FULL = (errno.EFBIG, errno.ENOSPC, errno.EDQUOT)
# Messages of C and C++ libraries, wrapped in the exceptions of their bindings.
_NO_MEMORY = re.compile(
    r"bad_alloc|out of memory|cannot allocate|\b[mc]?(re)?alloc\w* .*failed|memory allocation", re.IGNORECASE
)


@dataclass(frozen=True)
class Request:
    """One call, as received by the zygote."""

    function: str
    arguments: dict[str, JSON]
    limits: Limits
    private: Path
    """Temporary files of the call; deleted afterwards."""
    folder: Path
    """Working folder of the call."""
    stderr: Path


def run(request: Request, pipe: int, zygote: int) -> NoReturn:
    """Never returns: the process ends when the generator does."""
    os.setpgid(0, 0)
    confinement.die_with_parent(zygote)
    _redirect_streams(pipe, request.stderr)
    # Built in advance, because there may be no memory left when it is needed.
    no_memory = _error_frame(MemoryLimit("out of memory"))
    allowance: Allowance | None = None
    try:
        allowance = allowance_under(request.limits.memory_bytes)
        _apply_limits(request, allowance)
        _run(request, allowance)
    except MemoryError:
        _write(no_memory)
    except BaseException as exc:  # noqa: BLE001 -- serialized as a typed error, then the process ends
        try:
            last = _error_frame(_translated(exc, allowance))
        except MemoryError:
            last = no_memory
        _write(last)
    os._exit(0)


def _redirect_streams(pipe: int, stderr: Path) -> None:
    """Redirect the standard streams to /dev/null (errors to a file that is read after a crash), and close
    everything but the pipe.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    errors = os.open(stderr, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    # All are first copied above the standard descriptors: any of the targets may be a source.
    spare = [os.dup(descriptor) for descriptor in (nowhere, nowhere, errors, pipe)]
    while min(spare) <= PIPE:
        spare = [os.dup(descriptor) for descriptor in spare]
    for target, source in enumerate(spare):
        os.dup2(source, target, inheritable=False)
    os.closerange(PIPE + 1, max(int(name) for name in os.listdir("/proc/self/fd")) + 1)


def _apply_limits(request: Request, allowance: Allowance) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    # If the machine runs out of memory, the kernel should kill this process, not the worker; if /proc is
    # read-only, its default applies.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    os.umask(0o077)
    os.chdir(request.folder)
    os.environ["TMPDIR"] = str(request.private)
    tempfile.tempdir = None
    map_large_blocks(allowance)
    confinement.set_limits(request.limits, allowance.refused_bytes)
    confinement.confine((request.private, request.folder), allowance.block_bytes)


def _run(request: Request, allowance: Allowance) -> None:
    _start_timer(request.limits)
    items = _resolve(request.function)(**request.arguments)
    for item in items:
        frame = wire.frame(wire.ITEM, item)
        _check(allowance)
        _write(frame)
        _start_timer(request.limits)
    _check(allowance)
    _write(wire.frame(wire.DONE, None))


def _check(allowance: Allowance) -> None:
    """No result is better than an incomplete one after a failed allocation."""
    if allowance.is_exceeded:
        raise MemoryLimit(f"exceeded the memory limit of {allowance.limit_bytes >> 20} MiB")


def _start_timer(limits: Limits) -> None:
    """SIGPROF kills the process when the step or the call has used its CPU budget; works inside C
    code too.
    """
    left = max(limits.cpu_seconds - time.process_time(), 0.001)
    if limits.step_cpu_seconds is not None:
        left = min(left, limits.step_cpu_seconds)
    signal.setitimer(signal.ITIMER_PROF, left)


def _resolve(function: str) -> Callable[..., Iterator[JSON]]:
    module, _, name = function.partition(":")
    resolved: Callable[..., Iterator[JSON]] = getattr(importlib.import_module(module), name)
    return resolved


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(PIPE, view) :]


def _translated(exc: BaseException, allowance: Allowance | None = None) -> DocpipeError:
    """The typed error of an exception, considering its causes.

    If the memory limit was exceeded, every failure may result from that.
    """
    chain: list[BaseException] = []
    cause: BaseException | None = exc
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    text = "".join(traceback.format_exception(exc))[-_TEXT_CHARACTERS_MAX:]
    for link in chain:
        error_number = link.errno if isinstance(link, OSError) else None
        if isinstance(link, MemoryError) or error_number == errno.ENOMEM or _NO_MEMORY.search(str(link)):
            return _noted(MemoryLimit(f"out of memory: {link}"), text)
        if error_number in _DISK_FULL:
            return _noted(DiskLimit(f"a file could not be written: {link}"), text)
    if allowance is not None and allowance.is_exceeded:
        return _noted(MemoryLimit(f"probably out of memory: {exc}"), text)
    if isinstance(exc, DocpipeError):
        return _noted(exc, text)
    if isinstance(exc, wire.FrameTooLarge):
        return _noted(OutputTooLarge(str(exc)), text)
    return InternalError(text)


def _noted(error: DocpipeError, text: str) -> DocpipeError:
    error.add_note(text)
    return error


def _error_frame(error: DocpipeError) -> bytes:
    notes = [note for note in getattr(error, "__notes__", ()) if isinstance(note, str)]
    body = {
        "class": type(error).__name__,
        "code": error.full_code,
        "message": error.message[-_TEXT_CHARACTERS_MAX:],
        "attributes": {name: value for name, value in vars(error).items() if _is_serializable(name, value)},
        "notes": [note[-_TEXT_CHARACTERS_MAX:] for note in notes],
    }
    return wire.frame(wire.ERROR, body)


def _is_serializable(name: str, value: object) -> bool:
    if name == "message" or name.startswith("_"):
        return False
    try:
        return len(wire.to_json(value)) <= _ATTRIBUTE_BYTES_MAX
    except (TypeError, ValueError, RecursionError):
        return False
