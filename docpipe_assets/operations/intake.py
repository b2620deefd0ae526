"""Intake: compares what the bucket holds with what is known, and plans what is missing.

Nothing is handed over and hoped for: a plan is made from the listing, the registered partitions and
the recorded runs each time anew, so it does not matter when or how often the one who carries it out
dies. The next tick sees what is there and goes on.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice
from types import MappingProxyType

from docpipe_assets.identity import batch_of, digest, object_version, partition_key
from docpipe_assets.lanes import LARGE, STANDARD
from docpipe_assets.operations.breaker import Action, Breakers, Decision, Purpose, decide, request_name
from docpipe_assets.protocols import StoredObject
from docpipe_assets.settings import Priority, Settings

RECALLS_PER_TICK = 500
"""Each costs a few writes; what is beyond waits for the next tick."""
HIGH, NORMAL, LOW = 10, 0, -10
_PRIORITIES: Mapping[Priority, int] = {"high": HIGH, "normal": NORMAL, "low": LOW}


class Kind(StrEnum):
    DOCUMENT = "document"
    FOLDER_MARKER = "folder_marker"
    OTHER = "other"


@dataclass(frozen=True)
class Sighting:
    """A document as the listing shows it."""

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

    sighting: Sighting
    lane: str
    name: str
    """Of the attempt; no second run may carry it."""
    run_key: str
    """As the name, save that all who could be one canary share it."""
    purpose: Purpose = Purpose.FIRST
    attempt: int = 1
    reason: str = ""
    canary: str | None = None


@dataclass(frozen=True)
class Failures:
    """What became of earlier attempts, and when it is judged."""

    breakers: Breakers
    now: datetime
    settings: Settings
    requested: Container[str]
    """Names of attempts, and of canaries, that a run exists for."""
    code_versions: Mapping[str, str] = field(default_factory=dict)
    """Of each stage's code, with all that it depends on."""

    def decide(self, seen: Sighting, lane: str, is_first: bool) -> Decision | None:
        """What is allowed for a document; None when nothing is known against leaving it alone."""
        breaker = None if is_first else self.breakers.documents.get(seen.key)
        if not is_first and (breaker is None or not breaker.is_about(seen.version)):
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
    """A document's run that waits in Dagster's queue."""

    run_id: str
    is_automatic: bool
    """False when a person or a backfill launched it."""
    is_canary: bool = False
    priority: int = NORMAL


@dataclass(frozen=True)
class Budget:
    """How much one tick may do."""

    keys: int
    runs: int
    settled_before: datetime
    """Objects younger than this may still be written to; they wait."""


@dataclass
class Plan:
    register: list[str] = field(default_factory=list)
    """Partition keys to add."""
    requests: list[Request] = field(default_factory=list)
    documents: int = 0
    known: int = 0
    folder_markers: int = 0
    other_files: int = 0
    unsettled: int = 0
    waiting: int = 0
    """Due, but beyond this tick's budget or behind a run of the same document."""
    retry_later: int = 0
    paused: int = 0
    """Due, but behind a stage that is paused."""
    held: int = 0
    quarantined: int = 0
    withdrawn: int = 0
    canary: Request | None = None
    resume_after: str = ""
    """Where the next tick continues; empty when the listing was read to its end."""
    leaves: bool = False
    """Whether there was no room for runs that are due in the listing..."""
    leaves_again: bool = False
    """...or in what was looked at again, or whether documents still arrive there."""

    def __str__(self) -> str:
        counts = {
            "documents in the listing": self.documents,
            "new": len(self.register),
            "runs requested": len(self.requests),
            "left alone": self.known,
            "waiting": self.waiting,
            "to be retried later": self.retry_later,
            "behind a paused stage": self.paused,
            "held": self.held,
            "quarantined": self.quarantined,
            "withdrawn": self.withdrawn,
            "still being written": self.unsettled,
            "not PDFs": self.other_files,
            "folder markers": self.folder_markers,
        }
        return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "nothing there"


class Arrivals:
    """Tells the folders that are new since the look before; of the first look, none is."""

    def __init__(self) -> None:
        self._known: set[str] | None = None

    def next(self, folders: Iterable[str]) -> str | None:
        """One that was not there, and was not returned before; those beside it wait for their turn."""
        if self._known is None:
            self._known = set(folders)
        new = min(set(folders) - self._known, default=None)
        if new is not None:
            self._known.add(new)
        return new


def kind_of(key: str) -> Kind:
    if key.endswith("/"):
        return Kind.FOLDER_MARKER
    return Kind.DOCUMENT if key.lower().endswith(".pdf") else Kind.OTHER


def sighting_of(found: StoredObject) -> Sighting:
    # The time is part of the version: a key overwritten by other bytes and then by the first ones again
    # has to be processed again, since its artifacts are those of the bytes between.
    content = object_version(found.size_bytes, found.etag, found.version_id)
    version = digest([content, found.last_modified.isoformat()])[:16]
    return Sighting(
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
    """How far to the front of the queue a batch's documents go: the highest number is taken first.

    ``priorities`` are those that people have given; they go before the settings.
    """
    return _PRIORITIES[priorities.get(batch) or settings.batch_priorities.get(batch, "normal")]


def plan(
    listing: Iterable[StoredObject],
    *,
    again: Iterable[StoredObject] = (),
    registered: Container[str],
    requested: Container[tuple[str, str]],
    busy: Container[str],
    budget: Budget,
    large_bytes: int,
    failures: Failures | None = None,
    withdrawn: Container[str] = (),
    priorities: Mapping[str, Priority] = MappingProxyType({}),
) -> Plan:
    """What one tick should do.

    ``requested`` holds the (document, version) pairs that a run exists for; ``busy`` the partition
    keys with an unfinished run, because two versions of one document must not be worked on at once.
    ``withdrawn`` holds the partition keys of those that a person took out of the matter, ``priorities``
    what people said of batches.
    Without ``failures`` every version is requested once.
    ``again`` is the listing from a folder that is new, or from where an earlier tick had no room for all that
    was due: in a large bucket the listing comes there much later.
    S3 lists keys in byte order, so a document uploaded later may sort before the place where an
    earlier tick stopped: that place only resumes a listing cut by the budget, and the listing after
    it starts from the beginning.
    """
    tick = _Tick(registered, requested, busy, budget, large_bytes, failures, withdrawn, priorities)
    for found in islice(again, budget.keys):
        tick.see(found)
        tick.seen_again.add(found.key)
    tick.arrive_again = bool(tick.plan.register or tick.plan.unsettled)
    for count, found in enumerate(listing, start=1):
        if found.key not in tick.seen_again:
            tick.see(found)
        if count >= budget.keys:
            tick.plan.resume_after = found.key
            break
    tick.choose()
    if tick.plan.canary is not None:
        tick.plan.requests.append(tick.plan.canary)
    return tick.plan


def to_recall(queued: Iterable[QueuedRun], breakers: Breakers, limit: int = RECALLS_PER_TICK) -> list[str]:
    """The runs to take out of the queue while a stage is paused, those first that would be begun first.

    ``queued`` is in the order in which they came. The canary stays, and so does what a person launched.
    """
    if not breakers.open_stages:
        return []
    recalled = [run for run in queued if run.is_automatic and not run.is_canary]
    return [run.run_id for run in sorted(recalled, key=lambda run: -run.priority)[:limit]]


@dataclass
class _Tick:
    registered: Container[str]
    requested: Container[tuple[str, str]]
    busy: Container[str]
    budget: Budget
    large_bytes: int
    failures: Failures | None
    withdrawn: Container[str]
    priorities: Mapping[str, Priority]
    seen_again: set[str] = field(default_factory=set)
    arrive_again: bool = False
    plan: Plan = field(default_factory=Plan)

    def see(self, found: StoredObject) -> None:
        kind = kind_of(found.key)
        if kind is Kind.FOLDER_MARKER:
            self.plan.folder_markers += 1
        elif kind is Kind.OTHER:
            self.plan.other_files += 1
        else:
            self._consider(sighting_of(found))

    def _consider(self, seen: Sighting) -> None:
        self.plan.documents += 1
        if seen.last_modified > self.budget.settled_before:
            self.plan.unsettled += 1
            return
        if seen.key not in self.registered:
            self.plan.register.append(seen.key)
        if seen.key in self.withdrawn:
            self.plan.withdrawn += 1
            return
        is_first = (seen.document, seen.version) not in self.requested
        lane = lane_of(seen.size_bytes, self.large_bytes)
        if self.failures is None:
            if is_first:
                name = request_name(seen.document, seen.version)
                self._request(Request(seen, lane, name, run_key=name))
            else:
                self.plan.known += 1
            return
        decision = self.failures.decide(seen, lane, is_first)
        if decision is None or decision.request in self.failures.requested:
            self.plan.known += 1
        else:
            self._follow(seen, decision, self.failures.requested)

    def _follow(self, seen: Sighting, decision: Decision, taken: Container[str]) -> None:
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
            if decision.canary not in taken and seen.key not in self.busy and self.budget.runs > 0:
                self._offer_canary(_request_of(seen, decision))

    def _request(self, request: Request) -> None:
        if request.sighting.key in self.busy:
            self.plan.waiting += 1
        else:
            self.plan.requests.append(request)

    def choose(self) -> None:
        """Keep what the budget has room for: batches of a higher priority first, else as they are listed."""
        due, settings = self.plan.requests, self.failures.settings if self.failures else None
        if settings is not None:
            due.sort(key=lambda request: -priority_of(request.sighting.batch, settings, self.priorities))
        left = {request.sighting.document for request in due[self.budget.runs :]}
        del due[self.budget.runs :]
        self.plan.waiting += len(left)
        self.plan.leaves = not left <= self.seen_again
        self.plan.leaves_again = self.arrive_again or not left.isdisjoint(self.seen_again)

    def _offer_canary(self, request: Request) -> None:
        best = self.plan.canary
        if best is None or _fitness(request) > _fitness(best):
            self.plan.canary = request


def _request_of(seen: Sighting, decision: Decision) -> Request:
    return Request(
        seen,
        decision.lane,
        name=decision.request,
        run_key=decision.run_key,
        purpose=decision.purpose,
        attempt=decision.attempt,
        reason=decision.reason,
        canary=decision.canary,
    )


def _fitness(canary: Request) -> tuple[bool, bool, int]:
    """A small document tells sooner; one that came to a stage before is likely to come there again; turns."""
    return canary.lane == STANDARD, canary.attempt > 1, -canary.attempt
