"""Launches a document's run on a warm Celery worker, or in a process of its own without a broker."""

import time
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dagster import DagsterInstance, DagsterRun, DefaultRunLauncher

from docpipe_assets.instance.broker import make_app
from docpipe_assets.instance.dagster_internals import (
    DAGSTER_CELERY_TASK_ID_TAG,
    CeleryRunLauncher,
    CheckRunHealthResult,
    ConfigurableClassData,
    ExecuteRunArgs,
    RunLauncher,
    UserConfigSchema,
    WorkerStatus,
    execute_run_command,
    unpack_value,
)
from docpipe_assets.lanes import LANES
from docpipe_assets.settings import read_settings

_PATIENCE_SECONDS: Final = 40.0
"""A worker may answer late, or look for a broker that was restarted: only one that has been silent
for longer is taken for dead."""
_ANSWER_SECONDS: Final = 3.0
_ASK_AGAIN_SECONDS: Final = 4.0
"""Run monitoring looks at one run after the other: a silent worker is asked once for all of its runs,
or a look at many of them would take longer than the patience."""
HEARTBEATS: Final = "heartbeats"
"""Key in the state of a Celery task: how many times its worker has recorded, shutting down, that it lives."""


@dataclass
class _Silence:
    """Of a worker that did not answer when it was asked."""

    since: float
    asked_at: float
    heartbeats: int
    """Recorded with its tasks when the silence began; a worker that is shutting down gives no other sign."""


class DocumentRunLauncher(CeleryRunLauncher):
    """Dagster's Celery launcher, with lanes as queues, and with an eye for workers that are gone."""

    def __init__(self, broker_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(default_queue=LANES[0], broker=broker_url, backend=broker_url, inst_data=inst_data)
        self.celery = make_app(broker_url)
        self._silences: dict[str, _Silence] = {}

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return {}

    @classmethod
    def from_config_value(  # type: ignore[override]  # a launcher, though not always this one
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> RunLauncher:
        broker_url = read_settings().broker_url
        if broker_url is None:
            return DefaultRunLauncher(inst_data=inst_data)
        return cls(broker_url.get_secret_value(), inst_data)

    def terminate(self, run_id: str) -> bool:
        """Interrupts the run, which then ends as canceled; one that still waits ends at once.

        The stock launcher does not say why it interrupts, and such a run ends as a failure.
        """
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished or DAGSTER_CELERY_TASK_ID_TAG not in run.tags:
            return False
        self._instance.report_run_canceling(run)
        task = self.celery.AsyncResult(run.tags[DAGSTER_CELERY_TASK_ID_TAG])
        is_waiting = task.state == "PENDING"
        task.revoke(terminate=True)
        if is_waiting:
            self._instance.report_run_canceled(run)
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Also asks the worker itself: a worker killed as a whole leaves its task "started" for ever."""
        task_id = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG)
        if task_id is None:
            # A script or `dagster job execute` executes the run, and its health cannot be checked. Any other
            # status would fail every such run within seconds. If its program died, end the run in the UI.
            return CheckRunHealthResult(WorkerStatus.RUNNING, "No worker executes the run.")
        result = self.celery.AsyncResult(task_id)
        if result.state != "STARTED":
            return super().check_run_worker_health(run)
        worker = result.info["hostname"]
        tasks = self._tasks_of(worker, task_id, result.info.get(HEARTBEATS, 0))
        if tasks is None:
            silence = self._silences[worker]
            silent_seconds = silence.asked_at - silence.since
            if silent_seconds < _PATIENCE_SECONDS:
                return CheckRunHealthResult(WorkerStatus.RUNNING, f"Worker {worker} does not answer.")
            return CheckRunHealthResult(
                WorkerStatus.FAILED, f"Worker {worker} is gone: no answer for {silent_seconds:.0f} seconds."
            )
        # The task may have ended between the two questions.
        if task_id in tasks or self.celery.AsyncResult(task_id).state != "STARTED":
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(
            WorkerStatus.FAILED, f"Worker {worker} was restarted and no longer has the run."
        )

    def _tasks_of(self, worker: str, task_id: str, heartbeats: int) -> Container[str] | None:
        """The task if the worker has it, else nothing; None when the worker does not answer."""
        silence = self._silences.get(worker)
        began = time.monotonic()
        if silence is not None and began - silence.asked_at < _ASK_AGAIN_SECONDS:
            return None
        answer = self.celery.control.inspect(
            destination=[worker], timeout=_ANSWER_SECONDS, limit=1
        ).query_task(task_id)
        if answer is not None:
            self._silences.pop(worker, None)
            tasks: Container[str] = answer[worker]
            return tasks
        # Nobody asks a worker without runs, so an old silence says nothing of the time since.
        if (
            silence is None
            or began - silence.asked_at > _PATIENCE_SECONDS
            or heartbeats > silence.heartbeats  # counted: clocks of two machines differ
        ):
            silence = self._silences[worker] = _Silence(began, began, heartbeats)
        silence.asked_at = time.monotonic()
        return None


def run_id_of(message: Any) -> str:
    """The run that a launcher's message asks a worker to execute."""
    return unpack_value(message, as_type=ExecuteRunArgs).run_id


def execute_run(instance: DagsterInstance, run_id: str) -> int:
    """Executes a launched run in this process; returns 0, or 1 when it did not succeed.

    It is what the task of `dagster_celery` does, save that it reads dagster.yaml anew for each run.
    """
    return execute_run_command(run_id, instance, lambda _: None, set_exit_code_on_failure=True)
