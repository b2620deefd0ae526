"""What Dagster's records say of documents, read in bulk for the ledger."""

import math
import time
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock

import dagster as dg

from docpipe_assets.identity import batch_of, document_of, meanings_of
from docpipe_assets.instance.records import tags
from docpipe_assets.instance.records.interventions import read_interventions, withdrawn_after
from docpipe_assets.instance.records.names import DOCUMENTS, PROCESS_DOCUMENT, asset_key
from docpipe_assets.model import PageTexts, RawPdfs
from docpipe_assets.operations.breaker import RUN_CANCELED, RUN_RECALLED, WORKER_LOST, Attempt, Breakers, fold
from docpipe_assets.operations.intake import Failures
from docpipe_assets.operations.ledger import Entry, Ledger, Progress, RunSummary, take_stock
from docpipe_assets.pipeline import PIPELINE, Pipeline
from docpipe_assets.runtime.document_pipeline import Workbench
from docpipe_assets.settings import Settings

_BATCH = 1000
_OVERLAP_SECONDS = 10
_NAMING = (tags.REQUEST, tags.CANARY)
_ALL_NAMES_SECONDS = 600
_RUNS_OF_A_TICK = 40
_OVERLAP_RUNS = 20
"""So many runs may become visible after one that was recorded later."""
_GRACE_TICKS = 6
"""Ticks of the sensor that a new key may stay unregistered before it counts as missed, once all of the
bucket has been looked at."""

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
_ENDED = tuple(
    status
    for status, progress in _PROGRESS.items()
    if progress in (Progress.ENDED_WELL, Progress.ENDED_BADLY)
)


def attempts_since(
    instance: dg.DagsterInstance, since: datetime | None, limit: int, graph: Pipeline = PIPELINE
) -> tuple[list[Attempt], datetime | None]:
    """Ended attempts at documents whose records changed after ``since``, at most ``limit`` runs of them.

    Also returns from when to go on: a little before the newest record, because a record may become
    visible after a newer one; a fold takes an attempt that comes twice for one.
    """
    records = instance.get_run_records(
        dg.RunsFilter(statuses=list(_ENDED), updated_after=since),
        order_by="update_timestamp",
        ascending=True,
        limit=limit,
    )
    attempts = [
        _attempt(record, graph) for record in records if _speaks_of_a_document(record.dagster_run, graph)
    ]
    if not records:
        return attempts, since
    newest = records[-1].update_timestamp.replace(tzinfo=UTC)
    return attempts, newest if len(records) == limit else newest - timedelta(seconds=_OVERLAP_SECONDS)


def fold_history(
    instance: dg.DagsterInstance, settings: Settings, graph: Pipeline = PIPELINE
) -> tuple[Breakers, set[str]]:
    """All breakers, and the withdrawn partition keys, from the records alone."""
    attempts = [_attempt(one, graph) for one in _runs_newest_first(instance) if _is_attempt(one, graph)]
    return _folded(instance, attempts, settings, graph)


def _folded(
    instance: dg.DagsterInstance, attempts: Sequence[Attempt], settings: Settings, graph: Pipeline
) -> tuple[Breakers, set[str]]:
    resets, withdrawals, _ = read_interventions(instance)
    return fold(Breakers(graph=graph), [*attempts, *resets], settings), withdrawn_after((), withdrawals)


def failures_by(bench: Workbench, breakers: Breakers, taken: Container[str]) -> Failures:
    """What intake and ledger judge by."""
    return Failures(breakers, datetime.now(UTC), bench.settings, taken, bench.code_versions)


def taken_names(instance: dg.DagsterInstance) -> set[str]:
    """The names of attempts, and of canaries, that a run exists for."""
    return {value for _, values in instance.get_run_tags(_NAMING) for value in values}


class TakenNames:
    """The same, for who asks again and again: in between, only the runs made since are read.

    Those are told by their place in the table, because clocks differ. A run that is deleted meanwhile is
    noticed at the next reading of all of them.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._names: set[str] = set()
        self._all_read_at = -math.inf
        self._newest = 0

    def read(self, instance: dg.DagsterInstance) -> set[str]:
        with self._lock:  # two daemons may ask one code server
            newest = self._newest
            if time.monotonic() - self._all_read_at > _ALL_NAMES_SECONDS:
                for record in instance.get_run_records(limit=1):
                    newest = record.storage_id
                self._names, self._all_read_at = taken_names(instance), time.monotonic()
            else:
                for record in _runs_newest_first(instance, _RUNS_OF_A_TICK):
                    if record.storage_id <= self._newest - _OVERLAP_RUNS:
                        break
                    newest = max(newest, record.storage_id)
                    run_tags = record.dagster_run.tags
                    self._names |= {run_tags[name] for name in _NAMING if name in run_tags}
            self._newest = newest
            return set(self._names)


def read_ledger(instance: dg.DagsterInstance, bench: Workbench, batch: str | None = None) -> Ledger:
    graph = bench.graph
    deciding = _Deciding(instance, graph)
    attempts: list[Attempt] = []
    for record in _runs_newest_first(instance):  # once for both: it is the better part of the price
        deciding.see(record)
        if _is_attempt(record, graph):
            attempts.append(_attempt(record, graph))
    breakers, withdrawn = _folded(instance, attempts, bench.settings, graph)
    registered = instance.get_dynamic_partitions(DOCUMENTS)
    settings = bench.settings
    ticks = _GRACE_TICKS + len(registered) // settings.intake_keys_per_tick
    grace_seconds = settings.intake_settle_seconds + ticks * settings.intake_seconds
    return take_stock(
        bench.intake.list(f"{batch}/" if batch else ""),
        registered=registered,
        runs=deciding.runs,
        finished=deciding.finished(),
        pages=page_counts(instance, None if batch is None else _keys_of(batch, registered)),
        unseen_before=datetime.now(UTC) - timedelta(seconds=grace_seconds),
        batch=batch,
        failures=failures_by(bench, breakers, taken_names(instance)),
        withdrawn=withdrawn,
    )


def find_entry(instance: dg.DagsterInstance, bench: Workbench, name: str) -> Entry | None:
    """The ledger's line of the document that somebody means by its S3 key or its partition key."""
    for document in meanings_of(name):
        ledger = read_ledger(instance, bench, batch_of(document) or None)
        if found := next((entry for entry in ledger.entries if entry.document == document), None):
            return found
    return None


def deciding_runs(instance: dg.DagsterInstance, graph: Pipeline = PIPELINE) -> dict[str, RunSummary]:
    """For each partition key, the newest run that decides its document's state."""
    deciding = _Deciding(instance, graph)
    for record in _runs_newest_first(instance):
        deciding.see(record)
    return deciding.runs


class _Deciding:
    """For each partition key the run that decides its document's state, and the leaves it was to make."""

    def __init__(self, instance: dg.DagsterInstance, graph: Pipeline) -> None:
        self.runs: dict[str, RunSummary] = {}
        self._instance = instance
        self._graph = graph
        self._leaves: dict[str, frozenset[str]] = {}
        """By partition key, of runs that ended well."""
        self._planned: dict[str, frozenset[str]] = {"": graph.leaves()}
        """By execution plan: all documents of a release have the same one."""

    def see(self, record: dg.RunRecord) -> None:
        """Note the run under its partition key if it decides its document's state; the newest come first.

        A run that made only some of the assets, and made them well, says nothing of the others, so the
        one before it decides.
        """
        run = record.dagster_run
        key = run.tags.get(tags.PARTITION)
        if key is None or key in self.runs:
            return
        summary = _summary(record, self._graph)
        if summary.progress is not Progress.ENDED_WELL:
            self.runs[key] = summary
        elif _reaches_the_end(run, self._graph):
            self.runs[key] = summary
            self._leaves[key] = self._leaves_of(run.execution_plan_snapshot_id or "")

    def finished(self) -> set[str]:
        """The partition keys for which all leaves are materialized that the run was to make."""
        needed = frozenset().union(*self._planned.values())
        made = {leaf: self._instance.get_materialized_partitions(asset_key(leaf)) for leaf in needed}
        return {key for key, leaves in self._leaves.items() if all(key in made[leaf] for leaf in leaves)}

    def _leaves_of(self, plan: str) -> frozenset[str]:
        """Those of the assets that were planned, since an earlier release may have launched the run.

        A document is not unfinished because there is one asset more by now.
        """
        if plan not in self._planned:
            steps = self._instance.get_execution_plan_snapshot(plan).step_keys_to_execute
            self._planned[plan] = self._graph.leaves(steps) or self._graph.leaves()
        return self._planned[plan]


def page_counts(instance: dg.DagsterInstance, among: Collection[str] | None = None) -> dict[str, int]:
    """Pages of each document, or of those ``among`` them, as last counted; by partition key."""
    pages: dict[str, int] = {}
    for made in _materializations(instance, asset_key(PageTexts), among):
        _count_pages(pages, made)
    opened = instance.get_materialized_partitions(asset_key(RawPdfs))
    uncounted = (opened if among is None else opened.intersection(among)) - pages.keys()
    for made in _materializations(instance, asset_key(RawPdfs), uncounted):
        _count_pages(pages, made)
    return pages


def _keys_of(batch: str, registered: Iterable[str]) -> list[str]:
    return [key for key in registered if batch_of(document_of(key)) == batch]


def _count_pages(pages: dict[str, int], made: dg.AssetMaterialization) -> None:
    if made.partition and "pages" in made.metadata:
        pages.setdefault(made.partition, int(str(made.metadata["pages"].value)))


def _materializations(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: Collection[str] | None
) -> Iterator[dg.AssetMaterialization]:
    """Of all partitions, or of these; those of one partition newest first."""
    if partitions is None:
        yield from _all_materializations(instance, dg.AssetRecordsFilter(asset_key=key))
        return
    named = sorted(partitions)
    for start in range(0, len(named), _BATCH):
        some = dg.AssetRecordsFilter(asset_key=key, asset_partitions=named[start : start + _BATCH])
        yield from _all_materializations(instance, some)


def _all_materializations(
    instance: dg.DagsterInstance, filters: dg.AssetRecordsFilter
) -> Iterator[dg.AssetMaterialization]:
    cursor: str | None = None
    while True:
        found = instance.fetch_materializations(filters, limit=_BATCH, cursor=cursor)
        yield from (record.asset_materialization for record in found.records if record.asset_materialization)
        cursor = found.cursor
        if not found.has_more:
            return


def _is_attempt(record: dg.RunRecord, graph: Pipeline) -> bool:
    return record.dagster_run.status in _ENDED and _speaks_of_a_document(record.dagster_run, graph)


def _speaks_of_a_document(run: dg.DagsterRun, graph: Pipeline) -> bool:
    """Whether a run tells how a document fares: a failure does; a success only if it made all leaves."""
    if tags.PARTITION not in run.tags:
        return False
    if run.asset_selection:
        is_about = any(asset_key(asset) in run.asset_selection for asset in graph.assets)
    else:
        is_about = run.job_name == PROCESS_DOCUMENT
    return is_about and (run.status is not dg.DagsterRunStatus.SUCCESS or _reaches_the_end(run, graph))


def _attempt(record: dg.RunRecord, graph: Pipeline) -> Attempt:
    run = record.dagster_run
    summary = _summary(record, graph)
    is_failure = summary.error is not None
    return Attempt(
        key=run.tags[tags.PARTITION],
        run_id=run.run_id,
        ended_at=_time(record.end_time) or record.update_timestamp.replace(tzinfo=UTC),
        error=summary.error,
        stage=summary.stage if is_failure else None,
        version=summary.version,
        code_version=run.tags.get(tags.CODE) or None if is_failure else None,
        lane=run.tags.get(tags.LANE),
        is_automatic=tags.is_automatic(run.tags),
        started_at=_time(record.start_time),
        canary=run.tags.get(tags.CANARY) or None,
    )


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _runs_newest_first(instance: dg.DagsterInstance, at_once: int = _BATCH) -> Iterator[dg.RunRecord]:
    cursor: str | None = None
    while records := instance.get_run_records(limit=at_once, cursor=cursor):
        yield from records
        cursor = records[-1].dagster_run.run_id


def _summary(record: dg.RunRecord, graph: Pipeline) -> RunSummary:
    run = record.dagster_run
    progress = _PROGRESS[run.status]
    error = _error_of(record) if progress is Progress.ENDED_BADLY else None
    return RunSummary(
        progress=progress,
        version=run.tags.get(tags.VERSION) or None,
        error=error,
        message=run.tags.get(tags.MESSAGE) or None if error else None,
        stage=run.tags.get(tags.STAGE) or None if error else _last_stage(progress, graph),
        failed_pages=int(run.tags.get(tags.FAILED_PAGES) or 0),
    )


def _error_of(record: dg.RunRecord) -> str:
    """The note on the run may be of an earlier try within it, or of a recall that came too late."""
    noted = record.dagster_run.tags.get(tags.ERROR)
    if record.dagster_run.status is dg.DagsterRunStatus.CANCELED:
        return RUN_RECALLED if noted == RUN_RECALLED and record.start_time is None else RUN_CANCELED
    return noted if noted and noted != RUN_RECALLED else WORKER_LOST


def _last_stage(progress: Progress, graph: Pipeline) -> str | None:
    return graph.last.asset if progress is Progress.ENDED_WELL else None


def _reaches_the_end(run: dg.DagsterRun, graph: Pipeline) -> bool:
    if run.asset_selection:
        return graph.is_whole({key.to_user_string() for key in run.asset_selection})
    return run.job_name == PROCESS_DOCUMENT
