"""Starts the services in the order of their dependencies, monitors them, and stops all of them on every exit
path.
"""

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
from docpipe_assets.lanes import CORPUS, LANES
from docpipe_assets.stack.broker import Broker
from docpipe_assets.stack.dagster_parts import CodeServer, Daemon, Schema, Webserver, Workers
from docpipe_assets.stack.endpoints import Endpoints, ensure_endpoints, lock
from docpipe_assets.stack.parts import HOST, Service, StackError
from docpipe_assets.stack.postgres import Postgres
from docpipe_assets.stack.process import ProcessGroup, stop_leftovers
from docpipe_assets.stack.running import (
    POLL_SECONDS,
    RESTARTS,
    RESTARTS_SECONDS,
    FailedService,
    RunningService,
)
from docpipe_assets.stack.s3_server import S3Server
from docpipe_assets.stack.workspace import Workspace, copy_instance_configuration, packaged_file

_CHECKOUT = Path(docpipe_assets.__file__).parent.parent
_BACKING_SERVICES = frozenset({"postgres", "broker", "s3"})


class Stack:
    """The local stack as a context manager: it runs inside the block, and leaves no process.

    ``check`` reports a failed service, ``restart_failed`` restarts it. Ctrl-C and SIGTERM leave the context
    like any exception. If this process is killed, the kernel ends the services; the next start in the same
    folder stops any remaining process and continues with the data.

    Without ``corpus_worker``, runs of corpus assets use the slots of documents.
    """

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 2,
        corpus_worker: bool = False,
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
            "corpus-worker": corpus_worker,
        }
        self._unwanted = {name for name, is_wanted in wanted.items() if not is_wanted}
        self._workspace_file = workspace or packaged_file("workspace.yaml")
        self._on_event = on_event or (lambda _: None)
        self._extra_environment = dict(environment or {})
        self._running: dict[str, RunningService] = {}
        self._endpoints: Endpoints | None = None
        self._process_group: ProcessGroup | None = None
        self._lock: int | None = None
        self._owner_pid = 0
        self._previous_handlers: dict[signal.Signals, object] = {}

    def __enter__(self) -> "Stack":
        self._install_signal_handlers()
        try:
            self.start()
        except BaseException:
            self._restore_signal_handlers()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            self._restore_signal_handlers()

    @property
    def endpoints(self) -> Endpoints:
        if self._endpoints is None:
            raise StackError("the stack is not started")
        return self._endpoints

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which a child, or this process, uses the stack."""
        return self.endpoints.environment(self.folder) | self._extra_environment

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._running)

    def part(self, name: str) -> RunningService:
        try:
            return self._running[name]
        except KeyError:
            raise StackError(f"the stack has no service {name}; it has {', '.join(self._running)}") from None

    def start(self) -> Endpoints:
        """Returns when every service is ready; raises StackError, with all services stopped, if
        one is not.
        """
        if self._lock is not None:
            return self.endpoints
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder / "logs").mkdir(exist_ok=True)
        self._owner_pid = os.getpid()
        self._lock = lock(self.folder)
        atexit.register(self.stop)
        began = time.monotonic()
        try:
            for leftover in stop_leftovers(self.folder):
                self._on_event(f"stopped {leftover}, which an earlier stack left running")
            self._endpoints = ensure_endpoints(self.folder)
            self._process_group = ProcessGroup(self.folder, _child_environment(self.environment))
            self._prepare_folders()
            schema = Schema(self.folder / "postgres" / "dagster_schema")
            if schema.is_current():
                self._start_services(self._services(), ready={schema.spec.name})
            else:
                self._start_services([*self._services(), schema], ready=set())
                schema.mark_current()
                del self._running[schema.spec.name]
        except BaseException:
            self.stop()
            raise
        self._on_event(f"stack: all services ready after {time.monotonic() - began:.1f} s")
        return self.endpoints

    def stop(self) -> None:
        """Stop every service, clients before the services they use; idempotent."""
        # A fork of this process must not stop the services when it ends.
        if self._lock is None or self._owner_pid != os.getpid():
            return
        with _uninterrupted():
            for is_service in (False, True):
                layer = [
                    service
                    for service in self._running.values()
                    if (service.name in _BACKING_SERVICES) is is_service
                ]
                for service in layer:
                    service.begin_stop()
                for service in layer:
                    if not service.finish_stop():
                        self._on_event(f"{service.name}: did not stop in time and was killed")
            self._running.clear()
            if self._process_group is not None:
                self._process_group.close()
                self._process_group = None
            os.close(self._lock)
            self._lock = None
            atexit.unregister(self.stop)

    def check(self) -> list[FailedService]:
        """The failed services."""
        failures = (service.failure() for service in self._running.values())
        return [failure for failure in failures if failure is not None]

    def restart_failed(self) -> None:
        """Restart failed services; raises StackError for a service that fails repeatedly."""
        for failed in self.check():
            self._on_event(str(failed))
            service = self._running[failed.name]
            if not service.may_restart():
                raise StackError(
                    f"{failed.name} failed {RESTARTS + 1} times in {RESTARTS_SECONDS:.0f} s; {failed}"
                )
            service.restart()
            self._on_event(f"{service.name}: restarted as process {service.pid}")

    def run(self, poll_seconds: float = 0.5) -> None:
        """Monitor the services until this process is stopped (Ctrl-C, SIGTERM)."""
        while True:
            self.restart_failed()
            time.sleep(poll_seconds)

    def _prepare_folders(self) -> None:
        dagster_home = self.folder / "dagster"
        for folder in (dagster_home, *(self.folder / name for name in _BACKING_SERVICES)):
            folder.mkdir(exist_ok=True)
        copy_instance_configuration(packaged_file("dagster.yaml"), dagster_home, self._workers)

    def _services(self) -> list[Service]:
        endpoints = self.endpoints
        dagster_home = self.folder / "dagster"
        workspace = Workspace.read(self._workspace_file)
        shared_workspace = dagster_home / "workspace.yaml"
        workspace.write_for_server(shared_workspace, endpoints.code_server_port)
        services: list[Service] = [
            # Slow starters without dependencies first.
            CodeServer(endpoints, workspace),
            Workers("worker", self._workers, LANES, workspace, dagster_home / "worker.ready"),
            Workers("corpus-worker", 1, (CORPUS,), workspace, dagster_home / "corpus_worker.ready"),
            Broker(endpoints, self.folder / "broker"),
            S3Server(endpoints, self.folder / "s3"),
            Postgres(endpoints, self.folder / "postgres"),
            Daemon(endpoints, shared_workspace),
            Webserver(endpoints, shared_workspace),
        ]
        return [service for service in services if service.spec.name not in self._unwanted]

    def _start_services(self, waiting: list[Service], ready: set[str]) -> None:
        """Start each service as soon as its dependencies are ready, independent ones concurrently."""
        assert self._process_group is not None
        while waiting or not ready.issuperset(self._running):
            for service in [service for service in waiting if ready.issuperset(service.spec.depends_on)]:
                waiting.remove(service)
                self._running[service.spec.name] = RunningService(service, self._process_group)
            for running in [service for service in self._running.values() if service.name not in ready]:
                if running.is_ready():
                    ready.add(running.name)
                    self._on_event(f"{running.name}: ready after {running.age_seconds:.1f} s")
            time.sleep(POLL_SECONDS)

    def _install_signal_handlers(self) -> None:
        """Let SIGTERM and SIGHUP leave the context like Ctrl-C, instead of ending the process immediately."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGTERM, signal.SIGHUP):
            self._previous_handlers[number] = signal.signal(number, _exit_on_signal)

    def _restore_signal_handlers(self) -> None:
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal returned
        self._previous_handlers.clear()


def _child_environment(own: Mapping[str, str]) -> dict[str, str]:
    """Our environment without variables that would misdirect a service: an AWS profile, another instance, a
    proxy.
    """
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


def _exit_on_signal(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """A second Ctrl-C must not interrupt the shutdown and leave services running."""
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
