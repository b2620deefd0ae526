"""What a part of the stack is: a command, when it may start, and how to see that it answers."""

import os
import signal
import socket
import sys
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import ClassVar, Protocol

from docpipe_assets.errors import ConfigurationError

HOST = "127.0.0.1"
_PORT_ATTEMPTS = 20


class StackError(ConfigurationError):
    """A part of the local stack could not start, or keeps dying."""

    advice = "Read the named log; then start the stack again."


@dataclass(frozen=True)
class Command:
    """Secrets go into the environment or into a file, never into the arguments."""

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None


@dataclass(frozen=True)
class Habits:
    """What the supervisor must know about a program, whatever it does."""

    name: str
    needs: tuple[str, ...] = ()
    """Parts that must answer before this one is started."""
    ends: bool = False
    """Does its work and ends; the others stay."""
    start_seconds: float = 120.0
    stops: tuple[tuple[signal.Signals, float], ...] = ((signal.SIGTERM, 10.0),)
    """How it is asked to end, ever less politely, and the seconds it has each time; then it is killed."""
    death_signal: signal.Signals = signal.SIGKILL
    """What the kernel sends it when the supervisor dies."""


class Part(Protocol):
    """One program of the stack."""

    habits: ClassVar[Habits]

    def command(self) -> Command:
        """Makes what the program needs (folders, files) and says how to run it."""
        ...

    def reason_not_ready(self) -> str | None:
        """None as soon as it answers."""
        ...


def free_port(preferred: int | None, taken: Container[int]) -> int:
    """The preferred port when nobody has it, so that addresses survive a restart; else any not taken."""
    for port in (preferred, *[0] * _PORT_ATTEMPTS):
        if port is None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            found = int(probe.getsockname()[1])
        if found not in taken:
            return found
    raise StackError(f"no free TCP port on {HOST}; close other programs and start the stack again")


def reason_not_listening(port: int) -> str | None:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError as exc:
        return f"nothing answers on {HOST}:{port} ({exc.strerror or exc})"
    return None


def program(name: str) -> str:
    """The program of our own environment, else the one on the PATH."""
    beside = str(Path(sys.executable).parent)
    found = which(name, path=os.pathsep.join([beside, os.environ.get("PATH", os.defpath)]))
    if found is None:
        raise StackError(f"program {name} is not installed; run: pip install 'docpipe-assets[stack]'")
    return found
