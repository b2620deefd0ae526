"""The intake sensor: compares bucket and records every few seconds, and asks for what is due."""

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from docpipe_assets.defs.jobs import process_document
from docpipe_assets.defs.partitions import documents
from docpipe_assets.instance.records import tags
from docpipe_assets.instance.records.history import TakenNames, attempts_since, failures_by
from docpipe_assets.instance.records.interventions import (
    closed_state,
    document_state,
    read_interventions,
    read_priorities,
    stage_state,
    withdrawn_after,
)
from docpipe_assets.instance.records.names import PROCESS_DOCUMENT
from docpipe_assets.instance.records.recall import recall
from docpipe_assets.operations.breaker import Breakers, DocumentBreaker, Standing, fold, request_name
from docpipe_assets.operations.intake import Arrivals, Budget, Failures, Plan, Request, plan, priority_of
from docpipe_assets.pipeline import PIPELINE, Pipeline
from docpipe_assets.protocols import Source, StoredObject
from docpipe_assets.runtime.document_pipeline import Workbench
from docpipe_assets.settings import Priority, Settings

_FOLD_PER_TICK = 10_000
_STATES_PER_TICK = 200
"""Changes of breakers that one tick reports; the rest of a flood is in the state all the same."""
UNFINISHED = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
_WAITING = (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING)


@dataclass(frozen=True)
class Memory:
    """What the sensor carries from tick to tick. All but the place in the listing is made from the
    records, so it may be lost: then the next tick folds them anew.
    """

    resume_after: str = ""
    waiting_after: str | None = None
    """From where on documents arrive, or runs were due for which there was no room."""
    runs_since: datetime | None = None
    observations_after: int = 0
    breakers: Breakers = field(default_factory=Breakers)
    withdrawn: frozenset[str] = frozenset()

    @classmethod
    def read(cls, cursor: str | None, settings: Settings, graph: Pipeline = PIPELINE) -> "Memory":
        try:
            kept: dict[str, Any] = json.loads(zlib.decompress(b64decode(cursor))) if cursor else {}
        except (ValueError, zlib.error):  # written by another release, or by hand: from the beginning
            kept = {}
        breakers = Breakers.from_json(kept["breakers"], settings, graph) if "breakers" in kept else None
        if breakers is None:  # the first tick, or other settings: from the beginning
            return cls(resume_after=kept.get("resume_after", ""), breakers=Breakers(graph=graph))
        since = kept["runs_since"]
        return cls(
            kept["resume_after"],
            kept.get("waiting_after"),
            datetime.fromtimestamp(since, UTC) if since is not None else None,
            kept["observations_after"],
            breakers,
            frozenset(kept["withdrawn"]),
        )

    def write(self, settings: Settings, made: Plan) -> str:
        """With what the next tick is to know of this one."""
        kept = {
            "resume_after": made.resume_after,
            "waiting_after": self._waiting_after(made),
            "runs_since": self.runs_since.timestamp() if self.runs_since else None,
            "observations_after": self.observations_after,
            "breakers": self.breakers.as_json(settings),
            "withdrawn": sorted(self.withdrawn),
        }
        # Dagster keeps a copy with every tick; thousands of failures fit into some hundred kilobytes.
        return b64encode(zlib.compress(json.dumps(kept).encode())).decode()

    def turned_to(self, folder: str | None) -> "Memory":
        """With the second look in a folder; what waited elsewhere is left to the first one."""
        return self if folder is None else replace(self, waiting_after=f"{folder}/")

    def listings(self, intake: Source) -> tuple[Iterable[StoredObject], Iterable[StoredObject]]:
        """Where the look goes on, and where it is to be repeated."""
        is_elsewhere = self.waiting_after not in (None, self.resume_after)
        return (
            intake.list(start_after=self.resume_after),
            intake.list(start_after=self.waiting_after or "") if is_elsewhere else (),
        )

    def _waiting_after(self, made: Plan) -> str | None:
        if made.leaves_again:
            return self.waiting_after
        return self.resume_after if made.leaves else None

    def updated(self, instance: dg.DagsterInstance, settings: Settings) -> "Memory":
        """With what the records say since then."""
        resets, withdrawals, observed = read_interventions(instance, self.observations_after)
        attempts, since = attempts_since(instance, self.runs_since, _FOLD_PER_TICK, self.breakers.graph)
        return Memory(
            self.resume_after,
            self.waiting_after,
            since,
            observed,
            fold(self.breakers, [*attempts, *resets], settings),
            frozenset(withdrawn_after(self.withdrawn, withdrawals)),
        )


class RequestedVersions(Container[tuple[str, str]]):
    """The document versions that runs were requested for, read from the runs' own tags."""

    def __init__(self, requests: Container[str]) -> None:
        self._requests = requests

    def __contains__(self, pair: object) -> bool:
        return isinstance(pair, tuple) and request_name(*pair) in self._requests


def intake_sensor(settings: Settings) -> dg.SensorDefinition:
    names, arrivals = TakenNames(), Arrivals()

    @dg.sensor(
        job=process_document,
        minimum_interval_seconds=settings.intake_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Compares the intake bucket with the registered documents and their runs, registers what is "
            "new and requests what is due, a bounded amount each tick; holds back what breakers hold back, "
            "and recalls what waits in the queue while a stage is paused. "
            "A tick fails, visibly, when the bucket can't be listed. Safe to stop, kill or repeat any time."
        ),
    )
    def intake(context: dg.SensorEvaluationContext, bench: dg.ResourceParam[Workbench]) -> dg.SensorResult:
        before = Memory.read(context.cursor, settings, bench.graph)
        memory = before.updated(context.instance, settings).turned_to(arrivals.next(bench.intake.folders()))
        unfinished = context.instance.get_run_records(dg.RunsFilter(statuses=list(UNFINISHED)))
        recalled = recall(context.instance, unfinished, memory.breakers)
        waiting = [record for record in unfinished if record.dagster_run.run_id not in recalled]
        priorities = read_priorities(context.instance)
        failures = failures_by(bench, memory.breakers, names.read(context.instance))
        made = _plan(context.instance, bench, memory, waiting, failures, priorities)
        said = f"{made}, {len(recalled):,} recalled from the queue" if recalled else str(made)
        context.log.info(said)
        return dg.SensorResult(
            run_requests=[_run_request(request, settings, priorities) for request in made.requests],
            dynamic_partitions_requests=(
                [documents.build_add_request(made.register)] if made.register else []
            ),
            cursor=memory.write(settings, made),
            asset_events=list(_changes(before.breakers, memory.breakers, datetime.now(UTC))),
            skip_reason=None if made.requests else dg.SkipReason(said),
        )

    return intake


def _plan(
    instance: dg.DagsterInstance,
    bench: Workbench,
    memory: Memory,
    unfinished: Sequence[dg.RunRecord],
    failures: Failures,
    priorities: Mapping[str, Priority],
) -> Plan:
    settings = bench.settings
    queued = sum(record.dagster_run.status in _WAITING for record in unfinished)
    listing, again = memory.listings(bench.intake)
    return plan(
        listing,
        again=again,
        registered=set(instance.get_dynamic_partitions(documents.name or "")),
        requested=RequestedVersions(failures.requested),
        busy={record.dagster_run.tags.get(tags.PARTITION, "") for record in unfinished},
        budget=Budget(
            keys=settings.intake_keys_per_tick,
            runs=max(0, min(settings.intake_runs_per_tick, settings.intake_max_queued - queued)),
            settled_before=datetime.now(UTC) - timedelta(seconds=settings.intake_settle_seconds),
        ),
        large_bytes=settings.large_bytes,
        failures=failures,
        withdrawn=memory.withdrawn,
        priorities=priorities,
    )


def _run_request(request: Request, settings: Settings, priorities: Mapping[str, Priority]) -> dg.RunRequest:
    seen = request.sighting
    priority = priority_of(seen.batch, settings, priorities)
    optional = {
        tags.BATCH: seen.batch,
        tags.CANARY: request.canary,
        tags.PRIORITY: str(priority) if priority else None,
    }
    return dg.RunRequest(
        # Should a tick be repeated before its runs are visible, Dagster drops the second request.
        run_key=request.run_key,
        job_name=PROCESS_DOCUMENT,
        partition_key=seen.key,
        tags={
            tags.REQUEST: request.name,
            tags.ATTEMPT: str(request.attempt),
            tags.PURPOSE: request.purpose.value,
            tags.LANE: request.lane,
            tags.QUEUE: request.lane,
            tags.VERSION: seen.version,
            **{name: value for name, value in optional.items() if value},
        },
    )


def _changes(before: Breakers, after: Breakers, now: datetime) -> Iterator[dg.AssetMaterialization]:
    """What is worth telling of: breakers that are not closed any more, or reset, or closed again."""
    told = 0
    for key, one in after.documents.items():
        earlier = before.documents.get(key)
        is_news = earlier is None or (earlier.standing, earlier.run_id) != (one.standing, one.run_id)
        if is_news and _is_worth_telling(one, now) and told < _STATES_PER_TICK:
            told += 1
            yield document_state(one, now)
    for key, one in before.documents.items():
        if key not in after.documents and _is_worth_telling(one, now) and told < _STATES_PER_TICK:
            told += 1
            yield closed_state(key)
    for stage_key, stage in after.stages.items():
        was = before.stages.get(stage_key)
        if was is None or (was.is_open, was.canaries) != (stage.is_open, stage.canaries):
            yield stage_state(stage, now)


def _is_worth_telling(one: DocumentBreaker, now: datetime) -> bool:
    """A document between two retries is not; one that was reset is, though its breaker is closed by that."""
    return one.standing is Standing.RELEASED or one.state_at(now) != "closed"
