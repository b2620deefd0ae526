"""The cost of an update of a corpus asset: ways to find the documents that changed, and sizes of shards.

    python -m docpipe_assets_tests.benchmarks.corpus [--documents 10000] [--changed 100] [--repeats 3]

The documents are simulated (see ``replicas``), with their artifacts in the lake. Each way answers the
question "which documents have other artifacts than at the previous update?"; the reference is a LIST of the
lake, whose answer has to be compared with a stored listing. CPU seconds are those of this process,
PostgreSQL and the S3 server; medians of the repeats. The shards are written to a local folder, without S3.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import dagster as dg

from docpipe_assets.defs.corpus import read_documents
from docpipe_assets.identity import partition_key
from docpipe_assets.instance.records.changes import changed_since
from docpipe_assets.instance.records.names import asset_key
from docpipe_assets.model import RawPdfs
from docpipe_assets.model.corpus import BatchReportRows, DocumentPages
from docpipe_assets.pipeline import BATCH_REPORT
from docpipe_assets.protocols import StoredObject
from docpipe_assets.sample import write_text_pdfs
from docpipe_assets.stack import Stack
from docpipe_assets.storage.artifact import artifact_key
from docpipe_assets.storage.corpus import Corpus
from docpipe_assets.storage.file import FileStore
from docpipe_assets.storage.scratch import ScratchFolder
from docpipe_assets_tests.benchmarks.cost import MEGABYTE
from docpipe_assets_tests.benchmarks.growth import Cost, cost_of_action
from docpipe_assets_tests.benchmarks.orchestration import process
from docpipe_assets_tests.benchmarks.replicas import BATCH, replicate
from docpipe_assets_tests.pipeline.site import Site, open_site

_LATENESS = timedelta(0)
_SHARD_SIZES = (500, 5_000, 50_000, 500_000)


def costs_of_finding(documents: int, changed: int, repeats: int) -> list[tuple[str, Cost]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_site(Stack(Path(folder, "stack"), workers=1, webserver=False)) as site,
    ):
        process(site, "template", write_text_pdfs(Path(folder), 1))
        (template,) = (entry.document for entry in site.ledger("template").entries)
        site.stack.part("daemon").kill()
        names = [f"{number:06}.pdf" for number in range(documents)]
        _replicate_artifacts(site, template, names)
        replicate(site, template, names)
        cursor = changed_since(site.instance, BATCH_REPORT.inputs, None, lateness=_LATENESS).cursor
        keys = [partition_key(f"{BATCH}/{name}") for name in names]
        for key in keys[:changed]:
            site.instance.report_runless_asset_event(
                dg.AssetMaterialization(
                    asset_key(RawPdfs), partition=key, metadata={"pages": 1, "version": "new"}
                )
            )
        ways: list[tuple[str, Callable[[], int], int]] = [
            ("LIST of the lake", lambda: _listed(site), 2 * documents),
            ("headers of all artifacts", lambda: _headers_read(site, names), 2 * documents),
            ("latest records of all documents", lambda: _records_read(site, keys), documents),
            ("events since the cursor", lambda: _changed(site, cursor), changed),
        ]
        return [(name, cost_of_action(site, _expecting(way, count), repeats)) for name, way, count in ways]


def _replicate_artifacts(site: Site, template: str, names: list[str]) -> None:
    lake = site.stack.folder / "s3" / "lake"
    for stream in BATCH_REPORT.inputs:
        for name in names:
            copy = lake / artifact_key(stream.asset, f"{BATCH}/{name}")
            copy.parent.mkdir(parents=True, exist_ok=True)
            os.link(lake / artifact_key(stream.asset, template), copy)


def _expecting(way: Callable[[], int], count: int) -> Callable[[], None]:
    def run() -> None:
        assert (found := way()) == count, f"{found} instead of {count}"

    return run


def _listed(site: Site) -> int:
    lake = site.pipeline.lake.store
    return sum(1 for stream in BATCH_REPORT.inputs for _ in lake.list(f"{stream.asset}/{BATCH}/"))


def _headers_read(site: Site, names: list[str]) -> int:
    lake = site.pipeline.lake
    return sum(
        lake.header(stream, f"{BATCH}/{name}") is not None for stream in BATCH_REPORT.inputs for name in names
    )


def _records_read(site: Site, keys: list[str]) -> int:
    return sum(row is not None for _, row in read_documents(site.instance, keys))


def _changed(site: Site, cursor: str) -> int:
    found = changed_since(site.instance, BATCH_REPORT.inputs, cursor, lateness=_LATENESS).keys
    return len(found) if len(found) == _records_read(site, sorted(found)) else -1


class _CountingStore(FileStore):
    """Counts the bytes of all writes."""

    written_bytes = 0

    def put(self, key: str, source: Path) -> StoredObject:
        self.written_bytes += source.stat().st_size
        return super().put(key, source)


@dataclass(frozen=True)
class ShardCost:
    rows_per_shard: int
    shards: int
    rebuild_seconds: float
    """CPU seconds."""
    update_seconds: float
    """CPU seconds of an update by one changed row."""
    update_bytes: int


def costs_of_shards(rows: int) -> list[ShardCost]:
    return [_cost_of_shards(rows, size) for size in _SHARD_SIZES]


def _cost_of_shards(rows: int, rows_per_shard: int) -> ShardCost:
    with tempfile.TemporaryDirectory() as folder:
        store = _CountingStore(Path(folder, "lake"))
        corpus = Corpus(store, ScratchFolder(Path(folder, "scratch")), BatchReportRows, rows_per_shard)
        began = time.process_time()
        corpus.update(_rows(rows, "1"), cursor="1", code_version="1", is_rebuild=True)
        rebuilt = time.process_time()
        store.written_bytes = 0
        corpus.update(_rows(1, "2"), cursor="2", code_version="1", is_rebuild=False)
        updated = time.process_time()
        manifest = corpus.manifest()
        assert manifest is not None
        shards = manifest.batches[BATCH].shards
        return ShardCost(rows_per_shard, shards, rebuilt - began, updated - rebuilt, store.written_bytes)


def _rows(count: int, version: str) -> Iterator[tuple[str, DocumentPages]]:
    for number in range(count):
        name = f"{BATCH}/{number:06}.pdf"
        yield name, DocumentPages(document=name, version=version * 64, made_from=f"{number:064}", pages=3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--changed", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int, default=200_000)
    options = parser.parse_args()
    found = costs_of_finding(options.documents, options.changed, options.repeats)
    print(f"{options.documents:,} documents, {options.changed:,} changed, {os.cpu_count()} cores")
    print(f"{'':34}{'CPU s':>8}{'S3 CPU s':>10}{'wall s':>8}{'ratio':>8}")
    reference = found[0][1].cpu_seconds + found[0][1].s3_seconds
    for name, cost in found:
        ratio = (cost.cpu_seconds + cost.s3_seconds) / reference
        print(
            f"{name:34}{cost.cpu_seconds:>8.2f}{cost.s3_seconds:>10.2f}{cost.wall_seconds:>8.2f}{ratio:>8.2f}"
        )
    print(f"\none batch of {options.rows:,} rows")
    print(
        f"{'rows per shard':>14}{'shards':>8}{'rebuild, CPU s':>16}{'one row, CPU s':>16}{'written MB':>12}"
    )
    for shard in costs_of_shards(options.rows):
        print(
            f"{shard.rows_per_shard:>14,}{shard.shards:>8}{shard.rebuild_seconds:>16.2f}"
            f"{shard.update_seconds:>16.3f}{shard.update_bytes / MEGABYTE:>12.3f}"
        )


if __name__ == "__main__":
    main()
