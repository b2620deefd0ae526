"""Objects as files below a folder: docpipe on one machine, without an S3 server."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from docpipe_assets.errors import AccessDenied, ObjectChanged, ObjectGone, StoreUnavailable
from docpipe_assets.protocols import StoredObject
from docpipe_assets.transfer import copy_stream

_PENDING = ".docpipe-pending-"


class FileStore:
    """Keys are paths below the root."""

    def __init__(self, root: Path) -> None:
        self.url = root.absolute().as_uri()
        self._root = root.absolute()

    def head(self, key: str) -> StoredObject:
        try:
            status = self._path(key).stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ObjectGone(f"{key}: no such file below {self._root}") from error
        return _stored(key, status)

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[StoredObject]:
        if not self._root.is_dir():
            raise StoreUnavailable(f"{self._root}: no such folder; create it or correct the URL")
        found = []
        for folder, _, names in os.walk(self._root):
            for name in names:
                if not name.startswith(_PENDING):
                    path = Path(folder, name)
                    found.append((_key(path.relative_to(self._root)), path))
        for key, path in sorted(found, key=lambda item: os.fsencode(item[0])):
            if key.startswith(prefix) and os.fsencode(key) > os.fsencode(start_after):
                yield _stored(key, path.stat())

    def open(self, key: str, etag: str | None = None) -> AbstractContextManager[BinaryIO]:
        return _open(self._path(key), key, etag)

    def put(self, key: str, source: Path) -> StoredObject:
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, pending = tempfile.mkstemp(prefix=_PENDING, dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as sink, source.open("rb") as stream:
                copy_stream(stream, sink)
                sink.flush()
                os.fsync(sink.fileno())
            Path(pending).replace(target)
        except BaseException:
            Path(pending).unlink(missing_ok=True)
            raise
        return _stored(key, target.stat())

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._root.joinpath(*(_SPELT.get(part, part) for part in key.split("/")))


# These segments are legal in S3 keys, but would leave the folder or vanish from a path.
_SPELT = {"": "%", ".": "%2E", "..": "%2E%2E"}
_MEANT = {spelt: meant for meant, spelt in _SPELT.items()}


class GivenFiles:
    """A source of the files that somebody named, each under the name it is given here."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self.url = "file:"
        self._files = dict(files)

    def head(self, key: str) -> StoredObject:
        try:
            return _stored(key, self._files[key].stat())
        except (KeyError, FileNotFoundError, NotADirectoryError) as error:
            raise ObjectGone(f"{key}: no such file") from error

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[StoredObject]:
        for key in sorted(self._files, key=str.encode):
            if key.startswith(prefix) and key.encode() > start_after.encode():
                yield self.head(key)

    def open(self, key: str, etag: str | None = None) -> AbstractContextManager[BinaryIO]:
        return _open(self._files[key], key, etag)


def _key(path: Path) -> str:
    return "/".join(_MEANT.get(part, part) for part in path.parts)


def _stored(key: str, status: os.stat_result) -> StoredObject:
    # Time, size and inode change with every replacement, so together they tell versions apart.
    etag = f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"
    return StoredObject(key, status.st_size, etag, datetime.fromtimestamp(status.st_mtime, UTC))


@contextmanager
def _open(path: Path, key: str, etag: str | None) -> Iterator[BinaryIO]:
    try:
        stream = path.open("rb")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise ObjectGone(f"{key}: no such file") from error
    except PermissionError as error:
        raise AccessDenied(f"{key}: may not be read; check its owner and mode") from error
    with stream:
        found = _stored(key, os.fstat(stream.fileno())).etag
        if etag is not None and found != etag:
            raise ObjectChanged(f"{key}: was {etag}, is {found}; it was replaced since it was listed")
        yield stream
