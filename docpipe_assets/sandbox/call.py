"""One call as its caller sees it: items while they come, then how it ended."""

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
from docpipe_assets.sandbox.verdict import Ending
from docpipe_assets.sandbox.wire import JSON

_READ_BYTES = 65_536
# A dying child closes its pipe a moment before it is dead; killing it in that moment would
# hide what it dies of.
_GRACE_SECONDS = 0.5
_BURIAL_SECONDS = 30.0


class Call:
    """Reads a child's frames and pulls its leash at the end; owns both descriptors and the folder."""

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
        self._ending: Ending | None = None
        self._is_collected = False
        self._items = 0
        self._output_bytes = 0
        self._waited_seconds = 0.0

    def items(self) -> Iterator[JSON]:
        """The items one by one; raises the typed error that stands for another end than success."""
        reader = wire.FrameReader()
        while chunk := self._read():
            try:
                for kind, value in reader.feed(chunk):
                    if kind == wire.DONE:
                        return
                    if kind == wire.ERROR:
                        raise verdict.carried_error(value, self._what)
                    self._items += 1
                    yield value
            except wire.BadFrame as exc:
                raise Crashed(f"{self._what}: the parser sent garbage: {exc}", signal.SIGKILL) from exc
        raise self._death()

    @property
    def usage(self) -> Usage:
        return Usage(
            calls=1,
            child_cpu_seconds=self._ending.cpu_seconds if self._ending else 0.0,
            waited_seconds=self._waited_seconds,
            output_bytes=self._output_bytes,
            peak_rss_bytes=self._ending.peak_rss_bytes if self._ending else 0,
        )

    def end(self) -> None:
        """Kill the child if it lives, wait until it is gone, remove what it left."""
        os.close(self._pipe)
        if os.getpid() != self._owner:
            # A fork of the worker drops its copy; the call is the worker's.
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
        """Some bytes, or none when the child has closed its end.

        Both limits are checked on every read, so that a flood of output cannot keep either
        from firing.
        """
        left = self._limits.wall_seconds - self._waited_seconds
        started = time.monotonic()
        is_ready = _wait_readable(self._pipe, max(left, 0.0))
        chunk = os.read(self._pipe, _READ_BYTES) if is_ready else b""
        self._waited_seconds += time.monotonic() - started
        if not is_ready or self._waited_seconds > self._limits.wall_seconds:
            raise WallTimeout(f"{self._what}: no end after {self._limits.wall_seconds:g} seconds of waiting")
        self._output_bytes += len(chunk)
        if self._output_bytes > self._limits.output_bytes:
            raise OutputTooLarge(f"{self._what}: returned more than {self._limits.output_bytes} bytes")
        return chunk

    def _death(self) -> DocpipeError:
        refusal = self._collect(_GRACE_SECONDS)
        if refusal:
            return EngineError(f"{self._what}: no process could be started: {refusal}; call again")
        if self._ending is None or self._ending.killed_for == "closing":
            return verdict.zygote_lost(self._what)
        return verdict.error_of(self._ending, self._limits, self._what, verdict.last_words(self._stderr))

    def _collect(self, grace_seconds: float) -> str | None:
        """Wait for the report of the child's end, pulling the leash first if it takes too long.

        Returns the reason when there never was a child.
        """
        if self._is_collected:
            return None
        self._is_collected = True
        if not _wait_readable(self._leash.fileno(), grace_seconds):
            with suppress(OSError):
                self._leash.sendall(b"k")
        report = bytearray()
        deadline = time.monotonic() + _BURIAL_SECONDS
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
        self._ending = Ending(**body) if body else None
        return None


def _wait_readable(descriptor: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
