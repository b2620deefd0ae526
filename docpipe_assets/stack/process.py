"""The processes behind the parts: started so that they end with us, watched, and ended."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # has no stubs

from docpipe_assets.stack import launch
from docpipe_assets.stack.endpoints import write_private
from docpipe_assets.stack.parts import Part, StackError

_RECORDS = "processes.json"
_LOG_LIMIT_BYTES = 20 * 1024 * 1024
_TAIL_LINES = 15
_LEFTOVER_SECONDS = 10


class Nursery:
    """Starts processes and writes down which, for the stack that comes after this one."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._records_file = folder / _RECORDS
        self._records: dict[str, tuple[int, float]] = {}
        # The kernel ends a child when the *thread* that started it ends, so one thread starts
        # them all and lives as long as the stack.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="docpipe-stack")

    def spawn(self, part: Part) -> "Process":
        command = part.command()
        log_path = self._folder / "logs" / f"{part.habits.name}.log"
        if log_path.exists() and log_path.stat().st_size > _LOG_LIMIT_BYTES:
            log_path.replace(log_path.with_suffix(".log.1"))
        shim = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid())]
        arguments = [*shim, str(int(part.habits.death_signal)), command.user or "-", *command.arguments]

        def start() -> subprocess.Popen[bytes]:
            with log_path.open("ab") as log:
                return subprocess.Popen(
                    arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self._folder,
                    env={**self._environment, **command.environment},
                    # Ctrl-C goes to the supervisor, which ends the parts in order.
                    start_new_session=True,
                )

        log_start = log_path.stat().st_size if log_path.exists() else 0
        try:
            popen = self._thread.submit(start).result()
        except OSError as exc:
            raise StackError(
                f"{part.habits.name}: {command.arguments[0]} could not be started: {exc}"
            ) from exc
        self._record(part.habits.name, popen.pid)
        return Process(popen, log_path, log_start)

    def close(self) -> None:
        self._records_file.unlink(missing_ok=True)
        self._thread.shutdown()

    def _record(self, name: str, pid: int) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self._records[name] = (pid, psutil.Process(pid).create_time())
        write_private(self._records_file, json.dumps(self._records))


def end_leftovers(folder: Path) -> list[str]:
    """Ends what an earlier stack of this folder left running; says what that was.

    A number alone may belong to somebody else by now: the time of birth must agree too.
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
            raise StackError(f"{name} of an earlier stack (process {pid}) can't be ended; kill it") from exc
        except psutil.NoSuchProcess:
            continue
        ended.append(f"{name} (process {pid})")
    return ended


class Process:
    """One running part; it leads a session and a process group of its own."""

    def __init__(self, popen: subprocess.Popen[bytes], log_path: Path, log_start: int) -> None:
        self._popen = popen
        self._log_start = log_start
        self.log_path = log_path

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number when it died by one."""
        return self._popen.poll()

    def how_it_ended(self) -> str:
        code = self.exit_code
        if code is None:
            return "runs"
        return f"died by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"

    def log_tail(self) -> str:
        """The last lines that this process, not an earlier one, wrote."""
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
        """False when it still runs after so long."""
        try:
            self._popen.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """Also what it started and left behind."""
        kill_group(self.pid)
        self._popen.wait()


def kill_group(pid: int) -> None:
    """Kills a process and all it started that stayed in its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
