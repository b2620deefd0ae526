"""Intake: compares the bucket with the recorded state and plans the missing registrations and runs.

Each tick makes a new plan from the listing, the registered partitions and the recorded runs. A tick may be
interrupted at any point and any number of times: the next tick compares again and continues.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice

from docpipe_assets.identity import batch_of, digest, object_version, partition_key
from docpipe_assets.lanes import LARGE, STANDARD
from docpipe_assets.operations.breaker import Action, Breakers, Decision, Purpose, decide, request_name
from docpipe_assets.protocols import StoredObject
from docpipe_assets.settings import Priority, Settings

DEQUEUES_PER_TICK = 500
"""Maximum number of runs that one tick dequeues; each costs a few writes. The rest is left to the next
tick."""
HIGH, NORMAL, LOW = 10, 0, -10
"""Values of the run tag ``dagster/priority``."""
_PRIORITIES: Mapping[Priority, int] = {"high": HIGH, "normal": NORMAL, "low": LOW}


class KeyKind(StrEnum):
    DOCUMENT = "document"
    FOLDER_MARKER = "folder_marker"
    OTHER = "other"


@dataclass(frozen=True)
class ListedDocument:
    """A document as listed in the bucket."""

    document: str
    key: str
    """Partition key."""
    version: str
    size_bytes: int
    batch: str
    last_modified: datetime


@dataclass(frozen=True)
class Request:
    """A run that is due."""

    listed: ListedDocument
    lane: str
    name: str
    """Name of the attempt; unique among all runs."""
    run_key: str
    """The name, or for a canary the name that all candidates for this canary share."""
    purpose: Purpose = Purpose.FIRST
    attempt: int = 1
    reason: str = ""
    canary: str | None = None


@dataclass(frozen=True)
class RetryContext:
    """The data by which intake and the ledger decide about further attempts at documents."""

    breakers: Breakers
    now: datetime
    settings: Settings
    existing_attempts: Container[str]
    """Names of attempts and canaries for which a run exists."""
    code_versions: Mapping[str, str] = field(default_factory=dict)
    """Per stage, the version of its code with everything that it depends on."""

    def decide(self, seen: ListedDocument, lane: str, is_first: bool) -> Decision | None:
        """The decision for a document; None if no failure is recorded for this version."""
        breaker = None if is_first else self.breakers.documents.get(seen.key)
        if not is_first and (breaker is None or not breaker.matches_version(seen.version)):
            return None
        return decide(
            seen.document,
            seen.version,
            breaker=breaker,
            breakers=self.breakers,
            lane=lane,
            now=self.now,
            code_versions=self.code_versions,
            settings=self.settings,
        )


@dataclass(frozen=True)
class QueuedRun:
    """A run of a document in Dagster's queue."""

    run_id: str
    is_automatic: bool
    """False if a person or a backfill launched it."""
    is_canary: bool = False
    priority: int = NORMAL


@dataclass(frozen=True)
class Budget:
    """Limits of one tick."""

    keys: int
    runs: int
    modified_before: datetime
    """Objects modified after this time may still be incomplete and are left to a later tick."""


@dataclass(frozen=True)
class RecordedState:
    """The state of documents in Dagster's records; keys are partition keys."""

    registered: Container[str]
    requested_versions: Container[tuple[str, str]]
    """The (document, version) pairs for which a run exists."""
    busy: Container[str] = ()
    """Keys with an unfinished run: two versions of a document must not be processed concurrently."""
    withdrawn: Container[str] = ()
    retries: RetryContext | None = None
    """Without it, every version is requested once."""
    priorities: Mapping[str, Priority] = field(default_factory=dict)
    """Recorded priorities by batch."""


@dataclass
class Plan:
    register: list[str] = field(default_factory=list)
    """Partition keys to add."""
    requests: list[Request] = field(default_factory=list)
    documents: int = 0
    already_requested: int = 0
    """Unchanged: every attempt that is due has been requested."""
    folder_markers: int = 0
    other_files: int = 0
    too_recent: int = 0
    deferred: int = 0
    """Due, but beyond the budget of this tick or behind another run of the same document."""
    retry_later: int = 0
    paused: int = 0
    """Due, but behind a paused stage."""
    held: int = 0
    quarantined: int = 0
    withdrawn: int = 0
    canary: Request | None = None
    resume_after: str = ""
    """Key after which the next tick continues; empty if the listing was read to its end."""
    has_backlog: bool = False
    """Whether due runs of the listing exceeded the budget."""
    has_rescan_backlog: bool = False
    """Whether due runs of the repeated listing exceeded the budget, or documents still arrive there."""

    def __str__(self) -> str:
        counts = {
            "documents in the listing": self.documents,
            "new": len(self.register),
            "runs requested": len(self.requests),
            "unchanged": self.already_requested,
            "waiting": self.deferred,
            "scheduled for retry": self.retry_later,
            "behind a paused stage": self.paused,
            "held": self.held,
            "quarantined": self.quarantined,
            "withdrawn": self.withdrawn,
            "below the minimum age": self.too_recent,
            "non-PDF keys": self.other_files,
            "folder markers": self.folder_markers,
        }
        return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "nothing listed"


class NewFolderTracker:
    """Detects folders that were added since the previous tick; the first tick treats all folders as known."""

    def __init__(self) -> None:
        self._known: set[str] | None = None

    def next(self, folders: Iterable[str]) -> str | None:
        """One new folder that was not returned before; further ones are returned by later calls."""
        if self._known is None:
            self._known = set(folders)
        new = min(set(folders) - self._known, default=None)
        if new is not None:
            self._known.add(new)
        return new


def kind_of(key: str) -> KeyKind:
    if key.endswith("/"):
        return KeyKind.FOLDER_MARKER
    return KeyKind.DOCUMENT if key.lower().endswith(".pdf") else KeyKind.OTHER


def listed_document(found: StoredObject) -> ListedDocument:
    # The modification time is part of the version: a key that is overwritten and then restored to its
    # first bytes has to be processed again, because its artifacts belong to the intermediate version.
    content = object_version(found.size_bytes, found.etag, found.version_id)
    version = digest([content, found.last_modified.isoformat()])[:16]
    return ListedDocument(
        document=found.key,
        key=partition_key(found.key),
        version=version,
        size_bytes=found.size_bytes,
        batch=batch_of(found.key),
        last_modified=found.last_modified,
    )


def lane_of(size_bytes: int, large_bytes: int) -> str:
    return LARGE if size_bytes >= large_bytes else STANDARD


def priority_of(batch: str, settings: Settings, priorities: Mapping[str, Priority]) -> int:
    """The queue priority of a batch; a higher number starts first.

    ``priorities`` are recorded by people and take precedence over the settings.
    """
    return _PRIORITIES[priorities.get(batch) or settings.batch_priorities.get(batch, "normal")]


def plan(
    listing: Iterable[StoredObject],
    recorded: RecordedState,
    *,
    budget: Budget,
    large_bytes: int,
    rescan: Iterable[StoredObject] = (),
) -> Plan:
    """Plan one tick: compare the listing with the recorded state.

    ``rescan`` is a second listing, from a new folder or from the key at which an earlier tick exceeded its
    budget: in a large bucket the main listing reaches that key much later.

    S3 lists keys in byte order, so a document that is uploaded later may sort before the key at which an
    earlier tick stopped. That key only resumes a listing that the budget cut; the following listing starts
    from the beginning.
    """
    tick = _Tick(recorded, budget, large_bytes)
    for found in islice(rescan, budget.keys):
        tick.add_object(found)
        tick.rescanned.add(found.key)
    tick.has_rescan_arrivals = bool(tick.plan.register or tick.plan.too_recent)
    for count, found in enumerate(listing, start=1):
        if found.key not in tick.rescanned:
            tick.add_object(found)
        if count >= budget.keys:
            tick.plan.resume_after = found.key
            break
    tick.select_requests()
    if tick.plan.canary is not None:
        tick.plan.requests.append(tick.plan.canary)
    return tick.plan


def runs_to_dequeue(
    queued: Iterable[QueuedRun], breakers: Breakers, limit: int = DEQUEUES_PER_TICK
) -> list[str]:
    """The runs to dequeue while a stage is paused, in the order in which they would start.

    ``queued`` is in queue order. The canary and runs that a person launched stay in the queue.
    """
    if not breakers.open_stages:
        return []
    dequeued = [run for run in queued if run.is_automatic and not run.is_canary]
    return [run.run_id for run in sorted(dequeued, key=lambda run: -run.priority)[:limit]]


@dataclass
class _Tick:
    recorded: RecordedState
    budget: Budget
    large_bytes: int
    rescanned: set[str] = field(default_factory=set)
    has_rescan_arrivals: bool = False
    plan: Plan = field(default_factory=Plan)

    def add_object(self, found: StoredObject) -> None:
        kind = kind_of(found.key)
        if kind is KeyKind.FOLDER_MARKER:
            self.plan.folder_markers += 1
        elif kind is KeyKind.OTHER:
            self.plan.other_files += 1
        else:
            self._plan_document(listed_document(found))

    def _plan_document(self, seen: ListedDocument) -> None:
        self.plan.documents += 1
        if seen.last_modified > self.budget.modified_before:
            self.plan.too_recent += 1
            return
        if seen.key not in self.recorded.registered:
            self.plan.register.append(seen.key)
        if seen.key in self.recorded.withdrawn:
            self.plan.withdrawn += 1
            return
        is_first = (seen.document, seen.version) not in self.recorded.requested_versions
        lane = lane_of(seen.size_bytes, self.large_bytes)
        retries = self.recorded.retries
        if retries is None:
            if is_first:
                name = request_name(seen.document, seen.version)
                self._request(Request(seen, lane, name, run_key=name))
            else:
                self.plan.already_requested += 1
            return
        decision = retries.decide(seen, lane, is_first)
        if decision is None or decision.attempt_name in retries.existing_attempts:
            self.plan.already_requested += 1
        else:
            self._apply(seen, decision, retries.existing_attempts)

    def _apply(self, seen: ListedDocument, decision: Decision, existing_attempts: Container[str]) -> None:
        if decision.action is Action.QUARANTINED:
            self.plan.quarantined += 1
        elif decision.action is Action.HELD:
            self.plan.held += 1
        elif decision.action is Action.WAIT:
            self.plan.paused += decision.stage is not None
            self.plan.retry_later += decision.stage is None
        elif decision.canary is None:
            self._request(_request_of(seen, decision))
        else:
            self.plan.paused += 1
            is_new = decision.canary not in existing_attempts
            if is_new and seen.key not in self.recorded.busy and self.budget.runs > 0:
                self._offer_canary(_request_of(seen, decision))

    def _request(self, request: Request) -> None:
        if request.listed.key in self.recorded.busy:
            self.plan.deferred += 1
        else:
            self.plan.requests.append(request)

    def select_requests(self) -> None:
        """Reduce the requests to the budget: by priority of the batch, then in listing order."""
        due, retries = self.plan.requests, self.recorded.retries
        if retries is not None:
            settings, priorities = retries.settings, self.recorded.priorities
            due.sort(key=lambda request: -priority_of(request.listed.batch, settings, priorities))
        left = {request.listed.document for request in due[self.budget.runs :]}
        del due[self.budget.runs :]
        self.plan.deferred += len(left)
        self.plan.has_backlog = not left <= self.rescanned
        self.plan.has_rescan_backlog = self.has_rescan_arrivals or not left.isdisjoint(self.rescanned)

    def _offer_canary(self, request: Request) -> None:
        best = self.plan.canary
        if best is None or _fitness(request) > _fitness(best):
            self.plan.canary = request


def _request_of(seen: ListedDocument, decision: Decision) -> Request:
    return Request(
        seen,
        decision.lane,
        name=decision.attempt_name,
        run_key=decision.run_key,
        purpose=decision.purpose,
        attempt=decision.attempt,
        reason=decision.reason,
        canary=decision.canary,
    )


def _fitness(canary: Request) -> tuple[bool, bool, int]:
    """Order of canary candidates: small documents finish sooner; a document that was attempted before is
    likely to reach the stage; documents with fewer attempts come first, so the candidates rotate.
    """
    return canary.lane == STANDARD, canary.attempt > 1, -canary.attempt
