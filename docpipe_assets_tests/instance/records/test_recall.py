"""While a stage is paused, what automation has queued is taken out of the queue, and nothing else is."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import (  # only a run with an origin can be queued, and none is public
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
    TakenNames,
    deciding_runs,
    failures_by,
    fold_history,
    read_ledger,
    taken_names,
)
from docpipe_assets.instance.records.names import PROCESS_DOCUMENT
from docpipe_assets.instance.records.recall import recall
from docpipe_assets.operations.breaker import RUN_CANCELED, RUN_RECALLED, WORKER_LOST, Action, Breakers
from docpipe_assets.operations.intake import HIGH, LOW, QueuedRun, sighting_of, to_recall
from docpipe_assets.operations.ledger import Entry, Progress, State
from docpipe_assets.runtime.document_pipeline import Workbench
from docpipe_assets.settings import Settings
from docpipe_assets.storage.file import GivenFiles
from docpipe_assets_tests.operations.breaker.histories import failed, folded

PAUSED = folded(*(failed("ENGINE_FAILED", n, key=f"b/{n}.pdf") for n in range(5)))


def test_only_what_automation_queued_is_recalled_and_the_canary_stays() -> None:
    queued = [
        QueuedRun("automatic", is_automatic=True),
        QueuedRun("a person's", is_automatic=False),
        QueuedRun("canary", is_automatic=True, is_canary=True),
    ]
    assert to_recall(queued, PAUSED) == ["automatic"]
    assert to_recall(queued, Breakers()) == []


def test_those_that_would_be_begun_first_are_recalled_first_and_no_more_than_a_bounded_number() -> None:
    priorities = {"low": LOW, "older": 0, "newer": 0, "high": HIGH}
    queued = [QueuedRun(name, is_automatic=True, priority=priority) for name, priority in priorities.items()]
    assert to_recall(queued, PAUSED) == ["high", "older", "newer", "low"]
    assert to_recall(queued, PAUSED, limit=2) == ["high", "older"]


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


class Office:
    """Dagster's records with its queue, over a bucket of a dozen documents; nobody works."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        path = folder / "letter.pdf"
        path.write_bytes(b"%PDF-1.7")
        self.settings = Settings(data_dir=folder / "data", intake_max_queued=12)
        self.bench = Workbench(
            self.settings, intake=GivenFiles({f"b/{number:02d}.pdf": path for number in range(12)})
        )
        definitions = dg.Definitions(
            assets=DOCUMENT_ASSETS,
            jobs=[process_document],
            resources={"bench": self.bench, "lake": LakeIOManager(self.bench)},
        )
        self._job = definitions.resolve_job_def(PROCESS_DOCUMENT)
        self._cursor: str | None = None
        self._coordinator = dg.QueuedRunCoordinator()
        self._coordinator.register_instance(instance)

    def tick(self) -> list[str]:
        """One look of the sensor, carried out as the daemon would; return the ids of the runs it queued."""
        with dg.build_sensor_context(
            instance=self.instance, cursor=self._cursor, resources={"bench": self.bench}
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

    def break_down(self, run_ids: list[str]) -> None:
        """These fail alike: the stage is paused from now on."""
        for run_id in run_ids:
            self.moves(run_id, Status.STARTING, Status.STARTED)
            self.instance.add_run_tags(run_id, BROKEN)
            self.moves(run_id, Status.FAILURE)

    def status(self, run_id: str) -> dg.DagsterRunStatus:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run.status

    def entries(self) -> dict[str, Entry]:
        return {entry.document: entry for entry in read_ledger(self.instance, self.bench).entries}

    def recall(self, run_id: str) -> frozenset[str]:
        """By a sensor that saw the run in the queue a moment ago."""
        (record,) = self.instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
        return recall(self.instance, [record], PAUSED)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Office(tmp_path, instance)


def test_a_paused_stage_empties_the_queue_and_nobody_is_charged(office: Office) -> None:
    *waiting, a, b, c, d, e = office.tick()
    persons = office.queue("b/00.pdf", **{"dagster/backfill": "x"})
    again = office.queue("b/01.pdf", **{tags.REQUEST: "copied", tags.PARENT_RUN: waiting[1]})
    canary = office.queue("b/02.pdf", **{tags.REQUEST: "c", tags.CANARY: "canary.ocr_text"})
    office.break_down([a, b, c, d, e])
    assert office.tick() == []
    assert {office.status(run_id) for run_id in waiting} == {Status.CANCELED}
    assert {office.status(run_id) for run_id in (persons, again, canary)} == {Status.QUEUED}
    breakers, _ = fold_history(office.instance, office.settings)
    recalled = [one for one in breakers.documents.values() if one.error == RUN_RECALLED]
    assert len(recalled) == 7
    assert {(one.failures, one.attempts) for one in recalled} == {(0, 0)}
    entries = office.entries()
    assert {entry.state for entry in entries.values()} == {State.QUEUED}
    assert "ocr_text is paused" in str(entries["b/05.pdf"].reason)
    assert office.tick() == [], "what was recalled is not requested before the stage works again"


def test_what_was_recalled_is_due_at_once_when_the_stage_works_again(office: Office) -> None:
    *waiting, a, b, c, d, e = office.tick()
    office.break_down([a, b, c, d, e])
    office.tick()
    breakers, _ = fold_history(office.instance, office.settings)
    mended = Breakers(breakers.documents)
    failures = failures_by(office.bench, mended, taken_names(office.instance))
    seen = [sighting_of(found) for found in office.bench.intake.list()]
    decisions = {one.key: failures.decide(one, "standard", is_first=False) for one in seen}
    due = [key for key, decision in decisions.items() if decision and decision.action is Action.REQUEST]
    assert due == [f"b/{number:02d}.pdf" for number in range(len(waiting))]
    assert {decision.attempt for key, decision in decisions.items() if decision and key in due} == {1}


def test_names_that_are_taken_are_remembered_and_new_ones_added(office: Office) -> None:
    names = TakenNames()
    first = office.queue("b/00.pdf", **{tags.REQUEST: "r"})
    office.queue("b/01.pdf", **{tags.REQUEST: "s", tags.CANARY: "c"})
    assert names.read(office.instance) == {"r", "s", "c"}
    office.queue("b/02.pdf", **{tags.REQUEST: "t"})
    office.queue("b/03.pdf")
    assert names.read(office.instance) == {"r", "s", "c", "t"} == taken_names(office.instance)
    office.instance.delete_run(first)
    assert names.read(office.instance) == {"r", "s", "c", "t"}, "not all of them are read again"
    assert TakenNames().read(office.instance) == {"s", "c", "t"}


def test_the_names_of_new_runs_are_found_whatever_the_clocks_say_and_however_many_there_are(
    office: Office,
) -> None:
    names = TakenNames()
    office.queue("b/00.pdf", **{tags.REQUEST: "r"})
    assert names.read(office.instance) == {"r"}
    for number in range(100):
        office.queue("b/01.pdf", **{tags.REQUEST: f"s{number}"})
    with office.instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        connection.execute(text("UPDATE runs SET create_timestamp = '2026-01-01'"))
    assert names.read(office.instance) == taken_names(office.instance)
    assert len(names.read(office.instance)) == 101


@pytest.mark.parametrize("moved", [Status.STARTING, Status.STARTED])
def test_a_run_that_left_the_queue_meanwhile_is_left_alone(
    office: Office, moved: dg.DagsterRunStatus
) -> None:
    run_id = office.queue("b/00.pdf", **{tags.REQUEST: "r"})
    (seen_in_queue,) = office.instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
    office.moves(run_id, moved)
    assert recall(office.instance, [seen_in_queue], PAUSED) == frozenset()
    assert office.status(run_id) is moved


@pytest.mark.parametrize(
    ("end", "progress", "error"),
    [
        (Status.SUCCESS, Progress.ENDED_WELL, None),
        (Status.FAILURE, Progress.ENDED_BADLY, WORKER_LOST),
        (Status.CANCELED, Progress.ENDED_BADLY, RUN_CANCELED),
    ],
)
def test_a_run_that_begins_in_spite_of_its_recall_has_its_own_end(
    office: Office, end: dg.DagsterRunStatus, progress: Progress, error: str | None
) -> None:
    """The daemon had read that it waits; it writes that the run starts after the recall has been written."""
    run_id = office.queue("b/00.pdf", **{tags.REQUEST: "r"})
    assert office.recall(run_id) == {run_id}
    assert deciding_runs(office.instance)["b/00.pdf"].error == RUN_RECALLED
    office.moves(run_id, Status.STARTING)
    assert deciding_runs(office.instance)["b/00.pdf"].progress is Progress.RUNNING
    office.moves(run_id, Status.STARTED, end)
    summary = deciding_runs(office.instance)["b/00.pdf"]
    assert (summary.progress, summary.error) == (progress, error)


def test_a_failure_of_a_run_that_was_to_be_recalled_is_the_failure_it_notes(office: Office) -> None:
    run_id = office.queue("b/00.pdf", **{tags.REQUEST: "r"})
    office.recall(run_id)
    office.break_down([run_id])
    assert deciding_runs(office.instance)["b/00.pdf"].error == "ENGINE_FAILED"


def test_a_person_who_cancels_a_run_that_had_failed_before_is_believed(office: Office) -> None:
    run_id = office.queue("b/00.pdf", **{tags.REQUEST: "r"})
    office.moves(run_id, Status.STARTED)
    office.instance.add_run_tags(run_id, BROKEN)  # of a first try within the run
    office.moves(run_id, Status.CANCELED)
    assert deciding_runs(office.instance)["b/00.pdf"].error == RUN_CANCELED


def test_two_sensors_recall_a_run_once(office: Office) -> None:
    run_id = office.queue("b/00.pdf", **{tags.REQUEST: "r"})
    (seen_by_both,) = office.instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
    assert recall(office.instance, [seen_by_both], PAUSED) == {run_id}
    assert recall(office.instance, [seen_by_both], PAUSED) == frozenset()
    assert office.status(run_id) is Status.CANCELED
