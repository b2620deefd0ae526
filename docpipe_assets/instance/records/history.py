"""Reads Dagster's records of documents in bulk, for intake and the ledger."""

import math
import time
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock

import dagster as dg

from docpipe_assets.identity import batch_of, candidate_documents, document_of
from docpipe_assets.instance.records import tags
from docpipe_assets.instance.records.events import event_records
from docpipe_assets.instance.records.interventions import read_interventions
from docpipe_assets.instance.records.names import BREAKER, DOCUMENTS, PROCESS_DOCUMENT, asset_key
from docpipe_assets.model import PageTexts, RawPdfs
from docpipe_assets.operations.breaker import RUN_CANCELED, RUN_RECALLED, WORKER_LOST, Attempt, Breakers, fold
from docpipe_assets.operations.intake import RetryContext
from docpipe_assets.operations.interventions import resets, withdrawn
from docpipe_assets.operations.ledger import Entry, Ledger, Progress, RunSummary, build_ledger
from docpipe_assets.pipeline import PIPELINE, Pipeline
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.settings import Settings

_PAGE_SIZE = 1000
"""Records per request."""
_OVERLAP_SECONDS = 10
"""Time before the latest record at which the next read continues: a record may become visible after a newer
one."""
_ATTEMPT_NAME_TAGS = (tags.REQUEST, tags.CANARY)
_FULL_READ_SECONDS = 600
"""Interval at which ``ExistingAttempts`` reads the names of all runs again, which notices deleted runs."""
_RUNS_PER_READ = 40
"""Page size when only new runs are read: usually few are new."""
_OVERLAP_RUNS = 20
"""Maximum number of runs that may become visible after a run that was recorded later."""
_GRACE_TICKS = 6
"""Number of sensor ticks, after one pass over the bucket, that a new key may stay unregistered before it
counts as missed."""

_PROGRESS = {
    dg.DagsterRunStatus.QUEUED: Progress.WAITING,
    dg.DagsterRunStatus.NOT_STARTED: Progress.WAITING,
    dg.DagsterRunStatus.STARTING: Progress.RUNNING,
    dg.DagsterRunStatus.STARTED: Progress.RUNNING,
    dg.DagsterRunStatus.CANCELING: Progress.RUNNING,
    dg.DagsterRunStatus.SUCCESS: Progress.SUCCEEDED,
    dg.DagsterRunStatus.FAILURE: Progress.FAILED,
    dg.DagsterRunStatus.CANCELED: Progress.FAILED,
}
_ENDED = tuple(
    status for status, progress in _PROGRESS.items() if progress in (Progress.SUCCEEDED, Progress.FAILED)
)


def attempts_since(
    instance: dg.DagsterInstance, since: datetime | None, limit: int, graph: Pipeline = PIPELINE
) -> tuple[list[Attempt], datetime | None]:
    """Ended attempts whose records changed after ``since``, from at most ``limit`` runs.

    Also returns the time at which to continue: slightly before the latest record, because a record may become
    visible after a newer one. The fold ignores attempts that it has already seen.
    """
    records = instance.get_run_records(
        dg.RunsFilter(statuses=list(_ENDED), updated_after=since),
        order_by="update_timestamp",
        ascending=True,
        limit=limit,
    )
    attempts = [
        _attempt(record, graph) for record in records if _counts_as_attempt(record.dagster_run, graph)
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
    interventions = list(read_interventions(instance, BREAKER))
    breakers = fold(Breakers(graph=graph), [*attempts, *resets(interventions)], settings)
    return breakers, withdrawn((), interventions)


def retry_context(
    pipeline: DocumentPipeline, breakers: Breakers, attempt_names: Container[str]
) -> RetryContext:
    """The context in which intake and the ledger decide now about further attempts."""
    now = datetime.now(UTC)
    return RetryContext(breakers, now, pipeline.settings, attempt_names, pipeline.code_versions)


def existing_attempts(instance: dg.DagsterInstance) -> set[str]:
    """The names of attempts and canaries for which a run exists."""
    return {value for _, values in instance.get_run_tags(_ATTEMPT_NAME_TAGS) for value in values}


class ExistingAttempts:
    """Caches the result of ``existing_attempts`` for repeated calls: in between, only new runs are read.

    New runs are identified by their position in the table, because clocks differ. The deletion of a run is
    noticed at the next full read.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._names: set[str] = set()
        self._all_read_at = -math.inf
        self._newest = 0

    def read(self, instance: dg.DagsterInstance) -> set[str]:
        with self._lock:  # two daemons may use one code server
            newest = self._newest
            if time.monotonic() - self._all_read_at > _FULL_READ_SECONDS:
                for record in instance.get_run_records(limit=1):
                    newest = record.storage_id
                self._names, self._all_read_at = existing_attempts(instance), time.monotonic()
            else:
                for record in _runs_newest_first(instance, _RUNS_PER_READ):
                    if record.storage_id <= self._newest - _OVERLAP_RUNS:
                        break
                    newest = max(newest, record.storage_id)
                    run_tags = record.dagster_run.tags
                    self._names |= {run_tags[name] for name in _ATTEMPT_NAME_TAGS if name in run_tags}
            self._newest = newest
            return set(self._names)


def read_ledger(
    instance: dg.DagsterInstance,
    pipeline: DocumentPipeline,
    batch: str | None = None,
    *,
    count_pages: Callable[[], Mapping[str, int]] | None = None,
) -> Ledger:
    """The ledger of all documents, or of a batch.

    ``count_pages`` replaces the reading of page counts from the records. It is called after the runs are
    read, so that it includes every document whose run succeeded.
    """
    began = datetime.now(UTC)  # documents that arrive while the records are read are not missed ones
    graph = pipeline.graph
    deciding = _DecidingRuns(instance, graph)
    attempts: list[Attempt] = []
    for record in _runs_newest_first(instance):  # one pass for both: it is most of the cost
        deciding.add(record)
        if _is_attempt(record, graph):
            attempts.append(_attempt(record, graph))
    breakers, withdrawn = _folded(instance, attempts, pipeline.settings, graph)
    registered = instance.get_dynamic_partitions(DOCUMENTS)
    settings = pipeline.settings
    if count_pages is None:
        among = None if batch is None else _keys_of(batch, registered)
        count_pages = partial(page_counts, instance, among)
    ticks = _GRACE_TICKS + len(registered) // settings.intake_keys_per_tick
    grace_seconds = settings.intake_settle_seconds + ticks * settings.intake_seconds
    return build_ledger(
        pipeline.intake.list(f"{batch}/" if batch else ""),
        registered=registered,
        runs=deciding.runs,
        finished=deciding.finished(),
        pages=count_pages(),
        missed_before=began - timedelta(seconds=grace_seconds),
        batch=batch,
        retries=retry_context(pipeline, breakers, existing_attempts(instance)),
        withdrawn=withdrawn,
    )


def find_entry(instance: dg.DagsterInstance, pipeline: DocumentPipeline, name: str) -> Entry | None:
    """The ledger entry of a document that is named by its S3 key or its partition key."""
    for document in candidate_documents(name):
        ledger = read_ledger(instance, pipeline, batch_of(document) or None)
        if found := next((entry for entry in ledger.entries if entry.document == document), None):
            return found
    return None


def deciding_runs(instance: dg.DagsterInstance, graph: Pipeline = PIPELINE) -> dict[str, RunSummary]:
    """By partition key, the latest run that decides the state of the document."""
    deciding = _DecidingRuns(instance, graph)
    for record in _runs_newest_first(instance):
        deciding.add(record)
    return deciding.runs


class _DecidingRuns:
    """For each partition key the run that decides its document's state, and the leaves it was to make."""

    def __init__(self, instance: dg.DagsterInstance, graph: Pipeline) -> None:
        self.runs: dict[str, RunSummary] = {}
        self._instance = instance
        self._graph = graph
        self._leaves: dict[str, frozenset[str]] = {}
        """By partition key, of runs that succeeded."""
        self._planned: dict[str, frozenset[str]] = {"": graph.leaves()}
        """By execution plan: all documents of a release have the same one."""

    def add(self, record: dg.RunRecord) -> None:
        """Record the run under its partition key if it decides the state of its document.

        Latest runs come first. A run that succeeded for only some of the assets says nothing about the
        others, so an earlier run decides.
        """
        run = record.dagster_run
        key = run.tags.get(tags.PARTITION)
        if key is None or key in self.runs:
            return
        summary = _summary(record, self._graph)
        if summary.progress is not Progress.SUCCEEDED:
            self.runs[key] = summary
        elif _includes_last_asset(run, self._graph):
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
    """Latest page count of each document, or of those ``among`` them; by partition key."""
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
    """Of all partitions, or of the given ones; those of one partition latest first."""
    named = sorted(partitions or ())
    selections = (
        [None]
        if partitions is None
        else [named[start : start + _PAGE_SIZE] for start in range(0, len(named), _PAGE_SIZE)]
    )
    for some in selections:
        filters = dg.AssetRecordsFilter(asset_key=key, asset_partitions=some)
        for record in event_records(instance.fetch_materializations, filters):
            if record.asset_materialization:
                yield record.asset_materialization


def _is_attempt(record: dg.RunRecord, graph: Pipeline) -> bool:
    return record.dagster_run.status in _ENDED and _counts_as_attempt(record.dagster_run, graph)


def _counts_as_attempt(run: dg.DagsterRun, graph: Pipeline) -> bool:
    """Whether a run counts as an attempt: a failure does; a success only if it includes all leaves."""
    if tags.PARTITION not in run.tags:
        return False
    if run.asset_selection:
        concerns_document = any(asset_key(asset) in run.asset_selection for asset in graph.assets)
    else:
        concerns_document = run.job_name == PROCESS_DOCUMENT
    return concerns_document and (
        run.status is not dg.DagsterRunStatus.SUCCESS or _includes_last_asset(run, graph)
    )


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


def _runs_newest_first(instance: dg.DagsterInstance, at_once: int = _PAGE_SIZE) -> Iterator[dg.RunRecord]:
    cursor: str | None = None
    while records := instance.get_run_records(limit=at_once, cursor=cursor):
        yield from records
        cursor = records[-1].dagster_run.run_id


def _summary(record: dg.RunRecord, graph: Pipeline) -> RunSummary:
    run = record.dagster_run
    progress = _PROGRESS[run.status]
    error = _recorded_code(record) if progress is Progress.FAILED else None
    return RunSummary(
        progress=progress,
        version=run.tags.get(tags.VERSION) or None,
        error=error,
        message=run.tags.get(tags.MESSAGE) or None if error else None,
        stage=run.tags.get(tags.STAGE) or None if error else _last_stage(progress, graph),
        failed_pages=int(run.tags.get(tags.FAILED_PAGES) or 0),
    )


def _recorded_code(record: dg.RunRecord) -> str:
    """The code of the error; the recorded one may belong to an earlier try within the run, or to a dequeue
    that came too late.
    """
    noted = record.dagster_run.tags.get(tags.ERROR)
    if record.dagster_run.status is dg.DagsterRunStatus.CANCELED:
        return RUN_RECALLED if noted == RUN_RECALLED and record.start_time is None else RUN_CANCELED
    return noted if noted and noted != RUN_RECALLED else WORKER_LOST


def _last_stage(progress: Progress, graph: Pipeline) -> str | None:
    return graph.last.asset if progress is Progress.SUCCEEDED else None


def _includes_last_asset(run: dg.DagsterRun, graph: Pipeline) -> bool:
    if run.asset_selection:
        return graph.is_whole({key.to_user_string() for key in run.asset_selection})
    return run.job_name == PROCESS_DOCUMENT
