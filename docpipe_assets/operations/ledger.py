"""The ledger: every document in exactly one state, derived from the listing and Dagster's records.

The ledger is never stored. The documents come from the bucket listing and the registered partitions, the
states from the runs. A listed document that intake has not registered in time, or whose run succeeded without
its last asset, is *unaccounted*; that number has to be zero.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from docpipe_assets.errors import error_class
from docpipe_assets.identity import batch_of, document_of
from docpipe_assets.operations.breaker import Action, Decision
from docpipe_assets.operations.intake import (
    KeyKind,
    ListedDocument,
    RetryContext,
    kind_of,
    lane_of,
    listed_document,
)
from docpipe_assets.protocols import StoredObject


class State(StrEnum):
    """The state of a document in the ledger."""

    SUCCEEDED = "succeeded"
    """Finished: the run succeeded, the last asset is materialized, and every page was read."""
    PARTIAL = "partial"
    """Finished, but some pages could not be read."""
    FAILED = "failed"
    """The run failed, and no breaker decides about further attempts."""
    QUARANTINED = "quarantined"
    """Not processed again until its content changes, the code of the failed stage changes, or its breaker is
    reset."""
    HELD = "held"
    """Not attempted before the next probe, new code of the failed stage, or a reset: it failed repeatedly, or
    from a cause that a retry does not change."""
    IN_FLIGHT = "in_flight"
    """The run has been launched and has not ended."""
    QUEUED = "queued"
    """Waits for a run: none is requested yet, it is in Dagster's queue, or a retry is scheduled."""
    WITHDRAWN = "withdrawn"
    """Excluded from processing: deleted from the bucket, or withdrawn by a person."""
    UNACCOUNTED = "unaccounted"
    """Missed by intake, or the run succeeded without the last asset; always an error."""


class Progress(StrEnum):
    """Progress of the run that decides the state of a document."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "ended_well"
    FAILED = "ended_badly"


@dataclass(frozen=True)
class RunSummary:
    """The recorded data of the run that decides the state of a document."""

    progress: Progress
    version: str | None
    """The document version that it was requested for; None if a person launched it."""
    error: str | None = None
    message: str | None = None
    stage: str | None = None
    """The stage in which it failed; the last stage if it succeeded."""
    failed_pages: int = 0


@dataclass(frozen=True)
class Entry:
    """One entry of the ledger."""

    document: str
    state: State
    stage: str | None = None
    """The stage in which the run failed; the last stage if it succeeded."""
    error: str | None = None
    message: str | None = None
    pages: int | None = None
    reason: str | None = None
    """Why it is queued, held or quarantined, as text."""
    since: datetime | None = None
    """When the document's breaker entered its status; when the stage was paused, if the document waits for
    it."""
    next_attempt_at: datetime | None = None
    """Time of the next automatic attempt; None if only a person, new bytes or new code can trigger one."""
    failures: int = 0
    """Number of failures counted against the document."""


@dataclass(frozen=True)
class Ledger:
    entries: tuple[Entry, ...]
    not_documents: int
    """Number of listed keys that are not PDFs, including folder markers; they are counted, never
    processed."""

    @property
    def discovered(self) -> int:
        return len(self.entries)

    def count(self, state: State) -> int:
        return sum(entry.state is state for entry in self.entries)

    @property
    def is_settled(self) -> bool:
        """Whether no document is queued, in flight or unaccounted."""
        return not any(e.state in (State.QUEUED, State.IN_FLIGHT, State.UNACCOUNTED) for e in self.entries)

    def as_json(self) -> dict[str, Any]:
        """Counts by state, and the list of documents."""
        return {
            "discovered": self.discovered,
            **{state.value: self.count(state) for state in State},
            "not_documents": self.not_documents,
            "documents": [
                {
                    "document": entry.document,
                    "state": entry.state.value,
                    "stage": entry.stage,
                    "error": entry.error,
                    "message": entry.message,
                    "reason": entry.reason,
                    "next_attempt_at": entry.next_attempt_at.isoformat() if entry.next_attempt_at else None,
                    "pages": entry.pages,
                }
                for entry in self.entries
            ],
        }


def build_ledger(
    listing: Iterable[StoredObject],
    *,
    registered: Iterable[str],
    runs: Mapping[str, RunSummary],
    finished: Iterable[str],
    pages: Mapping[str, int],
    missed_before: datetime,
    batch: str | None = None,
    retries: RetryContext | None = None,
    withdrawn: Container[str] = (),
) -> Ledger:
    """Build the ledger of one batch, or of all batches.

    ``registered``, ``finished`` (the last asset is materialized), and the keys of ``runs`` and ``pages`` are
    partition keys. A document that was uploaded before ``missed_before`` and is not registered was missed by
    intake: it is unaccounted, not queued. ``withdrawn`` contains the partition keys of withdrawn documents.
    With ``retries``, the state of a failed document is the one that intake acts on: queued if it will be
    retried automatically, otherwise held or quarantined.
    """
    known, done = set(registered), set(finished)
    entries: dict[str, Entry] = {}
    others = 0
    for found in listing:
        if batch is not None and batch_of(found.key) != batch:
            continue
        if kind_of(found.key) is not KeyKind.DOCUMENT:
            others += 1
            continue
        seen = listed_document(found)
        if seen.key in withdrawn:
            entries[seen.key] = Entry(seen.document, State.WITHDRAWN, pages=pages.get(seen.key))
            continue
        entry = _entry(seen, runs.get(seen.key), known, done, pages, missed_before)
        entries[seen.key] = _with_next_attempt(entry, seen, runs.get(seen.key), retries)
    for key in known - entries.keys():
        document = document_of(key)
        if batch is None or batch_of(document) == batch:
            entries[key] = Entry(document, State.WITHDRAWN, pages=pages.get(key))
    return Ledger(tuple(sorted(entries.values(), key=lambda e: e.document)), others)


def duplicates(versions: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """Groups of documents with identical bytes; ``versions`` maps each document to its SHA-256."""
    alike: dict[str, list[str]] = {}
    for document in sorted(versions):
        alike.setdefault(versions[document], []).append(document)
    return tuple(tuple(group) for group in alike.values() if len(group) > 1)


def _entry(
    seen: ListedDocument,
    run: RunSummary | None,
    known: set[str],
    done: set[str],
    pages: Mapping[str, int],
    missed_before: datetime,
) -> Entry:
    page_count = pages.get(seen.key)
    if seen.key not in known:
        missed = seen.last_modified < missed_before
        return Entry(seen.document, State.UNACCOUNTED if missed else State.QUEUED)
    if run is None or (run.version is not None and run.version != seen.version):
        return Entry(seen.document, State.QUEUED, pages=page_count)
    state = _state_of(run, is_done=seen.key in done)
    return Entry(seen.document, state, run.stage, run.error, run.message, page_count)


def _with_next_attempt(
    entry: Entry, seen: ListedDocument, run: RunSummary | None, retries: RetryContext | None
) -> Entry:
    """The entry with the next automatic action and its time."""
    has_failed = entry.state in (State.FAILED, State.QUARANTINED)
    has_run = run is not None and run.version in (None, seen.version)
    if retries is None or not (has_failed or (entry.state is State.QUEUED and not has_run)):
        return entry
    lane = lane_of(seen.size_bytes, retries.settings.large_bytes)
    decision = retries.decide(seen, lane, is_first=not has_run)
    if decision is None or (decision.action is Action.REQUEST and not has_failed):
        return entry
    return replace(
        entry,
        state=_state_by(decision),
        reason=decision.reason,
        since=decision.since,
        next_attempt_at=retries.now if decision.action is Action.REQUEST else decision.not_before,
        failures=decision.failures,
    )


def _state_by(decision: Decision) -> State:
    match decision.action:
        case Action.QUARANTINED:
            return State.QUARANTINED
        case Action.HELD:
            return State.HELD
        case Action.WAIT | Action.REQUEST:
            return State.QUEUED


def _state_of(run: RunSummary, is_done: bool) -> State:
    if run.progress is Progress.WAITING:
        return State.QUEUED
    if run.progress is Progress.RUNNING:
        return State.IN_FLIGHT
    if run.progress is Progress.FAILED:
        quarantines = run.error is not None and error_class(run.error).quarantines
        return State.QUARANTINED if quarantines else State.FAILED
    if not is_done:  # the run succeeded, but its last asset is missing
        return State.UNACCOUNTED
    return State.PARTIAL if run.failed_pages else State.SUCCEEDED
