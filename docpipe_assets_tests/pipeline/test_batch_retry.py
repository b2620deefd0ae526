"""Batches that failed in several stages are recovered by one command, or by one backfill in the UI.

Of 1,428 documents in two batches, 334 fail. The environment variable BATCH_RETRY_DOCUMENTS sets the number of
documents; the proportion of failures remains the same.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from docpipe_assets.cli import app
from docpipe_assets.instance.records import tags
from docpipe_assets.operations.ledger import Ledger, State
from docpipe_assets.pipeline import PIPELINE
from docpipe_assets.stack import Stack
from docpipe_assets_tests.pipeline.chromium import open_page
from docpipe_assets_tests.pipeline.documents import invoice, letter, unsplittable_letter, write_scan
from docpipe_assets_tests.pipeline.site import Site, open_site

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.timeout(7200),
]

DOCUMENTS = int(os.environ.get("BATCH_RETRY_DOCUMENTS", "20")) // 2
"""The number of documents in each of the two batches."""
STAGES = ("page_splits", "ocr_text", "mentions")
"""The stages in which the failing documents fail, in turn."""
FAILURES = max(len(STAGES), round(DOCUMENTS * 334 / 1428))
BY_COMMAND, BY_BACKFILL = "first", "second"
ALL_STAGES = [stream.asset for stream in PIPELINE.streams]
ENVIRONMENT = {
    "DOCPIPE_INTAKE_SECONDS": "2" if DOCUMENTS < 100 else "5",
    "DOCPIPE_INTAKE_MAX_QUEUED": "50",
    "DOCPIPE_OCR_ENGINE": "docpipe_assets_tests.pipeline.switchable_engines:SwitchableOcr",
    "DOCPIPE_NER_ENGINES": '["docpipe_assets_tests.pipeline.switchable_engines:SwitchableNer"]',
}
WORKSPACE = Path(__file__).with_name("switchable_workspace.yaml")


@pytest.fixture(scope="module")
def restartable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("stack")
    stack = Stack(folder, workers=2, environment=ENVIRONMENT, workspace=WORKSPACE)
    with open_site(stack, patience_seconds=300 + 5 * DOCUMENTS) as site:
        yield site


@pytest.fixture(scope="module")
def failed(restartable: Site, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ledger]:
    """Both batches after their first run, with engines that were defective then and have been repaired."""
    folder = tmp_path_factory.mktemp("documents")
    set_fault(restartable, "defective")
    for batch in (BY_COMMAND, BY_BACKFILL):
        for path in write_documents(folder):
            restartable.put(f"{batch}/{path.name}", path)
    began = time.monotonic()
    ledgers = {batch: restartable.settled(batch, DOCUMENTS) for batch in (BY_COMMAND, BY_BACKFILL)}
    print(f"\n{2 * DOCUMENTS} documents: settled after {time.monotonic() - began:.0f} s")
    set_fault(restartable, "well")
    return ledgers


def set_fault(restartable: Site, fault: str) -> None:
    (restartable.stack.folder / "fault").write_text(fault)


def write_documents(folder: Path) -> Iterator[Path]:
    """Distributes the failing documents and their stages evenly."""
    failures = 0
    for number in range(DOCUMENTS):
        path = folder / f"{number:04d}.pdf"
        if (number + 1) * FAILURES // DOCUMENTS > failures:
            stage = STAGES[failures % len(STAGES)]
            failures += 1
        else:
            stage = ""
        match stage:
            case "page_splits":
                path.write_bytes(unsplittable_letter(number))
            case "ocr_text":
                write_scan(path, number)
            case "mentions":
                path.write_bytes(invoice(number))
            case _:
                path.write_bytes(letter(number))
        yield path


def failed_stages(ledger: Ledger) -> dict[str, str]:
    """The stage in which each unsuccessful document failed."""
    return {e.document: e.stage or "" for e in ledger.entries if e.state is not State.SUCCEEDED}


def recovered(restartable: Site, batch: str) -> Ledger:
    began = time.monotonic()
    ledger = restartable.wait_for(
        lambda: restartable.ledger(batch),
        lambda ledger: ledger.count(State.SUCCEEDED) == DOCUMENTS,
        f"batch {batch} to be recovered",
    )
    print(f"\n{batch} batch: recovered after {time.monotonic() - began:.0f} s")
    return ledger


def assert_only_missing_stages_were_run(restartable: Site, before: Ledger) -> None:
    """Each failed document had one more run, from its failed stage on, and the others had none."""
    failed = failed_stages(before)
    batch = before.entries[0].document.partition("/")[0]
    assert restartable.runs_in(batch) == {e.document: 1 + (e.document in failed) for e in before.entries}
    counted: Counter[tuple[str, str]] = Counter()
    for document, stage in failed.items():
        made, unchanged = stages_of(restartable, restartable.runs_of(document)[0])
        first = ALL_STAGES.index(stage)
        assert (unchanged, made) == (ALL_STAGES[:first], ALL_STAGES[first:]), document
        counted.update((name, "made") for name in made)
        counted.update((name, "unchanged") for name in unchanged)
    print(f"{batch} batch: {len(before.entries)} documents, {len(failed)} with one more run each")
    for name in ALL_STAGES:
        print(f"  {name:20} made {counted[name, 'made']:5}   unchanged {counted[name, 'unchanged']:5}")


def stages_of(site: Site, run: dg.DagsterRun) -> tuple[list[str], list[str]]:
    """The assets that a run materialized, and those that it left unchanged, in order."""
    events = site.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    made: dict[bool, list[str]] = {True: [], False: []}
    for event in events:
        one = event.asset_materialization
        assert one is not None
        made[not one.metadata["unchanged"].value].append(one.asset_key.to_user_string())
    return made[True], made[False]


def test_the_batches_fail_in_mixed_stages_and_are_accounted_for(
    restartable: Site, failed: dict[str, Ledger]
) -> None:
    for batch, ledger in failed.items():
        stages = Counter(failed_stages(ledger).values())
        print(f"\n{batch} batch: {DOCUMENTS} documents, failed by stage: {dict(stages)}")
        assert stages == Counter(STAGES[number % len(STAGES)] for number in range(FAILURES))
        assert ledger.count(State.HELD) == FAILURES
        assert ledger.count(State.SUCCEEDED) == DOCUMENTS - FAILURES
        assert restartable.runs_in(batch) == {entry.document: 1 for entry in ledger.entries}


def test_one_command_runs_exactly_the_missing_stages(restartable: Site, failed: dict[str, Ledger]) -> None:
    command = ["retry", "--batch", BY_COMMAND, "--held", "--reason", "engines repaired"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert f"{FAILURES} documents will be requested" in result.output
    recovered(restartable, BY_COMMAND)
    assert_only_missing_stages_were_run(restartable, failed[BY_COMMAND])
    assert restartable.runs_in(BY_BACKFILL).total() == DOCUMENTS, "the other batch was not selected"


@pytest.mark.needs("chromium")
def test_one_backfill_in_the_ui_runs_exactly_the_missing_stages(
    restartable: Site, failed: dict[str, Ledger], tmp_path: Path
) -> None:
    with open_page() as page:
        page.goto(f"{restartable.stack.endpoints.webserver_url}/locations/docpipe/asset-groups/document")
        page.get_by_role("button", name="Materialize all").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Failed", exact=True).click()
        page.screenshot(path=tmp_path / "failed.png")
        dialog.get_by_role("button", name="Launch").click()
        dialog.wait_for(state="detached")
        page.goto(f"{restartable.stack.endpoints.webserver_url}/runs?tab=backfills")
        recovered(restartable, BY_BACKFILL)
        page.wait_for_timeout(3000)
        page.screenshot(path=tmp_path / "backfill.png")
    assert_only_missing_stages_were_run(restartable, failed[BY_BACKFILL])
    backfills = set()
    for document in failed_stages(failed[BY_BACKFILL]):
        run = restartable.runs_of(document)[0]
        assert tags.REQUEST not in run.tags, "a user launched it"
        backfills.add(run.tags["dagster/backfill"])
    assert len(backfills) == 1
    (backfill,) = restartable.instance.get_backfills()
    assert backfill.backfill_id in backfills
    assert restartable.runs_in(BY_COMMAND).total() == DOCUMENTS + FAILURES, "all its documents were finished"
