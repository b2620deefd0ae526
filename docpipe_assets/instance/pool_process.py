"""A process of a worker's pool: executes one run at a time and requeues it on the worker's signal."""

import ctypes
import os
import signal
import sys
import threading
import time
from typing import Any, Final

import dagster as dg

from docpipe_assets.instance.launcher import execute_run
from docpipe_assets.instance.records import tags
from docpipe_assets.operations.breaker import RUN_HANDED_BACK, advice_on

REQUEUE_SIGNAL: Final = signal.SIGUSR2
"""Signal by which the worker makes a process requeue its run."""
_PR_SET_PDEATHSIG: Final = 1
_LOWEST_PRIORITY: Final = 19
"""Increment of the nice value."""
_RUNS_PER_INSTANCE: Final = 500
"""Number of runs after which the Dagster instance is replaced: it caches data of every run, and a process
serves many thousands."""
_UNWIND_SECONDS: Final = 10.0
"""Maximum time for an interrupted run to end on its own."""
_POLL_SECONDS: Final = 0.1


class PoolProcess:
    """Created before the fork; its resources are created at first use, after the fork.

    ``is_background`` gives its runs the lowest CPU priority of the machine.
    """

    def __init__(self, *, is_background: bool = False) -> None:
        self._is_background = is_background
        self._instance: dg.DagsterInstance | None = None
        self._runs = 0
        self._run_id: str | None = None

    def prepare(self, **_: Any) -> None:
        """Handler of Celery's signal that a pool process has started."""
        if sys.platform == "linux":
            # When the worker is killed its processes end too: they would continue runs that were given up.
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # Ctrl-C in a terminal signals the whole process group; only the worker decides about its runs.
        os.setpgid(0, 0)
        if self._is_background:
            os.nice(_LOWEST_PRIORITY)
        signal.signal(REQUEUE_SIGNAL, self._start_requeue)

    def execute(self, run_id: str) -> int:
        """Returns 0, or 1 if the run did not succeed."""
        instance = self._current_instance()
        self._run_id = run_id
        try:
            return execute_run(instance, run_id)
        finally:
            self._run_id = None

    def _current_instance(self) -> dg.DagsterInstance:
        # Reading dagster.yaml for each run would take a twelfth of the cost of a small document.
        if self._instance is None or self._runs >= _RUNS_PER_INSTANCE:
            if self._instance is not None:
                self._instance.dispose()
            self._instance, self._runs = dg.DagsterInstance.get(), 0
        self._runs += 1
        return self._instance

    def _start_requeue(self, _number: int, _frame: object) -> None:
        # The interrupted code may hold a lock that the connection to Postgres needs: another thread can wait.
        if self._run_id is not None:
            threading.Thread(target=self._requeue, args=(self._run_id,), daemon=True).start()

    def _requeue(self, run_id: str) -> None:
        """First record why the run will fail, then interrupt it."""
        main, instance = threading.main_thread().ident, self._instance
        assert main is not None
        assert instance is not None
        instance.add_run_tags(run_id, {tags.ERROR: RUN_HANDED_BACK, tags.MESSAGE: advice_on(RUN_HANDED_BACK)})
        # Dagster handles SIGTERM as an interruption. The run ends as soon as the pages in progress are read.
        signal.pthread_kill(main, signal.SIGTERM)
        deadline = time.monotonic() + _UNWIND_SECONDS
        while self._run_id == run_id and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        run = instance.get_run_by_id(run_id)
        if self._run_id == run_id and run is not None and not run.is_finished:
            instance.report_run_failed(run, "The worker shut down before the document was finished.")
            os._exit(1)
