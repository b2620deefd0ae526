"""Confines a child: resource limits, capabilities, system calls and writable folders (Linux).

The resource limits always apply. The rest applies if the kernel supports it, needs no privilege, and also
confines a child of root, for which RLIMIT_NPROC alone has no effect: a system call filter (seccomp) rejects
new processes, programs, sockets and signals to others; Landlock limits writing to the child's own folders;
all capabilities are dropped. The user stays the same, so that the child can read the private files of the
worker that it needs.
"""

import ctypes
import math
import os
import platform
import resource
import struct
from collections.abc import Sequence
from pathlib import Path

from docpipe_assets.sandbox import call_filter
from docpipe_assets.sandbox.limits import Limits

OPEN_FILES_MAX = 64

_PR_SET_PDEATHSIG = 1
_PR_GET_SECCOMP = 21
_PR_SET_SECCOMP = 22
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_MODE_FILTER = 2

_LANDLOCK_CREATE, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT = 444, 445, 446
_WRITE_FILE = 1 << 1
_REMOVE_AND_MAKE = sum(1 << bit for bit in range(4, 13))
_MAKE_DEVICES_AND_SOCKETS = 1 << 6 | 1 << 9 | 1 << 11
_REFER, _TRUNCATE = 1 << 13, 1 << 14

_LIBC = ctypes.CDLL(None, use_errno=True)


def supported() -> tuple[str, ...]:
    """The confinements that this kernel supports."""
    found = ["limits"]
    if platform.machine() in call_filter.ARCHITECTURES and _LIBC.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) >= 0:
        found.append("seccomp")
    if _landlock_version() > 0:
        found.append("landlock")
    return tuple(found)


def die_with_parent(parent: int) -> None:
    """Be killed when the parent dies. Only for a single-threaded parent: the kernel watches the thread."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent died, so that they can be found and killed."""
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def set_limits(limits: Limits, data_bytes: int) -> None:
    # The kernel counts whole seconds here; the profiling timer enforces the exact limit, and this one is
    # the fallback if the child disarms the timer.
    cpu_seconds = math.ceil(limits.cpu_seconds) + 1
    for name, soft, hard in (
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES_MAX, OPEN_FILES_MAX),
        (resource.RLIMIT_FSIZE, limits.file_bytes, limits.file_bytes),
        (resource.RLIMIT_DATA, data_bytes, data_bytes),
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1),
        (resource.RLIMIT_NPROC, 0, 0),
        (resource.RLIMIT_MEMLOCK, 0, 0),
    ):
        ceiling = resource.getrlimit(name)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        resource.setrlimit(name, (soft, hard))


def confine(writable: Sequence[Path], block_bytes: int) -> None:
    """Drop privileges, write access outside ``writable``, and dangerous system calls.

    Mapping ``block_bytes`` or more writable memory at once is killed by SIGSYS.
    """
    _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if platform.machine() not in call_filter.ARCHITECTURES:
        return
    _restrict_writing(writable)
    _drop_capabilities()
    _filter_system_calls(block_bytes)


def _landlock_version() -> int:
    version: int = _LIBC.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    return version


def _restrict_writing(writable: Sequence[Path]) -> None:
    version = _landlock_version()
    if version < 1:
        return
    handled = _WRITE_FILE | _REMOVE_AND_MAKE
    handled |= _REFER if version >= 2 else 0
    handled |= _TRUNCATE if version >= 3 else 0
    ruleset = _LIBC.syscall(_LANDLOCK_CREATE, struct.pack("Q", handled), ctypes.c_size_t(8), 0)
    if ruleset < 0:
        return
    rules = [(path, handled & ~_MAKE_DEVICES_AND_SOCKETS) for path in writable]
    rules.append((Path(os.devnull), handled & (_WRITE_FILE | _TRUNCATE)))
    for path, allowed in rules:
        place = os.open(path, os.O_PATH)
        _LIBC.syscall(_LANDLOCK_ADD_RULE, ruleset, 1, struct.pack("=Qi", allowed, place), 0)
        os.close(place)
    _LIBC.syscall(_LANDLOCK_RESTRICT, ruleset, 0)
    os.close(ruleset)


def _drop_capabilities() -> None:
    number = call_filter.ARCHITECTURES[platform.machine()][1]["capset"]
    version_3 = 0x20080522
    _LIBC.syscall(number, struct.pack("=Ii", version_3, 0), bytes(24))


def _filter_system_calls(block_bytes: int) -> None:
    program = call_filter.program(platform.machine(), os.getpid(), block_bytes)
    instructions = ctypes.create_string_buffer(program, len(program))
    header = struct.pack(
        "HxxxxxxP", len(program) // call_filter.INSTRUCTION_BYTES, ctypes.addressof(instructions)
    )
    _LIBC.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0)
