"""A simulated platform in memory: bucket, Dagster's records, workers and a clock; an incident takes
milliseconds.

The reconciler may be killed between any two of its steps, run results may be reported late or twice, and a
second daemon may act on the same state. Dagster's behavior is simulated as well: a run key is accepted only
once.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from docpipe_assets.identity import partition_key
from docpipe_assets.operations.breaker import RUN_RECALLED, Attempt, Breakers, Event, Reset, fold
from docpipe_assets.operations.intake import (
    Budget,
    Plan,
    QueuedRun,
    RecordedState,
    Request,
    RetryContext,
    plan,
    runs_to_dequeue,
)
from docpipe_assets.operations.ledger import Ledger, Progress, RunSummary, build_ledger
from docpipe_assets.protocols import StoredObject
from docpipe_assets.settings import Settings

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

Ending = tuple[str, str] | None
"""Error and stage, or None if the run succeeds."""
Behaviour = Callable[["SimulatedPlatform", "Run"], Ending]
"""Determines the outcome of a run of a document."""


def stored(key: str, etag: str = "e", size: int = 10) -> StoredObject:
    return StoredObject(key, size, etag, START - timedelta(minutes=5))


def succeeds(platform: "SimulatedPlatform", run: "Run") -> Ending:
    return None


def always_fails(error: str, stage: str) -> Behaviour:
    return lambda platform, run: (error, stage)


def fails_at_first(times: int, error: str, stage: str) -> Behaviour:
    return lambda platform, run: (error, stage) if platform.attempts_at(run.key) < times else None


@dataclass
class Run:
    run_id: str
    key: str
    version: str | None
    lane: str
    request: Request | None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    ending: Ending = None

    def as_attempt(self, code_version: str) -> Attempt:
        assert self.ended_at is not None
        error, stage = self.ending or (None, None)
        return Attempt(
            key=self.key,
            run_id=self.run_id,
            ended_at=self.ended_at,
            error=error,
            stage=stage,
            version=self.version,
            code_version=code_version if stage else None,
            lane=self.lane,
            is_automatic=self.request is not None,
            started_at=self.started_at,
            canary=self.request.canary if self.request else None,
        )


@dataclass
class SimulatedPlatform:
    bucket: dict[str, StoredObject]
    behaviours: Mapping[str, Behaviour] = field(default_factory=dict)
    """By S3 key; runs of other documents succeed."""
    outage: Behaviour = succeeds
    """Takes precedence over a document's own behavior."""
    workers: int = 2
    seconds_per_run: int = 1
    settings: Settings = field(default_factory=Settings)
    dequeues: bool = True
    now: datetime = START
    code_version: str = "1"
    partitions: set[str] = field(default_factory=set)
    runs: list[Run] = field(default_factory=list)
    queue: deque[Run] = field(default_factory=deque)
    working: list[Run] = field(default_factory=list)
    run_keys: set[str] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)
    breakers: Breakers = field(default_factory=Breakers)
    resume_after: str = ""
    _folded: int = 0

    def attempts_at(self, key: str) -> int:
        """The number of runs of a document that started and ended."""
        return sum(run.key == key and run.started_at is not None for run in self.runs if run.ended_at)

    def launch_manually(self, key: str) -> Run:
        run = Run(f"{len(self.runs):08d}-person", key, None, "standard", None)
        self.runs.append(run)
        self.queue.append(run)
        return run

    def reset(self, **subject: str) -> None:
        self.events.append(Reset(self.now, "repaired", by="someone", **subject))

    @property
    def retries(self) -> RetryContext:
        requests = [run.request for run in self.runs if run.request is not None]
        names = {request.name for request in requests} | {one.canary for one in requests if one.canary}
        stages = ("raw_pdf", "page_splits", "ocr_text", "chunks", "mentions")
        codes = dict.fromkeys(stages, self.code_version)
        return RetryContext(self.breakers, self.now, self.settings, names, codes)

    def plan_tick(self, keys: int = 10_000, runs: int = 10_000) -> Plan:
        listing = sorted(self.bucket.values(), key=lambda found: found.key.encode())
        unfinished = [*self.queue, *self.working]
        runs = min(runs, max(0, self.settings.intake_max_queued - len(self.queue)))
        return plan(
            (found for found in listing if found.key.encode() > self.resume_after.encode()),
            RecordedState(
                registered=self.partitions,
                requested_versions={
                    (r.request.listed.document, r.version or "") for r in self.runs if r.request
                },
                busy={run.key for run in unfinished},
                retries=self.retries,
            ),
            budget=Budget(keys, runs, modified_before=self.now),
            large_bytes=self.settings.large_bytes,
        )

    def fold(self, repeats: int = 0) -> None:
        """Fold the events since the last call; the newest ``repeats`` events before them are repeated."""
        self.breakers = fold(self.breakers, self.events[max(0, self._folded - repeats) :], self.settings)
        self._folded = len(self.events)
        if self.dequeues:
            waiting = {run.run_id: run for run in self.queue}
            for run_id in runs_to_dequeue(map(_queued, waiting.values()), self.breakers):
                self.queue.remove(waiting[run_id])
                self._end(waiting[run_id], (RUN_RECALLED, ""))

    def tick(self, dies_after: int | None = None, keys: int = 10_000, runs: int = 10_000) -> Plan:
        """Fold and execute a plan; ``dies_after`` is the number of steps before the kill."""
        self.fold(repeats=7)
        made = self.plan_tick(keys, runs)
        steps: list[str | Request] = [*made.register, *made.requests]
        for step, what in enumerate(steps):
            if step == dies_after:
                return made
            if isinstance(what, str):
                self.partitions.add(what)
            else:
                self.request(what)
        self.resume_after = made.resume_after
        return made

    def request(self, request: Request) -> None:
        assert request.listed.key in self.partitions
        if request.run_key in self.run_keys:
            return
        self.run_keys.add(request.run_key)
        seen = request.listed
        run = Run(f"{len(self.runs):08d}-{request.purpose}", seen.key, seen.version, request.lane, request)
        self.runs.append(run)
        self.queue.append(run)

    def work(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += timedelta(seconds=1)
            done = [run for run in self.working if run.started_at and self._seconds(run) <= 0]
            for run in done:
                self.working.remove(run)
                behaviour = self.behaviours.get(run.key, succeeds)
                self._end(run, self.outage(self, run) or behaviour(self, run))
            while self.queue and len(self.working) < self.workers:
                run = self.queue.popleft()
                run.started_at = self.now
                self.working.append(run)

    def _seconds(self, run: Run) -> float:
        assert run.started_at is not None
        return self.seconds_per_run - (self.now - run.started_at).total_seconds()

    def _end(self, run: Run, ending: Ending) -> None:
        run.ended_at, run.ending = self.now, ending
        self.events.append(run.as_attempt(self.code_version))

    def run_for(self, minutes: float, tick_seconds: int = 10) -> None:
        for _ in range(int(minutes * 60 / tick_seconds)):
            self.tick()
            self.work(tick_seconds)
        self.fold()

    def ledger(self) -> Ledger:
        deciding: dict[str, RunSummary] = {}
        for run in self.runs:
            if run.ended_at is None:
                progress = Progress.RUNNING if run.started_at else Progress.WAITING
            else:
                progress = Progress.FAILED if run.ending else Progress.SUCCEEDED
            error, stage = run.ending or (None, None)
            deciding[run.key] = RunSummary(progress, run.version, error, stage=stage)
        return build_ledger(
            self.bucket.values(),
            registered=self.partitions,
            runs=deciding,
            finished={run.key for run in self.runs if run.ended_at and run.ending is None},
            pages={},
            missed_before=START - timedelta(hours=1),
            retries=self.retries,
        )

    def spent(self) -> Counter[str]:
        """The number of attempts, by document."""
        return Counter(run.key for run in self.runs if run.started_at)


def _queued(run: Run) -> QueuedRun:
    request = run.request
    return QueuedRun(run.run_id, request is not None, bool(request and request.canary))


def platform_of(
    behaviours: Mapping[str, Behaviour], sizes: Mapping[str, int] | None = None, **more: object
) -> SimulatedPlatform:
    sizes = sizes or {}
    return SimulatedPlatform(
        bucket={key: stored(key, size=sizes.get(key, 10)) for key in behaviours},
        behaviours={partition_key(key): behaviour for key, behaviour in behaviours.items()},
        **more,  # type: ignore[arg-type]  # its other fields
    )
