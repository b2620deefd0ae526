"""A corpus run uses no slot of a document, and ends with the same result after it was killed."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from docpipe_assets.instance.records import tags
from docpipe_assets.lanes import CORPUS
from docpipe_assets.model.corpus import BatchReportRows
from docpipe_assets.operations.ledger import State
from docpipe_assets.sample import write_text_pdfs
from docpipe_assets.stack import Stack
from docpipe_assets_tests.pipeline.site import Site, open_site
from docpipe_assets_tests.pipeline.ui_api import materialize_corpus_asset

pytestmark = [pytest.mark.pipeline, pytest.mark.long, pytest.mark.timeout(900)]

WORKSPACE = Path(__file__).with_name("switchable_workspace.yaml")
ENVIRONMENT = {"DOCPIPE_INTAKE_SECONDS": "2", "DOCPIPE_EVENT_LATENESS_SECONDS": "0"}
DOCUMENTS = 5


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One slot for documents, and a worker for corpus runs."""
    folder = tmp_path_factory.mktemp("stack")
    stack = Stack(folder, workers=1, corpus_worker=True, environment=ENVIRONMENT, workspace=WORKSPACE)
    with open_site(stack) as opened:
        yield opened


def set_fault(site: Site, fault: str) -> None:
    (site.stack.folder / "fault").write_text(fault)


def run_of(site: Site, run_id: str) -> dg.DagsterRun:
    run = site.instance.get_run_by_id(run_id)
    assert run is not None
    return run


def begin_slow_report(site: Site) -> str:
    set_fault(site, "slow")
    run_id = materialize_corpus_asset(site, "batch_report")
    site.wait_for(
        lambda: run_of(site, run_id).status,
        lambda status: status is dg.DagsterRunStatus.STARTED,
        "the start of the report",
    )
    return run_id


def end(site: Site, run_id: str) -> dg.DagsterRun:
    site.wait_for(lambda: run_of(site, run_id).is_finished, bool, "the end of the report")
    return run_of(site, run_id)


def put(site: Site, folder: Path, batch: str) -> None:
    for number, path in enumerate(write_text_pdfs(folder, DOCUMENTS)):
        site.put(f"{batch}/{number}.pdf", path)


def test_documents_are_processed_while_a_corpus_run_is_slow(site: Site, tmp_path: Path) -> None:
    run_id = begin_slow_report(site)
    assert run_of(site, run_id).tags[tags.QUEUE] == CORPUS
    put(site, tmp_path, "first")
    assert site.settled("first", DOCUMENTS).count(State.SUCCEEDED) == DOCUMENTS
    assert run_of(site, run_id).status is dg.DagsterRunStatus.STARTED
    set_fault(site, "well")
    assert end(site, run_id).is_success
    rows = list(site.pipeline.lake.corpus(BatchReportRows).rows())
    assert [(row.document, row.pages) for row in rows] == [
        (f"first/{number}.pdf", 1) for number in range(DOCUMENTS)
    ]


def test_a_killed_corpus_run_fails_and_the_next_one_succeeds(site: Site, tmp_path: Path) -> None:
    run_id = begin_slow_report(site)
    put(site, tmp_path, "second")
    site.settled("second", DOCUMENTS)
    site.stack.part("corpus-worker").kill()
    site.stack.restart_failed()
    assert end(site, run_id).is_failure, "run monitoring notices it"
    set_fault(site, "well")
    assert end(site, materialize_corpus_asset(site, "batch_report")).is_success
    documents = [row.document for row in site.pipeline.lake.corpus(BatchReportRows).rows("second")]
    assert documents == [f"second/{number}.pdf" for number in range(DOCUMENTS)]
