"""The run coordinator: adds lane, batch and priority to runs that a person or a backfill launched.

Runs of intake already have these tags. A run from the UI has only its partition, so the size of its document
is looked up here, in the process that submits it: the webserver, or the daemon for backfills.
"""

import math
import threading
import time
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from dagster import AssetKey, DagsterRun, QueuedRunCoordinator, RunsFilter, SubmitRunContext

from docpipe_assets.errors import DocpipeError
from docpipe_assets.identity import batch_of, document_of
from docpipe_assets.instance.records import tags
from docpipe_assets.instance.records.interventions import read_priorities
from docpipe_assets.instance.records.names import asset_key
from docpipe_assets.lanes import CORPUS as CORPUS_LANE
from docpipe_assets.lanes import STANDARD
from docpipe_assets.lazy import lazy
from docpipe_assets.operations.intake import HIGH, lane_of, priority_of
from docpipe_assets.pipeline import CORPUS
from docpipe_assets.protocols import Source
from docpipe_assets.settings import Priority, Settings, read_settings
from docpipe_assets.storage.open_store import open_store

_RANGE: Final = "dagster/asset_partition_range_start"
_TIMEOUT_SECONDS: Final = 3.0
"""Timeout of the size lookup. A person waits for the launch, so a store that exceeds it is skipped for a
while."""
_PAUSE_SECONDS: Final = 30.0
_PRIORITIES_SECONDS: Final = 5.0


class DocumentRunCoordinator(QueuedRunCoordinator):
    """Dagster's queued run coordinator; missing tags are added before the run is queued.

    It never rejects a run of a person: a document of unknown size goes to the standard lane. An attempt that
    intake requests twice, because two daemons ran a tick at the same time, is queued once.
    """

    _read: tuple[float, Mapping[str, Priority]] = (-math.inf, MappingProxyType({}))

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        run = context.dagster_run
        if run.parent_run_id is None:
            first = self._oldest_run_of_attempt(run)
            if first.run_id != run.run_id:
                self._instance.delete_run(run.run_id)
                return first
        missing = missing_tags(run.tags, self._sizes, self._settings, self._priorities())
        if is_corpus_run(run.asset_selection):
            missing |= {name: CORPUS_LANE for name in (tags.LANE, tags.QUEUE) if name not in run.tags}
        if missing:
            self._instance.add_run_tags(run.run_id, missing)
        return super().submit_run(context)

    def _oldest_run_of_attempt(self, run: DagsterRun) -> DagsterRun:
        """The oldest run with the same run key.

        Dagster checks the key before it creates a run, and two daemons may both find none. Each of them gets
        here after its run was recorded, so the later one finds the earlier one.
        """
        run_key = run.tags.get(tags.RUN_KEY)
        if run_key is None or tags.REQUEST not in run.tags:
            return run
        alike = self._instance.get_runs(RunsFilter(tags={tags.RUN_KEY: run_key}), limit=1, ascending=True)
        return alike[0] if alike else run

    def _priorities(self) -> Mapping[str, Priority]:
        """Cached for a short time: a backfill submits thousands of runs."""
        read_at, priorities = self._read
        if time.monotonic() > read_at + _PRIORITIES_SECONDS:
            priorities = read_priorities(self._instance)
            self._read = time.monotonic(), priorities
        return priorities

    @lazy
    def _settings(self) -> Settings:
        return read_settings()

    @lazy
    def _sizes(self) -> "ObjectSizes":
        return ObjectSizes(open_store(self._settings.intake, self._settings))


class ObjectSizes:
    """Looks up the size of an object, with a timeout."""

    def __init__(self, intake: Source, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._intake = intake
        self._timeout_seconds = timeout_seconds
        self._skip_until = 0.0

    def size_of(self, document: str) -> int | None:
        """The size in bytes; None if the object does not exist or the store does not respond in time."""
        if time.monotonic() < self._skip_until:
            return None
        answer: list[int | None] = []
        # A daemon thread, because the client's own timeouts and retries take minutes.
        request = threading.Thread(target=lambda: answer.append(self._head_size(document)), daemon=True)
        request.start()
        request.join(self._timeout_seconds)
        if not answer:
            self._skip_until = time.monotonic() + _PAUSE_SECONDS
            return None
        return answer[0]

    def _head_size(self, document: str) -> int | None:
        try:
            return self._intake.head(document).size_bytes
        except DocpipeError:  # the run itself will get the same error and report it
            return None


def is_corpus_run(assets: Collection[AssetKey] | None) -> bool:
    """Whether a run materializes a corpus asset, and therefore belongs to the corpus lane."""
    return any(asset_key(stage.asset) in (assets or ()) for stage in CORPUS)


def missing_tags(
    present: Mapping[str, str],
    sizes: ObjectSizes,
    settings: Settings,
    priorities: Mapping[str, Priority] = MappingProxyType({}),
) -> dict[str, str]:
    """The tags to add to, or correct on, a run that is about to be queued."""
    key = present.get(tags.PARTITION)
    if key is None:
        # A report or a reset: it is short, and a person waits for it.
        return {} if tags.PRIORITY in present or _RANGE in present else {tags.PRIORITY: str(HIGH)}
    try:
        document = document_of(key)
    except UnicodeDecodeError:  # a manually added key that is not the key of a document
        return {}
    # On a re-execution the UI copies the tags of the previous run.
    is_reexecution = tags.PARENT_RUN in present
    missing = {name: "" for name in tags.OF_ONE_ATTEMPT if is_reexecution and present.get(name)}
    lane = present.get(tags.LANE)
    if lane is None:
        size_bytes = sizes.size_of(document)
        lane = STANDARD if size_bytes is None else lane_of(size_bytes, settings.large_bytes)
        missing[tags.LANE] = lane
    if tags.QUEUE not in present:
        missing[tags.QUEUE] = lane
    batch = batch_of(document)
    if batch and tags.BATCH not in present:
        missing[tags.BATCH] = batch
    priority = priority_of(batch, settings, priorities)
    if priority and tags.PRIORITY not in present:
        missing[tags.PRIORITY] = str(priority)
    return missing
