"""Dequeues runs from Dagster's queue while a stage is paused, so that they do not fail there one by one."""

from collections.abc import Sequence

import dagster as dg

from docpipe_assets.instance.records import tags
from docpipe_assets.operations.breaker import RUN_RECALLED, Breakers
from docpipe_assets.operations.intake import NORMAL, QueuedRun, runs_to_dequeue


def dequeue(
    instance: dg.DagsterInstance, unfinished: Sequence[dg.RunRecord], breakers: Breakers
) -> frozenset[str]:
    """Dequeue the runs that should not start; return their IDs. ``unfinished`` is in order latest first."""
    waiting = [
        record.dagster_run
        for record in reversed(unfinished)
        if record.dagster_run.status is dg.DagsterRunStatus.QUEUED
    ]
    chosen = runs_to_dequeue(map(_queued, waiting), breakers)
    why = "; ".join(f"{one.stage} is paused: {one.reason}" for one in breakers.open_stages)
    return frozenset(run_id for run_id in chosen if _dequeue(instance, run_id, why))


def _dequeue(instance: dg.DagsterInstance, run_id: str, why: str) -> bool:
    # The tag comes first: a canceled run without it would look as if a person had canceled it.
    instance.add_run_tags(run_id, {tags.ERROR: RUN_RECALLED})
    run = instance.get_run_by_id(run_id)
    if run is None or run.status is not dg.DagsterRunStatus.QUEUED:
        return False
    # The two events by which Dagster's coordinator cancels a queued run. The coordinator itself would
    # terminate the run if it had started in the meantime. The daemon that launches runs does not lock them
    # either: a run that it dequeues at this moment starts in spite of these events, unless its worker sees
    # them first; its own end is then what counts.
    instance.report_run_canceling(run, message=f"Dequeued: {why}")
    instance.report_run_canceled(
        run, message="Dequeued; intake requests it again when the stage has recovered."
    )
    left = instance.get_run_by_id(run_id)
    if left is not None and left.tags.get(tags.ERROR) != RUN_RECALLED:
        # The daemon has overwritten the run with the state from before the tag.
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
