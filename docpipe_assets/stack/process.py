"""Processes of the services: started so that they end with the supervisor, monitored, and stopped."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from docpipe_assets.stack import launch
from docpipe_assets.stack.endpoints import write_private
from docpipe_assets.stack.parts import Service, StackError

_RECORDS = "processes.json"
_LOG_LIMIT_BYTES = 20 * 1024 * 1024
_TAIL_LINES = 15
_LEFTOVER_SECONDS = 10


class ProcessGroup:
    """Starts processes and records them, for a later stack in the same folder."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._records_file = folder / _RECORDS
        self._records: dict[str, tuple[int, float]] = {}
        # The kernel kills a child when the *thread* that started it ends, so one thread starts all of
        # them and lives as long as the stack.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="docpipe-stack")

    def spawn(self, service: Service) -> "Process":
        command = service.command()
        log_path = self._folder / "logs" / f"{service.spec.name}.log"
        if log_path.exists() and log_path.stat().st_size > _LOG_LIMIT_BYTES:
            log_path.replace(log_path.with_suffix(".log.1"))
        shim = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid())]
        arguments = [*shim, str(int(service.spec.death_signal)), command.user or "-", *command.arguments]

        def start() -> subprocess.Popen[bytes]:
            with log_path.open("ab") as log:
                return subprocess.Popen(
                    arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self._folder,
                    env={**self._environment, **command.environment},
                    # Ctrl-C goes to the supervisor, which stops the services in order.
                    start_new_session=True,
                )

        log_start = log_path.stat().st_size if log_path.exists() else 0
        try:
            popen = self._thread.submit(start).result()
        except OSError as exc:
            raise StackError(
                f"{service.spec.name}: {command.arguments[0]} could not be started: {exc}"
            ) from exc
        self._record(service.spec.name, popen.pid)
        return Process(popen, log_path, log_start)

    def close(self) -> None:
        self._records_file.unlink(missing_ok=True)
        self._thread.shutdown()

    def _record(self, name: str, pid: int) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self._records[name] = (pid, psutil.Process(pid).create_time())
        write_private(self._records_file, json.dumps(self._records))


def stop_leftovers(folder: Path) -> list[str]:
    """Stop processes that an earlier stack of this folder left running; returns their descriptions.

    A process ID may have been reused by another process: the start time must match too.
    """
    try:
        records: dict[str, tuple[int, float]] = json.loads((folder / _RECORDS).read_text())
    except (FileNotFoundError, ValueError):
        return []
    ended = []
    for name, (pid, born) in records.items():
        try:
            leftover = psutil.Process(pid)
            if abs(leftover.create_time() - born) > 1:
                continue
            kill_group(pid)
            leftover.wait(_LEFTOVER_SECONDS)
        except psutil.TimeoutExpired as exc:
            raise StackError(f"{name} of an earlier stack (process {pid}) can't be stopped; kill it") from exc
        except psutil.NoSuchProcess:
            continue
        ended.append(f"{name} (process {pid})")
    return ended


class Process:
    """A running service; it leads a session and a process group of its own."""

    def __init__(self, popen: subprocess.Popen[bytes], log_path: Path, log_start: int) -> None:
        self._popen = popen
        self._log_start = log_start
        self.log_path = log_path

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; the negative signal number if a signal killed it."""
        return self._popen.poll()

    def exit_description(self) -> str:
        code = self.exit_code
        if code is None:
            return "is running"
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with status {code}"

    def log_tail(self) -> str:
        """The last log lines of this process, not of an earlier one."""
        try:
            with self.log_path.open("rb") as log:
                log.seek(self._log_start)
                lines = log.read().decode(errors="replace").splitlines()
        except FileNotFoundError:
            return ""
        return "\n".join(lines[-_TAIL_LINES:])

    def send(self, number: signal.Signals) -> None:
        if self.exit_code is None:
            self._popen.send_signal(number)

    def wait(self, seconds: float) -> bool:
        """False if it still runs after this time."""
        try:
            self._popen.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """Kill it and the processes that it started."""
        kill_group(self.pid)
        self._popen.wait()


def kill_group(pid: int) -> None:
    """Kill a process and those of its descendants that stayed in its process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
