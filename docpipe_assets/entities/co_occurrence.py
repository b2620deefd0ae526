"""Measure which names of a document stand close together, in bounded memory.

The measure is ``distance_decay``: the sum, over all pairs of mentions in one chunk, of
exp(-d / 150), d being the number of characters between the two. Measures of association such as
NPMI need many documents; within a single one they rank pairs no better than chance.
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
REACH_CHARACTERS = 600
"""Pairs further apart would add less than 0.02 and are not counted; it bounds the quote, too."""


class Named(NamedTuple):
    """A mention and the entity it refers to."""

    mention: Mention
    entity: str


@dataclass(slots=True)
class Pair:
    """How close two entities stand in all, and the text from one to the other where it is shortest."""

    score: float
    count: int
    distance: int
    quote: str
    place_json: str
    """Thousands of pairs wait for the end of the document: as an object a place takes ten times as much."""
    is_grounded: bool

    @property
    def place(self) -> Place:
        return Place.model_validate_json(self.place_json)


class StrongestPairs:
    """The strongest pairs of a document, at most ``limit``.

    Four times as many are held while it is read; when they are full, the weaker half goes. A pair
    that comes again later starts anew, so that the scores of the weakest may be too low.
    """

    def __init__(self, limit: int, window: PageWindow) -> None:
        self._limit = limit
        self._window = window
        self._pairs: dict[tuple[str, str], Pair] = {}
        self._recent: deque[Named] = deque()

    def add(self, named: Named) -> None:
        """Take the next mention in text order."""
        place = named.mention.place
        while self._recent and (
            self._recent[0].mention.chunk != named.mention.chunk
            or self._recent[0].mention.place.end + REACH_CHARACTERS < place.start
        ):
            self._recent.popleft()
        for other in self._recent:
            if other.entity != named.entity:
                self._count(other, named, max(place.start - other.mention.place.end, 0))
        self._recent.append(named)
        if len(self._pairs) > 4 * self._limit:
            self._pairs = dict(self._ranked()[: 2 * self._limit])

    def reach_back(self, start: int) -> int:
        """From where on the text is still needed once the streams have come to ``start``."""
        while self._recent and self._recent[0].mention.place.end + REACH_CHARACTERS < start:
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
