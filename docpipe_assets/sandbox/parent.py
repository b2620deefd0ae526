"""The worker's side: starts the zygote at first use and opens calls in it."""

import dataclasses
import itertools
import os
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from docpipe_assets.errors import EngineError
from docpipe_assets.sandbox import control, folders
from docpipe_assets.sandbox.call import Call
from docpipe_assets.sandbox.limits import Limits, Usage
from docpipe_assets.sandbox.wire import JSON

_ZYGOTE_MODULE = "docpipe_assets.sandbox.zygote"
_START_SECONDS = 120.0
_STOP_SECONDS = 10.0


class Sandbox:
    """Runs generator functions on untrusted bytes in capped child processes.

    ``preload`` lists modules that every child finds already imported: ``package.module`` or
    ``package.module:function``, which is then called once. No process is started before the first call; a
    dead zygote is replaced at the next one. Calls may overlap, also from several threads. A forked copy of
    the worker starts a zygote of its own.
    """

    def __init__(self, *, preload: Sequence[str] = (), scratch: Path, name: str = "pdf") -> None:
        self._preload = tuple(preload)
        self._scratch = scratch.absolute()
        self._name = name
        self._zygote: _ZygoteProcess | None = None
        self._lock = threading.Lock()
        self.usage = Usage()
        """Total usage of all ended calls."""
        self.last_usage = Usage()
        """Usage of the last ended call."""
        folders.sweep_folders(self._scratch)

    def stream(
        self,
        function: str,
        arguments: Mapping[str, JSON],
        limits: Limits,
        *,
        folder: Path | None = None,
    ) -> Iterator[JSON]:
        """Call the generator function ``package.module:name`` and yield its items as they arrive.

        The child works in ``folder`` (the caller's, kept; None: one of its own, deleted with the call) and
        can write nowhere else. It starts when the first item is requested, blocks on the pipe while no items
        are read, and is dead when the iterator is exhausted, closed or has raised: ``Crashed``, a
        ``ResourceError``, ``EngineError`` if the sandbox itself failed, the typed error that the function
        raised, or ``InternalError`` with the traceback for any other.
        """
        call = self._open(function, arguments, limits, folder)
        try:
            yield from call.items()
        finally:
            call.end()
            with self._lock:
                self.last_usage = call.usage
                self.usage += call.usage

    @property
    def confinement(self) -> tuple[str, ...]:
        """The active confinements: ``limits`` always, ``seccomp`` and ``landlock`` if supported."""
        with self._lock:
            return self._living_zygote().confinement

    def close(self) -> None:
        """End the zygote and every call in it; the sandbox may be used again."""
        with self._lock:
            zygote, self._zygote = self._zygote, None
        if zygote:
            zygote.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _open(
        self, function: str, arguments: Mapping[str, JSON], limits: Limits, folder: Path | None
    ) -> Call:
        with self._lock:
            try:
                try:
                    return self._living_zygote().open(function, arguments, limits, folder)
                except ConnectionError:
                    # It died between the check and the request.
                    if self._zygote:
                        self._zygote.stop()
                    return self._living_zygote().open(function, arguments, limits, folder)
            except OSError as exc:
                raise EngineError(
                    f"{function}: the sandbox can't start a child ({exc}); check {self._scratch} and the "
                    "worker's limits of processes and open files"
                ) from exc

    def _living_zygote(self) -> "_ZygoteProcess":
        if self._zygote and self._zygote.is_inherited:
            self._zygote = None
        if self._zygote and not self._zygote.is_alive:
            self._zygote.stop()
            self._zygote = None
        if self._zygote is None:
            self._zygote = _ZygoteProcess(self._preload, self._scratch, self._name)
        return self._zygote


class _ZygoteProcess:
    """The running zygote, its socket, and its folder."""

    def __init__(self, preload: Sequence[str], scratch: Path, name: str) -> None:
        self._owner = os.getpid()
        self._numbers = itertools.count(1)
        self.folder, lock = folders.claim_folder(scratch, name)
        path = [os.path.abspath(entry) for entry in sys.path]
        self._control, theirs = socket.socketpair()
        with theirs:
            arguments = [str(theirs.fileno()), str(self._owner)]
            self._process = subprocess.Popen(
                [sys.executable, *_interpreter_flags(), "-m", _ZYGOTE_MODULE, *arguments],
                # The only way to pass the module path to Python; the zygote removes it.
                env={"PYTHONPATH": os.pathsep.join(path)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._finalizer = weakref.finalize(
            self, _stop, self._owner, self._process, self._control, self.folder, lock
        )
        self.confinement = self._handshake(preload, path)

    def _handshake(self, preload: Sequence[str], path: Sequence[str]) -> tuple[str, ...]:
        handshake = {"preload": list(preload), "path": list(path), "folder": str(self.folder)}
        self._control.settimeout(_START_SECONDS)
        try:
            control.send(self._control, handshake)
            answer, _ = control.receive(self._control)
        except OSError as exc:
            self.stop()
            raise EngineError(
                f"the zygote of the sandbox did not start ({exc}); see the standard error of the worker"
            ) from exc
        if "failure" in answer:
            self.stop()
            raise EngineError(f"the sandbox can't preload {', '.join(preload)}:\n{answer['failure']}")
        return tuple(answer["confinement"])

    @property
    def is_inherited(self) -> bool:
        """Whether this object was inherited by a fork; the zygote then belongs to another process."""
        return os.getpid() != self._owner

    @property
    def is_alive(self) -> bool:
        return self._finalizer.alive and self._process.poll() is None

    def open(self, function: str, arguments: Mapping[str, JSON], limits: Limits, folder: Path | None) -> Call:
        """Request a child. Raises ``ConnectionError`` if the zygote is dead."""
        private = self.folder / str(next(self._numbers))
        stderr = private.with_suffix(".stderr")
        private.mkdir(mode=0o700)
        request = {
            "function": function,
            "arguments": dict(arguments),
            "limits": dataclasses.asdict(limits),
            "private": str(private),
            "folder": str(folder.absolute() if folder else private),
            "stderr": str(stderr),
        }
        pipe, their_pipe = os.pipe()
        leash, their_leash = socket.socketpair()
        with their_leash:
            try:
                control.send(self._control, request, [their_pipe, their_leash.fileno()])
            except BaseException:
                os.close(pipe)
                leash.close()
                folders.remove_tree(private)
                raise
            finally:
                os.close(their_pipe)
        return Call(function, limits, pipe, leash, private, stderr)

    def stop(self) -> None:
        self._finalizer()


def _interpreter_flags() -> list[str]:
    flags = ["-P", "-s", "-X", "utf8"]
    return [*flags, "-B"] if sys.dont_write_bytecode else flags


def _stop(
    owner: int, process: subprocess.Popen[bytes], connection: socket.socket, folder: Path, lock: int
) -> None:
    """Close the socket, which ends the zygote and its children; kill it if that takes too long."""
    connection.close()
    if os.getpid() == owner:
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        folders.remove_tree(folder)
    with suppress(OSError):
        os.close(lock)
