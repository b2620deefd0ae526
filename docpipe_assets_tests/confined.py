"""A real stack whose runs, with all their processes, have a hard memory limit."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from docpipe_assets.pipeline import PIPELINE
from docpipe_assets.runtime.meter import process_tree
from docpipe_assets.stack import Stack
from docpipe_assets_tests.cgroup import MemoryGroup
from docpipe_assets_tests.pipeline.site import Site, open_site


@contextmanager
def confined_site(
    folder: Path, group: MemoryGroup | None, environment: Mapping[str, str], patience_seconds: float
) -> Iterator[Site]:
    """A single process for runs, added to the group before its first run.

    Memory shared with the worker that forked it belongs to the worker; all other memory of a run counts.
    """
    stack = Stack(folder, workers=1, webserver=False, environment=environment)
    with open_site(stack, patience_seconds) as site:
        if group is not None:
            for process in runners(stack):
                group.add(process)
        yield site


def runners(stack: Stack) -> list[int]:
    """The worker's processes that execute runs."""
    worker = stack.part("worker").pid
    return [process for process in process_tree(worker) if process != worker]


def recorded_peaks(site: Site, document: str) -> dict[str, int]:
    """The peak memory that the materializations of a document record, in bytes, by asset."""
    peaks = {}
    for stream in PIPELINE.streams:
        filters = dg.AssetRecordsFilter(asset_key=dg.AssetKey(stream.asset), asset_partitions=[document])
        for record in site.instance.fetch_materializations(filters, limit=1).records:
            made = record.asset_materialization
            if made is not None:
                peaks[stream.asset] = int(str(made.metadata["peak_rss_bytes"].value))
    return peaks
