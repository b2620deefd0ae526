"""What Dagster's records say of documents, read in bulk for the ledger."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from docpipe_assets.defs import tags
from docpipe_assets.defs.assets import ocr_text, raw_pdf, relationships
from docpipe_assets.defs.jobs import PROCESS_DOCUMENT
from docpipe_assets.defs.partitions import documents
from docpipe_assets.ledger import Ledger, Progress, RunSummary, take_stock
from docpipe_assets.workbench import Workbench

_BATCH = 1000
_GRACE_TICKS = 6
"""Ticks of the sensor that a new key may stay unregistered before it counts as missed."""

_PROGRESS = {
    dg.DagsterRunStatus.QUEUED: Progress.WAITING,
    dg.DagsterRunStatus.NOT_STARTED: Progress.WAITING,
    dg.DagsterRunStatus.STARTING: Progress.RUNNING,
    dg.DagsterRunStatus.STARTED: Progress.RUNNING,
    dg.DagsterRunStatus.CANCELING: Progress.RUNNING,
    dg.DagsterRunStatus.SUCCESS: Progress.ENDED_WELL,
    dg.DagsterRunStatus.FAILURE: Progress.ENDED_BADLY,
    dg.DagsterRunStatus.CANCELED: Progress.ENDED_BADLY,
}
RUN_CANCELED = "RUN_CANCELED"
WORKER_LOST = "WORKER_LOST"
"""The run ended without a word from its stage: its worker was killed or its host is gone."""


def read_ledger(instance: dg.DagsterInstance, bench: Workbench, batch: str | None = None) -> Ledger:
    grace_seconds = bench.settings.intake_settle_seconds + _GRACE_TICKS * bench.settings.intake_seconds
    return take_stock(
        bench.intake.list(f"{batch}/" if batch else ""),
        registered=instance.get_dynamic_partitions(documents.name or ""),
        runs=deciding_runs(instance),
        finished=instance.get_materialized_partitions(relationships.key),
        pages=page_counts(instance),
        unseen_before=datetime.now(UTC) - timedelta(seconds=grace_seconds),
        batch=batch,
    )


def deciding_runs(instance: dg.DagsterInstance) -> dict[str, RunSummary]:
    """For each partition key, the newest run that decides its document's state.

    A run that made only some of the assets, and made them well, says nothing of the others, so the
    one before it decides.
    """
    decided: dict[str, RunSummary] = {}
    for run in _runs_newest_first(instance):
        key = run.tags.get(tags.PARTITION)
        if key is None or key in decided:
            continue
        summary = _summary(run)
        if summary.progress is not Progress.ENDED_WELL or _reaches_the_end(run):
            decided[key] = summary
    return decided


def page_counts(instance: dg.DagsterInstance) -> dict[str, int]:
    """Pages of each document as last counted, by partition key."""
    pages: dict[str, int] = {}
    for asset in (ocr_text, raw_pdf):
        cursor: str | None = None
        while True:
            found = instance.fetch_materializations(asset.key, limit=_BATCH, cursor=cursor)
            for record in found.records:
                made = record.asset_materialization
                if made and made.partition and "pages" in made.metadata:
                    pages.setdefault(made.partition, int(str(made.metadata["pages"].value)))
            cursor = found.cursor
            if not found.has_more:
                break
    return pages


def _runs_newest_first(instance: dg.DagsterInstance) -> Iterator[dg.DagsterRun]:
    cursor: str | None = None
    while records := instance.get_run_records(limit=_BATCH, cursor=cursor):
        for record in records:
            yield record.dagster_run
        cursor = records[-1].dagster_run.run_id


def _summary(run: dg.DagsterRun) -> RunSummary:
    progress = _PROGRESS[run.status]
    error = run.tags.get(tags.ERROR) if progress is Progress.ENDED_BADLY else None
    if progress is Progress.ENDED_BADLY and error is None:
        error = RUN_CANCELED if run.status is dg.DagsterRunStatus.CANCELED else WORKER_LOST
    return RunSummary(
        progress=progress,
        version=run.tags.get(tags.VERSION),
        error=error,
        message=run.tags.get(tags.MESSAGE) if error else None,
        stage=run.tags.get(tags.STAGE) if error else _last_stage(progress),
        failed_pages=int(run.tags.get(tags.FAILED_PAGES, "0")),
    )


def _last_stage(progress: Progress) -> str | None:
    return relationships.key.to_user_string() if progress is Progress.ENDED_WELL else None


def _reaches_the_end(run: dg.DagsterRun) -> bool:
    if run.asset_selection is not None:
        return relationships.key in run.asset_selection
    return run.job_name == PROCESS_DOCUMENT
