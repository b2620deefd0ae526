"""An outage, seen from outside: intake pauses early, nobody is charged, and all finish after the repair."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from docpipe_assets.defs import tags
from docpipe_assets.defs.history import fold_history
from docpipe_assets.defs.interventions import breaker, read_interventions
from docpipe_assets.ledger import State
from docpipe_assets.recovery import documents_to_retry, reset, withdraw
from docpipe_assets.sample import write_text_pdfs
from docpipe_assets.stack import Stack
from docpipe_assets_tests.pipeline.papers import write_scans
from docpipe_assets_tests.pipeline.site import Site, open_site

pytestmark = [pytest.mark.pipeline, pytest.mark.slow, pytest.mark.timeout(900)]

SCANS = 40
ENVIRONMENT = {
    "DOCPIPE_INTAKE_SECONDS": "1",
    "DOCPIPE_OCR_ENGINE": "docpipe_assets_tests.pipeline.moods:MoodyOcr",
    "DOCPIPE_INTAKE_MAX_QUEUED": "6",
    "DOCPIPE_RETRY_SECONDS": "2",
    "DOCPIPE_STAGE_BREAKER_COOL_DOWN_SECONDS": "10",
}


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A stack of its own, with an OCR engine that can be broken."""
    folder = tmp_path_factory.mktemp("ward")
    with open_site(Stack(folder, workers=2, webserver=False, environment=ENVIRONMENT)) as site:
        yield site


def set_mood(ward: Site, mood: str) -> None:
    (ward.stack.folder / "mood").write_text(mood)


def test_an_outage_pauses_intake_before_everybody_has_failed(ward: Site, tmp_path: Path) -> None:
    set_mood(ward, "broken")
    for path in write_scans(tmp_path, SCANS):
        ward.put(f"outage/{path.name}", path)

    def open_stages() -> list[str]:
        return [one.stage for one in fold_history(ward.instance, ward.bench.settings)[0].open_stages]

    ward.wait_for(open_stages, lambda found: found == ["ocr_text"], "the breaker of ocr_text to open")
    runs = ward.instance.get_runs(dg.RunsFilter(tags={tags.BATCH: "outage"}))
    tried = {run.tags[tags.PARTITION] for run in runs}
    assert len(tried) < 30
    ledger = ward.ledger("outage")
    assert ledger.count(State.UNACCOUNTED) == 0
    assert ledger.discovered == SCANS


def test_after_the_repair_a_canary_opens_the_way_and_all_finish_uncharged(ward: Site) -> None:
    set_mood(ward, "well")
    ledger = ward.settled("outage", SCANS)
    assert ledger.count(State.SUCCEEDED) == SCANS
    breakers, _ = fold_history(ward.instance, ward.bench.settings)
    assert not breakers.open_stages
    assert not breakers.documents
    canaries = [
        run.tags[tags.CANARY]
        for run in ward.instance.get_runs(dg.RunsFilter(tags={tags.BATCH: "outage"}))
        if tags.CANARY in run.tags
    ]
    assert len(canaries) == len(set(canaries)) >= 1
    told = ward.instance.fetch_observations(breaker.key, limit=100).records
    descriptions = [str(one.asset_observation.description) for one in told if one.asset_observation]
    assert any(text.startswith("ocr_text open") for text in descriptions)
    assert any(text.startswith("ocr_text closed") for text in descriptions)


def test_a_permanent_failure_is_one_attempt_and_is_retried_only_when_named(
    ward: Site, tmp_path: Path
) -> None:
    path = tmp_path / "empty.pdf"
    path.write_bytes(b"")
    ward.put("permanent/empty.pdf", path)
    ledger = ward.settled("permanent", 1)
    assert [(e.state, e.error) for e in ledger.entries] == [(State.QUARANTINED, "EMPTY_FILE")]
    assert not documents_to_retry(ward.instance, ward.bench, batch="permanent")
    named = documents_to_retry(ward.instance, ward.bench, batch="permanent", states=[State.QUARANTINED])
    assert len(named) == 1
    assert len(ward.runs_of("permanent/empty.pdf")) == 1

    reset(ward.instance, documents=["permanent/empty.pdf"], stage=None, reason="a test of the way back")
    ward.wait_for(
        lambda: len(ward.runs_of("permanent/empty.pdf")), lambda runs: runs == 2, "the run after the reset"
    )
    assert ward.settled("permanent", 1).entries[0].state is State.QUARANTINED
    resets, _, _ = read_interventions(ward.instance)
    assert [one.reason for one in resets] == ["a test of the way back"]


def test_a_new_version_of_a_quarantined_document_is_processed(ward: Site, tmp_path: Path) -> None:
    (path,) = write_text_pdfs(tmp_path, 1)
    ward.put("permanent/empty.pdf", path)
    ward.wait_for(
        lambda: ward.ledger("permanent").entries[0].state,
        lambda state: state is State.SUCCEEDED,
        "the good copy to be processed",
    )


def test_a_withdrawn_document_is_recorded_and_not_processed(ward: Site, tmp_path: Path) -> None:
    first, second = write_text_pdfs(tmp_path, 2)
    ward.put("matter/letter.pdf", first)
    ward.settled("matter", 1)
    withdraw(ward.instance, ward.bench, "matter/letter.pdf", reason="privileged", is_withdrawn=True)
    assert ward.ledger("matter").entries[0].state is State.WITHDRAWN
    ward.put("matter/letter.pdf", second)
    ward.put("matter/other.pdf", first)
    ward.settled("matter", 2)
    assert len(ward.runs_of("matter/letter.pdf")) == 1, "the new version of a withdrawn document waits"
    withdraw(ward.instance, ward.bench, "matter/letter.pdf", reason="not privileged", is_withdrawn=False)
    ward.wait_for(lambda: len(ward.runs_of("matter/letter.pdf")), lambda runs: runs == 2, "its new version")
