"""The system call filter of a child, as classic BPF.

A rejected call fails with an error number. Only a request for too large a block of memory kills the child: if
it were rejected, the child might continue without it unnoticed (see ``memory``).
"""

import errno
import struct
from collections.abc import Iterator

# System call numbers: (audit architecture, {name: number}).
ARCHITECTURES: dict[str, tuple[int, dict[str, int]]] = {
    "x86_64": (
        0xC000003E,
        {"fork": 57, "vfork": 58, "clone": 56, "clone3": 435, "execve": 59, "execveat": 322}
        | {"socket": 41, "setpgid": 109, "setsid": 112, "ptrace": 101, "mount": 165, "unshare": 272}
        | {"setns": 308, "bpf": 321, "add_key": 248, "request_key": 249, "keyctl": 250, "shmget": 29}
        | {"perf_event_open": 298, "userfaultfd": 323, "memfd_create": 319, "io_uring_setup": 425}
        | {"process_vm_readv": 310, "process_vm_writev": 311, "rt_sigqueueinfo": 129}
        | {"rt_tgsigqueueinfo": 297, "pidfd_open": 434, "pidfd_send_signal": 424, "pidfd_getfd": 438}
        | {"kill": 62, "tkill": 200, "tgkill": 234, "mmap": 9, "mprotect": 10, "mremap": 25, "capset": 126},
    ),
    "aarch64": (
        0xC00000B7,
        {"clone": 220, "clone3": 435, "execve": 221, "execveat": 281}
        | {"socket": 198, "setpgid": 154, "setsid": 157, "ptrace": 117, "mount": 40, "unshare": 97}
        | {"setns": 268, "bpf": 280, "add_key": 217, "request_key": 218, "keyctl": 219, "shmget": 194}
        | {"perf_event_open": 241, "userfaultfd": 282, "memfd_create": 279, "io_uring_setup": 425}
        | {"process_vm_readv": 270, "process_vm_writev": 271, "rt_sigqueueinfo": 138}
        | {"rt_tgsigqueueinfo": 240, "pidfd_open": 434, "pidfd_send_signal": 424, "pidfd_getfd": 438}
        | {
            "kill": 129,
            "tkill": 130,
            "tgkill": 131,
            "mmap": 222,
            "mprotect": 226,
            "mremap": 216,
            "capset": 91,
        },
    ),
}
INSTRUCTION_BYTES = 8

_SIGNALS = ("kill", "tkill", "tgkill")
_NEW_PROCESS = ("fork", "vfork", "clone", "clone3")

_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT, _ARGUMENT_BYTES = 0, 4, 16, 8
_LOAD, _AND, _EQUALS, _EXCEEDS, _REACHES, _RETURN = 0x20, 0x54, 0x15, 0x25, 0x35, 0x06
_PRIVATE, _SHARED_ANONYMOUS, _WRITABLE = 0x02, 0x21, 0x02


def _instruction(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """``if_true`` and ``if_false`` are the numbers of following instructions to skip."""
    return struct.pack("=HBBI", code, if_true, if_false, operand)


_ALLOW = _instruction(_RETURN, 0x7FFF0000)
_KILL = _instruction(_RETURN, 0x80000000)


def program(machine: str, own_pid: int, block_bytes: int) -> bytes:
    """The filter for a process on this kind of machine."""
    architecture, numbers = ARCHITECTURES[machine]
    parts = [
        _instruction(_LOAD, _ARCHITECTURE_AT),
        _instruction(_EQUALS, architecture, 1),
        _refuse(errno.EPERM),
    ]
    # Numbers from 2**30 on are the second x86 table of the same calls.
    parts += [_instruction(_LOAD, _NUMBER_AT), _instruction(_REACHES, 0x40000000, 0, 1), _refuse(errno.EPERM)]
    for name, number in numbers.items():
        rule = list(_rule(name, own_pid, block_bytes))
        parts += [_instruction(_EQUALS, number, 0, len(rule)), *rule]
    return b"".join([*parts, _ALLOW])


def _rule(name: str, own_pid: int, block_bytes: int) -> Iterator[bytes]:
    """The instructions for one call; every path ends with a return."""
    if name in _SIGNALS:
        yield from (_load(0), _instruction(_EQUALS, own_pid, 0, 1), _ALLOW, _refuse(errno.EPERM))
    elif name == "mmap":
        # RLIMIT_DATA does not count shared anonymous memory.
        yield from (_load(3), _instruction(_AND, _SHARED_ANONYMOUS))
        yield from (_instruction(_EQUALS, _SHARED_ANONYMOUS, 0, 1), _refuse(errno.EPERM))
        yield from _allow_without(3, _PRIVATE)
        yield from _allow_without(2, _WRITABLE)
        yield from _kill_if_large(1, block_bytes)
    elif name == "mprotect":
        yield from _allow_without(2, _WRITABLE)
        yield from _kill_if_large(1, block_bytes)
    elif name == "mremap":
        yield from _kill_if_large(2, block_bytes)
    else:
        yield _refuse(errno.EAGAIN if name in _NEW_PROCESS else errno.EPERM)


def _load(argument: int, half: int = 0) -> bytes:
    """Load the lower or the upper half of an argument."""
    return _instruction(_LOAD, _ARGUMENTS_AT + _ARGUMENT_BYTES * argument + 4 * half)


def _refuse(error_number: int) -> bytes:
    return _instruction(_RETURN, 0x00050000 | error_number)


def _allow_without(argument: int, bit: int) -> Iterator[bytes]:
    yield from (_load(argument), _instruction(_AND, bit), _instruction(_EQUALS, 0, 0, 1), _ALLOW)


def _kill_if_large(argument: int, block_bytes: int) -> Iterator[bytes]:
    high, low = divmod(block_bytes, 2**32)
    yield from (_load(argument, 1), _instruction(_EXCEEDS, high, 3), _instruction(_EQUALS, high, 0, 3))
    yield from (_load(argument), _instruction(_REACHES, low, 0, 1), _KILL, _ALLOW)
