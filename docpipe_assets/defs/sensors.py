"""The intake sensor: every few seconds, the bucket is compared with what is known."""

import json
from collections.abc import Container
from datetime import UTC, datetime, timedelta

import dagster as dg

from docpipe_assets.defs import tags
from docpipe_assets.defs.jobs import PROCESS_DOCUMENT, process_document
from docpipe_assets.defs.partitions import documents
from docpipe_assets.intake import Budget, Plan, Request, plan
from docpipe_assets.settings import Settings
from docpipe_assets.workbench import Workbench

UNFINISHED = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


class RequestedVersions(Container[tuple[str, str]]):
    """The document versions that runs were requested for, read from the runs' own tags."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._requests = {value for _, values in instance.get_run_tags([tags.REQUEST]) for value in values}

    def __contains__(self, pair: object) -> bool:
        return isinstance(pair, tuple) and tags.request_of(*pair) in self._requests


def intake_sensor(settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        job=process_document,
        minimum_interval_seconds=settings.intake_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Compares the intake bucket with the registered documents and their runs, registers what is "
            "new and requests what is due, a bounded amount each tick. A tick fails, visibly, when the "
            "bucket can't be listed. Safe to stop, kill or repeat at any time."
        ),
    )
    def intake(context: dg.SensorEvaluationContext, bench: dg.ResourceParam[Workbench]) -> dg.SensorResult:
        made = _plan(context.instance, bench, json.loads(context.cursor or "{}").get("resume_after", ""))
        context.log.info(str(made))
        return dg.SensorResult(
            run_requests=[_run_request(request) for request in made.requests],
            dynamic_partitions_requests=(
                [documents.build_add_request(made.register)] if made.register else []
            ),
            cursor=json.dumps({"resume_after": made.resume_after}),
            skip_reason=None if made.requests else dg.SkipReason(str(made)),
        )

    return intake


def _plan(instance: dg.DagsterInstance, bench: Workbench, resume_after: str) -> Plan:
    settings = bench.settings
    unfinished = instance.get_run_records(dg.RunsFilter(statuses=list(UNFINISHED)))
    queued = sum(record.dagster_run.status in UNFINISHED[:2] for record in unfinished)
    return plan(
        bench.intake.list(start_after=resume_after),
        registered=set(instance.get_dynamic_partitions(documents.name or "")),
        requested=RequestedVersions(instance),
        busy={record.dagster_run.tags.get(tags.PARTITION, "") for record in unfinished},
        budget=Budget(
            keys=settings.intake_keys_per_tick,
            runs=max(0, min(settings.intake_runs_per_tick, settings.intake_max_queued - queued)),
            settled_before=datetime.now(UTC) - timedelta(seconds=settings.intake_settle_seconds),
        ),
        large_bytes=settings.large_bytes,
    )


def _run_request(request: Request) -> dg.RunRequest:
    seen = request.sighting
    name = tags.request_of(seen.document, seen.version)
    return dg.RunRequest(
        # Should a tick be repeated before its runs are visible, Dagster drops the second request.
        run_key=name,
        job_name=PROCESS_DOCUMENT,
        partition_key=seen.key,
        tags={
            tags.REQUEST: name,
            **({tags.BATCH: seen.batch} if seen.batch else {}),
            tags.LANE: request.lane,
            tags.QUEUE: request.lane,
            tags.VERSION: seen.version,
        },
    )
