"""Launches the run of a document on a warm Celery worker or, without a broker, in a process of its own."""

import time
from collections.abc import Mapping
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
    LaunchRunContext,
    RunLauncher,
    UserConfigSchema,
    WorkerStatus,
    execute_run_command,
    unpack_value,
)
from docpipe_assets.instance.records import tags
from docpipe_assets.lanes import CORPUS, STANDARD
from docpipe_assets.settings import read_settings

_UNRESPONSIVE_SECONDS: Final = 40.0
"""A worker may respond late, or reconnect to a restarted broker: it counts as lost only after being
unresponsive for longer than this."""
_PING_TIMEOUT_SECONDS: Final = 3.0
_CONSUMERS_TIMEOUT_SECONDS: Final = 1.0
"""Workers that do not respond in this time do not count as consumers of the corpus lane."""
_PING_INTERVAL_SECONDS: Final = 4.0
"""Run monitoring checks runs one by one: an unresponsive worker is pinged once for all of its runs, or
checking many of them would exceed the limit above."""
HEARTBEATS: Final = "heartbeats"
"""Key in the state of a Celery task: the number of heartbeats that its worker has recorded while shutting
down."""


@dataclass
class _UnresponsiveWorker:
    """State of a worker that did not respond to a ping."""

    since: float
    pinged_at: float
    heartbeats: int
    """Recorded with its tasks when it stopped responding; a worker that is shutting down gives no other sign
    of life."""


class DocumentRunLauncher(CeleryRunLauncher):
    """Dagster's Celery launcher, with lanes as queues and detection of lost workers."""

    def __init__(self, broker_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(default_queue=STANDARD, broker=broker_url, backend=broker_url, inst_data=inst_data)
        self.celery = make_app(broker_url)
        self._unresponsive: dict[str, _UnresponsiveWorker] = {}

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

    def launch_run(self, context: LaunchRunContext) -> None:
        """A corpus run uses the standard lane if no worker consumes the corpus lane, instead of waiting."""
        run = context.dagster_run
        if run.tags.get(tags.QUEUE) == CORPUS and not self._has_consumer(CORPUS):
            self._instance.add_run_tags(run.run_id, {tags.QUEUE: STANDARD})
            self._instance.report_engine_event(
                f"No worker consumes the lane {CORPUS}: the run uses a slot of the lane {STANDARD}. "
                f"Start one with: docpipe worker --lane {CORPUS} --concurrency 1",
                run,
            )
            run = run.with_tags({**run.tags, tags.QUEUE: STANDARD})
        super().launch_run(context._replace(dagster_run=run))

    def _has_consumer(self, lane: str) -> bool:
        queues = self.celery.control.inspect(timeout=_CONSUMERS_TIMEOUT_SECONDS).active_queues() or {}
        return any(queue["name"] == lane for of_worker in queues.values() for queue in of_worker)

    def terminate(self, run_id: str) -> bool:
        """Interrupt the run, which then ends as canceled; a waiting run is canceled immediately.

        The stock launcher does not mark the run as canceling, so it would end as failed.
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
        """Also pings the worker: if a worker is killed with all its processes, its task stays "started"
        forever.
        """
        task_id = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG)
        if task_id is None:
            # A script or `dagster job execute` executes the run, and its health cannot be checked. Any other
            # status would fail every such run within seconds. If its program died, end the run in the UI.
            return CheckRunHealthResult(WorkerStatus.RUNNING, "No worker executes the run.")
        result = self.celery.AsyncResult(task_id)
        if result.state != "STARTED":
            return super().check_run_worker_health(run)
        worker = result.info["hostname"]
        has_task = self._has_task(worker, task_id, result.info.get(HEARTBEATS, 0))
        if has_task is None:
            unresponsive = self._unresponsive[worker]
            unresponsive_seconds = unresponsive.pinged_at - unresponsive.since
            if unresponsive_seconds < _UNRESPONSIVE_SECONDS:
                return CheckRunHealthResult(WorkerStatus.RUNNING, f"Worker {worker} does not respond.")
            return CheckRunHealthResult(
                WorkerStatus.FAILED,
                f"Worker {worker} is lost: no response for {unresponsive_seconds:.0f} seconds.",
            )
        # The task may have ended between the two requests.
        if has_task or self.celery.AsyncResult(task_id).state != "STARTED":
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(
            WorkerStatus.FAILED, f"Worker {worker} was restarted and no longer has the run."
        )

    def _has_task(self, worker: str, task_id: str, heartbeats: int) -> bool | None:
        """Whether the worker has the task; None if the worker does not respond."""
        unresponsive = self._unresponsive.get(worker)
        began = time.monotonic()
        if unresponsive is not None and began - unresponsive.pinged_at < _PING_INTERVAL_SECONDS:
            return None
        answer = self.celery.control.inspect(
            destination=[worker], timeout=_PING_TIMEOUT_SECONDS, limit=1
        ).query_task(task_id)
        if answer is not None:
            self._unresponsive.pop(worker, None)
            return task_id in answer[worker]
        # A worker without runs is not pinged, so an old failure says nothing about the time since.
        if (
            unresponsive is None
            or began - unresponsive.pinged_at > _UNRESPONSIVE_SECONDS
            or heartbeats > unresponsive.heartbeats  # counted: clocks of two machines differ
        ):
            unresponsive = self._unresponsive[worker] = _UnresponsiveWorker(began, began, heartbeats)
        unresponsive.pinged_at = time.monotonic()
        return None


def run_id_of(message: Any) -> str:
    """The run ID in a launcher's message."""
    return unpack_value(message, as_type=ExecuteRunArgs).run_id


def execute_run(instance: DagsterInstance, run_id: str) -> int:
    """Execute a launched run in this process; returns 0, or 1 if it did not succeed.

    Does the same as the task of `dagster_celery`, without reading dagster.yaml for each run.
    """
    return execute_run_command(run_id, instance, lambda _: None, set_exit_code_on_failure=True)
