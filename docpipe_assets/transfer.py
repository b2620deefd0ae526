"""Streams bytes with a bounded buffer, hashing them on the way."""

import hashlib
from pathlib import Path
from typing import BinaryIO

from docpipe_assets.errors import TransferCut

BUFFER_BYTES = 1024 * 1024


def copy_stream(source: BinaryIO, sink: BinaryIO) -> tuple[int, str]:
    """Copy all of a stream; return the number of bytes and their SHA-256."""
    seen = hashlib.sha256()
    size = 0
    while block := source.read(BUFFER_BYTES):
        seen.update(block)
        sink.write(block)
        size += len(block)
    return size, seen.hexdigest()


def download(source: BinaryIO, target: Path, expected_bytes: int, what: str) -> str:
    """Stream to a file, and return the SHA-256; the file is complete or TransferCut is raised."""
    with target.open("wb") as sink:
        size, sha256 = copy_stream(source, sink)
    if size != expected_bytes:
        raise TransferCut(
            f"{what}: {size:,} of {expected_bytes:,} bytes arrived; the transfer was cut, try again"
        )
    return sha256


def sha256_of(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
