"""The process that imports the parsers once and forks a child per call.

It is single-threaded, because only then a fork is safe and children can die with it; it runs no code on
untrusted bytes itself. It ends, with every child, when its worker closes the control socket or dies.
"""

import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from docpipe_assets.sandbox import child, confinement, control, folders
from docpipe_assets.sandbox.limits import Limits

# Libraries that start threads at import would make the fork unsafe; these settings prevent the usual ones.
THREAD_SETTINGS = {"OMP_NUM_THREADS": "1", "OMP_THREAD_LIMIT": "1", "OPENBLAS_NUM_THREADS": "1"}

_SAMPLE_SECONDS = 0.1
_IDLE_SECONDS = 1.0
_SAMPLES_PER_SIZING = 5


@dataclass
class Running:
    """A running child; its caller ends it through the leash, and so does the caller's death."""

    pid: int
    pidfd: int
    leash: socket.socket
    request: child.Request
    memory_kills_before: int
    rss_before_bytes: int
    data_before_bytes: int
    peak_data_bytes: int = 0
    killed_for: str | None = None


class Zygote:
    def __init__(self, connection: socket.socket, worker: int) -> None:
        self._control = connection
        self._worker = worker
        self._children: dict[int, Running] = {}
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)
        self._samples = 0

    def serve(self) -> None:
        """Fork, monitor and reap children until the worker is gone."""
        try:
            while self._serve_once():
                pass
        finally:
            for running in list(self._children.values()):
                self._kill(running, "closing")
                self._reap(running)

    def _serve_once(self) -> bool:
        wait_seconds = _SAMPLE_SECONDS if self._children else _IDLE_SECONDS
        ready = {descriptor for descriptor, _ in self._poll.poll(wait_seconds * 1000)}
        # Other children of the worker may keep its end of the socket open; its death then shows as a
        # changed parent process.
        if os.getppid() != self._worker:
            return False
        for running in list(self._children.values()):
            if running.pidfd in ready:
                self._reap(running)
            elif running.leash.fileno() in ready:
                self._kill(running, "leash")
        self._sample()
        if self._control.fileno() in ready:
            self._accept()
        return True

    def _accept(self) -> None:
        """Receive one request and fork for it. Raises ``ConnectionError`` if the worker is gone."""
        body, descriptors = control.receive(self._control)
        pipe, leash = descriptors[0], socket.socket(fileno=descriptors[1])
        request = child.Request(
            function=body["function"],
            arguments=body["arguments"],
            limits=Limits(**body["limits"]),
            private=Path(body["private"]),
            folder=Path(body["folder"]),
            stderr=Path(body["stderr"]),
        )
        zygote = os.getpid()
        memory_kills = memory_kill_count()
        try:
            pid = os.fork()
        except OSError as exc:
            with leash:
                os.close(pipe)
                leash.sendall(json.dumps({"refused": str(exc)}).encode())
            return
        if pid == 0:
            try:
                child.run(request, pipe, zygote)
            finally:
                os._exit(70)
        os.close(pipe)
        with suppress(OSError):
            os.setpgid(pid, pid)
        # A child that is dead already has no values; those of its parent are close enough.
        rss, data = next(filter(any, map(rss_and_data_bytes, (pid, zygote))))
        running = Running(pid, os.pidfd_open(pid), leash, request, memory_kills, rss, data)
        self._children[pid] = running
        self._poll.register(running.pidfd, select.POLLIN)
        self._poll.register(leash, select.POLLIN)

    def _kill(self, running: Running, reason: str) -> None:
        running.killed_for = running.killed_for or reason
        with suppress(KeyError):
            self._poll.unregister(running.leash)
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)

    def _reap(self, running: Running) -> None:
        """Kill the remaining processes of the child's group, reap it, and report its exit to the caller."""
        self._poll.unregister(running.pidfd)
        with suppress(KeyError):
            self._poll.unregister(running.leash)
        # The leader is dead but not reaped, so the group ID is not reused yet.
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        _, wait_status, usage = os.wait4(running.pid, 0)
        os.close(running.pidfd)
        del self._children[running.pid]
        reap_orphans(set(self._children))
        child_exit = {
            "wait_status": wait_status,
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "peak_rss_bytes": usage.ru_maxrss * 1024,
            "peak_data_bytes": running.peak_data_bytes,
            "rss_before_bytes": running.rss_before_bytes,
            "data_before_bytes": running.data_before_bytes,
            "killed_for": running.killed_for,
            "memory_kills": memory_kill_count() - running.memory_kills_before,
        }
        with suppress(OSError):
            running.leash.sendall(json.dumps(child_exit).encode())
        running.leash.close()

    def _sample(self) -> None:
        """Record each child's data size, and kill a child whose data or files exceed their limit."""
        if not self._children:
            return
        self._samples += 1
        for running in self._children.values():
            _, data = rss_and_data_bytes(running.pid)
            running.peak_data_bytes = max(running.peak_data_bytes, data)
            if data > running.request.limits.memory_bytes:
                self._kill(running, "memory")
            if self._samples % _SAMPLES_PER_SIZING == 0 and self._has_outgrown(running.request):
                self._kill(running, "disk")

    def _has_outgrown(self, request: child.Request) -> bool:
        places = {request.private, request.folder}
        return sum(folders.size_of_tree(place) for place in places) > request.limits.file_bytes


def reap_orphans(known: set[int]) -> None:
    """Kill and reap descendants that left their group and were inherited from a dead child."""
    while True:
        orphans = child_processes() - known
        if not orphans:
            return
        for pid in orphans:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)


def child_processes() -> set[int]:
    me = os.getpid()
    try:
        return {int(pid) for pid in Path(f"/proc/self/task/{me}/children").read_text().split()}
    except FileNotFoundError:
        return set()


def rss_and_data_bytes(pid: int) -> tuple[int, int]:
    try:
        fields = Path(f"/proc/{pid}/statm").read_bytes().split()
        return int(fields[1]) * resource.getpagesize(), int(fields[5]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0, 0


def memory_kill_count() -> int:
    """Number of out-of-memory kills by the kernel of this machine."""
    for line in Path("/proc/vmstat").read_bytes().splitlines():
        if line.startswith(b"oom_kill "):
            return int(line.split()[1])
    return 0


def preload(names: list[str]) -> None:
    """Import ``package.module``, or import it and call ``package.module:function``."""
    for name in names:
        module, _, function = name.partition(":")
        loaded = importlib.import_module(module)
        if function:
            getattr(loaded, function)()
    threads = len(os.listdir("/proc/self/task"))
    if threads > 1:
        raise RuntimeError(
            f"preloading {', '.join(names)} left {threads} threads running; a process with threads "
            "can't be forked safely, import the module that starts them inside the child instead"
        )


def main() -> None:
    connection = socket.socket(fileno=int(sys.argv[1]))
    worker = int(sys.argv[2])
    handshake, _ = control.receive(connection)
    os.environ.clear()
    os.environ.update(THREAD_SETTINGS)
    sys.path[:] = handshake["path"]
    confinement.adopt_orphans()
    answer: dict[str, object] = {"confinement": confinement.supported()}
    try:
        preload(handshake["preload"])
    except Exception:  # noqa: BLE001 -- reported to the worker, which raises it
        answer["failure"] = traceback.format_exc()
    # Otherwise the garbage collector would write to, and so copy, every page shared with the children.
    gc.collect()
    gc.freeze()
    # The worker closes the socket when it no longer needs this process.
    with suppress(ConnectionError):
        control.send(connection, answer)
        Zygote(connection, worker).serve()
    folders.remove_tree(Path(handshake["folder"]))


if __name__ == "__main__":
    main()
