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


class RefusesToAnswer(MemoryStore):
    """Simulates a store that is down."""

    def head(self, key: str) -> StoredObject:
        raise StoreUnavailable(f"{key}: no answer")


class AnswersLate(MemoryStore):
    """Simulates a store that keeps its client waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.answers = threading.Event()

    def head(self, key: str) -> StoredObject:
        self.asked += 1
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


def test_a_batch_brings_its_priority(intake: MemoryStore) -> None:
    assert added("urgent/x.pdf", intake)["dagster/priority"] == "10"
    assert added("archive/x.pdf", intake)["dagster/priority"] == "-10"
    asked = {"dagster/partition": "urgent/x.pdf"}
    said = missing_tags(asked, ObjectSizes(intake), SETTINGS, {"urgent": "low"})
    assert said["dagster/priority"] == "-10", "a person's word goes before the settings"


def test_what_a_run_already_says_is_left_as_it_is() -> None:
    present = {"docpipe__lane": "large", "docpipe__batch": "mine", "dagster__priority": "3"}
    assert added("urgent/x.pdf", RefusesToAnswer(), **present) == {"dagster-celery/queue": "large"}


def test_a_run_of_intake_costs_no_request() -> None:
    slow = AnswersLate()
    present = {"docpipe/lane": "large", "dagster-celery/queue": "large", "docpipe/batch": "b"}
    assert missing_tags({"dagster/partition": "b/x.pdf", **present}, ObjectSizes(slow), SETTINGS) == {}
    assert slow.asked == 0


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
    mask_spans = missing_tags(parent, ObjectSizes(RefusesToAnswer()), SETTINGS)
    assert mask_spans == dict.fromkeys(("docpipe/request", "docpipe/version", "docpipe/error"), "")
    assert tags.is_automatic({**parent, "dagster/parent_run_id": "one"}) is False
    del parent["dagster/parent_run_id"]
    assert tags.is_automatic(parent) is True


@pytest.mark.parametrize("store", [MemoryStore(), RefusesToAnswer()], ids=["object gone", "store down"])
def test_without_a_size_a_run_goes_to_the_standard_lane(store: MemoryStore) -> None:
    assert added("b/x.pdf", store)["docpipe/lane"] == "standard"


def test_a_store_that_hangs_costs_the_patience_once() -> None:
    slow = AnswersLate()
    sizes = ObjectSizes(slow, timeout_seconds=0.2)
    began = time.monotonic()
    for _ in range(50):
        assert missing_tags({"dagster/partition": "b/x.pdf"}, sizes, SETTINGS)["docpipe/lane"] == "standard"
    assert time.monotonic() - began < 5
    assert slow.asked == 1
    slow.answers.set()


def test_a_report_goes_before_documents_and_odd_keys_pass() -> None:
    assert missing_tags({}, ObjectSizes(RefusesToAnswer()), SETTINGS) == {"dagster/priority": "10"}
    assert missing_tags({"dagster/priority": "0"}, ObjectSizes(RefusesToAnswer()), SETTINGS) == {}
    assert missing_tags({"dagster/partition": "b/%FF.pdf"}, ObjectSizes(RefusesToAnswer()), SETTINGS) == {}
