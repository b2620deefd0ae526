"""The document breaker: what one document's failures say about its next attempt."""

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


class Standing(StrEnum):
    RETRYING = "retrying"
    """Closed: the next attempt comes after a pause."""
    OPEN = "open"
    """Failed too often: one probe after each cool-down."""
    HELD = "held"
    QUARANTINED = "quarantined"
    RELEASED = "released"
    """Reset: the next attempt is due, and the count starts anew."""


_FINAL = (Standing.HELD, Standing.QUARANTINED)


@dataclass(frozen=True, slots=True)
class DocumentBreaker:
    """Kept only while a document's newest attempt has not succeeded."""

    key: str
    version: str | None
    code_version: str | None
    stage: str | None
    error: str
    """The full code that brought it into its standing."""
    standing: Standing
    since: datetime
    """When it came into this standing."""
    failed_at: datetime
    run_id: str
    """Of the newest attempt; one automatic attempt at most follows it."""
    next_at: datetime | None
    """When the next automatic attempt is due; None for never."""
    lane: str | None = None
    """For the next attempt; None when size decides."""
    failures: int = 0
    """Charged to the document, of this version and code, since the last reset."""
    uncharged: int = 0
    """In which the stage was to blame."""
    attempts: int = 0
    """All that ended, those launched by a person included."""
    openings: int = 0
    reset_reason: str | None = None
    reset_by: str | None = None

    def state_at(self, now: datetime) -> str:
        """``closed``, ``open``, ``half_open``, ``held`` or ``quarantined``."""
        if self.standing is Standing.OPEN:
            return "open" if self.next_at is None or now < self.next_at else "half_open"
        return self.standing.value if self.standing in _FINAL else "closed"

    @property
    def family(self) -> str | None:
        return stage_family(self.error)

    def is_about(self, version: str) -> bool:
        return self.version in (None, version)

    def continues(self, attempt: Attempt) -> bool:
        """Whether an attempt was at the same bytes with the same code, as far as is known."""
        return _agree(self.version, attempt.version) and (
            self.stage != attempt.stage or _agree(self.code_version, attempt.code_version)
        )

    def was_made_by(self, code_version: str | None) -> bool:
        """False when the failed stage has other code by now; a canceled run has nothing to do with code."""
        return self.error == RUN_CANCELED or _agree(self.code_version, code_version)

    def after_reset(self, reset: Reset) -> Self:
        return replace(
            self,
            standing=Standing.RELEASED,
            since=reset.at,
            next_at=reset.at,
            failures=0,
            uncharged=0,
            openings=0,
            reset_reason=reset.reason,
            reset_by=reset.by,
        )


def _agree(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def after_attempt(
    before: DocumentBreaker | None, attempt: Attempt, settings: Settings, *, is_outage: bool = False
) -> DocumentBreaker | None:
    """The state after an attempt; None when it went well.

    In an outage that a stage breaker has recognised nothing is charged to the document.
    """
    if attempt.error is None:
        return None
    streak = before if before is not None and before.continues(attempt) else None
    reaction = reaction_to(attempt.error)
    if streak is not None:
        if reaction is Reaction.REQUEUE:
            return replace(streak, run_id=attempt.run_id)
        if streak.standing in _FINAL and reaction is not Reaction.QUARANTINE:
            if not _got_further(streak, attempt):
                # It is recorded, and automation still stays away.
                return replace(
                    streak, run_id=attempt.run_id, attempts=streak.attempts + 1, failed_at=attempt.ended_at
                )
            streak = None
    is_charged = attempt.is_automatic and not is_outage
    made = _counted(streak, attempt, reaction, is_charged)
    return _with_standing(made, streak, attempt, reaction, settings, is_charged)


def _got_further(streak: DocumentBreaker, attempt: Attempt) -> bool:
    """Whether automation tried again because of new code, and now fails elsewhere."""
    return attempt.is_automatic and attempt.code_version is not None and attempt.stage != streak.stage


def _counted(
    streak: DocumentBreaker | None, attempt: Attempt, reaction: Reaction, is_charged: bool
) -> DocumentBreaker:
    assert attempt.error is not None
    is_nobodys = reaction in (Reaction.RETRY_WITH_STAGE, Reaction.REQUEUE)
    return DocumentBreaker(
        key=attempt.key,
        version=attempt.version or (streak.version if streak else None),
        code_version=attempt.code_version,
        stage=attempt.stage,
        error=attempt.error,
        standing=Standing.RETRYING,
        since=attempt.ended_at,
        failed_at=attempt.ended_at,
        run_id=attempt.run_id,
        next_at=attempt.ended_at,
        lane=streak.lane if streak else None,
        failures=(streak.failures if streak else 0) + (is_charged and not is_nobodys),
        uncharged=(streak.uncharged if streak else 0) + (reaction is Reaction.RETRY_WITH_STAGE),
        attempts=(streak.attempts if streak else 0) + (reaction is not Reaction.REQUEUE),
        openings=streak.openings if streak else 0,
        reset_reason=streak.reset_reason if streak else None,
        reset_by=streak.reset_by if streak else None,
    )


def _with_standing(
    made: DocumentBreaker,
    streak: DocumentBreaker | None,
    attempt: Attempt,
    reaction: Reaction,
    settings: Settings,
    is_charged: bool,
) -> DocumentBreaker:
    was_open = streak is not None and streak.standing is Standing.OPEN
    standing, lane, openings, pause = Standing.RETRYING, made.lane, made.openings, 0.0
    match reaction:
        case Reaction.QUARANTINE:
            standing = Standing.QUARANTINED
        case Reaction.HOLD:
            standing = Standing.HELD
        case Reaction.ESCALATE:
            target = next_lane(made.error)
            was_there = attempt.lane == target or (attempt.is_automatic and made.lane == target)
            standing, lane = (Standing.HELD if was_there else Standing.RETRYING), target
        case Reaction.REMAKE:
            standing = Standing.HELD if _was_remade(streak) else Standing.RETRYING
            pause = _retry_pause(made, 1, settings)
        case Reaction.RETRY_WITH_STAGE:
            # A probe that ran into an outage has shown nothing: another one follows.
            standing = Standing.OPEN if was_open else Standing.RETRYING
            pause = _retry_pause(made, made.uncharged, settings)
        case Reaction.RETRY if was_open or made.failures >= settings.breaker_failures:
            standing = Standing.OPEN
            openings += is_charged or not was_open
            pause = _cool_down(made, openings, settings)
        case Reaction.RETRY:
            pause = _retry_pause(made, made.failures, settings)
    is_final = standing in _FINAL
    return replace(
        made,
        standing=standing,
        since=streak.since if streak is not None and streak.standing is standing else made.failed_at,
        lane=lane,
        openings=openings,
        next_at=None if is_final else made.failed_at + timedelta(seconds=pause),
    )


def _was_remade(streak: DocumentBreaker | None) -> bool:
    return (
        streak is not None
        and streak.standing is not Standing.RELEASED
        and reaction_to(streak.error) is Reaction.REMAKE
    )


def pause_after_new_code(breaker: DocumentBreaker, settings: Settings) -> timedelta:
    """While a deployment goes on, a worker may still run the old code, and fail again, and again."""
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
