"""An outage from the user's perspective: intake pauses early, no failure counts against a document, all
finish.

The environment variable RECOVERY_DOCUMENTS sets the number of documents. With many documents the production
settings are used, with few documents shorter delays.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from docpipe_assets.definitions import build_definitions
from docpipe_assets.defs.operations import breaker
from docpipe_assets.instance.records import tags
from docpipe_assets.instance.records.history import fold_history
from docpipe_assets.instance.records.names import PROCESS_DOCUMENT
from docpipe_assets.lanes import LARGE
from docpipe_assets.operations.breaker import RUN_RECALLED, request_name
from docpipe_assets.operations.intake import listed_document
from docpipe_assets.operations.ledger import State
from docpipe_assets.stack import Stack
from docpipe_assets_tests.pipeline.documents import write_scans
from docpipe_assets_tests.pipeline.site import Site, open_site

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.long,
    pytest.mark.timeout(7200),
]

SCANS = int(os.environ.get("RECOVERY_DOCUMENTS", "40"))
IS_SHORT = SCANS < 100
ENGINE = {"DOCPIPE_OCR_ENGINE": "docpipe_assets_tests.pipeline.switchable_engines:SwitchableOcr"}
SHORT_PAUSES = {
    "DOCPIPE_INTAKE_SECONDS": "1",
    "DOCPIPE_INTAKE_MAX_QUEUED": "6",
    "DOCPIPE_RETRY_SECONDS": "2",
    "DOCPIPE_STAGE_BREAKER_COOL_DOWN_SECONDS": "10",
}
WORKERS = 6 if IS_SHORT else 2
"""Runs that meet the broken engine sleep between their retries, so many cost no more than few."""


@pytest.fixture
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A separate stack with an OCR engine that can be broken."""
    folder = tmp_path_factory.mktemp("stack")
    environment = ENGINE | (SHORT_PAUSES if IS_SHORT else {})
    stack = Stack(folder, workers=WORKERS, webserver=False, environment=environment)
    with open_site(stack, patience_seconds=400 + 5 * SCANS) as site:
        yield site


def set_fault(harness: Site, fault: str) -> None:
    (harness.stack.folder / "fault").write_text(fault)


def test_an_outage_does_not_count_against_documents(harness: Site, tmp_path: Path) -> None:
    intake_pauses_before_all_documents_have_failed(harness, tmp_path)
    queued_runs_are_dequeued_without_counting_attempts(harness)
    after_the_repair_a_canary_succeeds_and_all_documents_finish(harness)


def intake_pauses_before_all_documents_have_failed(harness: Site, tmp_path: Path) -> None:
    set_fault(harness, "broken")
    for path in write_scans(tmp_path, SCANS):
        harness.put(f"outage/{path.name}", path)

    harness.wait_for(
        lambda: breaker_messages(harness), lambda texts: has(texts, "ocr_text open"), "the breaker to open"
    )
    before = {run.run_id: run.tags[tags.PARTITION] for run in runs_of_the_outage(harness)}
    harness.wait_for(
        lambda: sum(not run.is_finished for run in runs_of_the_outage(harness)),
        lambda count: count == 0,
        "the runs in progress to end",
    )
    runs = runs_of_the_outage(harness)
    had_a_run = set(before.values())
    spent = {run.tags[tags.PARTITION] for run in runs if has_failed(run)}
    print(f"\n{SCANS} documents; {len(had_a_run)} had a run when the breaker opened, {len(spent)} failed")
    assert len(spent) < 30
    assert all(tags.CANARY in run.tags for run in runs if run.run_id not in before), "intake pauses"
    breakers, _ = fold_history(harness.instance, harness.pipeline.settings)
    failed = [one.failures for one in breakers.documents.values() if one.error != RUN_RECALLED]
    assert failed == [0] * len(spent), "no document is counted against"
    ledger = harness.ledger("outage")
    assert ledger.count(State.UNACCOUNTED) == 0
    assert ledger.discovered == SCANS


def runs_of_the_outage(harness: Site) -> list[dg.DagsterRun]:
    return list(harness.instance.get_runs(dg.RunsFilter(tags={tags.BATCH: "outage"})))


def has_failed(run: dg.DagsterRun) -> bool:
    return run.status is dg.DagsterRunStatus.FAILURE


def breaker_messages(harness: Site) -> list[str]:
    """The descriptions that the sensor has recorded for breakers."""
    records = harness.instance.fetch_materializations(breaker.key, limit=1000).records
    return [str(one.asset_materialization.description) for one in records if one.asset_materialization]


def has(texts: list[str], beginning: str) -> bool:
    return any(text.startswith(beginning) for text in texts)


def queued_runs_are_dequeued_without_counting_attempts(harness: Site) -> None:
    """Queues runs as intake does just before it detects the outage, in the lane that starts one at a time, so
    all but one of them are queued at the next tick."""
    like = runs_of_the_outage(harness)[0]
    have_a_run = {run.tags[tags.PARTITION] for run in runs_of_the_outage(harness)}
    others = [
        seen for seen in map(listed_document, harness.intake.list("outage/")) if seen.key not in have_a_run
    ][:5]
    job = build_definitions(harness.pipeline.settings).resolve_job_def(PROCESS_DOCUMENT)
    queued = {}
    for seen in others:
        run_tags = {
            tags.PARTITION: seen.key,
            tags.BATCH: seen.batch,
            tags.VERSION: seen.version,
            tags.REQUEST: request_name(seen.document, seen.version),
            tags.LANE: LARGE,
            tags.QUEUE: LARGE,
        }
        run = harness.instance.create_run_for_job(
            job, tags=run_tags, remote_job_origin=like.remote_job_origin, job_code_origin=like.job_code_origin
        )
        submission = dg.SubmitRunContext(run, workspace=None)  # type: ignore[arg-type]  # not looked at
        harness.instance.run_coordinator.submit_run(submission)
        queued[run.run_id] = seen
    ended = harness.wait_for(
        lambda: harness.instance.get_run_records(dg.RunsFilter(run_ids=list(queued))),
        lambda records: all(record.dagster_run.is_finished for record in records),
        "the queue to be empty",
    )
    recalled = [one for one in ended if one.dagster_run.status is dg.DagsterRunStatus.CANCELED]
    assert len(recalled) >= len(queued) - 1
    assert {one.start_time for one in recalled} == {None}, "none of them had started"
    assert {one.dagster_run.tags[tags.ERROR] for one in recalled} == {RUN_RECALLED}
    breakers, _ = fold_history(harness.instance, harness.pipeline.settings)
    keys = [one.dagster_run.tags[tags.PARTITION] for one in recalled]
    assert {breakers.documents[key].failures for key in keys} == {0}
    states = {entry.document: entry.state for entry in harness.ledger("outage").entries}
    waiting = {states[queued[one.dagster_run.run_id].document] for one in recalled}
    assert waiting <= {State.QUEUED, State.IN_FLIGHT}, "one of them may be the canary by now"


def after_the_repair_a_canary_succeeds_and_all_documents_finish(harness: Site) -> None:
    set_fault(harness, "well")
    began = time.monotonic()
    ledger = harness.settled("outage", SCANS)
    print(f"\nall {SCANS} finished {time.monotonic() - began:.0f} s after the repair")
    assert ledger.count(State.SUCCEEDED) == SCANS
    breakers, _ = fold_history(harness.instance, harness.pipeline.settings)
    assert not breakers.open_stages
    assert not breakers.documents
    canaries = [run for run in runs_of_the_outage(harness) if tags.CANARY in run.tags]
    print(f"canaries: {[run.status.value for run in canaries]}")
    assert len({run.tags[tags.CANARY] for run in canaries}) == len(canaries) >= 1
    assert Counter(has_failed(run) for run in canaries)[False] == 1
    assert has(breaker_messages(harness), "ocr_text closed")
