"""Finds the documents with new artifacts since a cursor, by which corpus assets are updated."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import dagster as dg

from docpipe_assets.instance.records.events import PAGE_SIZE, event_records
from docpipe_assets.instance.records.names import asset_key
from docpipe_assets.pipeline import Stream


class Changes(NamedTuple):
    """Partition keys with new materializations, and the cursor for the next call."""

    keys: frozenset[str]
    cursor: str
    is_full_listing: bool
    """True if every key with a materialization is returned, because there was no cursor or it is not from
    this event log."""


class _Event(NamedTuple):
    storage_id: int
    timestamp: float
    key: str | None


def changed_since(
    instance: dg.DagsterInstance,
    streams: Iterable[Stream],
    cursor: str | None,
    *,
    lateness: timedelta,
    now: datetime | None = None,
) -> Changes:
    """Reads the index of Dagster's event log: documents without a new event cost nothing.

    An event may become visible after events with higher IDs, because concurrent writers get their IDs before
    they commit. Therefore an event that is more recent than ``lateness`` is also reported by the next call.
    Unchanged artifacts have events too; callers compare fingerprints.

    The cursor is the ID and time of an event. If the log does not contain it (another database, a wiped
    asset), all keys are reported.
    """
    assets = [asset_key(stream) for stream in streams]
    after = _known_id(instance, assets, cursor)
    settled_until = ((now or datetime.now(UTC)) - lateness).timestamp()
    settled = None
    keys: set[str] = set()
    for asset in assets:
        for event in _events(instance, asset, after or 0):
            if event.key is not None:
                keys.add(event.key)
            if event.timestamp <= settled_until and (settled is None or event > settled):
                settled = event
    if settled is not None:
        cursor = f"{settled.storage_id} {settled.timestamp!r}"
    elif after is None:
        cursor = None
    return Changes(frozenset(keys), cursor or "", after is None)


def _known_id(instance: dg.DagsterInstance, assets: Sequence[dg.AssetKey], cursor: str | None) -> int | None:
    """The ID in the cursor, or None if the event is not in this event log."""
    if not cursor:
        return None
    number, _, timestamp = cursor.partition(" ")
    for asset in assets:
        event = next(_events(instance, asset, int(number) - 1, page_size=1), None)
        if event is not None and (event.storage_id, repr(event.timestamp)) == (int(number), timestamp):
            return int(number)
    return None


def _events(
    instance: dg.DagsterInstance, asset: dg.AssetKey, after: int, page_size: int = PAGE_SIZE
) -> Iterator[_Event]:
    """The materializations of an asset after an ID, in order."""
    filters = dg.AssetRecordsFilter(asset_key=asset, after_storage_id=after or None)
    fetch = instance.fetch_materializations
    for record in event_records(fetch, filters, ascending=True, page_size=page_size):
        yield _Event(record.storage_id, record.timestamp, record.partition_key)
