"""A Celery worker that loads the definitions once and forks, so that every run starts warm.

    docpipe worker --lane standard --lane large --concurrency 2

To add capacity, run it on more machines with the same broker, Postgres and bucket. On SIGTERM or Ctrl-C it
takes no new runs and finishes its documents. After the grace period, or on a second signal, it requeues them:
their runs end as RUN_HANDED_BACK, which does not count as an attempt, and intake requests them again
immediately.
"""

import argparse
import contextlib
import gc
import importlib
import itertools
import os
import signal
import threading
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import billiard
from celery import Celery, states
from celery.signals import worker_process_init, worker_ready, worker_shutting_down
from celery.worker.request import Request
from celery.worker.state import active_requests
from dagster import BetaWarning, Definitions

from docpipe_assets.errors import ConfigurationError
from docpipe_assets.instance.broker import make_app
from docpipe_assets.instance.dagster_internals import TASK_EXECUTE_JOB_NAME
from docpipe_assets.instance.launcher import HEARTBEATS, run_id_of
from docpipe_assets.instance.pool_process import REQUEUE_SIGNAL, PoolProcess
from docpipe_assets.lanes import CORPUS, LANES
from docpipe_assets.settings import read_settings
from docpipe_assets.storage.scratch import ScratchFolder

GRACE_SECONDS: Final = 60.0
REQUEUE_SECONDS: Final = 20.0
"""Maximum time for a run to end after it is requeued; then its process is killed."""

_HEARTBEAT_SECONDS: Final = 5.0


@dataclass(frozen=True)
class WorkerOptions:
    lanes: Sequence[str] = LANES
    """Without ``CORPUS`` by default: a corpus run would use the slot of a document."""
    concurrency: int = os.cpu_count() or 1
    """Number of concurrent documents: one process each."""
    grace_seconds: float = GRACE_SECONDS
    """Time that documents have to finish after a shutdown signal."""
    name: str = "docpipe"
    """Distinguishes the workers of one machine."""
    definitions: str = "docpipe_assets.definitions"
    ready_file: Path | None = None
    """Created when the worker accepts runs."""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="docpipe-worker", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    default = WorkerOptions()
    parser.add_argument(
        "--lane",
        action="append",
        choices=(*LANES, CORPUS),
        help="repeatable; default: the lanes of documents",
    )
    parser.add_argument("--concurrency", type=int, default=default.concurrency)
    parser.add_argument("--grace-seconds", type=float, default=default.grace_seconds)
    parser.add_argument("--name", default=default.name)
    parser.add_argument("--definitions", default=default.definitions)
    parser.add_argument("--ready-file", type=Path)
    options = parser.parse_args(arguments)
    run_worker(
        WorkerOptions(
            lanes=options.lane or LANES,
            concurrency=options.concurrency,
            grace_seconds=options.grace_seconds,
            name=options.name,
            definitions=options.definitions,
            ready_file=options.ready_file,
        )
    )


def run_worker(options: WorkerOptions) -> None:
    """Returns when the worker has stopped. Raises ConfigurationError if no broker is configured."""
    settings = read_settings()
    broker_url = settings.broker_url
    if broker_url is None:
        raise ConfigurationError(
            "DOCPIPE_BROKER_URL is not set; a worker needs the redis:// URL of the broker"
        )
    ScratchFolder(settings.scratch_dir).sweep()  # folders of killed workers of this machine
    for lane in options.lanes:
        if lane not in (*LANES, CORPUS):
            raise ConfigurationError(f"--lane {lane}: the lanes are {', '.join((*LANES, CORPUS))}")
    is_background = list(options.lanes) == [CORPUS]
    app = make_app(broker_url.get_secret_value())
    process, shutdown = PoolProcess(is_background=is_background), GracefulShutdown(app, options.grace_seconds)

    @app.task(name=TASK_EXECUTE_JOB_NAME, track_started=True)  # type: ignore[untyped-decorator]
    def execute_job(execute_job_args_packed: Any) -> int:
        return process.execute(run_id_of(execute_job_args_packed))

    def note_ready(**_: Any) -> None:
        shutdown.listen()
        if options.ready_file is not None:
            options.ready_file.touch()

    if not is_background:  # corpus runs are rare and long: they load the definitions themselves
        _load(options.definitions)
    worker_ready.connect(note_ready, weak=False)
    worker_process_init.connect(process.prepare, weak=False)
    worker_shutting_down.connect(shutdown.begin, weak=False)
    app.worker_main(
        [
            "worker",
            "--pool=prefork",
            f"--concurrency={options.concurrency}",
            f"--queues={','.join(options.lanes)}",
            f"--hostname={options.name}@%h",
            "--loglevel=INFO",
            "--without-gossip",
            "--without-mingle",
        ]
    )


class GracefulShutdown:
    """Ensures that a worker stops after a shutdown signal and that its documents are not lost.

    Celery itself waits for its tasks without limit, so only the runs that take too long have to be ended.
    """

    def __init__(self, app: Celery, grace_seconds: float) -> None:
        self._app = app
        self._grace_seconds = grace_seconds
        self._second_signal = threading.Event()
        self._has_begun = False

    def listen(self) -> None:
        """Handle Ctrl-C like SIGTERM, and SIGQUIT like a second signal. Celery would drop the runs."""
        signal.signal(signal.SIGINT, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        signal.signal(signal.SIGQUIT, lambda *_: self._shut_down_now())

    def begin(self, **_: Any) -> None:
        """Handler of Celery's signal that the worker is shutting down."""
        if self._has_begun:
            self._second_signal.set()
            return
        self._has_begun = True
        threading.Thread(target=self._enforce, daemon=True).start()
        tasks = tuple(active_requests)  # here, since no other thread may iterate over them
        threading.Thread(target=self._record_heartbeats, args=(tasks,), daemon=True).start()

    def _record_heartbeats(self, tasks: Sequence[Request]) -> None:
        """Records heartbeats, because a Celery worker that is shutting down does not respond to pings and run
        monitoring would fail its runs.
        """
        for heartbeats in itertools.count(1):
            for task in filter(active_requests.__contains__, tasks):
                known = {"hostname": task.hostname, "pid": task.worker_pid, HEARTBEATS: heartbeats}
                with contextlib.suppress(*self._app.backend.connection_errors):
                    self._app.backend.store_result(task.id, known, states.STARTED)
            time.sleep(_HEARTBEAT_SECONDS)

    def _shut_down_now(self) -> None:
        self._second_signal.set()
        os.kill(os.getpid(), signal.SIGTERM)

    def _enforce(self) -> None:
        self._second_signal.wait(self._grace_seconds)
        for number, timeout_seconds in ((REQUEUE_SIGNAL, REQUEUE_SECONDS), (signal.SIGKILL, 5.0)):
            for child in billiard.active_children():
                os.kill(child.pid, number)
            time.sleep(timeout_seconds)
        os._exit(1)  # the runs are requeued or lost; waiting longer has no effect


def _load(module_name: str) -> None:
    # The warning is repeated for every use of data versions, which the UI needs to show staleness.
    warnings.filterwarnings("ignore", category=BetaWarning)
    for instance_part in ("storage", "launcher"):  # configured in dagster.yaml
        importlib.import_module(f"docpipe_assets.instance.{instance_part}")
    # No Dagster instance here: its connections must be opened after the fork.
    for loaded in vars(importlib.import_module(module_name)).values():
        if isinstance(loaded, Definitions):
            loaded.get_repository_def().load_all_definitions()  # cached by the object
    gc.collect()
    gc.freeze()  # otherwise the first collection in a child copies every page shared with the parent


if __name__ == "__main__":
    main()
