"""Starts the parts in the order of their needs, watches them, and ends them all, however it goes."""

import atexit
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType

import docpipe_assets
from docpipe_assets.stack.broker import Broker
from docpipe_assets.stack.dagster_parts import CodeServer, Daemon, Schema, Webserver, Workers
from docpipe_assets.stack.endpoints import Endpoints, lock, settle_endpoints
from docpipe_assets.stack.parts import HOST, Part, StackError
from docpipe_assets.stack.postgres import Postgres
from docpipe_assets.stack.process import Nursery, end_leftovers
from docpipe_assets.stack.running import (
    POLL_SECONDS,
    RESTARTS,
    RESTARTS_SECONDS,
    DeadPart,
    RunningPart,
)
from docpipe_assets.stack.s3_server import S3Server
from docpipe_assets.stack.workspace import Workspace, copy_instance_configuration, shipped

_CHECKOUT = Path(docpipe_assets.__file__).parent.parent
_SERVICES = frozenset({"postgres", "broker", "s3"})


class Stack:
    """The local stack as a context manager: running inside, and nothing left of it outside.

    A part that dies is reported by ``check`` and restarted by ``tend``. Ctrl-C and SIGTERM leave
    the context as any exception does. Should this process be killed, the kernel ends the parts;
    the next start on the same folder ends what is left even so and goes on with the data.
    """

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 2,
        webserver: bool = True,
        daemon: bool = True,
        workspace: Path | None = None,
        on_event: Callable[[str], None] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self._workers = workers
        wanted = {
            "webserver": webserver,
            "daemon": daemon,
            "code-server": webserver or daemon,
            "worker": workers > 0,
        }
        self._unwanted = {name for name, is_wanted in wanted.items() if not is_wanted}
        self._workspace_file = workspace or shipped("workspace.yaml")
        self._on_event = on_event or (lambda _: None)
        self._extra_environment = dict(environment or {})
        self._running: dict[str, RunningPart] = {}
        self._endpoints: Endpoints | None = None
        self._nursery: Nursery | None = None
        self._lock: int | None = None
        self._owner_pid = 0
        self._previous_handlers: dict[signal.Signals, object] = {}

    def __enter__(self) -> "Stack":
        self._take_signals()
        try:
            self.start()
        except BaseException:
            self._give_signals_back()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            self._give_signals_back()

    @property
    def endpoints(self) -> Endpoints:
        if self._endpoints is None:
            raise StackError("the stack is not started")
        return self._endpoints

    @property
    def environment(self) -> dict[str, str]:
        """What a child, or this process, needs in its environment to work with the stack."""
        return self.endpoints.environment(self.folder) | self._extra_environment

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._running)

    def part(self, name: str) -> RunningPart:
        try:
            return self._running[name]
        except KeyError:
            raise StackError(f"the stack has no part {name}; it has {', '.join(self._running)}") from None

    def start(self) -> Endpoints:
        """Returns when every part answers; raises StackError, with everything ended, when one does not."""
        if self._lock is not None:
            return self.endpoints
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder / "logs").mkdir(exist_ok=True)
        self._owner_pid = os.getpid()
        self._lock = lock(self.folder)
        atexit.register(self.stop)
        began = time.monotonic()
        try:
            for leftover in end_leftovers(self.folder):
                self._on_event(f"ended {leftover}, left by an earlier stack that was killed")
            self._endpoints = settle_endpoints(self.folder)
            self._nursery = Nursery(self.folder, _child_environment(self.environment))
            self._prepare_folders()
            schema = Schema(self.folder / "postgres" / "dagster_schema")
            if schema.is_current():
                self._start_parts(self._parts(), ready={schema.habits.name})
            else:
                self._start_parts([*self._parts(), schema], ready=set())
                schema.note_current()
                del self._running[schema.habits.name]
        except BaseException:
            self.stop()
            raise
        self._on_event(f"stack: all parts answer after {time.monotonic() - began:.1f} s")
        return self.endpoints

    def stop(self) -> None:
        """Ends every part, the users of a service before the service; may be called at any time, twice."""
        # A fork of this process that ends must not take the parts along.
        if self._lock is None or self._owner_pid != os.getpid():
            return
        with _uninterrupted():
            for is_service in (False, True):
                layer = [part for part in self._running.values() if (part.name in _SERVICES) is is_service]
                for part in layer:
                    part.begin_stop()
                for part in layer:
                    if not part.finish_stop():
                        self._on_event(f"{part.name}: did not end by itself and was killed")
            self._running.clear()
            if self._nursery is not None:
                self._nursery.close()
                self._nursery = None
            os.close(self._lock)
            self._lock = None
            atexit.unregister(self.stop)

    def check(self) -> list[DeadPart]:
        """The parts that are dead now."""
        deaths = (part.death() for part in self._running.values())
        return [death for death in deaths if death is not None]

    def tend(self) -> None:
        """Restarts what died; raises StackError for a part that keeps dying."""
        for death in self.check():
            self._on_event(str(death))
            part = self._running[death.name]
            if not part.may_restart():
                raise StackError(
                    f"{death.name} died {RESTARTS + 1} times in {RESTARTS_SECONDS:.0f} s; {death}"
                )
            part.restart()
            self._on_event(f"{part.name}: restarted as process {part.pid}")

    def run(self, poll_seconds: float = 0.5) -> None:
        """Tends the parts until this process is told to end (Ctrl-C, SIGTERM)."""
        while True:
            self.tend()
            time.sleep(poll_seconds)

    def _prepare_folders(self) -> None:
        dagster_home = self.folder / "dagster"
        for folder in (dagster_home, *(self.folder / name for name in _SERVICES)):
            folder.mkdir(exist_ok=True)
        copy_instance_configuration(shipped("dagster.yaml"), dagster_home, self._workers)

    def _parts(self) -> list[Part]:
        endpoints = self.endpoints
        dagster_home = self.folder / "dagster"
        workspace = Workspace.read(self._workspace_file)
        shared_workspace = dagster_home / "workspace.yaml"
        workspace.write_for_server(shared_workspace, endpoints.code_server_port)
        parts: list[Part] = [
            # First what takes longest and needs nobody.
            CodeServer(endpoints, workspace),
            Workers(self._workers, workspace, dagster_home / "worker.ready"),
            Broker(endpoints, self.folder / "broker"),
            S3Server(endpoints, self.folder / "s3"),
            Postgres(endpoints, self.folder / "postgres"),
            Daemon(endpoints, shared_workspace),
            Webserver(endpoints, shared_workspace),
        ]
        return [part for part in parts if part.habits.name not in self._unwanted]

    def _start_parts(self, waiting: list[Part], ready: set[str]) -> None:
        """Starts each part as soon as what it needs answers, the independent ones side by side."""
        assert self._nursery is not None
        while waiting or not ready.issuperset(self._running):
            for part in [part for part in waiting if ready.issuperset(part.habits.needs)]:
                waiting.remove(part)
                self._running[part.habits.name] = RunningPart(part, self._nursery)
            for running in [part for part in self._running.values() if part.name not in ready]:
                if running.is_ready():
                    ready.add(running.name)
                    self._on_event(f"{running.name}: ready after {running.age_seconds:.1f} s")
            time.sleep(POLL_SECONDS)

    def _take_signals(self) -> None:
        """SIGTERM and a closed terminal leave the context as Ctrl-C does, instead of ending at once."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGTERM, signal.SIGHUP):
            self._previous_handlers[number] = signal.signal(number, _leave)

    def _give_signals_back(self) -> None:
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal returned
        self._previous_handlers.clear()


def _child_environment(own: Mapping[str, str]) -> dict[str, str]:
    """Ours without what would lead a part elsewhere: a user's AWS profile, another instance, a proxy."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "DAGSTER_", "RCLONE_", "PG"))
    }
    path = [str(_CHECKOUT), *filter(None, [kept.get("PYTHONPATH")])]
    no_proxy = ",".join(filter(None, [kept.get("NO_PROXY"), kept.get("no_proxy"), HOST, "localhost"]))
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
        **own,
    }


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """A second Ctrl-C must not cut the stopping short and leave parts behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    previous = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
