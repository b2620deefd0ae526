"""A batch that failed in several stages is recovered by one command, or by one backfill in the UI.

The number of documents is DOCUMENTS, which BATCH_RETRY_DOCUMENTS in the environment raises.
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from docpipe_assets.cli import app
from docpipe_assets.defs import tags
from docpipe_assets.ledger import Ledger, State
from docpipe_assets.sample import write_text_pdfs
from docpipe_assets.settings import read_settings
from docpipe_assets.stack import Stack
from docpipe_assets.workbench import Workbench, open_store
from docpipe_assets_tests.pipeline.site import Site
from docpipe_assets_tests.pipeline.test_browser import CHROMIUM, FLAGS
from docpipe_assets_tests.pipeline.test_recovery import write_scans

pytestmark = [pytest.mark.pipeline, pytest.mark.slow, pytest.mark.timeout(3000)]

DOCUMENTS = int(os.environ.get("BATCH_RETRY_DOCUMENTS", "20"))
SCANS = DOCUMENTS // 10
BATCH = "batch"
ENVIRONMENT = {
    "DOCPIPE_INTAKE_SECONDS": "2",
    "DOCPIPE_OCR_ENGINE": "docpipe_assets_tests.pipeline.moods:MoodyOcr",
    "DOCPIPE_NER_ENGINES": '["docpipe_assets_tests.pipeline.moods:MoodyNer"]',
}


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("clinic")
    with (
        Stack(folder, workers=2, environment=ENVIRONMENT) as stack,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in stack.environment.items():
            environment.setenv(name, value)
        settings = read_settings()
        with dg.DagsterInstance.get() as instance:
            yield Site(stack, instance, Workbench(settings), open_store(settings.intake, settings), 2500)


@pytest.fixture(scope="module")
def failed(clinic: Site, tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """The batch after its first round, with engines that have a defect."""
    folder = tmp_path_factory.mktemp("documents")
    (clinic.stack.folder / "mood").write_text("defective")
    for path in [*write_text_pdfs(folder, DOCUMENTS - SCANS), *write_scans(folder, SCANS)]:
        clinic.put(f"{BATCH}/{path.name}", path)
    return clinic.settled(BATCH, DOCUMENTS)


def unsuccessful(ledger: Ledger) -> Counter[str | None]:
    return Counter(entry.stage for entry in ledger.entries if entry.state is not State.SUCCEEDED)


def test_the_batch_fails_in_mixed_stages_and_is_accounted_for(clinic: Site, failed: Ledger) -> None:
    stages = unsuccessful(failed)
    print(f"\n{DOCUMENTS} documents, failed by stage: {dict(stages)}")
    assert stages["ocr_text"] == SCANS
    assert stages["mentions"] > 0
    assert failed.count(State.HELD) == stages.total()
    assert failed.count(State.UNACCOUNTED) == 0


def test_one_command_runs_exactly_the_missing_stages(clinic: Site, failed: Ledger) -> None:
    (clinic.stack.folder / "mood").write_text("well")
    before = {entry.document: len(clinic.runs_of(entry.document)) for entry in failed.entries}
    command = ["retry", "--batch", BATCH, "--stage", "mentions", "--held", "--reason", "engine repaired"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    due = {entry.document for entry in failed.entries if entry.stage == "mentions" and entry.error}
    assert f"{len(due)} documents are due again" in result.output
    clinic.wait_for(
        lambda: clinic.ledger(BATCH),
        lambda ledger: unsuccessful(ledger) == Counter({"ocr_text": SCANS}) and ledger.is_settled,
        "the retried documents",
    )
    for document, count in before.items():
        runs = clinic.runs_of(document)
        assert len(runs) == count + (document in due)
        if document in due:
            assert stages_run(clinic, runs[0]) == {"mentions", "canonical_entities", "relationships"}


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium: apt-get install chromium")
def test_one_backfill_in_the_ui_recovers_the_rest(clinic: Site, failed: Ledger, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(90_000)
        page.goto(f"{clinic.stack.endpoints.webserver_url}/locations/docpipe/asset-groups/document")
        page.get_by_role("button", name="Materialize all").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Failed", exact=True).click()
        page.screenshot(path=tmp_path / "backfill.png")
        dialog.get_by_role("button", name="Launch").click()
        page.wait_for_timeout(3000)
        page.screenshot(path=tmp_path / "launched.png")
        browser.close()
    ledger = clinic.wait_for(
        lambda: clinic.ledger(BATCH),
        lambda ledger: ledger.count(State.SUCCEEDED) == DOCUMENTS,
        "the backfilled documents",
    )
    assert ledger.count(State.UNACCOUNTED) == 0
    scans = [entry.document for entry in failed.entries if entry.stage == "ocr_text" and entry.error]
    for document in scans:
        run = clinic.runs_of(document)[0]
        assert tags.REQUEST not in run.tags, "a person launched it"
        assert "raw_pdf" not in stages_run(clinic, run)
        assert "ocr_text" in stages_run(clinic, run)


def stages_run(site: Site, run: dg.DagsterRun) -> set[str]:
    """The assets of a run that were made anew, and not left unchanged."""
    events = site.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    made = [event.asset_materialization for event in events]
    return {one.asset_key.to_user_string() for one in made if one and not one.metadata["unchanged"].value}
