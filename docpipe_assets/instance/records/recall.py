"""Takes runs out of Dagster's queue while a stage is paused, so that they do not burn there one by one."""

from collections.abc import Sequence

import dagster as dg

from docpipe_assets.instance.records import tags
from docpipe_assets.operations.breaker import RUN_RECALLED, Breakers
from docpipe_assets.operations.intake import NORMAL, QueuedRun, to_recall


def recall(
    instance: dg.DagsterInstance, unfinished: Sequence[dg.RunRecord], breakers: Breakers
) -> frozenset[str]:
    """Recall what waits and should not begin; return the ids. ``unfinished`` is newest first."""
    waiting = [
        record.dagster_run
        for record in reversed(unfinished)
        if record.dagster_run.status is dg.DagsterRunStatus.QUEUED
    ]
    chosen = to_recall(map(_queued, waiting), breakers)
    why = "; ".join(f"{one.stage} is paused: {one.reason}" for one in breakers.open_stages)
    return frozenset(run_id for run_id in chosen if _recall(instance, run_id, why))


def _recall(instance: dg.DagsterInstance, run_id: str, why: str) -> bool:
    # Noted first: canceled without the note, it would look like the decision of a person.
    instance.add_run_tags(run_id, {tags.ERROR: RUN_RECALLED})
    run = instance.get_run_by_id(run_id)
    if run is None or run.status is not dg.DagsterRunStatus.QUEUED:
        return False
    # The two events by which Dagster's coordinator cancels a queued run. The coordinator itself would
    # terminate the run if it had begun since it was looked at. The daemon that launches runs does not lock
    # them either: one that it takes out of the queue at this moment begins in spite of these events, unless
    # they come before its worker looks at it, and then its own end is what is recorded.
    instance.report_run_canceling(run, message=f"Recalled from the queue: {why}")
    instance.report_run_canceled(
        run, message="Recalled; intake requests it again when the stage works again."
    )
    left = instance.get_run_by_id(run_id)
    if left is not None and left.tags.get(tags.ERROR) != RUN_RECALLED:
        # That daemon wrote the run as it had read it before the note.
        instance.add_run_tags(run_id, {tags.ERROR: RUN_RECALLED})
    return True


def _queued(run: dg.DagsterRun) -> QueuedRun:
    priority = run.tags.get(tags.PRIORITY, "")
    return QueuedRun(
        run.run_id,
        is_automatic=tags.is_automatic(run.tags),
        is_canary=bool(run.tags.get(tags.CANARY)),
        priority=int(priority) if priority.lstrip("-").isdigit() else NORMAL,
    )
