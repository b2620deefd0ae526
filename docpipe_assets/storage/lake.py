"""The lake: one typed artifact per asset and document, and the files that belong to it.

An artifact is one object, ``<asset>/<document>.jsonl.zst``: JSON Lines compressed by Zstandard,
readable in place by DuckDB, Polars and ``zstd -d``. It begins with a Zstandard *skippable frame*
(RFC 8878, section 3.1.2), which every decoder passes over and which holds our header: the
fingerprint of what the rows were made from, their number and the schema. So an artifact and the
claim about it are written in one atomic step and cannot disagree.
"""

import json
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias, TypeVar

import zstandard

from docpipe_assets.errors import ArtifactDamaged, ArtifactMissing, ObjectGone
from docpipe_assets.identity import path_of
from docpipe_assets.model import Blob, PageSplits, PageText, PageTexts, Record, Records
from docpipe_assets.protocols import Scratch, Store
from docpipe_assets.storage.transfer import copy_stream, sha256_of

_SKIPPABLE_MAGIC = 0x184D2A5D
_HEADER_LIMIT_BYTES = 64 * 1024
_SUFFIX = ".jsonl.zst"
_CHECKPOINTS = ",checkpoints/"
"""No document's path has such a segment (see ``identity.path_of``)."""
_KEPT_BYTES = 256 * 1024
"""Up to this size an artifact is fetched by one request and kept while its stream lives."""

S = TypeVar("S", bound=Records[Any])
Tally: TypeAlias = Callable[[Any], Mapping[str, float]]
"""What a row adds to the sums in the header, by name."""


class Notes(Protocol):
    """Looks at the rows of an artifact while they are written, and says something small about all of them."""

    def see(self, row: Any) -> None: ...

    def said(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Header:
    """What an artifact says of itself."""

    asset: str
    document: str
    fingerprint: str
    schema_version: int
    version: str
    """The document version that the rows speak of; empty when there are none."""
    rows: int
    payload_bytes: int
    sha256: str
    facts: dict[str, float]
    """Sums over the rows, e.g. pages or characters."""
    notes: dict[str, Any] = field(default_factory=dict)
    """What else was learned while the rows passed by: small values of JSON, by name."""


@dataclass(frozen=True)
class Saved:
    """The outcome of saving a stream."""

    header: Header
    url: str
    is_unchanged: bool
    wall_seconds: float


class Lake:
    """Typed artifacts on a store. One lake may be used by many processes."""

    def __init__(self, store: Store, scratch: Scratch) -> None:
        self.store = store
        self._scratch = scratch

    def url(self, stream: type[Records[Any]], document: str) -> str:
        return f"{self.store.url}/{artifact_key(stream.asset, document)}"

    def header(self, stream: type[Records[Any]], document: str) -> Header | None:
        """The header of the artifact that is there, or None."""
        try:
            with self.store.open(artifact_key(stream.asset, document)) as source:
                return _read_header(source, self.url(stream, document))
        except ObjectGone:
            return None

    def load(self, stream: type[S], document: str) -> S:
        """The stream of an artifact. Raises ArtifactMissing, or ArtifactDamaged, also while it is read.

        A small artifact is fetched here and now; a larger one record by record, each time it is read.
        """
        url = self.url(stream, document)
        payload: bytes | None = None
        try:
            with self.store.open(artifact_key(stream.asset, document)) as source:
                header = _read_header(source, url)
                if header.payload_bytes <= _KEPT_BYTES:
                    payload = source.read(header.payload_bytes)
        except ObjectGone as error:
            raise ArtifactMissing(
                f"{document}: {stream.asset} has not been made; materialize {stream.asset} first"
            ) from error
        if header.schema_version != stream.schema_version:
            raise ArtifactDamaged(
                f"{document}: {stream.asset} has schema {header.schema_version}, this code reads "
                f"{stream.schema_version}; materialize {stream.asset} again"
            )

        def read_as(record: type[Record]) -> Iterator[Any]:
            if payload is not None:
                return _rows(record, BytesIO(payload), header, url)
            return self._fetched_rows(stream, record, document, header)

        return stream(header.fingerprint, lambda: read_as(stream.record), read_as)

    def save(
        self,
        document: str,
        records: Records[Any],
        tally: "Tally | None" = None,
        *,
        notes: "Notes | None" = None,
        is_stale: bool = False,
    ) -> Saved:
        """Write the stream unless the artifact is there with the same fingerprint.

        Nobody looks when it is known to be stale. The stream is iterated at most once, into a scratch
        file; the artifact is replaced when all of it is there, so a failure at any point leaves the old one.
        """
        began = time.perf_counter()
        stream = type(records)
        present = None if is_stale else self.header(stream, document)
        if (
            present is not None
            and present.fingerprint == records.fingerprint
            and present.schema_version == stream.schema_version
        ):
            return Saved(present, self.url(stream, document), True, time.perf_counter() - began)
        with self._scratch.folder() as folder:
            header, path = _write(folder, document, records, tally, notes)
            self.store.put(artifact_key(stream.asset, document), path)
        return Saved(header, self.url(stream, document), False, time.perf_counter() - began)

    def parts(self, asset: str, document: str) -> "Parts":
        return Parts(self.store, self._scratch, f"{asset}/{path_of(document)}.parts/")

    def checkpoints(self, document: str) -> "SplitCheckpoints":
        """Beside the parts that they are read from: a new version brings other parts, and they go too."""
        parts = self.parts(PageSplits.asset, document)
        return SplitCheckpoints(self.store, self._scratch, document, f"{parts.prefix}{_CHECKPOINTS}")

    def _fetched_rows(
        self, stream: type[Records[Any]], record: type[Record], document: str, expected: Header
    ) -> Iterator[Any]:
        url = self.url(stream, document)
        with self.store.open(artifact_key(stream.asset, document)) as source:
            if _read_header(source, url) != expected:
                raise ArtifactDamaged(f"{url}: was replaced while it was read; run the document again")
            yield from _rows(record, source, expected, url)


class Parts:
    """Files that belong to one artifact, under names that tell their content apart by its hash."""

    def __init__(self, store: Store, scratch: Scratch, prefix: str) -> None:
        self._store = store
        self._scratch = scratch
        self.prefix = prefix
        self.kept: set[str] = set()

    def keep(self, name: str, source: Path, sha256: str | None = None) -> Blob:
        """Store a file under its name and hash; one that is there already is not sent again."""
        sha256 = sha256 or sha256_of(source)
        stem, dot, suffix = name.rpartition(".")
        key = f"{self.prefix}{stem}-{sha256[:16]}{dot}{suffix}"
        size = source.stat().st_size
        if not self._holds(key, size):
            self._store.put(key, source)
        self.kept.add(key)
        return Blob(key=key, size_bytes=size, sha256=sha256)

    @contextmanager
    def fetch(self, blob: Blob) -> Iterator[Path]:
        """The file as a temporary path, verified, which vanishes when the block ends."""
        with self._scratch.folder() as folder:
            path = folder / "part.pdf"
            try:
                sha256 = self._store.fetch(blob.key, path, blob.size_bytes)
            except ObjectGone as error:
                raise ArtifactMissing(
                    f"{self._store.url}/{blob.key}: gone; materialize the asset that it belongs to again"
                ) from error
            if sha256 != blob.sha256:
                raise ArtifactDamaged(
                    f"{self._store.url}/{blob.key}: the bytes are not those that were written; "
                    "materialize the asset that it belongs to again"
                )
            yield path

    def discard_others(self) -> int:
        """Delete what was not kept through this object; return how many files."""
        stale = [
            found.key
            for found in self._store.list(self.prefix)
            if found.key not in self.kept and self._is_part(found.key)
        ]
        for key in stale:
            self._store.delete(key)
        return len(stale)

    def _is_part(self, key: str) -> bool:
        """False for what belongs to another document, whose name begins with that of this folder."""
        name = key.removeprefix(self.prefix)
        return name.startswith(_CHECKPOINTS) or ("/" not in name and not name.endswith(_SUFFIX))

    def _holds(self, key: str, size_bytes: int) -> bool:
        try:
            return self._store.head(key).size_bytes == size_bytes
        except ObjectGone:
            return False


class SplitCheckpoints:
    """The page texts of the splits that are read, one object a split, until all of them are an artifact."""

    def __init__(self, store: Store, scratch: Scratch, document: str, prefix: str) -> None:
        self._store = store
        self._scratch = scratch
        self._document = document
        self._prefix = prefix
        self._is_used = False

    def load(self, made_from: str, first_page: int) -> Sequence[PageText] | None:
        """The pages of a split; None where none were kept, or not whole."""
        key = self._key(made_from, first_page)
        url = f"{self._store.url}/{key}"
        try:
            with self._store.open(key) as source:
                header = _read_header(source, url)
                if header.schema_version != PageTexts.schema_version:
                    return None
                pages = list(_rows(PageTexts.record, source, header, url))
        except (ObjectGone, ArtifactDamaged):
            return None
        self._is_used = True
        return pages

    def save(self, made_from: str, first_page: int, pages: Sequence[PageText]) -> None:
        self._is_used = True
        with self._scratch.folder() as folder:
            _, path = _write(folder, self._document, PageTexts(made_from, lambda: iter(pages)), None)
            self._store.put(self._key(made_from, first_page), path)

    def discard(self) -> None:
        """Delete all of them, those of earlier code and settings too, now that the artifact is whole."""
        if self._is_used:
            for found in list(self._store.list(self._prefix)):
                self._store.delete(found.key)

    def _key(self, made_from: str, first_page: int) -> str:
        return f"{self._prefix}{made_from}/{first_page:06d}{_SUFFIX}"


def artifact_key(asset: str, document: str) -> str:
    return f"{asset}/{path_of(document)}{_SUFFIX}"


def _write(
    folder: Path, document: str, records: Records[Any], tally: Tally | None, notes: Notes | None = None
) -> tuple[Header, Path]:
    payload = folder / "payload"
    rows, version = 0, ""
    facts: dict[str, float] = {}
    with (
        payload.open("wb") as sink,
        zstandard.ZstdCompressor(level=6, write_checksum=True).stream_writer(sink, closefd=False) as zstd,
    ):
        for row in records:
            zstd.write(row.model_dump_json().encode() + b"\n")
            rows, version = rows + 1, row.version
            for name, value in (tally(row) if tally else {}).items():
                facts[name] = facts.get(name, 0) + value
            if notes is not None:
                notes.see(row)
    header = Header(
        asset=records.asset,
        document=document,
        fingerprint=records.fingerprint,
        schema_version=records.schema_version,
        version=version,
        rows=rows,
        payload_bytes=payload.stat().st_size,
        sha256=sha256_of(payload),
        facts=facts,
        notes=notes.said() if notes is not None else {},
    )
    artifact = folder / "artifact"
    described = json.dumps(asdict(header)).encode()
    with artifact.open("wb") as sink, payload.open("rb") as source:
        sink.write(struct.pack("<II", _SKIPPABLE_MAGIC, len(described)) + described)
        copy_stream(source, sink)
    return header, artifact


def _read_header(source: BinaryIO, url: str) -> Header:
    start = source.read(8)
    if len(start) == 8:
        magic, length = struct.unpack("<II", start)
        if magic == _SKIPPABLE_MAGIC and length <= _HEADER_LIMIT_BYTES:
            try:
                return Header(**json.loads(source.read(length)))
            except (ValueError, TypeError) as error:
                raise ArtifactDamaged(f"{url}: its header can't be read; materialize it again") from error
    raise ArtifactDamaged(f"{url}: not an artifact of docpipe; delete the object and materialize it again")


def _rows(record: type[Record], source: BinaryIO, header: Header, url: str) -> Iterator[Any]:
    count = 0
    for line in _lines(source, url):
        count += 1
        yield record.model_validate_json(line)
    if count != header.rows:
        raise ArtifactDamaged(
            f"{url}: {count:,} of {header.rows:,} rows; materialize {header.asset} of {header.document} again"
        )


def _lines(source: BinaryIO, url: str) -> Iterator[bytes]:
    reader = zstandard.ZstdDecompressor().stream_reader(source, closefd=False)
    rest = b""
    try:
        while block := reader.read(256 * 1024):
            *whole, rest = (rest + block).split(b"\n")
            yield from whole
    except zstandard.ZstdError as error:
        raise ArtifactDamaged(f"{url}: damaged ({error}); materialize it again") from error
    if rest:
        raise ArtifactDamaged(f"{url}: ends within a row; materialize it again")
