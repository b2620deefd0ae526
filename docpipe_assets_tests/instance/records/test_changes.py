"""Changes since a cursor are complete: no event is skipped, whatever happens to the event log."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from docpipe_assets.instance.records.changes import Changes, changed_since
from docpipe_assets.model import PageTexts, RawPdfs

STREAMS = (RawPdfs, PageTexts)
LATENESS = timedelta(seconds=30)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def materialize(instance: dg.DagsterInstance, asset: str, key: str | None) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=key))


def changes(instance: dg.DagsterInstance, cursor: str | None, now: datetime | None = None) -> Changes:
    return changed_since(instance, STREAMS, cursor, lateness=LATENESS, now=now)


def later() -> datetime:
    return datetime.now(UTC) + LATENESS + timedelta(seconds=1)


def test_only_new_events_are_reported(instance: dg.DagsterInstance) -> None:
    materialize(instance, "raw_pdf", "b/1.pdf")
    materialize(instance, "ocr_text", "b/1.pdf")
    materialize(instance, "raw_pdf", "b/2.pdf")
    first = changes(instance, None, now=later())
    assert (first.keys, first.is_full_listing) == (frozenset({"b/1.pdf", "b/2.pdf"}), True)
    again = changes(instance, first.cursor, now=later())
    assert (again.keys, again.cursor, again.is_full_listing) == (frozenset(), first.cursor, False)
    materialize(instance, "ocr_text", "b/2.pdf")
    materialize(instance, "chunks", "b/3.pdf")
    assert changes(instance, again.cursor, now=later()).keys == {"b/2.pdf"}


def test_recent_events_are_reported_again(instance: dg.DagsterInstance) -> None:
    """An event with a lower ID may still become visible."""
    materialize(instance, "raw_pdf", "b/1.pdf")
    settled = changes(instance, None, now=later())
    materialize(instance, "raw_pdf", "b/2.pdf")
    recent = changes(instance, settled.cursor)
    assert (recent.keys, recent.cursor) == (frozenset({"b/2.pdf"}), settled.cursor)
    assert changes(instance, recent.cursor).keys == {"b/2.pdf"}


def test_without_a_settled_event_the_next_call_is_complete_again(instance: dg.DagsterInstance) -> None:
    assert changes(instance, None) == (frozenset(), "", True)
    materialize(instance, "raw_pdf", "b/1.pdf")
    recent = changes(instance, "")
    assert (recent.keys, recent.cursor, recent.is_full_listing) == (frozenset({"b/1.pdf"}), "", True)


def test_a_cursor_of_another_event_log_makes_the_changes_complete(instance: dg.DagsterInstance) -> None:
    with dg.DagsterInstance.ephemeral() as other:
        for number in range(3):
            materialize(other, "raw_pdf", f"b/{number}.pdf")
        cursor = changes(other, None, now=later()).cursor
    assert changes(instance, cursor).is_full_listing, "the log is shorter"
    for number in range(9):
        materialize(instance, "raw_pdf", f"c/{number}.pdf")
    found = changes(instance, cursor)
    assert found.is_full_listing, "the log is longer, with other events"
    assert len(found.keys) == 9


def test_a_wiped_asset_makes_the_changes_complete(instance: dg.DagsterInstance) -> None:
    materialize(instance, "raw_pdf", "b/1.pdf")
    cursor = changes(instance, None, now=later()).cursor
    instance.wipe_assets([dg.AssetKey("raw_pdf")])
    assert changes(instance, cursor).is_full_listing


def test_events_without_a_partition_are_no_document(instance: dg.DagsterInstance) -> None:
    materialize(instance, "raw_pdf", None)
    found = changes(instance, None, now=later())
    assert found.keys == frozenset()
    assert not changes(instance, found.cursor, now=later()).is_full_listing
