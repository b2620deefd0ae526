"""The ledger is always consistent, and detects documents that no state explains."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe_assets.identity import partition_key
from docpipe_assets.operations.breaker import WORKER_LOST, Attempt, Breakers, Reset, fold
from docpipe_assets.operations.intake import RetryContext, listed_document
from docpipe_assets.operations.ledger import Entry, Progress, RunSummary, State, build_ledger
from docpipe_assets.protocols import StoredObject
from docpipe_assets.settings import Settings

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OLD = NOW - timedelta(hours=1)


def stored(key: str, etag: str = "e", modified: datetime = OLD) -> StoredObject:
    return StoredObject(key, 10, etag, modified)


def run(progress: Progress, etag: str = "e", **more: object) -> RunSummary:
    version = listed_document(stored("", etag)).version
    return RunSummary(progress, version, **more)  # type: ignore[arg-type]  # its other fields


def state_of(
    listed: StoredObject | None,
    *,
    registered: bool = True,
    run: RunSummary | None = None,
    finished: bool = True,
) -> State:
    ledger = build_ledger(
        [listed] if listed else [],
        registered=["b/x.pdf"] if registered else [],
        runs={"b/x.pdf": run} if run else {},
        finished=["b/x.pdf"] if finished else [],
        pages={},
        missed_before=NOW - timedelta(minutes=1),
    )
    assert ledger.discovered == 1
    return ledger.entries[0].state


X = stored("b/x.pdf")


def test_each_situation_has_its_state() -> None:
    assert state_of(X, run=run(Progress.SUCCEEDED)) is State.SUCCEEDED
    assert state_of(X, run=run(Progress.SUCCEEDED, failed_pages=2)) is State.PARTIAL
    assert state_of(X, run=run(Progress.RUNNING)) is State.IN_FLIGHT
    assert state_of(X, run=run(Progress.WAITING)) is State.QUEUED
    assert state_of(X) is State.QUEUED, "registered documents are on the durable work list"
    assert state_of(None) is State.WITHDRAWN


@pytest.mark.parametrize(
    ("error", "state"),
    [
        ("PASSWORD_REQUIRED", State.QUARANTINED),
        ("CRASHED:SIGSEGV", State.QUARANTINED),
        ("STORE_UNAVAILABLE", State.FAILED),
        ("MEMORY_LIMIT", State.FAILED),
        ("WORKER_LOST", State.FAILED),
    ],
)
def test_the_class_of_the_error_decides_between_failed_and_quarantined(error: str, state: State) -> None:
    assert state_of(X, run=run(Progress.FAILED, error=error)) is state


def test_a_run_for_an_older_version_does_not_count_for_the_new_one() -> None:
    assert state_of(stored("b/x.pdf", "new"), run=run(Progress.SUCCEEDED, "old")) is State.QUEUED


def test_a_manual_run_counts_for_the_document() -> None:
    assert state_of(X, run=RunSummary(Progress.SUCCEEDED, None)) is State.SUCCEEDED


def test_a_document_that_intake_has_missed_is_unaccounted() -> None:
    assert state_of(X, registered=False) is State.UNACCOUNTED
    assert state_of(stored("b/x.pdf", modified=NOW), registered=False) is State.QUEUED


def test_a_successful_run_without_a_result_is_unaccounted() -> None:
    assert state_of(X, run=run(Progress.SUCCEEDED), finished=False) is State.UNACCOUNTED


def entry_after(*errors: str, resets: int = 0, minutes_later: float = 0, lane: str = "standard") -> Entry:
    """The ledger entry of a document whose attempts, a minute apart, failed with these errors."""
    version = listed_document(X).version
    attempts = [
        Attempt("b/x.pdf", str(n), OLD + timedelta(minutes=n), error, "raw_pdf", version, lane=lane)
        for n, error in enumerate(errors)
    ]
    reset = [Reset(OLD + timedelta(minutes=30), "a good copy was found", key="b/x.pdf")] * resets
    settings = Settings()
    breakers = fold(Breakers(), [*attempts, *reset], settings)
    now = OLD + timedelta(minutes=len(errors) - 1 + minutes_later)
    ledger = build_ledger(
        [X],
        registered=["b/x.pdf"],
        runs={"b/x.pdf": RunSummary(Progress.FAILED, version, errors[-1])},
        finished=[],
        pages={},
        missed_before=OLD,
        retries=RetryContext(breakers, now, settings, existing_attempts=()),
    )
    return ledger.entries[0]


def test_a_failed_document_is_in_the_state_that_intake_acts_upon() -> None:
    waiting = entry_after("OBJECT_CHANGED")
    assert (waiting.state, waiting.failures) == (State.QUEUED, 1)
    assert waiting.next_attempt_at is not None
    assert timedelta() < waiting.next_attempt_at - OLD <= timedelta(seconds=30)
    held = entry_after(WORKER_LOST, WORKER_LOST, WORKER_LOST)
    assert (held.state, held.since) == (State.HELD, OLD + timedelta(minutes=2))
    assert held.reason == "failed 3 times, last with WORKER_LOST in raw_pdf"
    assert held.next_attempt_at is not None
    assert entry_after(WORKER_LOST, WORKER_LOST, WORKER_LOST, minutes_later=20).state is State.QUEUED
    assert entry_after("MEMORY_LIMIT").state is State.QUEUED
    for_good = entry_after("MEMORY_LIMIT", lane="large")
    assert (for_good.state, for_good.next_attempt_at) == (State.HELD, None)
    assert entry_after("INTERNAL_ERROR").state is State.HELD
    assert entry_after("NO_PAGES").state is State.QUARANTINED
    assert entry_after("NO_PAGES", resets=1, minutes_later=60).state is State.QUEUED


def test_a_document_waiting_for_a_paused_stage_is_queued_with_reason() -> None:
    settings = Settings()
    outage = [Attempt(f"b/{n}.pdf", str(n), OLD, "ENGINE_FAILED", "ocr_text") for n in range(5)]
    ledger = build_ledger(
        [X],
        registered=["b/x.pdf"],
        runs={},
        finished=[],
        pages={},
        missed_before=OLD,
        retries=RetryContext(fold(Breakers(), outage, settings), OLD, settings, existing_attempts=()),
    )
    entry = ledger.entries[0]
    assert (entry.state, entry.next_attempt_at) == (State.QUEUED, OLD + timedelta(seconds=120))
    assert "ocr_text is paused: 5 documents failed with ENGINE_FAILED" in (entry.reason or "")


def test_a_batch_is_counted_separately() -> None:
    ledger = build_ledger(
        [stored("a/x.pdf"), stored("b/x.pdf"), stored("b/load.dat")],
        registered=["a/x.pdf", "b/x.pdf", "b/gone.pdf", "a/gone.pdf"],
        runs={},
        finished=[],
        pages={"b/x.pdf": 7},
        missed_before=NOW,
        batch="b",
    )
    assert [entry.document for entry in ledger.entries] == ["b/gone.pdf", "b/x.pdf"]
    assert (ledger.not_documents, ledger.entries[1].pages) == (1, 7)


names = st.lists(st.text(alphabet="ab/,%", min_size=1, max_size=5).map(lambda t: f"{t}.pdf"), unique=True)
summaries = st.builds(
    RunSummary,
    st.sampled_from(Progress),
    st.sampled_from([None, listed_document(X).version, "other"]),
    st.sampled_from([None, "NO_PAGES", "THROTTLED"]),
)


@given(names, names, st.dictionaries(st.integers(0, 9), summaries), st.sets(st.integers(0, 9)))
def test_every_document_is_in_exactly_one_state(
    listed: list[str], registered: list[str], runs: dict[int, RunSummary], finished: set[int]
) -> None:
    documents = sorted({*listed, *registered})
    keys = [partition_key(document) for document in documents]
    ledger = build_ledger(
        [stored(key) for key in listed],
        registered=[partition_key(document) for document in registered],
        runs={keys[n]: summary for n, summary in runs.items() if n < len(keys)},
        finished=[keys[n] for n in finished if n < len(keys)],
        pages={},
        missed_before=NOW,
    )
    assert [entry.document for entry in ledger.entries] == documents
    assert ledger.discovered == sum(ledger.count(state) for state in State)
