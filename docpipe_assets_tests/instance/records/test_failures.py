"""The records that a failure leaves in Dagster, and the reaction of intake, without a stack."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

import dagster as dg
import pytest

from docpipe_assets.defs.assets import DOCUMENT_ASSETS
from docpipe_assets.defs.io_managers import LakeIOManager
from docpipe_assets.defs.jobs import process_document, reset_breakers
from docpipe_assets.defs.partitions import documents
from docpipe_assets.defs.sensors import IntakeCursor, intake_sensor
from docpipe_assets.errors import EmptyFile, StoreUnavailable
from docpipe_assets.instance.records import tags
from docpipe_assets.instance.records.failures import Step, as_dagster_failure
from docpipe_assets.instance.records.history import attempts_since, fold_history, read_ledger
from docpipe_assets.instance.records.interventions import (
    read_priorities,
    record_priority,
    record_withdrawal,
    reset,
)
from docpipe_assets.instance.records.names import PROCESS_DOCUMENT
from docpipe_assets.lanes import LARGE, STANDARD
from docpipe_assets.operations.breaker import Breakers, fold
from docpipe_assets.operations.intake import LOW
from docpipe_assets.operations.ledger import State
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.sample import write_text_pdfs
from docpipe_assets.sandbox import Limits
from docpipe_assets.settings import Settings
from docpipe_assets.storage.file import LocalFiles


class UnavailableAtFirst(LocalFiles):
    """Fails to open an object the first few times."""

    refusals = 0

    def open(self, key: str, etag: str | None = None) -> AbstractContextManager[BinaryIO]:
        if self.refusals:
            self.refusals -= 1
            raise StoreUnavailable(f"{key}: refused")
        return super().open(key, etag)


class AutomationHarness:
    """Dagster in this process, with two files: a valid one and an empty one."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.settings = Settings(data_dir=folder / "data", retry_seconds=0.01)
        (good,) = write_text_pdfs(folder, 1)
        empty = folder / "empty.pdf"
        empty.write_bytes(b"")
        self.source = UnavailableAtFirst({"b/good.pdf": good, "b/empty.pdf": empty})
        self.pipeline = DocumentPipeline(self.settings, intake=self.source)
        definitions = dg.Definitions(
            assets=DOCUMENT_ASSETS,
            jobs=[process_document],
            resources={"pipeline": self.pipeline, "lake": LakeIOManager(self.pipeline)},
        )
        self.job = definitions.resolve_job_def(PROCESS_DOCUMENT)
        self.cursor: str | None = None

    def tick(self) -> list[dg.RunRequest]:
        """One tick of the sensor, executed like the daemon does, but without launching its runs."""
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, resources={"pipeline": self.pipeline}
        ) as context:
            result = intake_sensor(self.settings)(context)
        assert isinstance(result, dg.SensorResult)
        for request in result.dynamic_partitions_requests or []:
            self.instance.add_dynamic_partitions(documents.name or "", list(request.partition_keys))
        for event in result.asset_events:
            self.instance.report_runless_asset_event(event)
        self.cursor = result.cursor
        return list(result.run_requests or [])

    def run(self, request: dg.RunRequest) -> dg.DagsterRun:
        result = self.job.execute_in_process(
            instance=self.instance,
            partition_key=request.partition_key,
            tags=dict(request.tags),
            raise_on_error=False,
        )
        return result.dagster_run

    def states(self) -> dict[str, State]:
        return {entry.document: entry.state for entry in read_ledger(self.instance, self.pipeline).entries}


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[AutomationHarness]:
    with dg.DagsterInstance.ephemeral() as instance:
        made = AutomationHarness(tmp_path, instance)
        yield made
        made.pipeline.close()


def test_a_permanent_failure_is_one_attempt_through_every_layer(harness: AutomationHarness) -> None:
    (empty, good) = sorted(harness.tick(), key=lambda request: str(request.partition_key))
    run = harness.run(empty)
    assert run.status is dg.DagsterRunStatus.FAILURE
    retries = harness.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY)
    assert not retries, "retries follow the error class"
    recorded = harness.instance.get_run_by_id(run.run_id)
    assert recorded is not None
    assert (recorded.tags[tags.ERROR], recorded.tags[tags.STAGE]) == ("EMPTY_FILE", "raw_pdf")
    harness.run(good)
    assert harness.tick() == []
    assert harness.states() == {"b/empty.pdf": State.QUARANTINED, "b/good.pdf": State.SUCCEEDED}


def test_a_transient_failure_is_retried_within_the_run(harness: AutomationHarness) -> None:
    good = next(request for request in harness.tick() if request.partition_key == "b/good.pdf")
    harness.source.refusals = 2
    run = harness.run(good)
    assert run.status is dg.DagsterRunStatus.SUCCESS
    retries = harness.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY)
    assert len(retries) == 2


def test_a_failure_of_the_last_retry_has_its_cause(harness: AutomationHarness) -> None:
    request = next(request for request in harness.tick() if request.partition_key == "b/good.pdf")
    run = harness.instance.create_run_for_job(harness.job, tags=dict(request.tags))
    step = Step(harness.instance, run.run_id, "b/good.pdf", "raw_pdf", code_version="1", retries=3)
    with pytest.raises(dg.RetryRequested) as caught, as_dagster_failure(step):
        raise StoreUnavailable("refused")
    failure = caught.value.__cause__
    assert caught.value.max_retries == step.retries, "then Dagster fails the step with the cause"
    assert isinstance(failure, dg.Failure)
    assert failure.metadata["code"].value == "STORE_UNAVAILABLE"
    assert failure.description == "STORE_UNAVAILABLE: b/good.pdf: refused"


def test_no_asset_is_retried_when_its_run_is_interrupted() -> None:
    """Dagster applies a retry policy to interruptions too: a canceled run would continue."""
    assert [asset.op.retry_policy for asset in DOCUMENT_ASSETS] == [None] * len(DOCUMENT_ASSETS)


def test_the_priority_last_set_by_a_user_is_that_of_the_batchs_runs(harness: AutomationHarness) -> None:
    record_priority(harness.instance, "b", "high")
    record_priority(harness.instance, "b", "low")
    record_priority(harness.instance, "other", "high")
    assert read_priorities(harness.instance) == {"b": "low", "other": "high"}
    assert {request.tags[tags.PRIORITY] for request in harness.tick()} == {str(LOW)}


def test_a_reset_makes_a_quarantined_document_due_once(harness: AutomationHarness) -> None:
    for request in harness.tick():
        harness.run(request)
    assert harness.tick() == []
    reset(harness.instance, documents=["b/empty.pdf"], stage=None, reason="the source was checked")
    (again,) = harness.tick()
    assert (again.partition_key, again.tags[tags.PURPOSE]) == ("b/empty.pdf", "released")
    harness.run(again)
    assert harness.tick() == []


def test_the_ui_job_resets_too(harness: AutomationHarness) -> None:
    for request in harness.tick():
        harness.run(request)
    config = {"ops": {"reset": {"config": {"reason": "checked", "documents": ["b/empty.pdf"]}}}}
    assert reset_breakers.execute_in_process(run_config=config, instance=harness.instance).success
    assert [request.partition_key for request in harness.tick()] == ["b/empty.pdf"]


def test_two_daemons_request_the_same_run(harness: AutomationHarness) -> None:
    for request in harness.tick():
        harness.run(request)
    reset(harness.instance, documents=["b/empty.pdf"], stage=None, reason="checked")
    cursor = harness.cursor
    (one,) = harness.tick()
    harness.cursor = cursor
    (other,) = harness.tick()
    assert one.run_key == other.run_key, "Dagster rejects the second one"


def test_the_state_is_rebuilt_from_the_records_alone_after_a_restart(harness: AutomationHarness) -> None:
    for request in harness.tick():
        harness.run(request)
    harness.tick()
    kept = IntakeCursor.read(harness.cursor, harness.settings).breakers
    anew, _ = fold_history(harness.instance, harness.settings)
    assert dict(kept.documents) == dict(anew.documents)
    assert set(anew.documents) == {"b/empty.pdf"}


def test_history_read_in_small_pages_folds_to_the_same_state(harness: AutomationHarness) -> None:
    for request in harness.tick():
        harness.run(request)
    breakers, since = Breakers(), None
    for _ in range(6):
        attempts, since = attempts_since(harness.instance, since, limit=1)
        breakers = fold(breakers, attempts, harness.settings)
    assert dict(breakers.documents) == dict(fold_history(harness.instance, harness.settings)[0].documents)


def test_a_withdrawn_document_is_not_requested(harness: AutomationHarness) -> None:
    record_withdrawal(harness.instance, "b/good.pdf", reason="privileged", is_withdrawn=True)
    assert [request.partition_key for request in harness.tick()] == ["b/empty.pdf"]
    assert harness.states()["b/good.pdf"] is State.WITHDRAWN


def test_an_opened_breaker_is_shown_on_its_asset(harness: AutomationHarness) -> None:
    for request in harness.tick():
        harness.run(request)
    harness.tick()
    (record,) = harness.instance.fetch_materializations(dg.AssetKey("breaker"), limit=10).records
    made = record.asset_materialization
    assert made is not None
    assert made.partition == "b/empty.pdf"
    metadata = {name: value.value for name, value in made.metadata.items()}
    assert (metadata["state"], metadata["error"]) == ("quarantined", "EMPTY_FILE")
    assert "advice" in metadata
    assert "since" in metadata


def test_a_reset_is_shown_on_the_breaker_asset_with_user_and_reason(harness: AutomationHarness) -> None:
    for request in harness.tick():
        harness.run(request)
    harness.tick()
    reset(harness.instance, documents=["b/empty.pdf"], stage=None, reason="source checked")
    (again,) = harness.tick()
    record = harness.instance.fetch_materializations(dg.AssetKey("breaker"), limit=1).records[0]
    made = record.asset_materialization
    assert made is not None
    assert made.description is not None
    assert made.description.startswith("closed: reset by ")
    assert made.description.endswith(": source checked")
    observed = harness.instance.fetch_observations(dg.AssetKey("breaker"), limit=1).records[0]
    assert observed.asset_observation is not None
    assert str(observed.asset_observation.description).endswith(": source checked")
    harness.run(again)
    harness.tick()
    (newest,) = harness.instance.fetch_materializations(dg.AssetKey("breaker"), limit=1).records
    assert newest.asset_materialization is not None
    assert newest.asset_materialization.description == "quarantined: EMPTY_FILE in raw_pdf"


class RecordsLimits:
    """A sandbox that runs nothing and records the limits of its calls."""

    def __init__(self) -> None:
        self.limits: list[Limits] = []

    def stream(
        self, function: str, arguments: object, limits: Limits, *, folder: Path | None = None
    ) -> Iterator[object]:
        self.limits.append(limits)
        raise EmptyFile("nothing was run")
        yield


def test_the_large_lane_gives_a_document_the_larger_budget(tmp_path: Path) -> None:
    (good,) = write_text_pdfs(tmp_path, 1)
    settings = Settings(data_dir=tmp_path / "data", large_budget=4)
    pipeline = DocumentPipeline(settings, intake=LocalFiles({"b/good.pdf": good}))
    sandbox = RecordsLimits()
    pipeline.sandbox = sandbox  # type: ignore[assignment]  # what the pipeline uses of it
    for lane in (STANDARD, LARGE):
        pipeline.lane = lane
        with pytest.raises(EmptyFile):
            list(pipeline.process("b/good.pdf"))
    standard, *_, large = sandbox.limits  # a second engine is tried in between
    assert large.memory_bytes == 4 * standard.memory_bytes == 4 * settings.sandbox_memory_bytes
    assert large.cpu_seconds == 4 * standard.cpu_seconds


@pytest.mark.parametrize("cursor", [None, "", '{"resume_after": ""}', "not a cursor"])
def test_an_unreadable_cursor_starts_from_the_beginning(cursor: str | None) -> None:
    assert IntakeCursor.read(cursor, Settings()) == IntakeCursor()
