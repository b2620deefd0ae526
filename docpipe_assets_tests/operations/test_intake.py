"""Intake: whatever happens to a tick, every document eventually has exactly one run for each version."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe_assets.defs.sensors import IntakeCursor
from docpipe_assets.identity import partition_key
from docpipe_assets.operations.breaker import Breakers
from docpipe_assets.operations.intake import (
    Budget,
    KeyKind,
    NewFolderTracker,
    Plan,
    RecordedState,
    Request,
    RetryContext,
    kind_of,
    lane_of,
    listed_document,
    plan,
)
from docpipe_assets.protocols import StoredObject
from docpipe_assets.settings import Priority, Settings
from docpipe_assets.storage.memory import MemoryStore

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def stored(key: str, etag: str = "e", size: int = 10, age_seconds: float = 60) -> StoredObject:
    return StoredObject(key, size, etag, NOW - timedelta(seconds=age_seconds))


class SimulatedBucket:
    """The bucket and Dagster's records, and a sensor that may be killed between any two of its steps."""

    def __init__(self, bucket: list[StoredObject]) -> None:
        self.bucket = {found.key: found for found in bucket}
        self.partitions: set[str] = set()
        self.runs: list[tuple[str, str]] = []
        self.resume_after = ""

    def plan_tick(self, keys: int = 1000, runs: int = 1000, busy: frozenset[str] = frozenset()) -> Plan:
        listing = sorted(self.bucket.values(), key=lambda found: found.key.encode())
        return plan(
            (found for found in listing if found.key.encode() > self.resume_after.encode()),
            RecordedState(self.partitions, set(self.runs), busy),
            budget=Budget(keys, runs, modified_before=NOW),
            large_bytes=1000,
        )

    def tick(self, dies_after: int | None = None, keys: int = 1000, runs: int = 1000) -> Plan:
        """Execute a plan; ``dies_after`` is the number of steps before the kill."""
        made = self.plan_tick(keys, runs)
        steps: list[str | Request] = [*made.register, *made.requests]
        for count, what in enumerate(steps):
            if count == dies_after:
                return made
            if isinstance(what, str):
                self.partitions.add(what)
            else:
                assert partition_key(what.listed.document) in self.partitions
                self.runs.append((what.listed.document, what.listed.version))
        self.resume_after = made.resume_after
        return made


names = st.text(alphabet="ab/,% é", min_size=1, max_size=8).map(lambda name: f"{name}.pdf")


@given(
    st.lists(names, min_size=1, max_size=30, unique=True),
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12), st.integers(1, 12)), max_size=12),
)
def test_kills_at_any_point_neither_lose_nor_duplicate_documents(
    keys: list[str], kills: list[tuple[int, int, int]]
) -> None:
    world = SimulatedBucket([stored(key) for key in keys])
    for dies_after, key_budget, run_budget in kills:
        world.tick(dies_after, keys=key_budget, runs=run_budget)
    for _ in range(len(keys) + 2):
        world.tick(keys=7, runs=5)
    while world.tick().requests or world.resume_after:
        pass
    assert world.partitions == {partition_key(key) for key in keys}
    assert Counter(document for document, _ in world.runs) == dict.fromkeys(keys, 1)


@given(st.lists(names, min_size=1, max_size=30, unique=True), st.integers(1, 40), st.integers(0, 40))
def test_a_tick_never_exceeds_its_budget(keys: list[str], key_budget: int, run_budget: int) -> None:
    made = SimulatedBucket([stored(key) for key in keys]).plan_tick(key_budget, run_budget)
    assert made.documents <= key_budget
    assert len(made.requests) <= run_budget
    assert len(made.requests) + made.deferred == made.documents


@pytest.mark.parametrize(
    ("set_up", "priorities"),
    [
        ({"z": "high", "a": "low"}, {}),
        ({}, {"z": "high", "a": "low"}),
        ({"a": "high"}, {"z": "high", "a": "low"}),
    ],
    ids=["in the settings", "by a person", "by a person, whatever the settings say"],
)
def test_a_batch_of_high_priority_goes_first_wherever_it_is_listed(
    set_up: dict[str, Priority], priorities: dict[str, Priority]
) -> None:
    settings = Settings(batch_priorities=set_up)
    made = plan(
        [stored(f"{batch}/{number}.pdf") for batch in "abz" for number in range(3)],
        RecordedState(
            registered=set(),
            requested_versions=set(),
            retries=RetryContext(Breakers(), NOW, settings, existing_attempts=frozenset()),
            priorities=priorities,
        ),
        budget=Budget(keys=100, runs=4, modified_before=NOW),
        large_bytes=1000,
    )
    assert [request.listed.document for request in made.requests] == [
        "z/0.pdf",
        "z/1.pdf",
        "z/2.pdf",
        "b/0.pdf",
    ]
    assert made.deferred == 5


def test_a_document_without_room_in_the_queue_is_rescanned(tmp_path: Path) -> None:
    """The listing returns to this position after ten ticks; the queue has room after one."""
    settings, store, runs = Settings(), MemoryStore(), set[tuple[str, str]]()
    (tmp_path / "x.pdf").write_bytes(b"x")
    for number in range(30):
        store.put(f"b/{number:02}.pdf", tmp_path / "x.pdf")
    documents = [listed_document(found) for found in store.list()]
    runs.update((seen.document, seen.version) for seen in documents[3:])
    cursor, requested = IntakeCursor(), []
    for _ in range(4):
        listing, rescan = cursor.listings(store)
        made = plan(
            listing,
            RecordedState({seen.key for seen in documents}, runs),
            rescan=rescan,
            budget=Budget(keys=3, runs=1, modified_before=datetime.now(UTC)),
            large_bytes=1000,
        )
        requested.append([request.listed.document for request in made.requests])
        runs.update((request.listed.document, request.listed.version) for request in made.requests)
        cursor = IntakeCursor.read(cursor.write(settings, made), settings)
    assert requested == [["b/00.pdf"], ["b/01.pdf"], ["b/02.pdf"], []]
    assert (cursor.resume_after, cursor.rescan_after) == ("b/11.pdf", None)


def test_a_new_folder_is_polled_at_once_and_while_documents_arrive(tmp_path: Path) -> None:
    settings, store, new_folders = Settings(), MemoryStore(), NewFolderTracker()
    known, runs = set[str](), set[tuple[str, str]]()
    (tmp_path / "x.pdf").write_bytes(b"x")
    cursor = IntakeCursor()

    def plan_tick(*arrived: str) -> list[str]:
        """The new documents that are found with two keys per tick, in addition to a hundred old ones."""
        nonlocal cursor
        for key in arrived:
            store.put(key, tmp_path / "x.pdf")
        cursor = cursor.with_rescan_of(new_folders.next(store.folders()))
        listing, rescan = cursor.listings(store)
        made = plan(
            listing,
            RecordedState(known, runs),
            rescan=rescan,
            budget=Budget(keys=2, runs=10, modified_before=datetime.now(UTC)),
            large_bytes=1000,
        )
        known.update(made.register)
        runs.update((request.listed.document, request.listed.version) for request in made.requests)
        cursor = IntakeCursor.read(cursor.write(settings, made), settings)
        return made.register

    for number in range(100):
        store.put(f"old/{number:02}.pdf", tmp_path / "x.pdf")
    while plan_tick():
        pass
    assert plan_tick("y/1.pdf", "y/2.pdf", "z/1.pdf") == ["y/1.pdf", "y/2.pdf"], "one folder in each tick"
    assert plan_tick() == ["z/1.pdf"]
    assert plan_tick("z/2.pdf") == ["z/2.pdf"]
    for _ in range(3):
        assert plan_tick() == []
    assert plan_tick("z/3.pdf") == [], "the folder is no longer new"
    found = [key for _ in range(60) for key in plan_tick()]
    assert found == ["z/3.pdf"]


def test_a_second_tick_requests_nothing() -> None:
    world = SimulatedBucket([stored("b/x.pdf"), stored("b/y.pdf")])
    assert len(world.tick().requests) == 2
    rescan = world.tick()
    assert (rescan.requests, rescan.register, rescan.already_requested) == ([], [], 2)


def test_an_overwritten_key_is_processed_again_as_a_new_version() -> None:
    world = SimulatedBucket([stored("b/x.pdf", etag="old")])
    world.tick()
    world.bucket["b/x.pdf"] = stored("b/x.pdf", etag="new")
    assert [r.listed.version for r in world.tick().requests] == [
        listed_document(stored("b/x.pdf", "new")).version
    ]
    assert not world.tick().requests


def test_a_key_deleted_and_added_again_is_processed_once_more() -> None:
    world = SimulatedBucket([stored("b/x.pdf")])
    world.tick()
    del world.bucket["b/x.pdf"]
    assert not world.tick().requests
    world.bucket["b/x.pdf"] = stored("b/x.pdf", age_seconds=1)
    assert len(world.tick().requests) == 1
    assert not world.tick().requests


def test_a_key_restored_to_its_first_bytes_is_processed_a_third_time() -> None:
    world = SimulatedBucket([])
    for etag, age_seconds in (("a", 30), ("b", 20), ("a", 10)):
        world.bucket["b/x.pdf"] = stored("b/x.pdf", etag, age_seconds=age_seconds)
        assert len(world.tick().requests) == 1
        assert not world.tick().requests


def test_keys_with_equal_times_are_all_detected() -> None:
    world = SimulatedBucket([stored(f"b/{number}.pdf", age_seconds=5) for number in range(50)])
    assert len(world.tick().requests) == 50


def test_a_key_that_sorts_before_the_stop_position_of_a_tick_is_not_lost() -> None:
    world = SimulatedBucket([stored("m.pdf"), stored("z.pdf")])
    world.tick(keys=1)
    world.bucket["a.pdf"] = stored("a.pdf")
    while len(world.runs) < 3:
        world.tick(keys=1)
    assert {document for document, _ in world.runs} == {"a.pdf", "m.pdf", "z.pdf"}


def test_a_document_with_a_run_in_progress_waits_for_it() -> None:
    world = SimulatedBucket([stored("b/x.pdf", etag="new")])
    made = world.plan_tick(busy=frozenset({"b/x.pdf"}))
    assert (made.requests, made.deferred) == ([], 1)


def test_objects_below_the_minimum_age_are_deferred() -> None:
    world = SimulatedBucket([stored("b/x.pdf", age_seconds=-1)])
    made = world.plan_tick()
    assert (made.register, made.requests, made.too_recent) == ([], [], 1)


def test_non_pdf_keys_are_counted() -> None:
    made = SimulatedBucket([stored("b/"), stored("b/load.dat"), stored("b/x.PDF")]).plan_tick()
    assert (made.folder_markers, made.other_files, made.documents) == (1, 1, 1)
    assert "1 non-PDF keys" in str(made)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("b/x.pdf", KeyKind.DOCUMENT),
        ("b/x.PdF", KeyKind.DOCUMENT),
        ("b/x.pdf/", KeyKind.FOLDER_MARKER),
        ("b/x.pdf.txt", KeyKind.OTHER),
        ("b/.DS_Store", KeyKind.OTHER),
    ],
)
def test_documents_are_recognized_by_their_names(key: str, kind: KeyKind) -> None:
    assert kind_of(key) is kind


def test_size_decides_the_lane() -> None:
    assert lane_of(999, 1000) == "standard"
    assert lane_of(1000, 1000) == "large"
