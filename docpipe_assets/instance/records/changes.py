"""Which documents have new artifacts since a cursor: what corpus assets are brought up to date by."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import dagster as dg

from docpipe_assets.instance.records.names import asset_key
from docpipe_assets.pipeline import Stream

_BATCH = 1000
LATENESS = timedelta(seconds=30)
"""How long after later ones an event may become visible: writers take their numbers before they commit."""


class Changes(NamedTuple):
    """Partition keys with new materializations, and the cursor to ask with next time."""

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
    """By the index of Dagster's event log: costs nothing for a document without a new event.

    An event younger than ``lateness`` is reported, and reported again next time. An artifact that was found
    unchanged has an event too: whoever asks compares fingerprints.
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
