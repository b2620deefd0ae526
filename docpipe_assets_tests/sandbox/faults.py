"""Generator functions with one fault each, which tests run inside the sandbox."""

import ctypes
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docpipe_assets.errors import Crashed, PasswordRequired, UnreadablePdf
from docpipe_assets.sandbox import JSON
from docpipe_assets.sandbox.child import PIPE


def counts(items: int) -> Iterator[JSON]:
    """No fault: the normal call that follows every fault."""
    for number in range(1, items + 1):
        yield {"page": number, "text": "ä\ud800 " * number, "box": [0.5, None, True]}


def crashes_on_item(item: int, signal_name: str) -> Iterator[JSON]:
    yield from range(1, item)
    os.kill(os.getpid(), signal.Signals[signal_name])


def reads_null() -> Iterator[JSON]:
    yield ctypes.string_at(0).decode()


def hangs_in_sleep() -> Iterator[JSON]:
    yield 1
    time.sleep(600)


def hangs_in_c_on_item(item: int) -> Iterator[JSON]:
    """A regular expression that backtracks endlessly, without returning to Python code."""
    yield from range(1, item)
    re.match(r"(a+)+$", "a" * 60 + "b")


def spins_a_little(items: int, step_seconds: float) -> Iterator[JSON]:
    for number in range(1, items + 1):
        end = time.process_time() + step_seconds
        while time.process_time() < end:
            pass
        yield number


def exhausts_memory() -> Iterator[JSON]:
    yield 1
    hoard = []
    while True:
        hoard.append(bytearray(10 * 2**20))


def exhausts_memory_with_small_objects() -> Iterator[JSON]:
    yield 1
    hoard: list[object] = []
    while True:
        hoard.append([len(hoard)])


def requests_huge_memory() -> Iterator[JSON]:
    yield len(bytearray(2**40))


def crashes_when_memory_is_refused() -> Iterator[JSON]:
    """What a library does that does not check the result of malloc."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    while True:
        block = libc.malloc(2**20)
        ctypes.memset(block or 0, 1, 2**20)
    yield None


def _allocator() -> Any:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    return libc


def continues_without_a_large_block(mebibytes: int) -> Iterator[JSON]:
    """What a library does that omits an image that it can't decode."""
    yield "blank" if _allocator().malloc(mebibytes * 2**20) is None else "image"


def continues_without_small_blocks() -> Iterator[JSON]:
    """Allocates as much as possible, continues with it, and frees all of it."""
    libc = _allocator()
    blocks = []
    while block := libc.malloc(2**18):
        blocks.append(block)
    for block in blocks:
        libc.free(block)
    yield "half of it"


def exceeds_memory_briefly(mebibytes: int) -> Iterator[JSON]:
    libc = _allocator()
    blocks = [libc.malloc(2**20) for _ in range(mebibytes)]
    for block in blocks:
        libc.free(block)
    yield "all of it" if all(blocks) else "half of it"


def aborts_like_cpp() -> Iterator[JSON]:
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.abort()
    yield None


def wraps_a_failed_allocation() -> Iterator[JSON]:
    try:
        raise RuntimeError("code=2: malloc (9999999999 bytes) failed")
    except RuntimeError as exc:
        raise UnreadablePdf("it cannot be read") from exc
    yield None


def maps_shared_memory() -> Iterator[JSON]:
    import mmap

    yield len(mmap.mmap(-1, 2**20))


def writes_a_huge_file() -> Iterator[JSON]:
    yield 1
    with open("huge", "wb") as file:
        while True:
            file.write(bytes(2**20))
            file.flush()


def writes_many_files() -> Iterator[JSON]:
    yield 1
    number = 0
    while True:
        number += 1
        Path(f"part-{number}").write_bytes(bytes(2**18))
        time.sleep(0.01)


def leaves_files(names: list[str]) -> Iterator[JSON]:
    for name in names:
        Path(name).write_text(name)
        yield name


def leaves_folders_that_resist_removal() -> Iterator[JSON]:
    here = Path.cwd()
    for _ in range(3000):
        os.mkdir("nested")
        os.chdir("nested")
    os.chdir(here)
    (here / "locked").mkdir()
    (here / "locked" / "file").touch()
    (here / "locked").chmod(0)
    os.symlink("/", here / "root")
    yield str(here)


def writes_outside(place: str) -> Iterator[JSON]:
    Path(place).write_text("escaped")
    yield "escaped"


def floods_output() -> Iterator[JSON]:
    while True:
        yield "x" * 100_000


def floods_small_items() -> Iterator[JSON]:
    while True:
        yield 1


def yields_one_large_item(characters: int) -> Iterator[JSON]:
    yield "x" * characters


def bombs_forks() -> Iterator[JSON]:
    while True:
        os.fork()
    yield None


def leaves_a_grandchild() -> Iterator[JSON]:
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
    yield "left"


def starts_a_program() -> Iterator[JSON]:
    os.execv("/bin/sleep", ["sleep", "600"])
    yield None


def opens_a_socket() -> Iterator[JSON]:
    socket.socket()
    yield None


def kills(pid: int) -> Iterator[JSON]:
    os.kill(pid, signal.SIGKILL)
    yield "killed"


def raises_typed() -> Iterator[JSON]:
    yield 1
    error = PasswordRequired("a.pdf: needs a password; ask for a copy without one")
    error.page = 7  # type: ignore[attr-defined]  # unknown to the class
    error.is_retryable = True  # type: ignore[misc]  # of this one alone
    raise error


def raises_crashed() -> Iterator[JSON]:
    raise Crashed("the second engine died too", signal.SIGBUS)
    yield None


def raises_plain() -> Iterator[JSON]:
    yield 1
    raise ZeroDivisionError("by nothing")


def raises_not_a_number() -> Iterator[JSON]:
    yield float("nan")


def exits(status: int) -> Iterator[JSON]:
    yield 1
    os._exit(status)


def closes_its_pipe() -> Iterator[JSON]:
    yield 1
    os.close(PIPE)
    time.sleep(600)


def sends(data: str, times: int = 1) -> Iterator[JSON]:
    """Raw bytes, written without the protocol."""
    for _ in range(times):
        os.write(PIPE, data.encode("latin-1"))
    time.sleep(600)
    yield None


def writes_to_standard_streams() -> Iterator[JSON]:
    for _ in range(100):
        os.write(1, b"x" * 10_000)
        os.write(2, b"y" * 1_000)
    print("z" * 100_000, flush=True)
    yield "done"


def inspects_itself() -> Iterator[JSON]:
    seen: dict[str, Any] = {
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "descriptors": sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1],
        "pid": os.getpid(),
        "parent": os.getppid(),
        "group": os.getpgid(0),
        "modules": sorted(set(sys.modules) & {"pymupdf", "pypdfium2", "dagster", "wave"}),
        "threads": len(os.listdir("/proc/self/task")),
    }
    yield seen


def reports_pid_then_works_on(marks: str) -> Iterator[JSON]:
    """Records its progress in a file, so that a test can detect whether it is blocked."""
    yield os.getpid()
    number = 0
    while True:
        number += 1
        Path(marks).write_text(str(number))
        yield "x" * 50_000


def disarms_its_timer_and_spins() -> Iterator[JSON]:
    yield 1
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, signal.SIG_IGN)
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while True:
        pass


def start_a_thread() -> None:
    """Not a call: a library that does this must not be preloaded."""
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
