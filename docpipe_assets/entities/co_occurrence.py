"""Measures which names of a document occur close together, in bounded memory.

The measure is ``distance_decay``: the sum, over all pairs of mentions in one chunk, of exp(-d / 150), where d
is the number of characters between them. Association measures such as NPMI need many documents; within a
single one they rank pairs no better than chance.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from docpipe_assets.model import Mention, Place
from docpipe_assets.streaming.text_window import PageWindow

MEASURE = "distance_decay"
DECAY_CHARACTERS = 150.0
MAX_DISTANCE_CHARACTERS = 600
"""Maximum distance of a pair. More distant pairs would add less than 0.02; the limit also bounds the
quote."""


class Named(NamedTuple):
    """A mention and its entity."""

    mention: Mention
    entity: str


@dataclass(slots=True)
class Pair:
    """The total closeness of two entities, and the text from one to the other at the shortest distance."""

    score: float
    count: int
    distance: int
    quote: str
    place_json: str
    """Serialized, because thousands of pairs are kept until the end of the document: as an object a place
    takes ten times the memory."""
    is_grounded: bool

    @property
    def place(self) -> Place:
        return Place.model_validate_json(self.place_json)


class StrongestPairs:
    """The strongest pairs of a document, at most ``limit``.

    Four times as many are kept during the document; when they are full, the weaker half is dropped. A dropped
    pair that recurs starts from zero, so the scores of the weakest pairs may be too low.
    """

    def __init__(self, limit: int, window: PageWindow) -> None:
        self._limit = limit
        self._window = window
        self._pairs: dict[tuple[str, str], Pair] = {}
        self._recent: deque[Named] = deque()

    def add(self, named: Named) -> None:
        """Add the next mention in text order."""
        place = named.mention.place
        while self._recent and (
            self._recent[0].mention.chunk != named.mention.chunk
            or self._recent[0].mention.place.end + MAX_DISTANCE_CHARACTERS < place.start
        ):
            self._recent.popleft()
        for other in self._recent:
            if other.entity != named.entity:
                self._count(other, named, max(place.start - other.mention.place.end, 0))
        self._recent.append(named)
        if len(self._pairs) > 4 * self._limit:
            self._pairs = dict(self._ranked()[: 2 * self._limit])

    def oldest_needed(self, start: int) -> int:
        """Offset from which the text is still needed once the streams have reached ``start``."""
        while self._recent and self._recent[0].mention.place.end + MAX_DISTANCE_CHARACTERS < start:
            self._recent.popleft()
        return min(start, self._recent[0].mention.place.start) if self._recent else start

    def strongest(self) -> Iterator[tuple[tuple[str, str], Pair]]:
        """Pairs of entity identifiers in alphabetical order, the strongest first."""
        yield from self._ranked()[: self._limit]

    def _count(self, one: Named, other: Named, distance: int) -> None:
        key = (min(one.entity, other.entity), max(one.entity, other.entity))
        weight = math.exp(-distance / DECAY_CHARACTERS)
        pair = self._pairs.get(key)
        if pair is None:
            self._pairs[key] = Pair(weight, 1, distance, *self._shown(one.mention, other.mention))
            return
        pair.score += weight
        pair.count += 1
        if distance < pair.distance:
            pair.distance = distance
            pair.quote, pair.place_json, pair.is_grounded = self._shown(one.mention, other.mention)

    def _shown(self, first: Mention, second: Mention) -> tuple[str, str, bool]:
        start, end = first.place.start, second.place.end
        quote = self._window.text(start, end)
        is_on_one_page = first.place.page == second.place.last_page
        place = Place(
            document=first.place.document,
            version=first.place.version,
            start=start,
            end=end,
            page=first.place.page,
            last_page=second.place.last_page,
            # The boxes of the two names, not of everything between them.
            boxes=first.place.boxes + second.place.boxes,
            bates=first.place.bates,
            last_bates=second.place.last_bates or (None if is_on_one_page else second.place.bates),
        )
        return quote, place.model_dump_json(), quote.startswith(first.quote) and quote.endswith(second.quote)

    def _ranked(self) -> list[tuple[tuple[str, str], Pair]]:
        return sorted(self._pairs.items(), key=lambda item: (-item[1].score, item[0]))
