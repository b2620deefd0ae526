"""A run gets the lane, batch and priority that intake would assign, regardless of who launches it."""

import threading
import time
from pathlib import Path

import pytest

from docpipe_assets.errors import StoreUnavailable
from docpipe_assets.instance.coordinator import ObjectSizes, missing_tags
from docpipe_assets.instance.records import tags
from docpipe_assets.protocols import StoredObject
from docpipe_assets.settings import Settings
from docpipe_assets.storage.memory import MemoryStore

SETTINGS = Settings(large_bytes=1000, batch_priorities={"urgent": "high", "archive": "low"})


class UnavailableStore(MemoryStore):
    """Simulates a store that is down."""

    def head(self, key: str) -> StoredObject:
        raise StoreUnavailable(f"{key}: no answer")


class SlowStore(MemoryStore):
    """Simulates a store that does not respond until released."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = 0
        self.answers = threading.Event()

    def head(self, key: str) -> StoredObject:
        self.requests += 1
        self.answers.wait(20)
        return super().head(key)


@pytest.fixture
def intake(tmp_path: Path) -> MemoryStore:
    store = MemoryStore()
    for key, size in (
        ("b/small.pdf", 999),
        ("b/large, 1.pdf", 1000),
        ("urgent/x.pdf", 5),
        ("archive/x.pdf", 5),
    ):
        path = tmp_path / "object"
        path.write_bytes(b"x" * size)
        store.put(key, path)
    return store


def added(partition_key: str, store: MemoryStore, **present: str) -> dict[str, str]:
    given = {"dagster/partition": partition_key, **{k.replace("__", "/"): v for k, v in present.items()}}
    return missing_tags(given, ObjectSizes(store), SETTINGS)


def test_the_size_of_the_object_decides_the_lane(intake: MemoryStore) -> None:
    assert added("b/small.pdf", intake) == {
        "docpipe/lane": "standard",
        "dagster-celery/queue": "standard",
        "docpipe/batch": "b",
    }
    large = added("b/large%2C 1.pdf", intake)
    assert (large["docpipe/lane"], large["dagster-celery/queue"]) == ("large", "large")


def test_a_run_gets_the_priority_of_its_batch(intake: MemoryStore) -> None:
    assert added("urgent/x.pdf", intake)["dagster/priority"] == "10"
    assert added("archive/x.pdf", intake)["dagster/priority"] == "-10"
    launched = {"dagster/partition": "urgent/x.pdf"}
    added_tags = missing_tags(launched, ObjectSizes(intake), SETTINGS, {"urgent": "low"})
    assert added_tags["dagster/priority"] == "-10", "a user's decision takes precedence over the settings"


def test_existing_tags_of_a_run_are_kept() -> None:
    present = {"docpipe__lane": "large", "docpipe__batch": "mine", "dagster__priority": "3"}
    assert added("urgent/x.pdf", UnavailableStore(), **present) == {"dagster-celery/queue": "large"}


def test_a_run_of_intake_needs_no_request() -> None:
    slow = SlowStore()
    present = {"docpipe/lane": "large", "dagster-celery/queue": "large", "docpipe/batch": "b"}
    assert missing_tags({"dagster/partition": "b/x.pdf", **present}, ObjectSizes(slow), SETTINGS) == {}
    assert slow.requests == 0


def test_a_reexecuted_run_keeps_its_lane_but_no_outcome_of_the_original() -> None:
    parent = {
        "docpipe/request": "r#2",
        "docpipe/version": "v1",
        "docpipe/error": "ENGINE_FAILED",
        "docpipe/lane": "large",
        "dagster-celery/queue": "large",
        "docpipe/batch": "b",
        "dagster/partition": "b/x.pdf",
        "dagster/parent_run_id": "one",
    }
    mask_spans = missing_tags(parent, ObjectSizes(UnavailableStore()), SETTINGS)
    assert mask_spans == dict.fromkeys(("docpipe/request", "docpipe/version", "docpipe/error"), "")
    assert tags.is_automatic({**parent, "dagster/parent_run_id": "one"}) is False
    del parent["dagster/parent_run_id"]
    assert tags.is_automatic(parent) is True


@pytest.mark.parametrize("store", [MemoryStore(), UnavailableStore()], ids=["object gone", "store down"])
def test_a_run_of_unknown_size_goes_to_the_standard_lane(store: MemoryStore) -> None:
    assert added("b/x.pdf", store)["docpipe/lane"] == "standard"


def test_a_store_that_hangs_costs_the_timeout_once() -> None:
    slow = SlowStore()
    sizes = ObjectSizes(slow, timeout_seconds=0.2)
    began = time.monotonic()
    for _ in range(50):
        assert missing_tags({"dagster/partition": "b/x.pdf"}, sizes, SETTINGS)["docpipe/lane"] == "standard"
    assert time.monotonic() - began < 5
    assert slow.requests == 1
    slow.answers.set()


def test_a_report_precedes_documents_and_unusual_keys_are_accepted() -> None:
    assert missing_tags({}, ObjectSizes(UnavailableStore()), SETTINGS) == {"dagster/priority": "10"}
    assert missing_tags({"dagster/priority": "0"}, ObjectSizes(UnavailableStore()), SETTINGS) == {}
    assert missing_tags({"dagster/partition": "b/%FF.pdf"}, ObjectSizes(UnavailableStore()), SETTINGS) == {}
