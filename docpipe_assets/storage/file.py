"""Objects as files below a folder: docpipe on one machine, without an S3 server."""

import errno
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from docpipe_assets.errors import AccessDenied, ObjectChanged, ObjectGone, StoreError, StoreUnavailable
from docpipe_assets.protocols import StoredObject
from docpipe_assets.storage.transfer import copy_stream, download

_PENDING = ".docpipe-pending-"


class FileStore:
    """Keys are paths below the root."""

    def __init__(self, root: Path) -> None:
        self.url = root.absolute().as_uri()
        self._root = root.absolute()

    def head(self, key: str) -> StoredObject:
        try:
            status = self._path(key).stat()
        except (OSError, ValueError) as error:
            raise _not_read(error, key) from error
        return _stored(key, status)

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[StoredObject]:
        self._require_root()
        found = []
        for folder, _, names in os.walk(self._root):
            for name in names:
                if not name.startswith(_PENDING):
                    path = Path(folder, name)
                    found.append((_key(path.relative_to(self._root)), path))
        for key, path in sorted(found, key=lambda item: os.fsencode(item[0])):
            if key.startswith(prefix) and os.fsencode(key) > os.fsencode(start_after):
                try:
                    status = path.stat()
                except FileNotFoundError:  # deleted since the folder was read
                    continue
                yield _stored(key, status)

    def folders(self) -> Sequence[str]:
        self._require_root()
        return sorted(_key(Path(entry.name)) for entry in os.scandir(self._root) if entry.is_dir())

    def open(self, key: str, etag: str | None = None) -> AbstractContextManager[BinaryIO]:
        return _open(self._path(key), key, etag)

    def fetch(self, key: str, target: Path, size_bytes: int, etag: str | None = None) -> str:
        with self.open(key, etag) as source:
            return download(source, target, size_bytes, key)

    def put(self, key: str, source: Path) -> StoredObject:
        target = self._path(key)
        try:
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
        except (OSError, ValueError) as error:
            raise _not_written(error, key) from error

    def delete(self, key: str) -> None:
        try:
            self._path(key).unlink()
        except (OSError, ValueError) as error:
            if not _is_not_found(error):
                raise _not_written(error, key) from error

    def _require_root(self) -> None:
        if not self._root.is_dir():
            raise StoreUnavailable(f"{self._root}: no such folder; create it or correct the URL")

    def _path(self, key: str) -> Path:
        return self._root.joinpath(*(_ESCAPED.get(part, part) for part in key.split("/")))


# These segments are legal in S3 keys, but would escape from the folder or be dropped from a path.
_ESCAPED = {"": "%", ".": "%2E", "..": "%2E%2E"}
_UNESCAPED = {spelt: meant for meant, spelt in _ESCAPED.items()}


class LocalFiles:
    """A source of local files under given names."""

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

    def folders(self) -> Sequence[str]:
        return sorted({key.split("/", 1)[0] for key in self._files if "/" in key})

    def open(self, key: str, etag: str | None = None) -> AbstractContextManager[BinaryIO]:
        if key not in self._files:
            raise ObjectGone(f"{key}: no such file")
        return _open(self._files[key], key, etag)

    def fetch(self, key: str, target: Path, size_bytes: int, etag: str | None = None) -> str:
        with self.open(key, etag) as source:
            return download(source, target, size_bytes, key)


def _is_not_found(error: OSError | ValueError) -> bool:
    """Whether the error means that there is no such file, including names that are too long or
    contain NUL.
    """
    if isinstance(error, OSError):
        return error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG)
    return True


def _not_read(error: OSError | ValueError, key: str) -> StoreError:
    if _is_not_found(error):
        return ObjectGone(f"{key}: no such file")
    if isinstance(error, PermissionError):
        return AccessDenied(f"{key}: permission to read denied; check its owner and mode")
    return StoreUnavailable(f"{key}: can't be read ({error}); check the disk")


def _not_written(error: OSError | ValueError, key: str) -> StoreError:
    if isinstance(error, PermissionError):
        return AccessDenied(f"{key}: permission to write denied; check the owner and mode of its folder")
    return StoreUnavailable(f"{key}: can't be written ({error}); check the disk and the length of the name")


def _key(path: Path) -> str:
    return "/".join(_UNESCAPED.get(part, part) for part in path.parts)


def _stored(key: str, status: os.stat_result) -> StoredObject:
    # Time, size and inode change with every replacement, so together they identify a version.
    etag = f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"
    return StoredObject(key, status.st_size, etag, datetime.fromtimestamp(status.st_mtime, UTC))


@contextmanager
def _open(path: Path, key: str, etag: str | None) -> Iterator[BinaryIO]:
    try:
        stream = path.open("rb")
    except (OSError, ValueError) as error:
        raise _not_read(error, key) from error
    with stream:
        found = _stored(key, os.fstat(stream.fileno())).etag
        if etag is not None and found != etag:
            raise ObjectChanged(
                f"{key}: ETag changed from {etag} to {found}; it was replaced since the listing"
            )
        yield stream
