"""While a stage is paused, the runs that automation queued are dequeued, and no others."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import (  # a queued run needs an origin; none is public
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from sqlalchemy import text

from docpipe_assets.defs.assets import DOCUMENT_ASSETS
from docpipe_assets.defs.io_managers import LakeIOManager
from docpipe_assets.defs.jobs import process_document
from docpipe_assets.defs.partitions import documents
from docpipe_assets.defs.sensors import intake_sensor
from docpipe_assets.instance.records import tags
from docpipe_assets.instance.records.history import (
    ExistingAttempts,
    deciding_runs,
    existing_attempts,
    fold_history,
    read_ledger,
    retry_context,
)
from docpipe_assets.instance.records.names import PROCESS_DOCUMENT
from docpipe_assets.instance.records.recall import dequeue
from docpipe_assets.operations.breaker import RUN_CANCELED, RUN_RECALLED, WORKER_LOST, Action, Breakers
from docpipe_assets.operations.intake import HIGH, LOW, QueuedRun, listed_document, runs_to_dequeue
from docpipe_assets.operations.ledger import Entry, Progress, State
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.settings import Settings
from docpipe_assets.storage.file import LocalFiles
from docpipe_assets_tests.operations.breaker.histories import failed, folded

PAUSED = folded(*(failed("ENGINE_FAILED", n, key=f"b/{n}.pdf") for n in range(5)))


def test_only_automatic_runs_are_dequeued_and_the_canary_stays() -> None:
    queued = [
        QueuedRun("automatic", is_automatic=True),
        QueuedRun("a person's", is_automatic=False),
        QueuedRun("canary", is_automatic=True, is_canary=True),
    ]
    assert runs_to_dequeue(queued, PAUSED) == ["automatic"]
    assert runs_to_dequeue(queued, Breakers()) == []


def test_the_next_runs_to_start_are_dequeued_first_up_to_a_limit() -> None:
    priorities = {"low": LOW, "older": 0, "newer": 0, "high": HIGH}
    queued = [QueuedRun(name, is_automatic=True, priority=priority) for name, priority in priorities.items()]
    assert runs_to_dequeue(queued, PAUSED) == ["high", "older", "newer", "low"]
    assert runs_to_dequeue(queued, PAUSED, limit=2) == ["high", "older"]


Status = dg.DagsterRunStatus
_EVENTS = {
    Status.STARTING: dg.DagsterEventType.PIPELINE_STARTING,
    Status.STARTED: dg.DagsterEventType.PIPELINE_START,
    Status.SUCCESS: dg.DagsterEventType.PIPELINE_SUCCESS,
    Status.FAILURE: dg.DagsterEventType.PIPELINE_FAILURE,
    Status.CANCELED: dg.DagsterEventType.PIPELINE_CANCELED,
}
ORIGIN = RemoteJobOrigin(
    RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("docpipe"), "__repository__"), PROCESS_DOCUMENT
)
BROKEN = {tags.ERROR: "ENGINE_FAILED", tags.STAGE: "ocr_text"}


class QueueHarness:
    """Dagster's records and queue, with a bucket of a dozen documents and without workers."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        path = folder / "letter.pdf"
        path.write_bytes(b"%PDF-1.7")
        self.settings = Settings(data_dir=folder / "data", intake_max_queued=12)
        self.pipeline = DocumentPipeline(
            self.settings, intake=LocalFiles({f"b/{number:02d}.pdf": path for number in range(12)})
        )
        definitions = dg.Definitions(
            assets=DOCUMENT_ASSETS,
            jobs=[process_document],
            resources={"pipeline": self.pipeline, "lake": LakeIOManager(self.pipeline)},
        )
        self._job = definitions.resolve_job_def(PROCESS_DOCUMENT)
        self._cursor: str | None = None
        self._coordinator = dg.QueuedRunCoordinator()
        self._coordinator.register_instance(instance)

    def tick(self) -> list[str]:
        """One tick of the sensor, executed like the daemon does; return the ids of its queued runs."""
        with dg.build_sensor_context(
            instance=self.instance, cursor=self._cursor, resources={"pipeline": self.pipeline}
        ) as context:
            result = intake_sensor(self.settings)(context)
        assert isinstance(result, dg.SensorResult)
        for added in result.dynamic_partitions_requests or []:
            self.instance.add_dynamic_partitions(documents.name or "", list(added.partition_keys))
        self._cursor = result.cursor
        return [
            self.queue(str(request.partition_key), **request.tags) for request in result.run_requests or []
        ]

    def queue(self, key: str, **more: str) -> str:
        run = self.instance.create_run_for_job(
            self._job, tags={tags.PARTITION: key, **more}, remote_job_origin=ORIGIN
        )
        submission = dg.SubmitRunContext(run, workspace=None)  # type: ignore[arg-type]  # not looked at
        self._coordinator.submit_run(submission)
        assert self.status(run.run_id) is Status.QUEUED
        return run.run_id

    def moves(self, run_id: str, *statuses: dg.DagsterRunStatus) -> None:
        for status in statuses:
            event = dg.DagsterEvent(event_type_value=_EVENTS[status].value, job_name=PROCESS_DOCUMENT)
            self.instance.report_dagster_event(event, run_id=run_id)

    def fail_all(self, run_ids: list[str]) -> None:
        """Let these runs fail identically, which pauses the stage."""
        for run_id in run_ids:
            self.moves(run_id, Status.STARTING, Status.STARTED)
            self.instance.add_run_tags(run_id, BROKEN)
            self.moves(run_id, Status.FAILURE)

    def status(self, run_id: str) -> dg.DagsterRunStatus:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run.status

    def entries(self) -> dict[str, Entry]:
        return {entry.document: entry for entry in read_ledger(self.instance, self.pipeline).entries}

    def dequeue(self, run_id: str) -> frozenset[str]:
        """Dequeue the run as a sensor that has seen it in the queue before."""
        (record,) = self.instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
        return dequeue(self.instance, [record], PAUSED)


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[QueueHarness]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield QueueHarness(tmp_path, instance)


def test_a_paused_stage_empties_the_queue_without_counting_attempts(harness: QueueHarness) -> None:
    *waiting, a, b, c, d, e = harness.tick()
    persons = harness.queue("b/00.pdf", **{"dagster/backfill": "x"})
    again = harness.queue("b/01.pdf", **{tags.REQUEST: "copied", tags.PARENT_RUN: waiting[1]})
    canary = harness.queue("b/02.pdf", **{tags.REQUEST: "c", tags.CANARY: "canary.ocr_text"})
    harness.fail_all([a, b, c, d, e])
    assert harness.tick() == []
    assert {harness.status(run_id) for run_id in waiting} == {Status.CANCELED}
    assert {harness.status(run_id) for run_id in (persons, again, canary)} == {Status.QUEUED}
    breakers, _ = fold_history(harness.instance, harness.settings)
    dequeued = [one for one in breakers.documents.values() if one.error == RUN_RECALLED]
    assert len(dequeued) == 7
    assert {(one.failures, one.attempts) for one in dequeued} == {(0, 0)}
    entries = harness.entries()
    assert {entry.state for entry in entries.values()} == {State.QUEUED}
    assert "ocr_text is paused" in str(entries["b/05.pdf"].reason)
    assert harness.tick() == [], "dequeued documents are not requested before the stage works again"


def test_dequeued_documents_are_due_at_once_when_the_stage_works_again(harness: QueueHarness) -> None:
    *waiting, a, b, c, d, e = harness.tick()
    harness.fail_all([a, b, c, d, e])
    harness.tick()
    breakers, _ = fold_history(harness.instance, harness.settings)
    mended = Breakers(breakers.documents)
    retries = retry_context(harness.pipeline, mended, existing_attempts(harness.instance))
    seen = [listed_document(found) for found in harness.pipeline.intake.list()]
    decisions = {one.key: retries.decide(one, "standard", is_first=False) for one in seen}
    due = [key for key, decision in decisions.items() if decision and decision.action is Action.REQUEST]
    assert due == [f"b/{number:02d}.pdf" for number in range(len(waiting))]
    assert {decision.attempt for key, decision in decisions.items() if decision and key in due} == {1}


def test_existing_attempts_are_cached_and_new_ones_added(harness: QueueHarness) -> None:
    cached = ExistingAttempts()
    first = harness.queue("b/00.pdf", **{tags.REQUEST: "r"})
    harness.queue("b/01.pdf", **{tags.REQUEST: "s", tags.CANARY: "c"})
    assert cached.read(harness.instance) == {"r", "s", "c"}
    harness.queue("b/02.pdf", **{tags.REQUEST: "t"})
    harness.queue("b/03.pdf")
    assert cached.read(harness.instance) == {"r", "s", "c", "t"} == existing_attempts(harness.instance)
    harness.instance.delete_run(first)
    assert cached.read(harness.instance) == {"r", "s", "c", "t"}, "only new keys are read"
    assert ExistingAttempts().read(harness.instance) == {"s", "c", "t"}


def test_run_keys_of_new_runs_are_found_despite_clock_skew_and_high_counts(
    harness: QueueHarness,
) -> None:
    cached = ExistingAttempts()
    harness.queue("b/00.pdf", **{tags.REQUEST: "r"})
    assert cached.read(harness.instance) == {"r"}
    for number in range(100):
        harness.queue("b/01.pdf", **{tags.REQUEST: f"s{number}"})
    with harness.instance.run_storage.connect() as connection:  # type: ignore[attr-defined]  # SQL
        connection.execute(text("UPDATE runs SET create_timestamp = '2026-01-01'"))
    assert cached.read(harness.instance) == existing_attempts(harness.instance)
    assert len(cached.read(harness.instance)) == 101


@pytest.mark.parametrize("moved", [Status.STARTING, Status.STARTED])
def test_a_run_that_has_left_the_queue_is_not_dequeued(
    harness: QueueHarness, moved: dg.DagsterRunStatus
) -> None:
    run_id = harness.queue("b/00.pdf", **{tags.REQUEST: "r"})
    (seen_in_queue,) = harness.instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
    harness.moves(run_id, moved)
    assert dequeue(harness.instance, [seen_in_queue], PAUSED) == frozenset()
    assert harness.status(run_id) is moved


@pytest.mark.parametrize(
    ("end", "progress", "error"),
    [
        (Status.SUCCESS, Progress.SUCCEEDED, None),
        (Status.FAILURE, Progress.FAILED, WORKER_LOST),
        (Status.CANCELED, Progress.FAILED, RUN_CANCELED),
    ],
)
def test_a_run_that_starts_while_being_dequeued_has_its_own_outcome(
    harness: QueueHarness, end: dg.DagsterRunStatus, progress: Progress, error: str | None
) -> None:
    """The daemon read that the run is queued, and records its start only after the run was dequeued."""
    run_id = harness.queue("b/00.pdf", **{tags.REQUEST: "r"})
    assert harness.dequeue(run_id) == {run_id}
    assert deciding_runs(harness.instance)["b/00.pdf"].error == RUN_RECALLED
    harness.moves(run_id, Status.STARTING)
    assert deciding_runs(harness.instance)["b/00.pdf"].progress is Progress.RUNNING
    harness.moves(run_id, Status.STARTED, end)
    summary = deciding_runs(harness.instance)["b/00.pdf"]
    assert (summary.progress, summary.error) == (progress, error)


def test_a_run_that_fails_while_being_dequeued_records_its_own_failure(harness: QueueHarness) -> None:
    run_id = harness.queue("b/00.pdf", **{tags.REQUEST: "r"})
    harness.dequeue(run_id)
    harness.fail_all([run_id])
    assert deciding_runs(harness.instance)["b/00.pdf"].error == "ENGINE_FAILED"


def test_a_cancelation_counts_after_a_failure_within_the_run(harness: QueueHarness) -> None:
    run_id = harness.queue("b/00.pdf", **{tags.REQUEST: "r"})
    harness.moves(run_id, Status.STARTED)
    harness.instance.add_run_tags(run_id, BROKEN)  # of a first attempt within the run
    harness.moves(run_id, Status.CANCELED)
    assert deciding_runs(harness.instance)["b/00.pdf"].error == RUN_CANCELED


def test_two_sensors_dequeue_a_run_once(harness: QueueHarness) -> None:
    run_id = harness.queue("b/00.pdf", **{tags.REQUEST: "r"})
    (seen_by_both,) = harness.instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
    assert dequeue(harness.instance, [seen_by_both], PAUSED) == {run_id}
    assert dequeue(harness.instance, [seen_by_both], PAUSED) == frozenset()
    assert harness.status(run_id) is Status.CANCELED
