"""A set and a map with 9 and 17 bytes per entry, where Python's take 100 and more, for data that grows with a
document.

They store the 64-bit hashes of their entries and can't list them. Among a million entries two have the same
hash in one of 40 million documents; hashes differ between processes, so a retry is not affected.
"""

from array import array
from bisect import bisect_left
from collections.abc import Hashable

_BITS = 0xFFFF_FFFF_FFFF_FFFF
_BUCKETS = 1024
"""Each bucket is sorted, and so short that an insertion moves only a few kilobytes."""


class HashedSet:
    """Membership of added items."""

    def __init__(self) -> None:
        self._buckets = [array("Q") for _ in range(_BUCKETS)]

    def add(self, item: Hashable) -> None:
        number = hash(item) & _BITS
        bucket = self._buckets[number % _BUCKETS]
        at = bisect_left(bucket, number)
        if at == len(bucket) or bucket[at] != number:
            bucket.insert(at, number)

    def __contains__(self, item: object) -> bool:
        number = hash(item) & _BITS
        bucket = self._buckets[number % _BUCKETS]
        at = bisect_left(bucket, number)
        return at < len(bucket) and bucket[at] == number

    def __len__(self) -> int:
        return sum(map(len, self._buckets))


class HashedMap:
    """The last integer, from 0 to 2**64 - 1, that was set for a key."""

    def __init__(self) -> None:
        self._keys = [array("Q") for _ in range(_BUCKETS)]
        self._values = [array("Q") for _ in range(_BUCKETS)]

    def __setitem__(self, key: Hashable, value: int) -> None:
        number = hash(key) & _BITS
        keys, values = self._keys[number % _BUCKETS], self._values[number % _BUCKETS]
        at = bisect_left(keys, number)
        if at < len(keys) and keys[at] == number:
            values[at] = value
        else:
            keys.insert(at, number)
            values.insert(at, value)

    def get(self, key: Hashable) -> int | None:
        number = hash(key) & _BITS
        keys = self._keys[number % _BUCKETS]
        at = bisect_left(keys, number)
        return self._values[number % _BUCKETS][at] if at < len(keys) and keys[at] == number else None
