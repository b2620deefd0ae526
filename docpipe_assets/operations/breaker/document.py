"""The document breaker: decides from the failures of one document about its next attempt."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from docpipe_assets.operations.breaker.events import Attempt, Reset
from docpipe_assets.operations.breaker.reactions import (
    RUN_CANCELED,
    Reaction,
    next_lane,
    pause_seconds,
    reaction_to,
    stage_family,
)
from docpipe_assets.settings import Settings


class BreakerStatus(StrEnum):
    RETRYING = "retrying"
    """Closed: the next attempt follows after a pause."""
    OPEN = "open"
    """Failed too often: one probe after each cool-down."""
    HELD = "held"
    QUARANTINED = "quarantined"
    RELEASED = "released"
    """Reset: the next attempt is due and the count restarts."""


_FINAL = (BreakerStatus.HELD, BreakerStatus.QUARANTINED)


@dataclass(frozen=True, slots=True)
class DocumentBreaker:
    """The state of one document. It exists only while the latest attempt has not succeeded."""

    key: str
    version: str | None
    code_version: str | None
    stage: str | None
    error: str
    """The full code of the failure that set the status."""
    status: BreakerStatus
    since: datetime
    """When the status was entered."""
    failed_at: datetime
    run_id: str
    """Run of the latest attempt; at most one automatic attempt follows it."""
    next_at: datetime | None
    """Time of the next automatic attempt; None if there is none."""
    lane: str | None = None
    """Lane of the next attempt; None if the size decides."""
    failures: int = 0
    """Failures counted against the document in this version and code since the last reset."""
    uncounted: int = 0
    """Failures that the stage caused; they do not count against the document."""
    attempts: int = 0
    """All ended attempts, including those that a person launched."""
    openings: int = 0
    reset_reason: str | None = None
    reset_by: str | None = None

    def state_at(self, now: datetime) -> str:
        """``closed``, ``open``, ``half_open``, ``held`` or ``quarantined``."""
        if self.status is BreakerStatus.OPEN:
            return "open" if self.next_at is None or now < self.next_at else "half_open"
        return self.status.value if self.status in _FINAL else "closed"

    @property
    def family(self) -> str | None:
        return stage_family(self.error)

    def matches_version(self, version: str) -> bool:
        return self.version in (None, version)

    def is_same_streak(self, attempt: Attempt) -> bool:
        """Whether an attempt had the same bytes and the same code, as far as is known."""
        return _may_be_equal(self.version, attempt.version) and (
            self.stage != attempt.stage or _may_be_equal(self.code_version, attempt.code_version)
        )

    def matches_code(self, code_version: str | None) -> bool:
        """False if the code of the failed stage has changed; a canceled run does not depend on code."""
        return self.error == RUN_CANCELED or _may_be_equal(self.code_version, code_version)

    def after_reset(self, reset: Reset) -> Self:
        return replace(
            self,
            status=BreakerStatus.RELEASED,
            since=reset.at,
            next_at=reset.at,
            failures=0,
            uncounted=0,
            openings=0,
            reset_reason=reset.reason,
            reset_by=reset.by,
        )


def _may_be_equal(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def after_attempt(
    before: DocumentBreaker | None, attempt: Attempt, settings: Settings, *, is_outage: bool = False
) -> DocumentBreaker | None:
    """The state after an attempt; None if it succeeded.

    In an outage that a stage breaker has detected, nothing counts against the document.
    """
    if attempt.error is None:
        return None
    streak = before if before is not None and before.is_same_streak(attempt) else None
    reaction = reaction_to(attempt.error)
    if streak is not None:
        if reaction is Reaction.REQUEUE:
            return replace(streak, run_id=attempt.run_id)
        if streak.status in _FINAL and reaction is not Reaction.QUARANTINE:
            if not _failed_elsewhere(streak, attempt):
                # The attempt is recorded; the document stays held or quarantined.
                return replace(
                    streak, run_id=attempt.run_id, attempts=streak.attempts + 1, failed_at=attempt.ended_at
                )
            streak = None
    counts = attempt.is_automatic and not is_outage
    made = _next_state(streak, attempt, reaction, counts)
    return _with_status(made, streak, attempt, reaction, settings, counts)


def _failed_elsewhere(streak: DocumentBreaker, attempt: Attempt) -> bool:
    """Whether an automatic attempt with new code failed in another stage."""
    return attempt.is_automatic and attempt.code_version is not None and attempt.stage != streak.stage


def _next_state(
    streak: DocumentBreaker | None, attempt: Attempt, reaction: Reaction, counts: bool
) -> DocumentBreaker:
    assert attempt.error is not None
    is_excluded = reaction in (Reaction.RETRY_WITH_STAGE, Reaction.REQUEUE)
    return DocumentBreaker(
        key=attempt.key,
        version=attempt.version or (streak.version if streak else None),
        code_version=attempt.code_version,
        stage=attempt.stage,
        error=attempt.error,
        status=BreakerStatus.RETRYING,
        since=attempt.ended_at,
        failed_at=attempt.ended_at,
        run_id=attempt.run_id,
        next_at=attempt.ended_at,
        lane=streak.lane if streak else None,
        failures=(streak.failures if streak else 0) + (counts and not is_excluded),
        uncounted=(streak.uncounted if streak else 0) + (reaction is Reaction.RETRY_WITH_STAGE),
        attempts=(streak.attempts if streak else 0) + (reaction is not Reaction.REQUEUE),
        openings=streak.openings if streak else 0,
        reset_reason=streak.reset_reason if streak else None,
        reset_by=streak.reset_by if streak else None,
    )


def _with_status(
    made: DocumentBreaker,
    streak: DocumentBreaker | None,
    attempt: Attempt,
    reaction: Reaction,
    settings: Settings,
    counts: bool,
) -> DocumentBreaker:
    was_open = streak is not None and streak.status is BreakerStatus.OPEN
    status, lane, openings, pause = BreakerStatus.RETRYING, made.lane, made.openings, 0.0
    match reaction:
        case Reaction.QUARANTINE:
            status = BreakerStatus.QUARANTINED
        case Reaction.HOLD:
            status = BreakerStatus.HELD
        case Reaction.ESCALATE:
            target = next_lane(made.error)
            was_there = attempt.lane == target or (attempt.is_automatic and made.lane == target)
            status, lane = (BreakerStatus.HELD if was_there else BreakerStatus.RETRYING), target
        case Reaction.REBUILD:
            status = BreakerStatus.HELD if _was_rebuilt(streak) else BreakerStatus.RETRYING
            pause = _retry_pause(made, 1, settings)
        case Reaction.RETRY_WITH_STAGE:
            # A probe during an outage is inconclusive: another one follows.
            status = BreakerStatus.OPEN if was_open else BreakerStatus.RETRYING
            pause = _retry_pause(made, made.uncounted, settings)
        case Reaction.RETRY if was_open or made.failures >= settings.breaker_failures:
            status = BreakerStatus.OPEN
            openings += counts or not was_open
            pause = _cool_down(made, openings, settings)
        case Reaction.RETRY:
            pause = _retry_pause(made, made.failures, settings)
    is_final = status in _FINAL
    return replace(
        made,
        status=status,
        since=streak.since if streak is not None and streak.status is status else made.failed_at,
        lane=lane,
        openings=openings,
        next_at=None if is_final else made.failed_at + timedelta(seconds=pause),
    )


def _was_rebuilt(streak: DocumentBreaker | None) -> bool:
    return (
        streak is not None
        and streak.status is not BreakerStatus.RELEASED
        and reaction_to(streak.error) is Reaction.REBUILD
    )


def pause_after_new_code(breaker: DocumentBreaker, settings: Settings) -> timedelta:
    """During a deployment a worker may still run the old code and fail repeatedly."""
    return timedelta(seconds=_retry_pause(breaker, breaker.attempts, settings))


def _retry_pause(made: DocumentBreaker, count: int, settings: Settings) -> float:
    return pause_seconds(
        made.key, count, first_seconds=settings.retry_seconds, max_seconds=settings.retry_max_seconds
    )


def _cool_down(made: DocumentBreaker, openings: int, settings: Settings) -> float:
    return pause_seconds(
        made.key,
        openings,
        first_seconds=settings.breaker_cool_down_seconds,
        max_seconds=settings.breaker_cool_down_max_seconds,
    )
