"""Finds the documents with new artifacts since a cursor, by which corpus assets are updated."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import dagster as dg

from docpipe_assets.instance.records.names import asset_key
from docpipe_assets.pipeline import Stream

_BATCH = 1000
LATENESS = timedelta(seconds=30)
"""Maximum delay with which an event becomes visible after events with higher IDs: concurrent writers get
their IDs before they commit."""


class Changes(NamedTuple):
    """Partition keys with new materializations, and the cursor for the next call."""

    keys: frozenset[str]
    cursor: str


def changed_since(
    instance: dg.DagsterInstance,
    streams: Iterable[Stream],
    cursor: str | None,
    *,
    now: datetime | None = None,
    lateness: timedelta = LATENESS,
) -> Changes:
    """Reads the index of Dagster's event log: documents without a new event cost nothing.

    An event that is more recent than ``lateness`` is also reported by the next call. Unchanged artifacts
    have events too; callers compare fingerprints.
    """
    after = int(cursor or 0)
    settled, is_settled_before = after, ((now or datetime.now(UTC)) - lateness).timestamp()
    keys: set[str] = set()
    for stream in streams:
        for storage_id, timestamp, key in _events(instance, stream, after):
            keys.add(key)
            if timestamp <= is_settled_before:
                settled = max(settled, storage_id)
    return Changes(frozenset(keys), str(settled))


def _events(instance: dg.DagsterInstance, stream: Stream, after: int) -> Iterator[tuple[int, float, str]]:
    filters = dg.AssetRecordsFilter(asset_key=asset_key(stream), after_storage_id=after or None)
    cursor: str | None = None
    while True:
        found = instance.fetch_materializations(filters, limit=_BATCH, cursor=cursor, ascending=True)
        for record in found.records:
            if record.partition_key is not None:
                yield record.storage_id, record.timestamp, record.partition_key
        cursor = found.cursor
        if not found.has_more:
            return
