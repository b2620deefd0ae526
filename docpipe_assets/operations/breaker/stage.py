"""The stage breaker: many documents that fail in the same way indicate that the stage, not a document, is
broken.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from docpipe_assets.operations.breaker.events import Attempt, Reset
from docpipe_assets.operations.breaker.reactions import (
    RUN_LEVEL,
    WORKER_LOST,
    is_neutral_to_stages,
    stage_family,
)
from docpipe_assets.pipeline import Pipeline
from docpipe_assets.settings import Settings

StageKey = tuple[str, str]
"""Stage and failure family."""


@dataclass(frozen=True, slots=True)
class StageBreaker:
    """Exists from its first opening on: the time at which it closed tells waiting documents that they are
    due.
    """

    stage: str
    family: str
    is_open: bool
    since: datetime
    """When it opened or closed."""
    reason: str
    last_error: str
    documents: int
    """Number of documents with the same failure before it opened."""
    next_canary_at: datetime | None
    cool_down_seconds: float
    canaries: int = 0
    """Number of canaries that have ended since it opened."""

    @property
    def key(self) -> StageKey:
        return self.stage, self.family

    @property
    def canary(self) -> str:
        """Name of the next canary; every process derives the same name."""
        return f"canary.{self.stage}.{self.family}.{self.since:%Y%m%dT%H%M%S}.{self.canaries + 1}"

    def state_at(self, now: datetime) -> str:
        """``closed``, ``open`` or ``half_open``."""
        if not self.is_open:
            return "closed"
        return "open" if self.next_canary_at is None or now < self.next_canary_at else "half_open"

    def after_reset(self, reset: Reset) -> Self:
        by = f" by {reset.by}" if reset.by else ""
        return self._closed(reset.at, f"reset{by}: {reset.reason}")

    def after_attempt(self, attempt: Attempt, settings: Settings, graph: Pipeline) -> Self:
        """The state of an open breaker after an attempt.

        An attempt is conclusive if it started after the cool-down, whoever launched it, or if a person
        launched it after the opening and it passed the stage. Runs that were in progress before are ignored.
        """
        is_canary = attempt.canary == self.canary
        is_due = is_canary or (
            attempt.started_at is not None
            and self.next_canary_at is not None
            and attempt.started_at >= self.next_canary_at
        )
        if not is_neutral_to_stages(attempt.error):
            if failure_of(attempt) == self.key:
                return self._reopened(attempt, settings) if is_due else self
            is_manual = not attempt.is_automatic and attempt.started_at is not None
            is_manual = is_manual and attempt.started_at >= self.since  # type: ignore[operator]
            if (is_due or is_manual) and _has_passed(attempt, self.stage, graph):
                return self._closed(attempt.ended_at, f"{attempt.key} passed")
        # The canary ended before it reached the stage: the next one may start at once.
        return replace(self, canaries=self.canaries + 1) if is_canary else self

    def _reopened(self, attempt: Attempt, settings: Settings) -> Self:
        cool_down = min(2 * self.cool_down_seconds, settings.stage_breaker_cool_down_max_seconds)
        return replace(
            self,
            canaries=self.canaries + 1,
            last_error=attempt.error or self.last_error,
            cool_down_seconds=cool_down,
            next_canary_at=attempt.ended_at + timedelta(seconds=cool_down),
        )

    def _closed(self, at: datetime, reason: str) -> Self:
        return replace(self, is_open=False, since=at, reason=reason, next_canary_at=None)


def failure_of(attempt: Attempt) -> StageKey | None:
    """The stage breaker for which the failure of an attempt counts."""
    family = stage_family(attempt.error) if attempt.error else None
    if family is None:
        return None
    return (RUN_LEVEL if family == WORKER_LOST else attempt.stage or RUN_LEVEL), family


def _has_passed(attempt: Attempt, stage: str, graph: Pipeline) -> bool:
    return attempt.error is None or graph.has_passed(attempt.stage or "", stage)


class Outcome(NamedTuple):
    """The stored part of an attempt."""

    at: datetime
    key: str
    failed_in: str | None
    """The asset; empty where the run did not name one, None when all went well."""
    failure: StageKey | None

    def has_reached(self, stage: str, graph: Pipeline) -> bool:
        return self.failed_in is None or graph.has_reached(self.failed_in, stage)


class Sample:
    """The latest attempts, for each last reached stage as many as a decision may need.

    A share of all attempts within the window would react too late: after ten busy minutes, hundreds of
    documents would have to fail before the outage outweighs the earlier successes.
    """

    def __init__(self, outcomes: Iterable[Outcome], settings: Settings, graph: Pipeline) -> None:
        self._width = timedelta(seconds=settings.stage_breaker_window_seconds)
        self._size = settings.stage_breaker_attempts
        self._graph = graph
        self._by_stage: dict[str | None, deque[Outcome]] = {}
        for outcome in outcomes:
            self.add(outcome)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """In the order in which they were added, stage by stage."""
        in_order = sorted(
            self._by_stage, key=lambda stage: (stage is None, self._graph.position(stage or ""), stage)
        )
        return tuple(one for stage in in_order for one in self._by_stage[stage])

    def add(self, outcome: Outcome) -> None:
        self._by_stage.setdefault(outcome.failed_in, deque(maxlen=self._size)).append(outcome)

    def newest(self, stage: str, now: datetime) -> list[Outcome]:
        """The latest attempts that reached a stage."""
        reached = [
            one
            for outcomes in self._by_stage.values()
            for one in outcomes
            if one.at > now - self._width and one.has_reached(stage, self._graph)
        ]
        return sorted(reached, key=lambda one: (one.at, one.key))[-self._size :]

    def forget(self, failure: StageKey) -> None:
        """Remove the failures that opened a breaker, so that they do not reopen it after it has closed."""
        for outcomes in self._by_stage.values():
            kept = [outcome for outcome in outcomes if outcome.failure != failure]
            outcomes.clear()
            outcomes.extend(kept)


class StageBreakers:
    """All stage breakers, with the attempts on which they decide."""

    def __init__(
        self,
        breakers: Iterable[StageBreaker],
        outcomes: Iterable[Outcome],
        settings: Settings,
        graph: Pipeline,
    ) -> None:
        self._settings = settings
        self._graph = graph
        self._sample = Sample(outcomes, settings, graph)
        self.breakers = {breaker.key: breaker for breaker in breakers}

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return self._sample.outcomes

    def is_known_outage(self, attempt: Attempt) -> bool:
        """Whether an attempt failed because of a known outage."""
        failure = failure_of(attempt)
        return failure in self.breakers and self.breakers[failure].is_open

    def add_attempt(self, attempt: Attempt) -> None:
        for breaker in [one for one in self.breakers.values() if one.is_open]:
            self._store(breaker.after_attempt(attempt, self._settings, self._graph))
        if is_neutral_to_stages(attempt.error):
            return
        failure = failure_of(attempt)
        failed_in = None if attempt.error is None else attempt.stage or ""
        self._sample.add(Outcome(attempt.ended_at, attempt.key, failed_in, failure))
        if failure is not None:
            self._open_if_due(failure, attempt)

    def add_reset(self, reset: Reset) -> None:
        for breaker in list(self.breakers.values()):
            if breaker.stage == reset.stage and reset.family in (None, breaker.family) and breaker.is_open:
                self._store(breaker.after_reset(reset))

    def _store(self, breaker: StageBreaker) -> None:
        if self.breakers[breaker.key].is_open and not breaker.is_open:
            self._sample.forget(breaker.key)
        self.breakers[breaker.key] = breaker

    def _open_if_due(self, failure: StageKey, attempt: Attempt) -> None:
        before = self.breakers.get(failure)
        if before is not None and before.is_open:
            return
        settings = self._settings
        newest = self._sample.newest(failure[0], attempt.ended_at)
        alike = [one.key for one in newest if one.failure == failure]
        documents, share = len(set(alike)), len(alike) / len(newest)
        if documents < settings.stage_breaker_documents or share < settings.stage_breaker_share:
            return
        cool_down = settings.stage_breaker_cool_down_seconds
        # A stage that fails again soon after its recovery (for example because one of two workers is
        # broken) must not cost five documents an attempt every few minutes.
        if before is not None and attempt.ended_at - before.since < timedelta(
            seconds=2 * before.cool_down_seconds + settings.stage_breaker_window_seconds
        ):
            cool_down = min(2 * before.cool_down_seconds, settings.stage_breaker_cool_down_max_seconds)
        self.breakers[failure] = StageBreaker(
            stage=failure[0],
            family=failure[1],
            is_open=True,
            since=attempt.ended_at,
            reason=(
                f"{documents} documents failed with {attempt.error}, in {len(alike)} of the latest "
                f"{len(newest)} attempts that reached it"
            ),
            last_error=attempt.error or "",
            documents=documents,
            next_canary_at=attempt.ended_at + timedelta(seconds=cool_down),
            cool_down_seconds=cool_down,
        )
