"""How much memory a child may take, so that no want of it goes unnoticed.

Where an allocation is refused, the kernel tells nobody else. Most parsers then fail with some other error,
or leave out an image or a page and go on, which would be silent loss. So nothing is refused at the limit,
but one large block above it; what has ever been above the limit has no result; and who asks for such a block
at once is killed by the system call filter. Whatever is refused besides is smaller than that, so the child
was above the limit by then.
"""

import ctypes
import os
import resource
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from docpipe_assets.errors import MemoryLimit

_ROOM_MIN = 4 * 2**20
"""With less not even Python could do anything."""
_GROWN_BY_BRK_MAX = 64 * 2**20
"""glibc takes blocks of up to 32 MiB from its heap, which no rule for mappings sees."""
_M_MMAP_THRESHOLD = -3


@dataclass(frozen=True)
class Allowance:
    """What a child may take beyond what the process that it was forked from has taken."""

    limit_bytes: int
    """Of its data."""
    room_bytes: int
    """Between the limit and what it had at first."""
    block_bytes: int
    """So much at once is death: all of the room, or less where the kernel refuses that already."""
    size_before_bytes: int
    """Of its address space."""

    @property
    def refused_bytes(self) -> int:
        """What the kernel refuses."""
        return self.limit_bytes + self.block_bytes

    @property
    def is_exceeded(self) -> bool:
        """Whether this process has ever been above its limit, by the kernel's own high-water mark."""
        return peak_size_bytes() - self.size_before_bytes > self.room_bytes


def allowance_under(limit_bytes: int) -> Allowance:
    """What this process may take under a limit of its data. Raises MemoryLimit when there is no room."""
    fields = Path("/proc/self/statm").read_bytes().split()
    size, data = (int(fields[place]) * resource.getpagesize() for place in (0, 5))
    ceiling = resource.getrlimit(resource.RLIMIT_DATA)[1]
    if ceiling != resource.RLIM_INFINITY:
        limit_bytes = min(limit_bytes, data + (ceiling - data) * 3 // 4)
    room = limit_bytes - data
    if room < _ROOM_MIN:
        raise MemoryLimit(
            f"a limit of {limit_bytes >> 20} MiB leaves no room: the libraries alone take {data >> 20} MiB"
        )
    block = room if ceiling == resource.RLIM_INFINITY else min(room, ceiling - limit_bytes)
    return Allowance(limit_bytes, room, block, size)


def keep_blocks_visible(allowance: Allowance) -> None:
    """Have the allocator map what is half such a block or more, where it would grow its heap by it."""
    if allowance.block_bytes < _GROWN_BY_BRK_MAX:
        with suppress(AttributeError):  # not glibc
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, allowance.block_bytes // 2)


def peak_size_bytes() -> int:
    """The largest address space that this process has had; 0 where the kernel does not tell."""
    # Asked for each item, and a Path costs five times as much.
    descriptor = os.open("/proc/self/status", os.O_RDONLY)
    try:
        text = os.read(descriptor, 4096)
    finally:
        os.close(descriptor)
    _, found, rest = text.partition(b"VmPeak:")
    return int(rest[: rest.index(b"kB")]) * 1024 if found else 0
