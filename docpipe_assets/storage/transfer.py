"""Streams bytes with bounded buffers, hashing them on the way; what was cut goes on where it ended."""

import hashlib
import io
import os
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from typing import BinaryIO, NamedTuple, Protocol, TypeAlias

from docpipe_assets.errors import TransferCut

BUFFER_BYTES = 1024 * 1024
RANGE_BYTES = 16 * 1024 * 1024
"""Large enough that the wait for an answer is small beside the transfer, also over a long way."""

_THREADS = 4
_BLOCK_BYTES = 256 * 1024
_PAUSES_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Before a cut range is asked for again; shortened at random, so that many readers do not come at once."""


class Body(Protocol):
    """What a server sends. Raises TransferCut when it breaks off, and may also just end."""

    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


class Piece(NamedTuple):
    """Bytes of an object from where they were asked for up to, and without, ``end``."""

    body: Body
    end: int


OpenRange: TypeAlias = Callable[[int, int | None], Piece]
"""Asks for the bytes from the first offset up to, and without, the second; None means the end.

Gives a piece only of exactly these bytes, and always of the same version.
"""


class ResumingReader(io.RawIOBase):
    """Reads a range from its start to its end; a transfer that was cut goes on at the byte where it ended.

    Raises TransferCut when it was cut too often, and what ``open_range`` raises.
    """

    def __init__(self, open_range: OpenRange, what: str, start: int = 0, end: int | None = None) -> None:
        super().__init__()
        self._open_range = open_range
        self._what = what
        self._at = start
        self._cuts = 0
        self._body: Body | None = None  # closed with this object, also when the first answer is an error
        self._body, self._end = open_range(start, end)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes; none only at the end."""
        if size < 0:
            return self.readall()
        while size and self._at < self._end:
            try:
                if self._body is None:
                    self._body, _ = self._open_range(self._at, self._end)
                if block := self._body.read(min(size, self._end - self._at)):
                    self._at += len(block)
                    return block
            except TransferCut as error:
                self._pause(error)
            else:
                self._pause(None)
        return b""

    def close(self) -> None:
        super().close()
        if self._body is not None:
            self._body.close()

    def _pause(self, error: TransferCut | None) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None
        self._cuts += 1
        if self._cuts > len(_PAUSES_SECONDS):
            raise TransferCut(
                f"{self._what}: cut {self._cuts} times, at last after {self._at:,} of {self._end:,} bytes; "
                "try again"
            ) from error
        time.sleep(_PAUSES_SECONDS[self._cuts - 1] * random.uniform(0.5, 1))


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
    """Stream to a file, and return the SHA-256; the file is there whole, or TransferCut is raised."""
    with _arriving(target) as sink:
        size, sha256 = copy_stream(source, sink)
        if size != expected_bytes:
            raise TransferCut(
                f"{what}: {size:,} of {expected_bytes:,} bytes arrived; the transfer was cut, try again"
            )
    return sha256


def download_ranges(
    open_range: OpenRange, target: Path, size_bytes: int, what: str, range_bytes: int = RANGE_BYTES
) -> str:
    """Fetch several ranges at a time into a file, and return the SHA-256; the file is there whole, or not.

    The hash is made in the order of the file, from what lies in the page cache, while later ranges
    arrive; so no byte waits in this process's memory for its turn. Raises what ResumingReader does.
    """
    ranges = [
        (start, min(start + range_bytes, size_bytes)) for start in range(0, max(size_bytes, 1), range_bytes)
    ]
    seen = hashlib.sha256()
    is_given_up = Event()
    with _arriving(target) as file:
        pool = ThreadPoolExecutor(min(_THREADS, len(ranges)), thread_name_prefix="download")
        try:
            arrivals = [pool.submit(_fetch, open_range, what, span, file, is_given_up) for span in ranges]
            for span, arrival in zip(ranges, arrivals, strict=True):
                arrival.result()
                _hash(file, span, seen)
        finally:
            is_given_up.set()
            pool.shutdown(cancel_futures=True)
    return seen.hexdigest()


def sha256_of(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _fetch(
    open_range: OpenRange, what: str, span: tuple[int, int], file: BinaryIO, is_given_up: Event
) -> None:
    at, end = span
    with closing(ResumingReader(open_range, what, at, end)) as reader:
        while not is_given_up.is_set() and (block := reader.read(_BLOCK_BYTES)):
            rest = memoryview(block)
            while rest:
                written = os.pwrite(file.fileno(), rest, at)
                at, rest = at + written, rest[written:]


def _hash(file: BinaryIO, span: tuple[int, int], seen: "hashlib._Hash") -> None:
    at, end = span
    buffer = memoryview(bytearray(min(BUFFER_BYTES, end - at)))
    while at < end:
        size = os.preadv(file.fileno(), [buffer[: end - at]], at)
        if not size:
            raise TransferCut(f"{file.name}: ends at byte {at:,}; something else writes to this folder")
        seen.update(buffer[:size])
        at += size


@contextmanager
def _arriving(target: Path) -> Iterator[BinaryIO]:
    """A file to fill, which gets its name when the block ends and is removed when an error ends it."""
    pending = target.with_name(f"{target.name}.arriving")
    try:
        with pending.open("w+b") as file:
            yield file
        pending.replace(target)
    except BaseException:
        pending.unlink(missing_ok=True)
        raise
