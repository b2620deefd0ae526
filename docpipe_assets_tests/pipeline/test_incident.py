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
from docpipe_assets_tests.pipeline.papers import CRASHES, HANGS, letter, write_padded
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
    "DOCPIPE_NER_ENGINES": '["docpipe_assets_tests.pipeline.moods:SwitchableNer"]',
}
WORKSPACE = Path(__file__).with_name("moody_workspace.yaml")
PATIENCE_SECONDS = 120.0


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The bucket holds the batch, and nobody looks at it."""
    folder = tmp_path_factory.mktemp("scene")
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


def look_and_die(registrations: int) -> str:
    """What a reconciler said before it was killed."""
    command = [sys.executable, "-m", "docpipe_assets_tests.pipeline.reconciler", str(registrations)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == -9, done.stderr
    return done.stdout.strip()


def registered(scene: Site) -> set[str]:
    return set(scene.instance.get_dynamic_partitions(documents.name or ""))


def runs(scene: Site) -> list[dg.DagsterRun]:
    return list(scene.instance.get_runs(dg.RunsFilter(tags={tags.BATCH: BATCH})))


@pytest.fixture(scope="module")
def aftermath(scene: Site) -> Ledger:
    """The ledger after three kills, once all is quiet."""
    assert look_and_die(registrations=7) == "20 to register, 20 runs to request"
    assert (len(registered(scene)), len(runs(scene))) == (7, 0)
    assert look_and_die(registrations=20) == "13 to register, 20 runs to request"
    assert (len(registered(scene)), len(runs(scene))) == (20, 0)
    ledger = scene.ledger(BATCH)
    assert (ledger.discovered, ledger.count(State.QUEUED)) == (20, 20), "registered, and not lost"
    scene.stack.restart_failed()
    kill_in_the_middle_of_the_requests(scene)
    scene.stack.restart_failed()
    return scene.settled(BATCH, len(ALL))


def kill_in_the_middle_of_the_requests(scene: Site) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not runs(scene):
        assert time.monotonic() < deadline, "no run was requested"
        time.sleep(0.01)
    for name in ("daemon", "code-server"):
        scene.stack.part(name).kill()
    print(f"\nkilled daemon and code server when {len(runs(scene))} of {len(ALL)} runs were requested")


def test_all_twenty_are_accounted_for_and_each_failure_has_its_code(scene: Site, aftermath: Ledger) -> None:
    entries = {entry.document: entry for entry in aftermath.entries}
    print()
    for entry in aftermath.entries:
        print(f"{entry.document:40} {entry.state.value:12} {entry.error or ''}")
    assert entries.keys() == ALL == registered(scene)
    done = {document for document, entry in entries.items() if entry.state is State.SUCCEEDED}
    assert done == {*GOOD, *COPIES, LARGE}
    quarantined = {d: e.error for d, e in entries.items() if e.state is State.QUARANTINED}
    assert quarantined == BROKEN
    assert (entries[HANGING].state, entries[HANGING].error) == (State.HELD, "CPU_TIMEOUT_DOCUMENT")
    assert all(entries[document].pages == 1 for document in done)


def test_none_was_processed_twice(scene: Site, aftermath: Ledger) -> None:
    requests = [run.tags[tags.REQUEST] for run in runs(scene)]
    assert len(requests) == len(set(requests))
    assert scene.runs_in(BATCH) == {document: 1 + (document == HANGING) for document in ALL}


def test_what_is_large_and_what_was_too_much_went_to_the_large_lane(scene: Site, aftermath: Ledger) -> None:
    lanes = [(run.tags[tags.PARTITION], run.tags[tags.LANE]) for run in runs(scene)]
    assert sorted(key for key, lane in lanes if lane == "large") == [HANGING, LARGE]
    assert (HANGING, "standard") in lanes


def test_the_report_names_the_duplicates_and_misses_nobody(scene: Site, aftermath: Ledger) -> None:
    result, said = report(scene)
    assert result.success, "the blocking check passes"
    assert (said["discovered"], said["unaccounted"], said["pages_unaccounted"]) == (20, 0, 0)
    assert said["groups_of_duplicates"] == len(COPIES)
    for copy, original in COPIES.items():
        assert f"{copy}; {original}" in said["duplicates"]
