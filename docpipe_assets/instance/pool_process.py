"""One of a worker's processes: executes one run after the other, and hands the one at work back when told."""

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

HAND_BACK: Final = signal.SIGUSR2
"""What the worker sends to a process whose run it can't wait for any longer."""
_PR_SET_PDEATHSIG: Final = 1
_RUNS_PER_INSTANCE: Final = 500
"""An instance remembers something of every run it has met, and a process lives for many thousands."""
_UNWIND_SECONDS: Final = 10.0
"""So long an interrupted run may take to end by itself."""
_LOOK_SECONDS: Final = 0.1


class PoolProcess:
    """Made before the fork; what it holds is made at the first use, after it."""

    def __init__(self) -> None:
        self._instance: dg.DagsterInstance | None = None
        self._runs = 0
        self._run_id: str | None = None

    def prepare(self, **_: Any) -> None:
        """For Celery's signal that a process of the pool begins."""
        if sys.platform == "linux":
            # A killed worker takes its processes along: half a worker would go on with runs given up.
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # Ctrl-C in a terminal reaches a whole group; it is the worker that decides about the runs.
        os.setpgid(0, 0)
        signal.signal(HAND_BACK, self._begin_to_hand_back)

    def execute(self, run_id: str) -> int:
        """Returns 0, or 1 when the run did not succeed."""
        instance = self._instance_at_hand()
        self._run_id = run_id
        try:
            return execute_run(instance, run_id)
        finally:
            self._run_id = None

    def _instance_at_hand(self) -> dg.DagsterInstance:
        # Reading dagster.yaml for each run would be a twelfth of what a small document costs.
        if self._instance is None or self._runs >= _RUNS_PER_INSTANCE:
            if self._instance is not None:
                self._instance.dispose()
            self._instance, self._runs = dg.DagsterInstance.get(), 0
        self._runs += 1
        return self._instance

    def _begin_to_hand_back(self, _number: int, _frame: object) -> None:
        # The interrupted code may hold a lock that is needed to talk to Postgres: another thread can wait.
        if self._run_id is not None:
            threading.Thread(target=self._hand_back, args=(self._run_id,), daemon=True).start()

    def _hand_back(self, run_id: str) -> None:
        """First says why the run will fail, then makes it fail."""
        main, instance = threading.main_thread().ident, self._instance
        assert main is not None
        assert instance is not None
        instance.add_run_tags(run_id, {tags.ERROR: RUN_HANDED_BACK, tags.MESSAGE: advice_on(RUN_HANDED_BACK)})
        # Dagster takes SIGTERM for an interruption. The run ends as soon as the pages at work are read.
        signal.pthread_kill(main, signal.SIGTERM)
        deadline = time.monotonic() + _UNWIND_SECONDS
        while self._run_id == run_id and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
        run = instance.get_run_by_id(run_id)
        if self._run_id == run_id and run is not None and not run.is_finished:
            instance.report_run_failed(run, "The worker had to end before the document was done.")
            os._exit(1)
