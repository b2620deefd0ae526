"""The caller's side of one call: its items as they arrive, then its result."""

import json
import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from docpipe_assets.errors import Crashed, DocpipeError, EngineError, OutputTooLarge, WallTimeout
from docpipe_assets.sandbox import verdict, wire
from docpipe_assets.sandbox.folders import remove_tree
from docpipe_assets.sandbox.limits import Limits, Usage
from docpipe_assets.sandbox.verdict import ChildExit
from docpipe_assets.sandbox.wire import JSON

_READ_BYTES = 65_536
# A dying child closes its pipe shortly before it exits; killing it in between would hide the cause
# of its death.
_GRACE_SECONDS = 0.5
_REAP_SECONDS = 30.0


class Call:
    """Reads the frames of a child and ends it; owns both descriptors and the folder."""

    def __init__(
        self, function: str, limits: Limits, pipe: int, leash: socket.socket, private: Path, stderr: Path
    ) -> None:
        self._owner = os.getpid()
        self._function = function
        self._limits = limits
        self._pipe = pipe
        self._leash = leash
        self._private = private
        self._stderr = stderr
        self._child_exit: ChildExit | None = None
        self._is_collected = False
        self._items = 0
        self._output_bytes = 0
        self._waited_seconds = 0.0

    def items(self) -> Iterator[JSON]:
        """The items one by one; raises the typed error of a call that did not succeed."""
        reader = wire.FrameReader()
        while chunk := self._read():
            try:
                for kind, value in reader.feed(chunk):
                    if kind == wire.DONE:
                        return
                    if kind == wire.ERROR:
                        raise verdict.deserialize_error(value, self._what)
                    self._items += 1
                    yield value
            except wire.BadFrame as exc:
                raise Crashed(f"{self._what}: the parser sent invalid data: {exc}", signal.SIGKILL) from exc
        raise self._child_error()

    @property
    def usage(self) -> Usage:
        return Usage(
            calls=1,
            child_cpu_seconds=self._child_exit.cpu_seconds if self._child_exit else 0.0,
            waited_seconds=self._waited_seconds,
            output_bytes=self._output_bytes,
            peak_rss_bytes=self._child_exit.peak_rss_bytes if self._child_exit else 0,
        )

    def end(self) -> None:
        """Kill the child if it is alive, wait for its exit, and delete its files."""
        os.close(self._pipe)
        if os.getpid() != self._owner:
            # A fork of the worker only closes its copies; the call belongs to the worker.
            self._leash.close()
            return
        self._collect(grace_seconds=0.0)
        self._leash.close()
        remove_tree(self._private)
        self._stderr.unlink(missing_ok=True)

    @property
    def _what(self) -> str:
        return f"{self._function}, item {self._items + 1}"

    def _read(self) -> bytes:
        """The next bytes, or none if the child has closed its end.

        Both limits are checked on every read, so that continuous output cannot prevent either from taking
        effect.
        """
        left = self._limits.wall_seconds - self._waited_seconds
        started = time.monotonic()
        is_ready = _wait_readable(self._pipe, max(left, 0.0))
        chunk = os.read(self._pipe, _READ_BYTES) if is_ready else b""
        self._waited_seconds += time.monotonic() - started
        if not is_ready or self._waited_seconds > self._limits.wall_seconds:
            raise WallTimeout(f"{self._what}: not finished after {self._limits.wall_seconds:g} seconds")
        self._output_bytes += len(chunk)
        if self._output_bytes > self._limits.output_bytes:
            raise OutputTooLarge(f"{self._what}: returned more than {self._limits.output_bytes} bytes")
        return chunk

    def _child_error(self) -> DocpipeError:
        refusal = self._collect(_GRACE_SECONDS)
        if refusal:
            return EngineError(f"{self._what}: can't start a process: {refusal}; try again")
        if self._child_exit is None or self._child_exit.killed_for == "closing":
            return verdict.zygote_lost(self._what)
        return verdict.error_from_exit(
            self._child_exit, self._limits, self._what, verdict.stderr_tail(self._stderr)
        )

    def _collect(self, grace_seconds: float) -> str | None:
        """Wait for the report of the child's exit; kill it first if it does not exit in time.

        Returns the reason if no child was started.
        """
        if self._is_collected:
            return None
        self._is_collected = True
        if not _wait_readable(self._leash.fileno(), grace_seconds):
            with suppress(OSError):
                self._leash.sendall(b"k")
        report = bytearray()
        deadline = time.monotonic() + _REAP_SECONDS
        while _wait_readable(self._leash.fileno(), max(deadline - time.monotonic(), 0.0)):
            try:
                chunk = self._leash.recv(_READ_BYTES)
            except ConnectionError:
                break
            if not chunk:
                break
            report += chunk
        body = json.loads(report) if report else {}
        if "refused" in body:
            return str(body["refused"])
        self._child_exit = ChildExit(**body) if body else None
        return None


def _wait_readable(descriptor: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
