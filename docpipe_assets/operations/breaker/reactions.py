"""The reaction to a failure, derived from the error class of its code; and the codes of runs that failed
outside the stages."""

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
"""The run ended without an error from its stage: its worker was killed or its host is unreachable."""
RUN_RECALLED = "RUN_RECALLED"
"""Dequeued before it started because a stage breaker opened; does not count as an attempt."""
RUN_HANDED_BACK = "RUN_HANDED_BACK"
"""Requeued because its worker shut down (a deployment, scaling in) before the document was finished; does not
count as an attempt."""

RUN_LEVEL = "run"
"""Replaces the stage if no stage caused the failure."""


class Reaction(StrEnum):
    QUARANTINE = "quarantine"
    """No automatic attempt until new bytes, new code of the stage, or a reset."""
    ESCALATE = "escalate"
    """Retried once in a lane with a larger budget; held if it fails there."""
    RETRY = "retry"
    """Retried with increasing pauses and counted against the document; after repeated failures the breaker
    opens."""
    RETRY_WITH_STAGE = "retry_with_stage"
    """Retried with increasing pauses and not counted against the document; waits for the stage breaker if
    other documents fail in the same way."""
    REBUILD = "remake"
    """All stages are retried once, because an artifact is missing or damaged; held if it fails in the same
    way again."""
    HOLD = "hold"
    """Like a quarantine, although the bytes are not the cause."""
    REQUEUE = "requeue"
    """As if the run had not been requested."""


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
        RUN_CANCELED: "A user canceled the run. Launch it again, or reset the document with a reason.",
        WORKER_LOST: "Retried automatically. If it recurs, check the worker's log and the machine's memory.",
        RUN_RECALLED: "Requested again automatically when the stage has recovered.",
        RUN_HANDED_BACK: "Requested again automatically and immediately; finished stages are not repeated.",
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
        return Reaction.REBUILD
    # A wrong setting or a rejected credential is fixed outside docpipe without any event, so these are
    # retried as well, although a retry within the same run would be pointless.
    if kind.counts_for is Breaker.STAGE or issubclass(kind, ConfigurationError):
        return Reaction.RETRY_WITH_STAGE
    # Decisions are made only for listed documents: a key that was deleted exists again.
    if kind.is_retryable or issubclass(kind, ObjectGone):
        return Reaction.RETRY
    return Reaction.HOLD


@lru_cache(maxsize=1024)
def advice_on(full_code: str) -> str:
    """The advice for an operator."""
    return _RUN_LEVEL_ADVICE.get(full_code) or error_class(full_code).advice


@lru_cache(maxsize=1024)
def next_lane(full_code: str) -> str | None:
    return None if full_code in _RUN_LEVEL_REACTIONS else error_class(full_code).next_lane


@lru_cache(maxsize=1024)
def stage_family(full_code: str) -> str | None:
    """Groups failures of a stage by cause; None if the stage is not the cause.

    A store outage appears as rejected, interrupted and throttled transfers at the same time.
    """
    if full_code == WORKER_LOST:
        return WORKER_LOST
    if reaction_to(full_code) is not Reaction.RETRY_WITH_STAGE:
        return None
    kind = error_class(full_code)
    return "STORE" if issubclass(kind, StoreError) else kind.code


def is_neutral_to_stages(full_code: str | None) -> bool:
    return full_code in (RUN_CANCELED, RUN_RECALLED, RUN_HANDED_BACK)


def pause_seconds(
    key: str, count: int, *, first_seconds: float, max_seconds: float, jitter: float = 0.25
) -> float:
    """Doubles with ``count`` from 1 up to a maximum; the same in every process, different for each key."""
    whole = min(max_seconds, first_seconds * 2.0 ** min(max(count, 1) - 1, 60))
    hashed = blake2b(f"{key}\n{count}".encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return whole * (1 - jitter * int.from_bytes(hashed) / 2**32)
