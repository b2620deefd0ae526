"""The check of a document's evidence and the check of all documents, on the real stack."""

import json
import os
import time
import uuid
from pathlib import Path

import dagster as dg
import pytest

from docpipe_assets.defs.checks import DOCUMENT_CHECK
from docpipe_assets.defs.corpus import UNACCOUNTED_CHECK
from docpipe_assets.identity import batch_of
from docpipe_assets.instance.coordinator import DocumentRunCoordinator
from docpipe_assets.instance.records import tags
from docpipe_assets.model import Mention, Mentions
from docpipe_assets.operations.ledger import State
from docpipe_assets.sample import write_text_pdfs
from docpipe_assets.storage.file import FileStore
from docpipe_assets_tests.pipeline.site import Site, report
from docpipe_assets_tests.pipeline.ui_api import (
    materialize,
    materialize_corpus_asset,
    reexecute,
)

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.timeout(900),
]

DOCUMENTS = ("checked/letter.pdf", "checked/copy of letter.pdf")


@pytest.fixture(scope="module")
def document(site: Site, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A finished document, and another one with the same bytes."""
    (path,) = write_text_pdfs(tmp_path_factory.mktemp("checked"), 1)
    for key in DOCUMENTS:
        site.put(key, path)
    assert site.settled("checked", 2).count(State.SUCCEEDED) == 2
    return DOCUMENTS[0]


def evaluations(site: Site, run_id: str) -> list[dg.AssetCheckEvaluation]:
    logs = site.instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    return [log.dagster_event.asset_check_evaluation_data for log in logs if log.dagster_event]


def launched(site: Site, document: str, assets: list[str] | None = None) -> dg.DagsterRun:
    return finished(site, materialize(site, document, assets))


def finished(site: Site, run_id: str) -> dg.DagsterRun:
    found = site.wait_for(
        lambda: site.instance.get_run_by_id(run_id),
        lambda run: run is not None and run.is_finished,
        f"the end of run {run_id}",
    )
    assert found is not None
    return found


def test_every_finished_document_has_its_check(site: Site, document: str) -> None:
    first_run = site.runs_of(document)[-1]
    (check,) = evaluations(site, first_run.run_id)
    assert (check.check_name, check.partition, check.passed) == (DOCUMENT_CHECK.name, document, True)
    assert check.metadata["pages"].value == check.metadata["pages_accounted_for"].value == 1
    assert int(str(check.metadata["quotes"].value)) > 0


def test_a_run_from_the_ui_gets_its_lane_and_batch(site: Site, document: str) -> None:
    run = launched(site, document, ["relationships"])
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert run.tags["docpipe/lane"] == run.tags["dagster-celery/queue"] == "standard"
    assert run.tags["docpipe/batch"] == batch_of(document)


def test_a_large_document_from_the_ui_is_processed_in_the_large_lane(
    site: Site, document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCPIPE_LARGE_BYTES", "100")
    monkeypatch.setenv("DOCPIPE_BATCH_PRIORITIES", '{"checked": "high"}')
    queued = submitted(site, recorded(site, document, {"dagster/partition": document}))
    assert queued.tags["docpipe/lane"] == queued.tags["dagster-celery/queue"] == "large"
    assert queued.tags["dagster/priority"] == "10"
    assert finished(site, queued.run_id).status is dg.DagsterRunStatus.SUCCESS


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_attempt_requested_by_two_daemons_at_once_is_one_run(
    site: Site, document: str, order: tuple[int, int]
) -> None:
    first_run = site.runs_of(document)[-1]
    name = f"{first_run.tags[tags.REQUEST]}#{order}"
    run_tags = {**first_run.tags, tags.REQUEST: name, tags.RUN_KEY: name}
    # Both have searched for a run with this key and found none.
    runs = [recorded(site, document, run_tags) for _ in range(2)]
    for number in order:
        assert submitted(site, runs[number]).run_id == runs[0].run_id
    (left,) = site.instance.get_runs(dg.RunsFilter(tags={tags.REQUEST: name}))
    assert left.run_id == runs[0].run_id
    assert finished(site, left.run_id).status is dg.DagsterRunStatus.SUCCESS


@pytest.mark.usefixtures("document")
def test_a_reexecution_from_the_ui_is_a_manual_run_without_an_outcome(site: Site) -> None:
    document = DOCUMENTS[1]  # other tests see the tags of the runs of the first document
    first_run = site.runs_of(document)[-1]
    site.instance.add_run_tags(first_run.run_id, {tags.FAILED_PAGES: "3", tags.ERROR: "ENGINE_FAILED"})
    again = finished(site, reexecute(site, first_run.run_id))
    assert again.tags[tags.LANE] == first_run.tags[tags.LANE]
    assert not any(again.tags.get(name) for name in tags.OF_ONE_ATTEMPT)
    assert site.entry(document).state is State.SUCCEEDED, "not partial, unlike the first run"


def recorded(site: Site, document: str, own_tags: dict[str, str]) -> dg.DagsterRun:
    """A run that was created but not queued yet."""
    run = site.runs_of(document)[-1]._replace(
        run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.NOT_STARTED, tags=own_tags
    )
    return site.instance.add_run(run)


def submitted(site: Site, run: dg.DagsterRun) -> dg.DagsterRun:
    coordinator = DocumentRunCoordinator()
    coordinator.register_instance(site.instance)
    # Only the run is used: queueing it requests nothing from a code location.
    submission = dg.SubmitRunContext(run, workspace=None)  # type: ignore[arg-type]  # not used
    return coordinator.submit_run(submission)


def test_a_wrong_quote_in_the_lake_fails_the_check(site: Site, document: str) -> None:
    good = site.pipeline.load(Mentions, document)
    key = site.pipeline.lake.url(Mentions, document).removeprefix(f"{site.pipeline.lake.store.url}/")
    rows = [row.model_copy(update={"quote": "Nobody"}) if n == 0 else row for n, row in enumerate(good)]
    assert isinstance(rows[0], Mention)
    site.pipeline.lake.store.delete(key)
    site.pipeline.lake.save(document, Mentions(good.fingerprint, lambda: iter(rows)))
    run = launched(site, document, ["relationships"])
    (check,) = evaluations(site, run.run_id)
    assert run.status is dg.DagsterRunStatus.SUCCESS, "the check reports it; the document is unchanged"
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert rows[0].mention in str(check.metadata["first_faults"].value)

    site.pipeline.lake.store.delete(key)
    run = launched(site, document)  # rebuilt from the existing artifacts
    (check,) = evaluations(site, run.run_id)
    assert check.passed


def test_the_batch_report_is_consistent_and_names_duplicates(site: Site, document: str) -> None:
    result, metadata = report(site)
    assert result.success, "the blocking check passes"
    assert metadata["discovered"] == sum(metadata[state.value] for state in State)
    assert metadata["unaccounted"] == metadata["pages_unaccounted"] == 0
    parts = ("text_layer", "ocr", "both", "blank", "failed", "in_open_documents")
    assert metadata["pages_discovered"] == sum(metadata[f"pages_{part}"] for part in parts) >= 2
    with site.pipeline.lake.store.open(
        metadata["artifact"].removeprefix(f"{site.pipeline.lake.store.url}/")
    ) as source:
        kept = json.load(source)
    assert kept["batches"]["checked"]["succeeded"] == 2
    assert sorted(DOCUMENTS) in [[d for d in group if d in DOCUMENTS] for group in kept["duplicates"]]


def test_a_report_without_a_corpus_worker_uses_the_standard_lane(site: Site, document: str) -> None:
    run_id = materialize_corpus_asset(site, "batch_report")
    run = finished(site, run_id)
    assert run.is_success
    assert (run.tags[tags.LANE], run.tags[tags.QUEUE]) == ("corpus", "standard")
    messages = [event.message for event in site.instance.all_logs(run_id)]
    assert any("docpipe worker --lane corpus" in message for message in messages)


def test_a_document_that_intake_missed_fails_the_report_and_is_named(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "missed" / "since an hour.pdf"
    path.parent.mkdir()
    path.write_bytes(b"%PDF-1.7")
    os.utime(path, (time.time() - 3600,) * 2)
    result, metadata = report(site, FileStore(tmp_path))
    assert not result.success
    assert metadata["unaccounted"] == 1
    (check,) = [e for e in result.get_asset_check_evaluations() if e.check_name == UNACCOUNTED_CHECK.name]
    assert check.blocking
    assert check.metadata["named"].value == ["missed/since an hour.pdf"]
