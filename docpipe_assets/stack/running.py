"""A started service: monitored, killed, restarted, stopped."""

import signal
import time
from dataclasses import dataclass
from pathlib import Path

from docpipe_assets.stack.parts import Service, StackError
from docpipe_assets.stack.process import Process, ProcessGroup

RESTARTS = 3
RESTARTS_SECONDS = 300.0
POLL_SECONDS = 0.05
_KILL_SECONDS = 10.0


@dataclass(frozen=True)
class FailedService:
    name: str
    exit_description: str
    log_path: Path
    log_tail: str

    def __str__(self) -> str:
        return f"{self.name} {self.exit_description}; its log {self.log_path} ends with:\n{self.log_tail}"


class RunningService:
    """A service of a started stack, for its supervisor and for tests."""

    def __init__(self, service: Service, process_group: ProcessGroup) -> None:
        self._service = service
        self._process_group = process_group
        self._process: Process = process_group.spawn(service)
        self._spawned = time.monotonic()
        self._stop_requested_at = 0.0
        self._restarts: list[float] = []

    @property
    def name(self) -> str:
        return self._service.spec.name

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log_path(self) -> Path:
        return self._process.log_path

    @property
    def age_seconds(self) -> float:
        return time.monotonic() - self._spawned

    def is_running(self) -> bool:
        return self._process.exit_code is None

    def is_done(self) -> bool:
        return self._service.spec.is_one_shot and self._process.exit_code == 0

    def failure(self) -> FailedService | None:
        """How it failed; None while it runs and for a completed one-shot task."""
        if self.is_running() or self.is_done():
            return None
        process = self._process
        return FailedService(self.name, process.exit_description(), process.log_path, process.log_tail())

    def is_ready(self) -> bool:
        """Raises StackError if it has failed or exceeds its start timeout."""
        failure = self.failure()
        if failure is not None:
            raise StackError(str(failure))
        reason = None if self.is_done() else self._service.reason_not_ready()
        if reason is not None and self.age_seconds > self._service.spec.start_seconds:
            raise StackError(
                f"{self.name}: {reason} after {self.age_seconds:.0f} s; its log {self.log_path} "
                f"ends with:\n{self._process.log_tail()}"
            )
        return reason is None

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send the signal; after SIGKILL, wait for the exit."""
        self._process.send(number)
        if number is signal.SIGKILL:
            self._process.wait(_KILL_SECONDS)

    def begin_stop(self) -> None:
        """Send the first stop signal without waiting, so that several services stop concurrently."""
        self._process.send(self._service.spec.stop_signals[0][0])
        self._stop_requested_at = time.monotonic()

    def finish_stop(self) -> bool:
        """Wait, send the further stop signals, and finally kill; False if it had to be killed."""
        (_, patience_seconds), *further = self._service.spec.stop_signals
        ended = self._process.wait(self._stop_requested_at + patience_seconds - time.monotonic())
        for number, seconds in further:
            if not ended:
                self._process.send(number)
                ended = self._process.wait(seconds)
        self._process.kill()
        return ended

    def restart(self) -> None:
        """Stop it if it runs, start it again with the same data and port, and wait until it is ready."""
        self.begin_stop()
        self.finish_stop()
        self._process = self._process_group.spawn(self._service)
        self._spawned = time.monotonic()
        while not self.is_ready():
            time.sleep(POLL_SECONDS)

    def may_restart(self) -> bool:
        """False if it was restarted too often recently, which indicates a permanent fault."""
        now = time.monotonic()
        self._restarts = [moment for moment in self._restarts if now - moment < RESTARTS_SECONDS]
        if len(self._restarts) >= RESTARTS:
            return False
        self._restarts.append(now)
        return True
