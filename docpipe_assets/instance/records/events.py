"""Reads the events of an asset page by page."""

from collections.abc import Iterator
from typing import Protocol

import dagster as dg

PAGE_SIZE = 1000
"""Events per request."""


class Fetch(Protocol):
    """``fetch_materializations`` or ``fetch_observations`` of an instance."""

    def __call__(
        self, records_filter: dg.AssetRecordsFilter, limit: int, cursor: str | None, ascending: bool
    ) -> dg.EventRecordsResult: ...


def event_records(
    fetch: Fetch, filters: dg.AssetRecordsFilter, *, ascending: bool = False, page_size: int = PAGE_SIZE
) -> Iterator[dg.EventLogRecord]:
    """All events that match, newest first unless ``ascending``; a page is read when it is needed."""
    cursor: str | None = None
    while True:
        found = fetch(filters, page_size, cursor, ascending)
        yield from found.records
        cursor = found.cursor
        if not found.has_more:
            return
