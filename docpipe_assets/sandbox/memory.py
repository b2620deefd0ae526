"""The memory limit of a child, enforced so that exceeding it is always detected.

If the kernel rejects an allocation, only the child learns of it. Most parsers then fail with some other
error, or continue without an image or a page, which would be silent loss. So nothing is rejected at the
limit, but only one large block above it. A child that was ever above the limit has no result, and a request
for such a block is killed by the system call filter. Any other rejected request is smaller, so the child was
above the limit by then.
"""

import ctypes
import os
import resource
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from docpipe_assets.errors import MemoryLimit

_HEADROOM_MIN = 4 * 2**20
"""Minimum headroom with which Python can run at all."""
_GROWN_BY_BRK_MAX = 64 * 2**20
"""glibc allocates blocks of up to 32 MiB from its heap, which no rule for mappings sees."""
_M_MMAP_THRESHOLD = -3


@dataclass(frozen=True)
class Allowance:
    """The memory that a child may use in addition to that of the process it was forked from."""

    limit_bytes: int
    """Limit of its data."""
    headroom_bytes: int
    """Difference between the limit and its initial data."""
    block_bytes: int
    """A single request of this size is killed: all of the headroom, or less if the kernel rejects that
    already."""
    size_before_bytes: int
    """Initial size of its address space."""

    @property
    def refused_bytes(self) -> int:
        """The size that the kernel rejects."""
        return self.limit_bytes + self.block_bytes

    @property
    def is_exceeded(self) -> bool:
        """Whether this process was ever above its limit, by the high-water mark of the kernel."""
        return peak_size_bytes() - self.size_before_bytes > self.headroom_bytes


def allowance_under(limit_bytes: int) -> Allowance:
    """The allowance of this process under a limit of its data. Raises MemoryLimit if there is no headroom."""
    fields = Path("/proc/self/statm").read_bytes().split()
    size, data = (int(fields[place]) * resource.getpagesize() for place in (0, 5))
    ceiling = resource.getrlimit(resource.RLIMIT_DATA)[1]
    if ceiling != resource.RLIM_INFINITY:
        limit_bytes = min(limit_bytes, data + (ceiling - data) * 3 // 4)
    room = limit_bytes - data
    if room < _HEADROOM_MIN:
        raise MemoryLimit(
            f"a limit of {limit_bytes >> 20} MiB is too low: the libraries alone need {data >> 20} MiB"
        )
    block = room if ceiling == resource.RLIM_INFINITY else min(room, ceiling - limit_bytes)
    return Allowance(limit_bytes, room, block, size)


def map_large_blocks(allowance: Allowance) -> None:
    """Let the allocator map blocks of at least half that size instead of growing its heap."""
    if allowance.block_bytes < _GROWN_BY_BRK_MAX:
        with suppress(AttributeError):  # not glibc
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, allowance.block_bytes // 2)


def peak_size_bytes() -> int:
    """The peak size of the address space of this process; 0 if the kernel does not report it."""
    # Called for each item; a Path would cost five times as much.
    descriptor = os.open("/proc/self/status", os.O_RDONLY)
    try:
        text = os.read(descriptor, 4096)
    finally:
        os.close(descriptor)
    _, found, rest = text.partition(b"VmPeak:")
    return int(rest[: rest.index(b"kB")]) * 1024 if found else 0
