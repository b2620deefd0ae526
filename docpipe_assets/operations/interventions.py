"""Interventions of people: recorded in order, never changed, and folded into what applies now.

An intervention is revoked by a further one: ``reinstated`` after ``withdrawn``, a new priority after an old
one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from docpipe_assets.operations.breaker import Reset
from docpipe_assets.settings import Priority

RESET: Final = "reset"
WITHDRAWN: Final = "withdrawn"
REINSTATED: Final = "reinstated"
PRIORITY: Final = "priority"


@dataclass(frozen=True, slots=True)
class Intervention:
    """One intervention of a person."""

    number: int
    """Position in the order of recording: unique and ascending."""
    at: datetime
    by: str | None
    action: str
    reason: str
    key: str | None
    """Partition key of the document, if the intervention concerns one."""
    subject: Mapping[str, str]
    """What else the intervention concerns, for example the stage or the batch."""


def resets(found: Iterable[Intervention]) -> list[Reset]:
    return [
        Reset(one.at, one.reason, one.by, one.key, one.subject.get("stage"))
        for one in found
        if one.action == RESET
    ]


def withdrawn(before: Iterable[str], found: Iterable[Intervention]) -> set[str]:
    """The partition keys that are withdrawn after these interventions, which are in order."""
    keys = set(before)
    for one in found:
        if one.key is not None and one.action == WITHDRAWN:
            keys.add(one.key)
        elif one.key is not None and one.action == REINSTATED:
            keys.discard(one.key)
    return keys


def priorities(found: Iterable[Intervention]) -> dict[str, Priority]:
    """The latest priority of each batch."""
    return {
        one.subject["batch"]: cast(Priority, one.subject["priority"])
        for one in found
        if one.action == PRIORITY
    }
