"""The lake: one typed artifact per asset and document, and the files that belong to it.

An artifact is one object, ``<asset>/<document>.jsonl.zst``: JSON Lines compressed with Zstandard, readable in
place by DuckDB, Polars and ``zstd -d``. It begins with a Zstandard *skippable frame* (RFC 8878, section
3.1.2), which every decoder skips and which contains the header: the fingerprint of the inputs, the number of
rows and the schema version. So an artifact and its metadata are written atomically and cannot disagree.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypeVar

from docpipe_assets.errors import ArtifactDamaged, ArtifactMissing, ObjectGone
from docpipe_assets.identity import path_of
from docpipe_assets.model import PageSplits, Record, Records
from docpipe_assets.model.corpus import CorpusRecord, CorpusRecords
from docpipe_assets.protocols import Scratch, Store
from docpipe_assets.storage.artifact import (
    Header,
    HeaderSums,
    RowSummary,
    artifact_key,
    read_header,
    read_rows,
    write_artifact,
)
from docpipe_assets.storage.checkpoints import SplitCheckpoints
from docpipe_assets.storage.corpus import Corpus
from docpipe_assets.storage.parts import CHECKPOINTS, Parts

_INLINE_BYTES_MAX = 256 * 1024
"""Maximum size of an artifact that is fetched by one request and kept in memory with its stream."""

S = TypeVar("S", bound=Records[Any])
C = TypeVar("C", bound=CorpusRecord)


@dataclass(frozen=True)
class Saved:
    """The result of saving a stream."""

    header: Header
    url: str
    is_unchanged: bool
    wall_seconds: float


class Lake:
    """Typed artifacts in a store. Safe for concurrent use by many processes."""

    def __init__(self, store: Store, scratch: Scratch) -> None:
        self.store = store
        self._scratch = scratch

    def url(self, stream: type[Records[Any]], document: str) -> str:
        return f"{self.store.url}/{artifact_key(stream.asset, document)}"

    def header(self, stream: type[Records[Any]], document: str) -> Header | None:
        """The header of the stored artifact, or None."""
        try:
            with self.store.open(artifact_key(stream.asset, document)) as source:
                return read_header(source, self.url(stream, document))
        except ObjectGone:
            return None

    def load(self, stream: type[S], document: str) -> S:
        """The stream of an artifact. Raises ArtifactMissing, or ArtifactDamaged, also while it is read.

        A small artifact is fetched immediately; a larger one is streamed each time it is read.
        """
        url = self.url(stream, document)
        payload: bytes | None = None
        try:
            with self.store.open(artifact_key(stream.asset, document)) as source:
                header = read_header(source, url)
                if header.payload_bytes <= _INLINE_BYTES_MAX:
                    payload = source.read(header.payload_bytes)
        except ObjectGone as error:
            raise ArtifactMissing(
                f"{document}: {stream.asset} does not exist; materialize {stream.asset} first"
            ) from error
        if header.schema_version != stream.schema_version:
            raise ArtifactDamaged(
                f"{document}: {stream.asset} has schema version {header.schema_version}, this release reads "
                f"{stream.schema_version}; materialize {stream.asset} again"
            )

        def read_class(record: type[Record]) -> Iterator[Any]:
            if payload is not None:
                return read_rows(record, BytesIO(payload), header, url)
            return self._fetched_rows(stream, record, document, header)

        return stream(header.fingerprint, lambda: read_class(stream.record), read_class)

    def save(
        self,
        document: str,
        records: Records[Any],
        row_sums: "HeaderSums | None" = None,
        *,
        summary: "RowSummary | None" = None,
        is_stale: bool = False,
    ) -> Saved:
        """Write the stream unless the stored artifact has the same fingerprint.

        ``row_sums`` returns the numbers of one row; their totals over all rows are the header's ``facts``.
        ``summary`` observes all rows; its result is the header's ``notes``. ``is_stale`` skips the
        comparison. The stream is iterated at most once, into a scratch file; the
        artifact is replaced when the file is complete, so a failure at any point leaves the old artifact.
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
            header, path = write_artifact(folder, document, records, row_sums, summary)
            self.store.put(artifact_key(stream.asset, document), path)
        return Saved(header, self.url(stream, document), False, time.perf_counter() - began)

    def corpus(self, stream: type[CorpusRecords[C]]) -> Corpus[C]:
        """The artifact of a corpus asset."""
        return Corpus(self.store, self._scratch, stream)

    def parts(self, asset: str, document: str) -> "Parts":
        return Parts(self.store, self._scratch, f"{asset}/{path_of(document)}.parts/")

    def checkpoints(self, document: str) -> "SplitCheckpoints":
        """The checkpoint store of a document's ``ocr_text``.

        It is below the folder of the part PDFs from which the text is read, so that a new version of
        ``page_splits``, which has other part PDFs, also deletes the checkpoints.
        """
        parts = self.parts(PageSplits.asset, document)
        return SplitCheckpoints(self.store, self._scratch, document, f"{parts.prefix}{CHECKPOINTS}")

    def _fetched_rows(
        self, stream: type[Records[Any]], record: type[Record], document: str, expected: Header
    ) -> Iterator[Any]:
        url = self.url(stream, document)
        with self.store.open(artifact_key(stream.asset, document)) as source:
            if read_header(source, url) != expected:
                raise ArtifactDamaged(f"{url}: was replaced while it was read; run the document again")
            yield from read_rows(record, source, expected, url)
