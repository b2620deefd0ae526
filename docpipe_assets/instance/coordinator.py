"""The queue's front door: gives a run that a person or a backfill launched its lane, batch and priority.

Intake's own runs arrive with all of it. One from the UI carries only the partition, so its document
is asked for its size here, in the process that submits it: the webserver, or the daemon for backfills.
"""

import math
import threading
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dagster import DagsterRun, QueuedRunCoordinator, RunsFilter, SubmitRunContext

from docpipe_assets.errors import DocpipeError
from docpipe_assets.identity import batch_of, document_of
from docpipe_assets.instance.records import tags
from docpipe_assets.instance.records.interventions import read_priorities
from docpipe_assets.lanes import LANES
from docpipe_assets.lazy import lazy
from docpipe_assets.operations.intake import HIGH, lane_of, priority_of
from docpipe_assets.protocols import Source
from docpipe_assets.settings import Priority, Settings, read_settings
from docpipe_assets.storage.open_store import open_store

_RANGE: Final = "dagster/asset_partition_range_start"
_PATIENCE_SECONDS: Final = 3.0
"""A person waits for the launch: a store that is slower than this is not asked again for a while."""
_PAUSE_SECONDS: Final = 30.0
_PRIORITIES_SECONDS: Final = 5.0


class DocumentRunCoordinator(QueuedRunCoordinator):
    """Dagster's queue; what is missing in a run's tags is added before it waits there.

    It never refuses a person's run: a document whose size can't be learnt goes to the standard lane.
    An attempt that intake asks for twice, since two daemons looked at the same time, waits there once.
    """

    _read: tuple[float, Mapping[str, Priority]] = (-math.inf, MappingProxyType({}))

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        run = context.dagster_run
        if run.parent_run_id is None:
            first = self._first_of_its_attempt(run)
            if first.run_id != run.run_id:
                self._instance.delete_run(run.run_id)
                return first
        missing = missing_tags(run.tags, self._sizes, self._settings, self._priorities())
        if missing:
            self._instance.add_run_tags(run.run_id, missing)
        return super().submit_run(context)

    def _first_of_its_attempt(self, run: DagsterRun) -> DagsterRun:
        """The oldest run with the same run key.

        Dagster looks for the key before it makes a run, and two daemons may both find none. Each of them
        comes here after its run was recorded, so that the later one sees the earlier one.
        """
        run_key = run.tags.get(tags.RUN_KEY)
        if run_key is None or tags.REQUEST not in run.tags:
            return run
        alike = self._instance.get_runs(RunsFilter(tags={tags.RUN_KEY: run_key}), limit=1, ascending=True)
        return alike[0] if alike else run

    def _priorities(self) -> Mapping[str, Priority]:
        """Read anew now and then: a backfill submits thousands of runs."""
        read_at, priorities = self._read
        if time.monotonic() > read_at + _PRIORITIES_SECONDS:
            priorities = read_priorities(self._instance)
            self._read = time.monotonic(), priorities
        return priorities

    @lazy
    def _settings(self) -> Settings:
        return read_settings()

    @lazy
    def _sizes(self) -> "Sizes":
        return Sizes(open_store(self._settings.intake, self._settings))


class Sizes:
    """Asks a store for the size of an object, and does not wait for one that is not there."""

    def __init__(self, intake: Source, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self._intake = intake
        self._patience_seconds = patience_seconds
        self._silent_until = 0.0

    def size_of(self, document: str) -> int | None:
        """The size in bytes; None when the object is gone or the store does not answer in time."""
        if time.monotonic() < self._silent_until:
            return None
        answer: list[int | None] = []
        # A daemon thread: the client's own patience, with its retries, is minutes.
        asking = threading.Thread(target=lambda: answer.append(self._ask(document)), daemon=True)
        asking.start()
        asking.join(self._patience_seconds)
        if not answer:
            self._silent_until = time.monotonic() + _PAUSE_SECONDS
            return None
        return answer[0]

    def _ask(self, document: str) -> int | None:
        try:
            return self._intake.head(document).size_bytes
        except DocpipeError:  # the run itself will meet the same error, and report it
            return None


def missing_tags(
    present: Mapping[str, str],
    sizes: Sizes,
    settings: Settings,
    priorities: Mapping[str, Priority] = MappingProxyType({}),
) -> dict[str, str]:
    """The tags to add to a run that is about to wait in the queue, or to set right."""
    key = present.get(tags.PARTITION)
    if key is None:
        # A report or a reset: it is short, and someone waits for it.
        return {} if tags.PRIORITY in present or _RANGE in present else {tags.PRIORITY: str(HIGH)}
    try:
        document = document_of(key)
    except UnicodeDecodeError:  # a hand-made key, which names no document
        return {}
    # The UI gives a run that is executed again the tags of the one before.
    is_again = tags.PARENT_RUN in present
    missing = {name: "" for name in tags.OF_ONE_ATTEMPT if is_again and present.get(name)}
    lane = present.get(tags.LANE)
    if lane is None:
        size_bytes = sizes.size_of(document)
        lane = LANES[0] if size_bytes is None else lane_of(size_bytes, settings.large_bytes)
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
