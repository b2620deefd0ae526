"""A started part: watched, killed, restarted, ended."""

import signal
import time
from dataclasses import dataclass
from pathlib import Path

from docpipe_assets.stack.parts import Part, StackError
from docpipe_assets.stack.process import Nursery, Process

RESTARTS = 3
RESTARTS_SECONDS = 300.0
POLL_SECONDS = 0.05
_KILL_SECONDS = 10.0


@dataclass(frozen=True)
class DeadPart:
    name: str
    how: str
    log_path: Path
    log_tail: str

    def __str__(self) -> str:
        return f"{self.name} {self.how}; its log is {self.log_path} and ends:\n{self.log_tail}"


class RunningPart:
    """One part of a started stack, for those who watch it or want to see it die."""

    def __init__(self, part: Part, nursery: Nursery) -> None:
        self._part = part
        self._nursery = nursery
        self._process: Process = nursery.spawn(part)
        self._spawned = time.monotonic()
        self._asked_to_stop = 0.0
        self._restarts: list[float] = []

    @property
    def name(self) -> str:
        return self._part.habits.name

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
        return self._part.habits.ends and self._process.exit_code == 0

    def death(self) -> DeadPart | None:
        """How it died; None while it runs and for one that did its work."""
        if self.is_running() or self.is_done():
            return None
        process = self._process
        return DeadPart(self.name, process.how_it_ended(), process.log_path, process.log_tail())

    def is_ready(self) -> bool:
        """Raises StackError when it died or takes too long to answer."""
        death = self.death()
        if death is not None:
            raise StackError(str(death))
        reason = None if self.is_done() else self._part.reason_not_ready()
        if reason is not None and self.age_seconds > self._part.habits.start_seconds:
            raise StackError(
                f"{self.name}: {reason} after {self.age_seconds:.0f} s; its log is {self.log_path} "
                f"and ends:\n{self._process.log_tail()}"
            )
        return reason is None

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Sends the signal; SIGKILL has done its work when this returns."""
        self._process.send(number)
        if number is signal.SIGKILL:
            self._process.wait(_KILL_SECONDS)

    def begin_stop(self) -> None:
        """Asks and does not wait, so that several parts can end side by side."""
        self._process.send(self._part.habits.stops[0][0])
        self._asked_to_stop = time.monotonic()

    def finish_stop(self) -> bool:
        """Waits, insists and at last kills; False when it came to that."""
        (_, patience_seconds), *insisting = self._part.habits.stops
        ended = self._process.wait(self._asked_to_stop + patience_seconds - time.monotonic())
        for number, seconds in insisting:
            if not ended:
                self._process.send(number)
                ended = self._process.wait(seconds)
        self._process.kill()
        return ended

    def restart(self) -> None:
        """Ends it if it still runs, starts it anew on the same data and port, waits for its answer."""
        self.begin_stop()
        self.finish_stop()
        self._process = self._nursery.spawn(self._part)
        self._spawned = time.monotonic()
        while not self.is_ready():
            time.sleep(POLL_SECONDS)

    def may_restart(self) -> bool:
        """False when it was restarted too often of late: then something is wrong that stays wrong."""
        now = time.monotonic()
        self._restarts = [moment for moment in self._restarts if now - moment < RESTARTS_SECONDS]
        if len(self._restarts) >= RESTARTS:
            return False
        self._restarts.append(now)
        return True
