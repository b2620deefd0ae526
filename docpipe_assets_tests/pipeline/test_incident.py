"""Replays the incident: 20 documents, seven of them damaged, and a reconciler that is killed three times.

The environment variable INCIDENT_LARGE_BYTES sets the size of the large document.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from docpipe_assets.defs.partitions import documents
from docpipe_assets.instance.records import tags
from docpipe_assets.operations.ledger import Ledger, State
from docpipe_assets.sample import damaged, write_text_pdfs
from docpipe_assets.stack import Stack
from docpipe_assets_tests.pipeline.documents import CRASHES, HANGS, letter, write_padded
from docpipe_assets_tests.pipeline.site import Site, open_site, report

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.long,
    pytest.mark.timeout(1800),
]

LARGE_BYTES = int(os.environ.get("INCIDENT_LARGE_BYTES", "110_000_000"))
BATCH = "incident"
GOOD = [f"{BATCH}/good {number}.pdf" for number in range(10)]
COPIES = {f"{BATCH}/copy of {number}.pdf": GOOD[number] for number in (2, 7)}
LARGE = f"{BATCH}/large.pdf"
BROKEN = {
    f"{BATCH}/encrypted.pdf": "PASSWORD_REQUIRED",
    f"{BATCH}/truncated.pdf": "UNREADABLE_PDF",
    f"{BATCH}/zero bytes.pdf": "EMPTY_FILE",
    f"{BATCH}/a page of a portal.pdf": "NOT_A_PDF",
    f"{BATCH}/zero pages.pdf": "NO_PAGES",
    f"{BATCH}/crashing.pdf": "CRASHED:SIGSEGV",
}
HANGING = f"{BATCH}/hanging.pdf"
ALL = {*GOOD, *COPIES, LARGE, *BROKEN, HANGING}
ENVIRONMENT = {
    "DOCPIPE_INTAKE_SECONDS": "2",
    "DOCPIPE_SPLIT_CPU_SECONDS": "3",
    "DOCPIPE_LARGE_BUDGET": "2",
    "DOCPIPE_NER_ENGINES": '["docpipe_assets_tests.pipeline.switchable_engines:SwitchableNer"]',
}
WORKSPACE = Path(__file__).with_name("switchable_workspace.yaml")
PATIENCE_SECONDS = 120.0


@pytest.fixture(scope="module")
def incident_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A stack with the batch in its bucket, and without a daemon."""
    folder = tmp_path_factory.mktemp("stack")
    stack = Stack(folder, workers=2, webserver=False, environment=ENVIRONMENT, workspace=WORKSPACE)
    with open_site(stack, patience_seconds=900) as site:
        stack.part("daemon").kill()
        for document, path in written(tmp_path_factory.mktemp("batch")).items():
            site.put(document, path)
        yield site


def written(folder: Path) -> dict[str, Path]:
    good = write_text_pdfs(folder, len(GOOD))
    contents = {
        "encrypted": damaged.locked(),
        "truncated": letter(1)[: len(letter(1)) * 2 // 5],
        "zero bytes": b"",
        "a page of a portal": damaged.PORTAL_PAGE.encode(),
        "zero pages": damaged.without_pages(),
        "crashing": letter(2) + CRASHES,
        "hanging": letter(3) + HANGS,
    }
    files = dict(zip(GOOD, good, strict=True))
    files |= {copy: files[original] for copy, original in COPIES.items()}
    files[LARGE] = write_padded(folder / "large.pdf", good[0], LARGE_BYTES)
    for name, content in contents.items():
        path = folder / f"{name}.pdf"
        path.write_bytes(content)
        files[f"{BATCH}/{name}.pdf"] = path
    assert files.keys() == ALL
    return files


def tick_and_kill(registrations: int) -> str:
    """The output of a reconciler before it was killed."""
    command = [sys.executable, "-m", "docpipe_assets_tests.pipeline.reconciler", str(registrations)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == -9, done.stderr
    return done.stdout.strip()


def registered(incident_site: Site) -> set[str]:
    return set(incident_site.instance.get_dynamic_partitions(documents.name or ""))


def runs(incident_site: Site) -> list[dg.DagsterRun]:
    return list(incident_site.instance.get_runs(dg.RunsFilter(tags={tags.BATCH: BATCH})))


@pytest.fixture(scope="module")
def final_ledger(incident_site: Site) -> Ledger:
    """The ledger after three kills, once all documents are settled."""
    assert tick_and_kill(registrations=7) == "20 to register, 20 runs to request"
    assert (len(registered(incident_site)), len(runs(incident_site))) == (7, 0)
    assert tick_and_kill(registrations=20) == "13 to register, 20 runs to request"
    assert (len(registered(incident_site)), len(runs(incident_site))) == (20, 0)
    ledger = incident_site.ledger(BATCH)
    assert (ledger.discovered, ledger.count(State.QUEUED)) == (20, 20), "registered documents are not lost"
    incident_site.stack.restart_failed()
    kill_during_the_requests(incident_site)
    incident_site.stack.restart_failed()
    return incident_site.settled(BATCH, len(ALL))


def kill_during_the_requests(incident_site: Site) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not runs(incident_site):
        assert time.monotonic() < deadline, "no run was requested"
        time.sleep(0.01)
    for name in ("daemon", "code-server"):
        incident_site.stack.part(name).kill()
    print(
        f"\nkilled daemon and code server when {len(runs(incident_site))} of {len(ALL)} runs were requested"
    )


def test_all_twenty_are_accounted_for_and_each_failure_has_its_code(
    incident_site: Site, final_ledger: Ledger
) -> None:
    entries = {entry.document: entry for entry in final_ledger.entries}
    print()
    for entry in final_ledger.entries:
        print(f"{entry.document:40} {entry.state.value:12} {entry.error or ''}")
    assert entries.keys() == ALL == registered(incident_site)
    done = {document for document, entry in entries.items() if entry.state is State.SUCCEEDED}
    assert done == {*GOOD, *COPIES, LARGE}
    quarantined = {d: e.error for d, e in entries.items() if e.state is State.QUARANTINED}
    assert quarantined == BROKEN
    assert (entries[HANGING].state, entries[HANGING].error) == (State.HELD, "CPU_TIMEOUT_DOCUMENT")
    assert all(entries[document].pages == 1 for document in done)


def test_no_document_was_processed_twice(incident_site: Site, final_ledger: Ledger) -> None:
    requests = [run.tags[tags.REQUEST] for run in runs(incident_site)]
    assert len(requests) == len(set(requests))
    assert incident_site.runs_in(BATCH) == {document: 1 + (document == HANGING) for document in ALL}


def test_large_and_escalated_documents_went_to_the_large_lane(
    incident_site: Site, final_ledger: Ledger
) -> None:
    lanes = [(run.tags[tags.PARTITION], run.tags[tags.LANE]) for run in runs(incident_site)]
    assert sorted(key for key, lane in lanes if lane == "large") == [HANGING, LARGE]
    assert (HANGING, "standard") in lanes


def test_the_report_names_the_duplicates_and_omits_no_document(
    incident_site: Site, final_ledger: Ledger
) -> None:
    result, metadata = report(incident_site)
    assert result.success, "the blocking check passes"
    assert (metadata["discovered"], metadata["unaccounted"], metadata["pages_unaccounted"]) == (20, 0, 0)
    assert metadata["groups_of_duplicates"] == len(COPIES)
    for copy, original in COPIES.items():
        assert f"{copy}; {original}" in metadata["duplicates"]
