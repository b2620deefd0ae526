"""Uploads files to a batch of the intake bucket, concurrently and idempotently."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from docpipe_assets.errors import ConfigurationError, ObjectGone
from docpipe_assets.protocols import Store, StoredObject

_PART_BYTES = 8 * 1024 * 1024
"""Part size of boto3 uploads; it determines the ETag of a large object."""


@dataclass(frozen=True)
class Uploaded:
    key: str
    size_bytes: int
    already_present: bool


def files_to_upload(paths: Iterable[Path], batch: str) -> dict[str, Path]:
    """The S3 key of each file; folders are uploaded recursively, hidden files are skipped.

    Raises ConfigurationError for a missing path, a batch name that is not one path segment, and two files
    with the same key.
    """
    if not batch or "/" in batch or batch in (".", ".."):
        raise ConfigurationError(f"batch {batch!r}: use one name without a slash")
    keys: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise ConfigurationError(f"{path}: no such file or folder")
        root = path if path.is_dir() else path.parent
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            name = file.relative_to(root)
            if not file.is_file() or any(part.startswith(".") for part in name.parts):
                continue
            key = f"{batch}/{name.as_posix()}"
            if key in keys:
                raise ConfigurationError(
                    f"{keys[key]} and {file} map to the same key {key}; rename one of them"
                )
            keys[key] = file
    return keys


def upload(
    files: Mapping[str, Path], store: Store, *, parallel: int, on_done: Callable[[Uploaded], None]
) -> list[Uploaded]:
    """Upload the missing objects. The first failure cancels the uploads that have not started,
    and is raised.
    """
    with ThreadPoolExecutor(parallel) as pool:
        pending = [pool.submit(_upload_one, key, path, store) for key, path in files.items()]
        try:
            done = []
            for future in as_completed(pending):
                done.append(future.result())
                on_done(done[-1])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return done


def _upload_one(key: str, path: Path, store: Store) -> Uploaded:
    size = path.stat().st_size
    try:
        if is_same(store.head(key), path):
            return Uploaded(key, size, already_present=True)
    except ObjectGone:
        pass
    store.put(key, path)
    return Uploaded(key, size, already_present=False)


def is_same(found: StoredObject, path: Path) -> bool:
    """Whether the object has the bytes of the file, judged by size and ETag.

    An ETag that is not an MD5 (SSE-KMS) does not identify the content; the object then has to be newer than
    the file.
    """
    status = path.stat()
    if found.size_bytes != status.st_size:
        return False
    whole, of_parts = _etags(path)
    if found.etag in (whole, of_parts):
        return True
    looks_like_md5 = len(found.etag.partition("-")[0]) == 32
    return not looks_like_md5 and found.last_modified > datetime.fromtimestamp(status.st_mtime, UTC)


def _etags(path: Path) -> tuple[str, str]:
    whole = hashlib.md5(usedforsecurity=False)
    parts = []
    with path.open("rb") as source:
        while block := source.read(_PART_BYTES):
            whole.update(block)
            parts.append(hashlib.md5(block, usedforsecurity=False).digest())
    of_parts = hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()
    return whole.hexdigest(), f"{of_parts}-{len(parts)}"
