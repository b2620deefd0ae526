"""The intake sensor: compares the bucket with the recorded state and requests due runs."""

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
from docpipe_assets.instance.records.breaker_events import closed_state, document_state, stage_state
from docpipe_assets.instance.records.history import ExistingAttempts, attempts_since, retry_context
from docpipe_assets.instance.records.interventions import read_interventions, read_priorities
from docpipe_assets.instance.records.names import BREAKER, PROCESS_DOCUMENT
from docpipe_assets.instance.records.recall import dequeue
from docpipe_assets.operations.breaker import Breakers, BreakerStatus, DocumentBreaker, fold, request_name
from docpipe_assets.operations.intake import (
    Budget,
    NewFolderTracker,
    Plan,
    RecordedState,
    Request,
    RetryContext,
    plan,
    priority_of,
)
from docpipe_assets.operations.interventions import resets, withdrawn
from docpipe_assets.pipeline import PIPELINE, Pipeline
from docpipe_assets.protocols import Source, StoredObject
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.settings import Priority, Settings

_RUNS_READ_PER_TICK = 10_000
"""Maximum number of ended runs that one tick reads."""
_STATES_PER_TICK = 200
"""Maximum number of breaker changes that one tick reports; further changes take effect without a report."""
UNFINISHED = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
# A launched run may still wait in the broker, so STARTING counts against the limit of queued runs here; the
# ledger shows it as in flight, because it is no longer in Dagster's queue.
_WAITING = (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING)


@dataclass(frozen=True)
class IntakeCursor:
    """The cursor of the sensor. Everything except the listing position is derived from the records and may be
    lost: the next tick then folds them again.
    """

    resume_after: str = ""
    rescan_after: str | None = None
    """Key after which documents still arrive, or due runs exceeded the budget."""
    runs_since: datetime | None = None
    last_intervention: int = 0
    """Number of the last intervention that was read."""
    breakers: Breakers = field(default_factory=Breakers)
    withdrawn: frozenset[str] = frozenset()

    @classmethod
    def read(cls, cursor: str | None, settings: Settings, graph: Pipeline = PIPELINE) -> "IntakeCursor":
        try:
            kept: dict[str, Any] = json.loads(zlib.decompress(b64decode(cursor))) if cursor else {}
        except (ValueError, zlib.error):  # written by another release, or manually: start from the beginning
            kept = {}
        breakers = Breakers.from_json(kept["breakers"], settings, graph) if "breakers" in kept else None
        if breakers is None:  # the first tick, or other settings: start from the beginning
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
        """Serialize, with the listing positions of this tick's plan."""
        kept = {
            "resume_after": made.resume_after,
            "waiting_after": self._rescan_after(made),
            "runs_since": self.runs_since.timestamp() if self.runs_since else None,
            "observations_after": self.last_intervention,
            "breakers": self.breakers.as_json(settings),
            "withdrawn": sorted(self.withdrawn),
        }
        # Dagster stores a copy with every tick; thousands of failures fit into about a hundred kilobytes.
        return b64encode(zlib.compress(json.dumps(kept).encode())).decode()

    def with_rescan_of(self, folder: str | None) -> "IntakeCursor":
        """The cursor with its second listing in a new folder; the main listing covers the backlog at the
        previous position.
        """
        return self if folder is None else replace(self, rescan_after=f"{folder}/")

    def listings(self, intake: Source) -> tuple[Iterable[StoredObject], Iterable[StoredObject]]:
        """The main listing, and the listing to repeat."""
        is_elsewhere = self.rescan_after not in (None, self.resume_after)
        return (
            intake.list(start_after=self.resume_after),
            intake.list(start_after=self.rescan_after or "") if is_elsewhere else (),
        )

    def _rescan_after(self, made: Plan) -> str | None:
        if made.has_rescan_backlog:
            return self.rescan_after
        return self.resume_after if made.has_backlog else None

    def updated(self, instance: dg.DagsterInstance, settings: Settings) -> "IntakeCursor":
        """The cursor with the records since the previous tick."""
        interventions = list(read_interventions(instance, BREAKER, self.last_intervention))
        attempts, since = attempts_since(instance, self.runs_since, _RUNS_READ_PER_TICK, self.breakers.graph)
        return IntakeCursor(
            self.resume_after,
            self.rescan_after,
            since,
            interventions[-1].number if interventions else self.last_intervention,
            fold(self.breakers, [*attempts, *resets(interventions)], settings),
            frozenset(withdrawn(self.withdrawn, interventions)),
        )


class RequestedVersions(Container[tuple[str, str]]):
    """The document versions for which runs were requested, from the tags of the runs."""

    def __init__(self, requests: Container[str]) -> None:
        self._requests = requests

    def __contains__(self, pair: object) -> bool:
        return isinstance(pair, tuple) and request_name(*pair) in self._requests


def intake_sensor(settings: Settings) -> dg.SensorDefinition:
    existing_attempts, new_folders = ExistingAttempts(), NewFolderTracker()

    @dg.sensor(
        job=process_document,
        minimum_interval_seconds=settings.intake_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Compares the intake bucket with the registered documents and their runs, registers new "
            "documents and requests due runs, a limited number per tick. Skips documents that a breaker "
            "holds, and dequeues waiting runs while a stage is paused. "
            "A tick fails if the bucket can't be listed. It can be stopped, killed or repeated at any time."
        ),
    )
    def intake(
        context: dg.SensorEvaluationContext, pipeline: dg.ResourceParam[DocumentPipeline]
    ) -> dg.SensorResult:
        before = IntakeCursor.read(context.cursor, settings, pipeline.graph)
        cursor = before.updated(context.instance, settings).with_rescan_of(
            new_folders.next(pipeline.intake.folders())
        )
        unfinished = context.instance.get_run_records(dg.RunsFilter(statuses=list(UNFINISHED)))
        dequeued = dequeue(context.instance, unfinished, cursor.breakers)
        waiting = [record for record in unfinished if record.dagster_run.run_id not in dequeued]
        priorities = read_priorities(context.instance)
        retries = retry_context(pipeline, cursor.breakers, existing_attempts.read(context.instance))
        made = _plan(context.instance, pipeline, cursor, waiting, retries, priorities)
        message = f"{made}, {len(dequeued):,} dequeued" if dequeued else str(made)
        context.log.info(message)
        return dg.SensorResult(
            run_requests=[_run_request(request, settings, priorities) for request in made.requests],
            dynamic_partitions_requests=(
                [documents.build_add_request(made.register)] if made.register else []
            ),
            cursor=cursor.write(settings, made),
            asset_events=list(_changes(before.breakers, cursor.breakers, datetime.now(UTC))),
            skip_reason=None if made.requests else dg.SkipReason(message),
        )

    return intake


def _plan(
    instance: dg.DagsterInstance,
    pipeline: DocumentPipeline,
    cursor: IntakeCursor,
    unfinished: Sequence[dg.RunRecord],
    retries: RetryContext,
    priorities: Mapping[str, Priority],
) -> Plan:
    settings = pipeline.settings
    queued = sum(record.dagster_run.status in _WAITING for record in unfinished)
    listing, rescan = cursor.listings(pipeline.intake)
    return plan(
        listing,
        RecordedState(
            registered=set(instance.get_dynamic_partitions(documents.name or "")),
            requested_versions=RequestedVersions(retries.existing_attempts),
            busy={record.dagster_run.tags.get(tags.PARTITION, "") for record in unfinished},
            withdrawn=cursor.withdrawn,
            retries=retries,
            priorities=priorities,
        ),
        rescan=rescan,
        budget=Budget(
            keys=settings.intake_keys_per_tick,
            runs=max(0, min(settings.intake_runs_per_tick, settings.intake_max_queued - queued)),
            modified_before=datetime.now(UTC) - timedelta(seconds=settings.intake_settle_seconds),
        ),
        large_bytes=settings.large_bytes,
    )


def _run_request(request: Request, settings: Settings, priorities: Mapping[str, Priority]) -> dg.RunRequest:
    seen = request.listed
    priority = priority_of(seen.batch, settings, priorities)
    optional = {
        tags.BATCH: seen.batch,
        tags.CANARY: request.canary,
        tags.PRIORITY: str(priority) if priority else None,
    }
    return dg.RunRequest(
        # If a tick is repeated before its runs are visible, Dagster drops the second request.
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
    """The changes to report: breakers that opened, were reset, or closed again."""
    reported_count = 0
    for key, one in after.documents.items():
        earlier = before.documents.get(key)
        has_changed = earlier is None or (earlier.status, earlier.run_id) != (one.status, one.run_id)
        if has_changed and _is_reportable(one, now) and reported_count < _STATES_PER_TICK:
            reported_count += 1
            yield document_state(one, now)
    for key, one in before.documents.items():
        if key not in after.documents and _is_reportable(one, now) and reported_count < _STATES_PER_TICK:
            reported_count += 1
            yield closed_state(key)
    for stage_key, stage in after.stages.items():
        was = before.stages.get(stage_key)
        if was is None or (was.is_open, was.canaries) != (stage.is_open, stage.canaries):
            yield stage_state(stage, now)


def _is_reportable(one: DocumentBreaker, now: datetime) -> bool:
    """False for a document between two retries; true after a reset, although a reset closes it."""
    return one.status is BreakerStatus.RELEASED or one.state_at(now) != "closed"
