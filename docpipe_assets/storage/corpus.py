"""Corpus artifacts: shards of rows, each replaced by one atomic PUT, and a manifest that is written last.

A shard has the format of every artifact: ``<asset>/<batch>/<number>-of-<count>.jsonl.zst``, with one row per
document, sorted by document. The manifest, ``<asset>/,manifest.json``, lists the shards and contains the
cursor up to which changes are included. An update may be interrupted at any point: the manifest then still
contains the old cursor, the next update reads the same changes again, and the result has the same bytes,
because a shard depends only on its rows.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from heapq import merge
from itertools import groupby
from operator import attrgetter
from typing import Any, BinaryIO, Generic, TypeVar

from docpipe_assets.errors import ArtifactDamaged, ObjectGone
from docpipe_assets.identity import batch_of, fingerprint, path_of
from docpipe_assets.model.corpus import CorpusRecord, CorpusRecords
from docpipe_assets.protocols import Scratch, Store
from docpipe_assets.storage.artifact import SUFFIX, Header, read_header, read_rows, write_artifact
from docpipe_assets.streaming.disk_tables import open_tables

ROWS_PER_SHARD = 5_000
"""Maximum number of documents in a shard, which is rewritten when one of them changes."""
_MANIFEST = ",manifest.json"
"""Not the path of a shard: in docpipe's paths a comma marks names that do not come from a document."""
_MANIFEST_LIMIT_BYTES = 16 * 1024 * 1024
_SCHEMA = """
    CREATE TABLE changes (batch TEXT, hash INTEGER, document TEXT, row TEXT, PRIMARY KEY (batch, document))
    WITHOUT ROWID;
"""

C = TypeVar("C", bound=CorpusRecord)


@dataclass(frozen=True)
class BatchShards:
    """The shards of one batch."""

    shards: int
    rows: int


@dataclass(frozen=True)
class Manifest:
    """Contents of a corpus artifact."""

    code_version: str
    cursor: str
    batches: Mapping[str, BatchShards] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(batch.rows for batch in self.batches.values())


@dataclass(frozen=True)
class Updated:
    """The outcome of an update."""

    manifest: Manifest
    changed_documents: int
    written_shards: int


class Corpus(Generic[C]):
    """One corpus asset in the lake.

    Only one update may run at a time (the limit of the lane ``corpus`` in dagster.yaml is 1); readers are not
    restricted.
    """

    def __init__(
        self,
        store: Store,
        scratch: Scratch,
        stream: type[CorpusRecords[C]],
        rows_per_shard: int = ROWS_PER_SHARD,
    ) -> None:
        self.stream = stream
        self._rows_per_shard = rows_per_shard
        self._store = store
        self._scratch = scratch

    @property
    def url(self) -> str:
        return f"{self._store.url}/{self.stream.asset}/{_MANIFEST}"

    def manifest(self) -> Manifest | None:
        """None before the first update. Raises ArtifactDamaged, also for a manifest of more than 16 MiB."""
        try:
            with self._store.open(self._key(_MANIFEST)) as source:
                content = source.read(_MANIFEST_LIMIT_BYTES)
        except ObjectGone:
            return None
        try:
            found = json.loads(content)
            batches = {name: BatchShards(**batch) for name, batch in found["batches"].items()}
            return Manifest(found["code_version"], found["cursor"], batches)
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactDamaged(
                f"{self.url}: not a manifest; delete it and materialize {self.stream.asset} to rebuild it"
            ) from error

    def cursor(self, code_version: str) -> str | None:
        """The cursor of the next update; None if it has to be a rebuild: first update, or other code."""
        known = self.manifest()
        return known.cursor if known is not None and known.code_version == code_version else None

    def rows(self, batch: str | None = None) -> Iterator[C]:
        """The rows of one batch or of all batches, sorted by document within each batch.

        Raises ArtifactDamaged for a missing shard, also if an update has replaced the shards meanwhile.
        """
        known = self.manifest()
        for name, found in sorted(known.batches.items()) if known is not None else ():
            if batch in (None, name):
                yield from merge(
                    *(self._shard_rows(name, number, found.shards) for number in range(found.shards)),
                    key=attrgetter("document"),
                )

    def update(
        self, changes: Iterable[tuple[str, C | None]], *, cursor: str, code_version: str, is_rebuild: bool
    ) -> Updated:
        """Apply changes: the new row of a document, or None to remove it.

        The last change of a document applies. In a rebuild the changes are the complete content: existing
        shards are replaced, and shards without rows are deleted.
        """
        known = None if is_rebuild else self.manifest()
        batches = dict(known.batches) if known is not None else {}
        written = 0
        with open_tables(_SCHEMA, self._scratch) as table:
            table.executemany(
                "INSERT OR REPLACE INTO changes VALUES (?, ?, ?, ?)",
                (
                    (batch_of(name), _hash(name), name, row.model_dump_json() if row is not None else None)
                    for name, row in changes
                ),
            )
            (changed,) = table.execute("SELECT count(*) FROM changes").fetchone()
            for (name,) in table.execute("SELECT DISTINCT batch FROM changes ORDER BY batch").fetchall():
                before = batches.pop(name, None)
                new_batch, put_count = self._update_batch(table, name, before, code_version)
                written += put_count
                if new_batch.rows:
                    batches[name] = new_batch
        manifest = Manifest(code_version, cursor, dict(sorted(batches.items())))
        if manifest != known:
            self._put_manifest(manifest)
        self._delete_unlisted_shards(manifest)
        return Updated(manifest, changed, written)

    def _update_batch(
        self, table: sqlite3.Connection, name: str, before: BatchShards | None, code_version: str
    ) -> tuple[BatchShards, int]:
        """Merge the changes into the shards, then change the number of shards if required.

        One shard at a time, so that memory does not grow with the batch.
        """
        added = "SELECT count(*) FROM changes WHERE batch = ? AND row IS NOT NULL"
        count = (
            before.shards
            if before is not None
            else _shards_for(table.execute(added, (name,)).fetchone()[0], self._rows_per_shard)
        )
        rows, written = 0, 0
        for number in range(count):
            header = self._header(name, number, count) if before is not None else None
            changes = self._changes(table, name, number, count)
            first = next(changes, None)
            if first is None and header is not None:
                rows += header.rows
                continue
            old = self._shard_rows(name, number, count) if before is not None else iter(())
            merged = _merged(old, _with_first(first, changes))
            header, is_new = self._put_shard(name, number, count, merged, header, code_version)
            rows, written = rows + header.rows, written + is_new
        wanted_count = _shards_for(rows, self._rows_per_shard)
        if wanted_count != count:
            written += self._reshard(name, count, wanted_count, code_version)
        return BatchShards(wanted_count, rows), written

    def _reshard(self, name: str, count: int, wanted_count: int, code_version: str) -> int:
        """Write the rows into another number of shards; the old shards are deleted after the manifest is
        written.
        """
        step = min(count, wanted_count)
        for number in range(wanted_count):
            sources = range(number % step, count, step)
            rows = merge(
                *(self._shard_rows(name, source, count) for source in sources), key=attrgetter("document")
            )
            rows_of_shard = (row for row in rows if _hash(row.document) % wanted_count == number)
            self._put_shard(name, number, wanted_count, rows_of_shard, None, code_version)
        return wanted_count

    def _changes(
        self, table: sqlite3.Connection, name: str, number: int, count: int
    ) -> Iterator[tuple[str, C | None]]:
        chosen = table.execute(
            "SELECT document, row FROM changes WHERE batch = ? AND hash % ? = ? ORDER BY document",
            (name, count, number),
        )
        for document, row in chosen:
            yield document, self._record.model_validate_json(row) if row is not None else None

    @property
    def _record(self) -> type[C]:
        return self.stream.record  # type: ignore[return-value]  # the class of its rows

    def _put_shard(
        self, name: str, number: int, count: int, rows: Iterable[C], old: Header | None, code_version: str
    ) -> tuple[Header, bool]:
        """Replace the shard unless its bytes are equal; returns whether it was replaced."""
        shard = _shard_path(name, number, count)
        made_from = fingerprint(self.stream.asset, code_version, {}, [shard])
        with self._scratch.folder() as folder:
            stream = self.stream(made_from, lambda: iter(rows))
            header, path = write_artifact(folder, shard, stream, None)
            is_new = old is None or (old.sha256, old.fingerprint) != (header.sha256, header.fingerprint)
            if is_new:
                self._store.put(self._key(shard), path)
        return header, is_new

    def _header(self, name: str, number: int, count: int) -> Header:
        key = self._key(_shard_path(name, number, count))
        with self._open(key) as source:
            return read_header(source, f"{self._store.url}/{key}")

    def _shard_rows(self, name: str, number: int, count: int) -> Iterator[C]:
        key = self._key(_shard_path(name, number, count))
        url = f"{self._store.url}/{key}"
        with self._open(key) as source:
            yield from read_rows(self._record, source, read_header(source, url), url)

    @contextmanager
    def _open(self, key: str) -> Iterator[BinaryIO]:
        try:
            opened = self._store.open(key)
            with opened as source:
                yield source
        except ObjectGone as error:
            raise ArtifactDamaged(
                f"{self._store.url}/{key}: missing; delete {self.url} and materialize "
                f"{self.stream.asset} to rebuild it"
            ) from error

    def _put_manifest(self, manifest: Manifest) -> None:
        content = {**asdict(manifest), "asset": self.stream.asset}
        with self._scratch.folder() as folder:
            path = folder / "manifest"
            path.write_text(json.dumps(content, sort_keys=True, ensure_ascii=False, indent=1) + "\n", "utf-8")
            self._store.put(self._key(_MANIFEST), path)

    def _delete_unlisted_shards(self, manifest: Manifest) -> None:
        named = {
            self._key(_shard_path(name, number, batch.shards))
            for name, batch in manifest.batches.items()
            for number in range(batch.shards)
        }
        for found in list(self._store.list(f"{self.stream.asset}/")):
            if found.key.endswith(SUFFIX) and found.key not in named:
                self._store.delete(found.key)

    def _key(self, path: str) -> str:
        return f"{self.stream.asset}/{path}"


def _shard_path(batch: str, number: int, count: int) -> str:
    return f"{path_of(batch)}/{number}-of-{count}{SUFFIX}"


def _shards_for(rows: int, rows_per_shard: int) -> int:
    """A power of two that depends on the number of rows alone, so that a rebuild gives the same shards."""
    count = 1
    while rows > count * rows_per_shard:
        count *= 2
    return count


def _hash(document: str) -> int:
    return int.from_bytes(hashlib.sha256(document.encode("utf-8", "surrogatepass")).digest()[:4])


def _with_first(first: Any, others: Iterator[Any]) -> Iterator[Any]:
    if first is not None:
        yield first
        yield from others


def _merged(old: Iterator[C], changes: Iterator[tuple[str, C | None]]) -> Iterator[C]:
    """Sorted by document; a change replaces the existing row."""
    both = merge(
        ((row.document, 0, row) for row in old),
        ((document, 1, row) for document, row in changes),
        key=lambda one: one[:2],
    )
    for _, alike in groupby(both, key=lambda one: one[0]):
        *_, (_, _, newest) = alike
        if newest is not None:
            yield newest
