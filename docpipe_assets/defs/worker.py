"""A Celery worker that loads the definitions once and forks, so that every run starts warm.

    python -m docpipe_assets.defs.worker --concurrency 2

More machines running this against the same broker and Postgres are more workers.
"""

import argparse
import ctypes
import gc
import importlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

from celery.signals import worker_process_init, worker_ready
from dagster import Definitions
from dagster_celery.tasks import create_execute_job_task, create_resume_job_task

from docpipe_assets.defs.broker import make_app
from docpipe_assets.errors import ConfigurationError
from docpipe_assets.lanes import LANES
from docpipe_assets.settings import read_settings

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="docpipe-worker", description=__doc__)
    parser.add_argument("--concurrency", type=int, default=os.cpu_count())
    parser.add_argument("--name", default="docpipe", help="to tell workers on one machine apart")
    parser.add_argument("--lanes", default=",".join(LANES), help="queues to serve, separated by commas")
    parser.add_argument("--definitions", default="docpipe_assets.definitions")
    parser.add_argument("--ready-file", type=Path, help="touched when the worker takes runs")
    options = parser.parse_args(arguments)
    broker_url = read_settings().broker_url
    if broker_url is None:
        raise ConfigurationError("DOCPIPE_BROKER_URL is not set; a worker needs the broker's redis:// URL")

    app = make_app(broker_url.get_secret_value())
    create_execute_job_task(app)
    create_resume_job_task(app)
    _load(options.definitions)
    ready_file: Path | None = options.ready_file

    def note_ready(**_: Any) -> None:
        if ready_file is not None:
            ready_file.touch()

    worker_ready.connect(note_ready, weak=False)
    worker_process_init.connect(_end_with_parent, weak=False)
    app.worker_main(
        [
            "worker",
            "--pool=prefork",
            f"--concurrency={options.concurrency}",
            f"--queues={options.lanes}",
            f"--hostname={options.name}@%h",
            "--loglevel=INFO",
            "--without-gossip",
            "--without-mingle",
        ]
    )


def _load(module_name: str) -> None:
    for instance_part in ("instance_storage", "run_launcher"):  # named in dagster.yaml
        importlib.import_module(f"docpipe_assets.defs.{instance_part}")
    # No Dagster instance here: its connections must be made after the fork.
    for loaded in vars(importlib.import_module(module_name)).values():
        if isinstance(loaded, Definitions):
            loaded.get_repository_def().load_all_definitions()  # kept by the object itself
    gc.collect()
    gc.freeze()  # or the first collection in a child copies every page it shares with its parent


def _end_with_parent(**_: Any) -> None:
    """A killed worker takes its children along: half a worker would go on with runs given up."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
