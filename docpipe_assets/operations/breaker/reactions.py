"""What follows from a failure, derived from the class that its code stands for."""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from types import MappingProxyType

from docpipe_assets.errors import (
    ArtifactError,
    Breaker,
    ConfigurationError,
    ObjectGone,
    StoreError,
    error_class,
)

RUN_CANCELED = "RUN_CANCELED"
WORKER_LOST = "WORKER_LOST"
"""The run ended without a word from its stage: its worker was killed or its host is gone."""
RUN_RECALLED = "RUN_RECALLED"
"""Taken out of the queue, before it started, because a stage breaker opened: not an attempt."""
RUN_HANDED_BACK = "RUN_HANDED_BACK"
"""Its worker was told to end (a deployment, fewer machines) before the document was done: not an attempt."""

RUN_LEVEL = "run"
"""Stands for a stage where no stage had a say."""


class Reaction(StrEnum):
    QUARANTINE = "quarantine"
    """No automatic attempt until the bytes, the stage's code or a reset change something."""
    ESCALATE = "escalate"
    """Once more in a lane with a bigger budget; failing there, held."""
    RETRY = "retry"
    """With growing pauses, charged to the document; behind a breaker when it goes on failing."""
    RETRY_WITH_STAGE = "retry_with_stage"
    """With growing pauses, charged to nobody; behind the stage's breaker when others fail alike."""
    REMAKE = "remake"
    """All stages once more, since an artifact is missing or damaged; failing alike again, held."""
    HOLD = "hold"
    """As a quarantine, though the bytes are not to blame."""
    REQUEUE = "requeue"
    """As if it had not been requested."""


_RUN_LEVEL_REACTIONS: Mapping[str, Reaction] = MappingProxyType(
    {
        RUN_CANCELED: Reaction.HOLD,
        WORKER_LOST: Reaction.RETRY,
        RUN_RECALLED: Reaction.REQUEUE,
        RUN_HANDED_BACK: Reaction.REQUEUE,
    }
)
_RUN_LEVEL_ADVICE: Mapping[str, str] = MappingProxyType(
    {
        RUN_CANCELED: "A person canceled the run. Launch it again, or reset the document with a reason.",
        WORKER_LOST: "Retried by itself; if it stays, look at the worker's log and the machine's memory.",
        RUN_RECALLED: "Requested again by itself when the stage works again.",
        RUN_HANDED_BACK: "Requested again by itself, at once; finished stages are left as they are.",
    }
)


@lru_cache(maxsize=1024)
def reaction_to(full_code: str) -> Reaction:
    if full_code in _RUN_LEVEL_REACTIONS:
        return _RUN_LEVEL_REACTIONS[full_code]
    kind = error_class(full_code)
    if kind.quarantines:
        return Reaction.QUARANTINE
    if kind.next_lane is not None:
        return Reaction.ESCALATE
    if issubclass(kind, ArtifactError):
        return Reaction.REMAKE
    # A wrong setting or a refused credential is repaired outside docpipe and nothing tells of it, so
    # these are tried again as well, though a retry within the same run would be pointless.
    if kind.counts_for is Breaker.STAGE or issubclass(kind, ConfigurationError):
        return Reaction.RETRY_WITH_STAGE
    # Only a document that is in the listing is ever asked about: a key that was gone is there again.
    if kind.is_retryable or issubclass(kind, ObjectGone):
        return Reaction.RETRY
    return Reaction.HOLD


@lru_cache(maxsize=1024)
def advice_on(full_code: str) -> str:
    """What a person should do."""
    return _RUN_LEVEL_ADVICE.get(full_code) or error_class(full_code).advice


@lru_cache(maxsize=1024)
def next_lane(full_code: str) -> str | None:
    return None if full_code in _RUN_LEVEL_REACTIONS else error_class(full_code).next_lane


@lru_cache(maxsize=1024)
def stage_family(full_code: str) -> str | None:
    """Which failures of a stage have one cause, or None when the stage is not to blame.

    A store that is down shows itself as refused, cut and throttled transfers side by side.
    """
    if full_code == WORKER_LOST:
        return WORKER_LOST
    if reaction_to(full_code) is not Reaction.RETRY_WITH_STAGE:
        return None
    kind = error_class(full_code)
    return "STORE" if issubclass(kind, StoreError) else kind.code


def says_nothing_of_stages(full_code: str | None) -> bool:
    return full_code in (RUN_CANCELED, RUN_RECALLED, RUN_HANDED_BACK)


def pause_seconds(
    key: str, count: int, *, first_seconds: float, max_seconds: float, jitter: float = 0.25
) -> float:
    """Doubles with ``count`` from 1 up to a cap; the same in every process, different for each key."""
    whole = min(max_seconds, first_seconds * 2.0 ** min(max(count, 1) - 1, 60))
    hashed = blake2b(f"{key}\n{count}".encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return whole * (1 - jitter * int.from_bytes(hashed) / 2**32)
