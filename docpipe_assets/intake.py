"""Intake: compares what the bucket holds with what is known, and plans what is missing.

Nothing is handed over and hoped for: a plan is made from the listing, the registered partitions and
the recorded runs each time anew, so it does not matter when or how often the one who carries it out
dies. The next tick sees what is there and goes on.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from docpipe_assets.identity import batch_of, object_version, partition_key
from docpipe_assets.protocols import StoredObject


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
    resume_after: str = ""
    """Where the next tick continues; empty when the listing was read to its end."""

    def __str__(self) -> str:
        counts = {
            "documents in the listing": self.documents,
            "new": len(self.register),
            "runs requested": len(self.requests),
            "left alone": self.known,
            "waiting": self.waiting,
            "still being written": self.unsettled,
            "not PDFs": self.other_files,
            "folder markers": self.folder_markers,
        }
        return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "nothing there"


def kind_of(key: str) -> Kind:
    if key.endswith("/"):
        return Kind.FOLDER_MARKER
    return Kind.DOCUMENT if key.lower().endswith(".pdf") else Kind.OTHER


def sighting_of(found: StoredObject) -> Sighting:
    return Sighting(
        document=found.key,
        key=partition_key(found.key),
        version=object_version(found.size_bytes, found.etag, found.version_id),
        size_bytes=found.size_bytes,
        batch=batch_of(found.key),
        last_modified=found.last_modified,
    )


def lane_of(size_bytes: int, large_bytes: int) -> str:
    return "large" if size_bytes >= large_bytes else "standard"


def plan(
    listing: Iterable[StoredObject],
    *,
    registered: Container[str],
    requested: Container[tuple[str, str]],
    busy: Container[str],
    budget: Budget,
    large_bytes: int,
) -> Plan:
    """What one tick should do.

    ``requested`` holds the (document, version) pairs that a run exists for; ``busy`` the partition
    keys with an unfinished run, because two versions of one document must not be worked on at once.
    S3 lists keys in byte order, so a document uploaded later may sort before the place where an
    earlier tick stopped: that place only resumes a listing cut by the budget, and the listing after
    it starts from the beginning.
    """
    result = Plan()
    for count, found in enumerate(listing, start=1):
        kind = kind_of(found.key)
        if kind is Kind.FOLDER_MARKER:
            result.folder_markers += 1
        elif kind is Kind.OTHER:
            result.other_files += 1
        else:
            _consider(sighting_of(found), result, registered, requested, busy, budget, large_bytes)
        if count >= budget.keys:
            result.resume_after = found.key
            break
    return result


def _consider(
    seen: Sighting,
    result: Plan,
    registered: Container[str],
    requested: Container[tuple[str, str]],
    busy: Container[str],
    budget: Budget,
    large_bytes: int,
) -> None:
    result.documents += 1
    if seen.last_modified > budget.settled_before:
        result.unsettled += 1
        return
    if seen.key not in registered:
        result.register.append(seen.key)
    if (seen.document, seen.version) in requested:
        result.known += 1
    elif seen.key in busy or len(result.requests) >= budget.runs:
        result.waiting += 1
    else:
        result.requests.append(Request(seen, lane_of(seen.size_bytes, large_bytes)))
