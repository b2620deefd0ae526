"""A Celery worker that loads the definitions once and forks, so that every run starts warm.

    docpipe worker --lane standard --lane large --concurrency 2

More machines running this against the same broker, Postgres and bucket are more workers. Told to end
(SIGTERM, or Ctrl-C), it takes nothing new and finishes the documents that it has. After the grace, or
told again, it hands them back: their runs end as RUN_HANDED_BACK, which is charged to nobody, and intake
requests them again at once.
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
from docpipe_assets.instance.pool_process import HAND_BACK, PoolProcess
from docpipe_assets.lanes import LANES
from docpipe_assets.settings import read_settings
from docpipe_assets.storage.scratch import ScratchFolder

GRACE_SECONDS: Final = 60.0
HAND_BACK_SECONDS: Final = 20.0
"""So long a run may take to end once it is handed back; then its process is killed."""

_HEARTBEAT_SECONDS: Final = 5.0


@dataclass(frozen=True)
class WorkerOptions:
    lanes: Sequence[str] = LANES
    concurrency: int = os.cpu_count() or 1
    """Documents at once: one process each."""
    grace_seconds: float = GRACE_SECONDS
    """How long documents may take to finish after the worker was told to end."""
    name: str = "docpipe"
    """To tell workers on one machine apart."""
    definitions: str = "docpipe_assets.definitions"
    ready_file: Path | None = None
    """Touched when the worker takes runs."""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="docpipe-worker", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    default = WorkerOptions()
    parser.add_argument("--lane", action="append", choices=LANES, help="may be given twice; default: all")
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
    """Returns when the worker has ended. Raises ConfigurationError where there is no broker."""
    settings = read_settings()
    broker_url = settings.broker_url
    if broker_url is None:
        raise ConfigurationError("DOCPIPE_BROKER_URL is not set; a worker needs the broker's redis:// URL")
    ScratchFolder(settings.scratch_dir).sweep()  # what killed workers of this machine have left
    for lane in options.lanes:
        if lane not in LANES:
            raise ConfigurationError(f"--lane {lane}: there are {' and '.join(LANES)}")
    app = make_app(broker_url.get_secret_value())
    process, departure = PoolProcess(), Departure(app, options.grace_seconds)

    @app.task(name=TASK_EXECUTE_JOB_NAME, track_started=True)  # type: ignore[untyped-decorator]
    def execute_job(execute_job_args_packed: Any) -> int:
        return process.execute(run_id_of(execute_job_args_packed))

    def note_ready(**_: Any) -> None:
        departure.listen()
        if options.ready_file is not None:
            options.ready_file.touch()

    _load(options.definitions)
    worker_ready.connect(note_ready, weak=False)
    worker_process_init.connect(process.prepare, weak=False)
    worker_shutting_down.connect(departure.begin, weak=False)
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


class Departure:
    """Sees to it that a worker that was told to end does end, and that its documents are not lost.

    Celery itself waits for its tasks however long they take. So nothing is left to do but to end the
    runs that take too long.
    """

    def __init__(self, app: Celery, grace_seconds: float) -> None:
        self._app = app
        self._grace_seconds = grace_seconds
        self._insisted = threading.Event()
        self._has_begun = False

    def listen(self) -> None:
        """Ctrl-C is taken for SIGTERM, and SIGQUIT for being told twice. Celery would throw runs away."""
        signal.signal(signal.SIGINT, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        signal.signal(signal.SIGQUIT, lambda *_: self._end_at_once())

    def begin(self, **_: Any) -> None:
        """For Celery's signal that it was told to end."""
        if self._has_begun:
            self._insisted.set()
            return
        self._has_begun = True
        threading.Thread(target=self._see_to_it, daemon=True).start()
        tasks = tuple(active_requests)  # here, since no other thread may iterate over them
        threading.Thread(target=self._record_heartbeats, args=(tasks,), daemon=True).start()

    def _record_heartbeats(self, tasks: Sequence[Request]) -> None:
        """A Celery worker that shuts down answers no questions, and run monitoring would give up its runs."""
        for heartbeats in itertools.count(1):
            for task in filter(active_requests.__contains__, tasks):
                known = {"hostname": task.hostname, "pid": task.worker_pid, HEARTBEATS: heartbeats}
                with contextlib.suppress(*self._app.backend.connection_errors):
                    self._app.backend.store_result(task.id, known, states.STARTED)
            time.sleep(_HEARTBEAT_SECONDS)

    def _end_at_once(self) -> None:
        self._insisted.set()
        os.kill(os.getpid(), signal.SIGTERM)

    def _see_to_it(self) -> None:
        self._insisted.wait(self._grace_seconds)
        for number, patience_seconds in ((HAND_BACK, HAND_BACK_SECONDS), (signal.SIGKILL, 5.0)):
            for child in billiard.active_children():
                os.kill(child.pid, number)
            time.sleep(patience_seconds)
        os._exit(1)  # the runs are known to be handed back or lost; waiting longer helps nobody


def _load(module_name: str) -> None:
    # Told of at every use: of data versions, without which the UI could not show what is stale.
    warnings.filterwarnings("ignore", category=BetaWarning)
    for instance_part in ("storage", "launcher"):  # named in dagster.yaml
        importlib.import_module(f"docpipe_assets.instance.{instance_part}")
    # No Dagster instance here: its connections must be made after the fork.
    for loaded in vars(importlib.import_module(module_name)).values():
        if isinstance(loaded, Definitions):
            loaded.get_repository_def().load_all_definitions()  # kept by the object itself
    gc.collect()
    gc.freeze()  # or the first collection in a child copies every page it shares with its parent


if __name__ == "__main__":
    main()
