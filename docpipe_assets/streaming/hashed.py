"""A set and a map for what grows with a document: 9 and 17 bytes an entry, where Python's take 100 and more.

They keep the 64-bit hashes of what they hold and cannot list it. Among a million entries two share a
hash in one document of 40 million; the hashes differ from process to process, so not in its next run.
"""

from array import array
from bisect import bisect_left
from collections.abc import Hashable

_BITS = 0xFFFF_FFFF_FFFF_FFFF
_BUCKETS = 1024
"""Each is sorted, and so short that to insert is to move a few kilobytes."""


class HashedSet:
    """Tells whether something was added."""

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
    """Gives for each key the whole number, from 0 to 2**64 - 1, that was last set for it."""

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
