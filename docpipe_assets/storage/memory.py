"""Objects in memory: the store for tests and experiments."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from docpipe_assets.errors import ObjectChanged, ObjectGone
from docpipe_assets.protocols import StoredObject
from docpipe_assets.storage.transfer import download


class MemoryStore:
    def __init__(self) -> None:
        self.url = "memory:"
        self._objects: dict[str, tuple[StoredObject, bytes]] = {}

    def head(self, key: str) -> StoredObject:
        return self._find(key)[0]

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[StoredObject]:
        for key in sorted(self._objects, key=str.encode):
            if key.startswith(prefix) and key.encode() > start_after.encode():
                yield self._objects[key][0]

    def folders(self) -> Sequence[str]:
        return sorted({key.split("/", 1)[0] for key in self._objects if "/" in key})

    @contextmanager
    def open(self, key: str, etag: str | None = None) -> Iterator[BinaryIO]:
        stored, data = self._find(key)
        if etag is not None and stored.etag != etag:
            raise ObjectChanged(
                f"{key}: ETag changed from {etag} to {stored.etag}; it was replaced since the listing"
            )
        yield io.BytesIO(data)

    def fetch(self, key: str, target: Path, size_bytes: int, etag: str | None = None) -> str:
        with self.open(key, etag) as source:
            return download(source, target, size_bytes, key)

    def put(self, key: str, source: Path) -> StoredObject:
        data = source.read_bytes()
        stored = StoredObject(
            key, len(data), hashlib.md5(data, usedforsecurity=False).hexdigest(), datetime.now(UTC)
        )
        self._objects[key] = (stored, data)
        return stored

    def delete(self, key: str) -> None:
        self._objects.pop(key, None)

    def _find(self, key: str) -> tuple[StoredObject, bytes]:
        try:
            return self._objects[key]
        except KeyError as error:
            raise ObjectGone(f"{key}: no such object in memory") from error
