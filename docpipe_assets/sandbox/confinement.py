"""What a child may no longer do: Linux limits, capabilities, system calls and places to write.

The resource limits always hold. The rest is taken where the kernel offers it, needs no
privilege, and also binds a child of root, whom RLIMIT_NPROC alone would not: a system call
filter (seccomp) refuses new processes, programs, sockets and signals to others; Landlock
leaves only the child's own folders to write in; all capabilities are dropped. The user
stays the same, so that the child can read the worker's private files it is told to read.
"""

import ctypes
import errno
import math
import os
import platform
import resource
import struct
from collections.abc import Sequence
from pathlib import Path

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

# System call numbers: (audit architecture, {name: number}).
_ARCHITECTURES: dict[str, tuple[int, dict[str, int]]] = {
    "x86_64": (
        0xC000003E,
        {"fork": 57, "vfork": 58, "clone": 56, "clone3": 435, "execve": 59, "execveat": 322}
        | {"socket": 41, "setpgid": 109, "setsid": 112, "ptrace": 101, "mount": 165, "unshare": 272}
        | {"setns": 308, "bpf": 321, "add_key": 248, "request_key": 249, "keyctl": 250, "shmget": 29}
        | {"perf_event_open": 298, "userfaultfd": 323, "memfd_create": 319, "io_uring_setup": 425}
        | {"process_vm_readv": 310, "process_vm_writev": 311, "rt_sigqueueinfo": 129}
        | {"rt_tgsigqueueinfo": 297, "pidfd_open": 434, "pidfd_send_signal": 424, "pidfd_getfd": 438}
        | {"kill": 62, "tkill": 200, "tgkill": 234, "mmap": 9, "capset": 126},
    ),
    "aarch64": (
        0xC00000B7,
        {"clone": 220, "clone3": 435, "execve": 221, "execveat": 281}
        | {"socket": 198, "setpgid": 154, "setsid": 157, "ptrace": 117, "mount": 40, "unshare": 97}
        | {"setns": 268, "bpf": 280, "add_key": 217, "request_key": 218, "keyctl": 219, "shmget": 194}
        | {"perf_event_open": 241, "userfaultfd": 282, "memfd_create": 279, "io_uring_setup": 425}
        | {"process_vm_readv": 270, "process_vm_writev": 271, "rt_sigqueueinfo": 138}
        | {"rt_tgsigqueueinfo": 240, "pidfd_open": 434, "pidfd_send_signal": 424, "pidfd_getfd": 438}
        | {"kill": 129, "tkill": 130, "tgkill": 131, "mmap": 222, "capset": 91},
    ),
}
_SIGNALS = ("kill", "tkill", "tgkill")
_NEW_PROCESS = ("fork", "vfork", "clone", "clone3")

_LIBC = ctypes.CDLL(None, use_errno=True)


def supported() -> tuple[str, ...]:
    """The confinements that this kernel grants, for the record."""
    found = ["limits"]
    if platform.machine() in _ARCHITECTURES and _LIBC.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) >= 0:
        found.append("seccomp")
    if _landlock_version() > 0:
        found.append("landlock")
    return tuple(found)


def die_with_parent(parent: int) -> None:
    """Be killed when the parent is. Only for a parent of one thread: the kernel watches the thread."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent died, so that they can be found and killed."""
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def set_limits(limits: Limits) -> None:
    # The kernel counts whole seconds here; the exact limit is the profiling timer's, and this
    # one stands behind it should the child disarm that.
    cpu_seconds = math.ceil(limits.cpu_seconds) + 1
    for name, soft, hard in (
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES_MAX, OPEN_FILES_MAX),
        (resource.RLIMIT_FSIZE, limits.file_bytes, limits.file_bytes),
        (resource.RLIMIT_DATA, limits.memory_bytes, limits.memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1),
        (resource.RLIMIT_NPROC, 0, 0),
        (resource.RLIMIT_MEMLOCK, 0, 0),
    ):
        ceiling = resource.getrlimit(name)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        resource.setrlimit(name, (soft, hard))


def confine(writable: Sequence[Path]) -> None:
    """Give up privileges, every place to write but ``writable``, and dangerous system calls."""
    _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if platform.machine() not in _ARCHITECTURES:
        return
    _restrict_writing(writable)
    _drop_capabilities()
    _filter_system_calls()


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
    number = _ARCHITECTURES[platform.machine()][1]["capset"]
    version_3 = 0x20080522
    _LIBC.syscall(number, struct.pack("=Ii", version_3, 0), bytes(24))


def _filter_system_calls() -> None:
    program = _filter_program(os.getpid())
    instructions = ctypes.create_string_buffer(b"".join(program), len(program) * 8)
    header = struct.pack("HxxxxxxP", len(program), ctypes.addressof(instructions))
    _LIBC.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0)


def _filter_program(own_pid: int) -> list[bytes]:
    """The filter as classic BPF. A refused call fails with an error number; nobody is killed."""
    architecture, numbers = _ARCHITECTURES[platform.machine()]

    def instruction(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("=HBBI", code, if_true, if_false, operand)

    def load(offset: int) -> bytes:
        return instruction(0x20, offset)

    def equals(value: int, otherwise_skip: int) -> bytes:
        return instruction(0x15, value, 0, otherwise_skip)

    def refuse(error_number: int) -> bytes:
        return instruction(0x06, 0x00050000 | error_number)

    allow = instruction(0x06, 0x7FFF0000)
    number_at, architecture_at, first_argument_at, fourth_argument_at = 0, 4, 16, 40
    shared_anonymous = 0x21
    program = [load(architecture_at), instruction(0x15, architecture, 1, 0), refuse(errno.EPERM)]
    # Numbers from 2**30 on are x86's second table of the same calls.
    program += [load(number_at), instruction(0x35, 0x40000000, 0, 1), refuse(errno.EPERM)]
    for name, number in numbers.items():
        if name in _SIGNALS:
            program += [equals(number, 4), load(first_argument_at), equals(own_pid, 1)]
            program += [allow, refuse(errno.EPERM)]
        elif name == "mmap":
            # RLIMIT_DATA does not count shared anonymous memory.
            program += [equals(number, 5), load(fourth_argument_at), instruction(0x54, shared_anonymous)]
            program += [equals(shared_anonymous, 1), refuse(errno.EPERM), allow]
        else:
            program += [
                equals(number, 1),
                refuse(errno.EAGAIN if name in _NEW_PROCESS else errno.EPERM),
            ]
    return [*program, allow]
