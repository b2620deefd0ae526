"""A user's decision about a document is recorded, and intake applies it."""

from pathlib import Path

import pytest

from docpipe_assets.instance.records.history import read_ledger
from docpipe_assets.instance.records.interventions import read_interventions, reset
from docpipe_assets.instance.records.names import BREAKER
from docpipe_assets.instance.records.recovery import withdraw
from docpipe_assets.operations.interventions import resets
from docpipe_assets.operations.ledger import State
from docpipe_assets.operations.recovery import documents_to_retry
from docpipe_assets.sample import write_text_pdfs
from docpipe_assets_tests.pipeline.site import Site

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.timeout(900),
]


def quarantined(site: Site, batch: str, folder: Path) -> str:
    """An empty document, which intake does not retry."""
    path = folder / "empty.pdf"
    path.write_bytes(b"")
    document = f"{batch}/empty.pdf"
    site.put(document, path)
    ledger = site.settled(batch, 1)
    assert [(e.state, e.error) for e in ledger.entries] == [(State.QUARANTINED, "EMPTY_FILE")]
    return document


def test_a_permanent_failure_is_one_attempt_and_is_retried_only_when_named(
    site: Site, tmp_path: Path
) -> None:
    document = quarantined(site, "permanent", tmp_path)
    assert not documents_to_retry(read_ledger(site.instance, site.pipeline, "permanent"))
    named = documents_to_retry(
        read_ledger(site.instance, site.pipeline, "permanent"), states=[State.QUARANTINED]
    )
    assert len(named) == 1
    assert len(site.runs_of(document)) == 1

    reset(site.instance, documents=[document], stage=None, reason="a test of the way back")
    site.wait_for(lambda: len(site.runs_of(document)), lambda runs: runs == 2, "the run after the reset")
    assert site.settled("permanent", 1).entries[0].state is State.QUARANTINED
    recorded = [one for one in resets(read_interventions(site.instance, BREAKER)) if one.key == document]
    assert [one.reason for one in recorded] == ["a test of the way back"]


def test_a_new_version_of_a_quarantined_document_is_processed(site: Site, tmp_path: Path) -> None:
    document = quarantined(site, "mended", tmp_path)
    (path,) = write_text_pdfs(tmp_path, 1)
    site.put(document, path)
    site.wait_for(
        lambda: site.ledger("mended").entries[0].state,
        lambda state: state is State.SUCCEEDED,
        "the valid version to be processed",
    )


def test_a_withdrawn_document_is_recorded_and_not_processed(site: Site, tmp_path: Path) -> None:
    first, second = write_text_pdfs(tmp_path, 2)
    site.put("matter/letter.pdf", first)
    site.settled("matter", 1)
    withdraw(site.instance, site.pipeline, "matter/letter.pdf", reason="privileged", is_withdrawn=True)
    assert site.ledger("matter").entries[0].state is State.WITHDRAWN
    site.put("matter/letter.pdf", second)
    site.put("matter/other.pdf", first)
    site.settled("matter", 2)
    assert len(site.runs_of("matter/letter.pdf")) == 1, "the new version of a withdrawn document waits"
    withdraw(site.instance, site.pipeline, "matter/letter.pdf", reason="not privileged", is_withdrawn=False)
    site.wait_for(
        lambda: len(site.runs_of("matter/letter.pdf")), lambda runs: runs == 2, "the run of the new version"
    )
