"""Dagster's services: schema migration, code server, daemon, webserver, workers."""

import json
import signal
import sys
import time
import urllib.request
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

import psycopg2

from docpipe_assets.stack.endpoints import Endpoints
from docpipe_assets.stack.parts import HOST, Command, ServiceSpec, program, reason_not_listening
from docpipe_assets.stack.workspace import Workspace


@dataclass(frozen=True)
class Schema:
    """Creates or migrates Dagster's tables once, before several programs check for them."""

    spec: ClassVar = ServiceSpec(
        "schema",
        depends_on=("postgres",),
        is_one_shot=True,
        stop_signals=((signal.SIGTERM, 5.0),),
    )

    marker: Path
    """Stored with the data, so that it is deleted together with them."""

    def command(self) -> Command:
        return Command([program("dagster"), "instance", "migrate"])

    def is_current(self) -> bool:
        return self.marker.exists() and self.marker.read_text() == version("dagster")

    def mark_current(self) -> None:
        self.marker.write_text(version("dagster"))

    def reason_not_ready(self) -> str | None:
        return "the schema migration is still running"


@dataclass(frozen=True)
class CodeServer:
    spec: ClassVar = ServiceSpec(
        "code-server",
        stop_signals=((signal.SIGINT, 5.0),),
    )

    endpoints: Endpoints
    workspace: Workspace

    def command(self) -> Command:
        return Command(
            [
                *(program("dagster"), "api", "grpc"),
                f"--module-name={self.workspace.module_name}",
                f"--location-name={self.workspace.location_name}",
                f"--host={HOST}",
                f"--port={self.endpoints.code_server_port}",
                "--log-level=warning",
            ]
        )

    def reason_not_ready(self) -> str | None:
        # It listens only after the definitions are loaded.
        return reason_not_listening(self.endpoints.code_server_port)


@dataclass
class Daemon:
    spec: ClassVar = ServiceSpec(
        "daemon",
        depends_on=("schema", "code-server"),
        stop_signals=((signal.SIGINT, 15.0),),
    )

    endpoints: Endpoints
    workspace_file: Path
    _started: float = 0.0

    def command(self) -> Command:
        self._started = time.time()
        return Command([program("dagster-daemon"), "run", f"--workspace={self.workspace_file}"])

    def reason_not_ready(self) -> str | None:
        # Read from the table: `dagster-daemon liveness-check` costs two CPU seconds per call.
        question = (
            "SELECT count(*) FROM daemon_heartbeats WHERE timestamp > to_timestamp(%s) AT TIME ZONE 'UTC'"
        )
        try:
            connection = psycopg2.connect(
                self.endpoints.postgres_url.replace("+psycopg2", ""), connect_timeout=2
            )
            try:
                with connection.cursor() as cursor:
                    cursor.execute(question, [self._started])
                    [(beats,)] = cursor.fetchall()
            finally:
                connection.close()
        except psycopg2.Error as exc:
            return f"its heartbeat can't be read: {str(exc).strip()}"
        return None if beats else "no heartbeat yet"


@dataclass(frozen=True)
class Webserver:
    spec: ClassVar = ServiceSpec(
        "webserver",
        depends_on=("schema", "code-server"),
        stop_signals=((signal.SIGINT, 10.0),),
    )

    endpoints: Endpoints
    workspace_file: Path

    def command(self) -> Command:
        return Command(
            [
                program("dagster-webserver"),
                f"--host={HOST}",
                f"--port={self.endpoints.webserver_port}",
                f"--workspace={self.workspace_file}",
            ]
        )

    def reason_not_ready(self) -> str | None:
        url = f"{self.endpoints.webserver_url}/server_info"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                json.load(answer)
        except (OSError, ValueError) as exc:
            return f"{url} does not respond ({exc})"
        return None


@dataclass(frozen=True)
class Workers:
    """One Celery worker of some lanes, with as many processes as concurrent runs."""

    name: str
    processes: int
    lanes: tuple[str, ...]
    workspace: Workspace
    ready_file: Path

    @property
    def spec(self) -> ServiceSpec:
        # Has no dependencies at startup: it retries the broker until that is up, and connects to Postgres
        # with the first run.
        return ServiceSpec(
            self.name,
            stop_signals=(
                (signal.SIGTERM, 5.0),  # takes no new runs and finishes the running ones
                (signal.SIGTERM, 10.0),  # requeues the unfinished runs
            ),
        )

    def command(self) -> Command:
        self.ready_file.unlink(missing_ok=True)
        return Command(
            [
                *(sys.executable, "-m", "docpipe_assets.instance.worker"),
                *(f"--lane={lane}" for lane in self.lanes),
                f"--name={self.name}",
                f"--concurrency={self.processes}",
                f"--definitions={self.workspace.module_name}",
                f"--ready-file={self.ready_file}",
            ],
            # One process per core, one thread per process: more would only wait for each other.
            {"OMP_NUM_THREADS": "1", "OMP_THREAD_LIMIT": "1"},
        )

    def reason_not_ready(self) -> str | None:
        return None if self.ready_file.exists() else "not ready to accept runs yet"
