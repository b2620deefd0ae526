"""The decision of the breakers for one document version at a given time, with the reason as text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from docpipe_assets.identity import file_name_of
from docpipe_assets.operations.breaker.document import BreakerStatus, DocumentBreaker, pause_after_new_code
from docpipe_assets.operations.breaker.reactions import Reaction, reaction_to
from docpipe_assets.operations.breaker.stage import StageBreaker
from docpipe_assets.operations.breaker.state import Breakers
from docpipe_assets.settings import Settings


class Action(StrEnum):
    REQUEST = "request"
    WAIT = "wait"
    HELD = "held"
    QUARANTINED = "quarantined"


class Purpose(StrEnum):
    FIRST = "first"
    RETRY = "retry"
    ESCALATION = "escalation"
    PROBE = "probe"
    CANARY = "canary"
    AFTER_RESET = "released"
    """The attempt after a reset."""
    NEW_CODE = "new_code"


@dataclass(frozen=True)
class Decision:
    action: Action
    reason: str
    purpose: Purpose
    lane: str
    attempt_name: str
    """Name of the attempt; every process derives the same name."""
    attempt: int
    """Number of the attempt, from 1."""
    not_before: datetime | None = None
    """Time of the next automatic attempt; None if there is none, or if the action is REQUEST."""
    since: datetime | None = None
    """When the document's breaker entered its status; when the stage breaker opened, if the document waits
    for it."""
    failures: int = 0
    canary: str | None = None
    stage: str | None = None
    """The paused stage, if a stage breaker decides."""

    @property
    def run_key(self) -> str:
        """All candidates for a canary share one run key, so that only one of them runs."""
        return self.canary or self.attempt_name


@dataclass(frozen=True)
class _Due:
    purpose: Purpose
    at: datetime
    reason: str
    waits_for_stage: bool = False


def request_name(document: str, version: str, attempt: int = 1, after: str | None = None) -> str:
    """The name of an attempt at one version of a document: the first one, or the one that follows a run.

    At most one automatic attempt follows each ended run, whatever was counted or reset.
    """
    first = f"{file_name_of(document)}.{version}"
    return first if after is None else f"{first}#{attempt}-{after[:8]}"


def decide(
    document: str,
    version: str,
    *,
    breaker: DocumentBreaker | None,
    breakers: Breakers,
    lane: str,
    now: datetime,
    code_versions: Mapping[str, str],
    settings: Settings,
) -> Decision:
    """Decide about a document version.

    ``breaker`` is the document's own, or None if no attempt at this version has failed; ``lane`` follows from
    the size; ``code_versions`` contains for each stage the version of its code with everything that it
    depends on.
    """
    number = breaker.attempts + 1 if breaker else 1
    name = request_name(document, version, number, breaker.run_id if breaker else None)
    due = _due(breaker, breakers, now, code_versions, settings)
    purpose = due.purpose if due else Purpose.RETRY
    lane = (breaker.lane if breaker else None) or lane

    def decided(action: Action, reason: str, **more: object) -> Decision:
        facts: dict[str, object] = {"purpose": purpose, "lane": lane, "attempt_name": name, "attempt": number}
        if breaker is not None:
            facts |= {"since": breaker.since, "failures": breaker.failures}
        return Decision(action, reason, **(facts | more))  # type: ignore[arg-type]

    if due is None:
        assert breaker is not None
        action = Action.QUARANTINED if breaker.status is BreakerStatus.QUARANTINED else Action.HELD
        return decided(action, _reason_for_no_retry(breaker))
    open_stages = breakers.open_stages
    is_ready = due.at <= now
    if open_stages and (is_ready or due.waits_for_stage):
        return _wait_for_stages(open_stages, now, decided)
    if is_ready:
        return decided(Action.REQUEST, due.reason)
    is_open = due.purpose is Purpose.PROBE
    return decided(Action.HELD if is_open else Action.WAIT, due.reason, not_before=due.at)


def _wait_for_stages(
    open_stages: Sequence[StageBreaker], now: datetime, decided: Callable[..., Decision]
) -> Decision:
    """Every document passes all stages, so a paused stage blocks all documents except one canary."""
    first = open_stages[0]
    due_at = max(one.next_canary_at for one in open_stages if one.next_canary_at is not None)
    why = "; ".join(f"{one.stage} is paused: {one.reason}" for one in open_stages)
    if now < due_at:
        return decided(Action.WAIT, why, not_before=due_at, stage=first.stage, since=first.since)
    reason = f"canary {first.canaries + 1} for {first.stage}, which is paused: {first.reason}"
    return decided(Action.REQUEST, reason, purpose=Purpose.CANARY, canary=first.canary, stage=first.stage)


def _due(
    breaker: DocumentBreaker | None,
    breakers: Breakers,
    now: datetime,
    code_versions: Mapping[str, str],
    settings: Settings,
) -> _Due | None:
    """The next automatic attempt, or None if there is none."""
    if breaker is None:
        return _Due(Purpose.FIRST, now, "not attempted yet")
    if breaker.status is BreakerStatus.RELEASED:
        by = f" by {breaker.reset_by}" if breaker.reset_by else ""
        return _Due(Purpose.AFTER_RESET, now, f"reset{by}: {breaker.reset_reason}")
    if not breaker.matches_code(code_versions.get(breaker.stage or "")):
        due_at = breaker.failed_at + pause_after_new_code(breaker, settings)
        return _Due(
            Purpose.NEW_CODE,
            due_at,
            f"the release or a setting of {breaker.stage} has changed since it failed with {breaker.error}",
        )
    if breaker.next_at is None:
        return None
    what = f"{breaker.error}{f' in {breaker.stage}' if breaker.stage else ''}"
    if breaker.status is BreakerStatus.OPEN:
        return _Due(Purpose.PROBE, breaker.next_at, f"failed {breaker.failures} times, last with {what}")
    reaction = reaction_to(breaker.error)
    if reaction is Reaction.ESCALATE:
        return _Due(Purpose.ESCALATION, breaker.next_at, f"{what}: retried once in the {breaker.lane} lane")
    if reaction in (Reaction.RETRY_WITH_STAGE, Reaction.REQUEUE):
        return _Due(
            Purpose.RETRY,
            min(breaker.next_at, _recovered_at(breaker, breakers) or breaker.next_at),
            f"{what}: not counted against the document",
            waits_for_stage=True,
        )
    return _Due(Purpose.RETRY, breaker.next_at, f"failed {breaker.failures} times, last with {what}")


def _recovered_at(breaker: DocumentBreaker, breakers: Breakers) -> datetime | None:
    """When the stage that a document waits for recovered."""
    stage = breakers.stages.get((breaker.stage or "", breaker.family or ""))
    if stage is None or stage.is_open or stage.since < breaker.failed_at:
        return None
    return stage.since


def _reason_for_no_retry(breaker: DocumentBreaker) -> str:
    where = f" in {breaker.stage}" if breaker.stage else ""
    if reaction_to(breaker.error) is Reaction.ESCALATE:
        return f"{breaker.error}{where}, also in the {breaker.lane} lane"
    if breaker.status is BreakerStatus.QUARANTINED:
        return f"{breaker.error}{where}; another attempt would fail in the same way"
    return f"{breaker.error}{where}; not retried automatically"
