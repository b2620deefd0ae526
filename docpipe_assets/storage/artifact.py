"""The format of an artifact: JSON Lines in Zstandard after a header, in one object.

It begins with a Zstandard *skippable frame* (RFC 8878, section 3.1.2), which every decoder passes over and
which holds the header: the fingerprint of what the rows were made from, their number and the schema. So an
artifact and the claim about it are written in one atomic step and cannot disagree. DuckDB, Polars and
``zstd -d`` read it in place.
"""

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias

import zstandard

from docpipe_assets.errors import ArtifactDamaged
from docpipe_assets.identity import path_of
from docpipe_assets.model import Record, Records
from docpipe_assets.storage.transfer import copy_stream, sha256_of

_SKIPPABLE_MAGIC = 0x184D2A5D
_HEADER_LIMIT_BYTES = 64 * 1024
SUFFIX = ".jsonl.zst"
HeaderSums: TypeAlias = Callable[[Any], Mapping[str, float]]
"""Computes the contribution of a row to the sums in the header, by name."""


class RowSummary(Protocol):
    """Observes the rows of an artifact while they are written and returns a small summary."""

    def add_row(self, row: Any) -> None: ...

    def as_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Header:
    """The metadata of an artifact."""

    asset: str
    document: str
    fingerprint: str
    schema_version: int
    version: str
    """The document version of the rows; empty if there are none."""
    rows: int
    payload_bytes: int
    sha256: str
    facts: dict[str, float]
    """Totals of the row sums, for example of pages or characters."""
    notes: dict[str, Any] = field(default_factory=dict)
    """Result of the row summary: small JSON values, by name."""


def artifact_key(asset: str, document: str) -> str:
    return f"{asset}/{path_of(document)}{SUFFIX}"


def write_artifact(
    folder: Path,
    document: str,
    records: Records[Any],
    row_sums: HeaderSums | None,
    summary: RowSummary | None = None,
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
            for name, value in (row_sums(row) if row_sums else {}).items():
                facts[name] = facts.get(name, 0) + value
            if summary is not None:
                summary.add_row(row)
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
        notes=summary.as_json() if summary is not None else {},
    )
    artifact = folder / "artifact"
    described = json.dumps(asdict(header)).encode()
    with artifact.open("wb") as sink, payload.open("rb") as source:
        sink.write(struct.pack("<II", _SKIPPABLE_MAGIC, len(described)) + described)
        copy_stream(source, sink)
    return header, artifact


def read_header(source: BinaryIO, url: str) -> Header:
    start = source.read(8)
    if len(start) == 8:
        magic, length = struct.unpack("<II", start)
        if magic == _SKIPPABLE_MAGIC and length <= _HEADER_LIMIT_BYTES:
            try:
                return Header(**json.loads(source.read(length)))
            except (ValueError, TypeError) as error:
                raise ArtifactDamaged(f"{url}: its header can't be read; materialize it again") from error
    raise ArtifactDamaged(f"{url}: not a docpipe artifact; delete the object and materialize it again")


def read_rows(record: type[Record], source: BinaryIO, header: Header, url: str) -> Iterator[Any]:
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
