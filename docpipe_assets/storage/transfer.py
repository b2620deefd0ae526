"""Streams bytes with bounded buffers and hashes them on the way; an interrupted transfer resumes at its last
byte.
"""

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
"""Size of one range request: large enough to make the latency of a request negligible, even over a long
distance."""

_THREADS = 4
_BLOCK_BYTES = 256 * 1024
_PAUSES_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Pauses before an interrupted range is requested again; randomly shortened, so that readers do not retry in
step."""


class Body(Protocol):
    """The body of a response. It may end early; raises TransferCut if it is interrupted."""

    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


class RangeResponse(NamedTuple):
    """The body of a range response; ``end`` is the exclusive end offset of its bytes."""

    body: Body
    end: int


OpenRange: TypeAlias = Callable[[int, int | None], RangeResponse]
"""Requests the bytes from the first offset up to the second one (exclusive; None: to the end).

Returns exactly these bytes, always of the same version.
"""


class ResumingReader(io.RawIOBase):
    """Reads a range; an interrupted transfer resumes at the byte where it was cut.

    Raises TransferCut after too many interruptions, and whatever ``open_range`` raises.
    """

    def __init__(self, open_range: OpenRange, what: str, start: int = 0, end: int | None = None) -> None:
        super().__init__()
        self._open_range = open_range
        self._what = what
        self._at = start
        self._cuts = 0
        self._body: Body | None = None  # closed with this object, even if the first response is an error
        self._body, self._end = open_range(start, end)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes; empty only at the end."""
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
                f"{self._what}: interrupted {self._cuts} times, after {self._at:,} of {self._end:,} bytes; "
                "try again"
            ) from error
        time.sleep(_PAUSES_SECONDS[self._cuts - 1] * random.uniform(0.5, 1))


def copy_stream(source: BinaryIO, sink: BinaryIO) -> tuple[int, str]:
    """Copy a whole stream; return the number of bytes and their SHA-256."""
    seen = hashlib.sha256()
    size = 0
    while block := source.read(BUFFER_BYTES):
        seen.update(block)
        sink.write(block)
        size += len(block)
    return size, seen.hexdigest()


def download(source: BinaryIO, target: Path, expected_bytes: int, what: str) -> str:
    """Stream to a file and return the SHA-256. The file is complete, or TransferCut is raised."""
    with _atomic_target(target) as sink:
        size, sha256 = copy_stream(source, sink)
        if size != expected_bytes:
            raise TransferCut(
                f"{what}: received {size:,} of {expected_bytes:,} bytes; interrupted, try again"
            )
    return sha256


def download_ranges(
    open_range: OpenRange, target: Path, size_bytes: int, what: str, range_bytes: int = RANGE_BYTES
) -> str:
    """Fetch several ranges concurrently into a file and return the SHA-256. The file is complete, or an error
    is raised.

    The hash is computed in file order from the page cache while later ranges arrive, so no byte waits in the
    memory of this process. Raises what ResumingReader raises.
    """
    ranges = [
        (start, min(start + range_bytes, size_bytes)) for start in range(0, max(size_bytes, 1), range_bytes)
    ]
    seen = hashlib.sha256()
    is_cancelled = Event()
    with _atomic_target(target) as file:
        pool = ThreadPoolExecutor(min(_THREADS, len(ranges)), thread_name_prefix="download")
        try:
            downloads = [pool.submit(_fetch, open_range, what, span, file, is_cancelled) for span in ranges]
            for span, transfer in zip(ranges, downloads, strict=True):
                transfer.result()
                _hash(file, span, seen)
        finally:
            is_cancelled.set()
            pool.shutdown(cancel_futures=True)
    return seen.hexdigest()


def sha256_of(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _fetch(
    open_range: OpenRange, what: str, span: tuple[int, int], file: BinaryIO, is_cancelled: Event
) -> None:
    at, end = span
    with closing(ResumingReader(open_range, what, at, end)) as reader:
        while not is_cancelled.is_set() and (block := reader.read(_BLOCK_BYTES)):
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
            raise TransferCut(f"{file.name}: ends at byte {at:,}; another process writes to this folder")
        seen.update(buffer[:size])
        at += size


@contextmanager
def _atomic_target(target: Path) -> Iterator[BinaryIO]:
    """A temporary file that is renamed to ``target`` when the block ends and deleted if it raises."""
    pending = target.with_name(f"{target.name}.arriving")
    try:
        with pending.open("w+b") as file:
            yield file
        pending.replace(target)
    except BaseException:
        pending.unlink(missing_ok=True)
        raise
