"""Canonical entities, mentions, chunks, page texts -> relationships: edges, each with quote and place.

Structural edges come first, in text order. Then the evidence of captions and counsel lines (measure
``rule``): parties, opponents, representation. Last, the people, organisations and places that occur close
together (measure ``distance_decay``, see ``co_occurrence``). Every input is read once.
"""

from collections.abc import Iterator
from heapq import merge

from docpipe_assets.entities.co_occurrence import DECAY_CHARACTERS, MEASURE, Named, StrongestPairs
from docpipe_assets.entities.lookup import EntityLookup
from docpipe_assets.errors import ArtifactDamaged
from docpipe_assets.litigation.parties import MEASURE as RULE
from docpipe_assets.litigation.parties import Parties
from docpipe_assets.model import (
    CanonicalEntities,
    Chunk,
    Chunks,
    EntityType,
    Mention,
    Mentions,
    PageText,
    PageTexts,
    Place,
    Relationship,
    Relationships,
    RelationshipType,
)
from docpipe_assets.pipeline import PIPELINE
from docpipe_assets.protocols import Scratch
from docpipe_assets.streaming.text_window import Outline, PageWindow

PAIR_LIMIT = 1000
STRUCTURE = "structure"

_COUNTED_TYPES = frozenset({EntityType.PERSON, EntityType.ORGANISATION, EntityType.PLACE})


def entities_to_relationships(
    entities: CanonicalEntities,
    mentions: Mentions,
    chunks: Chunks,
    pages: PageTexts,
    *,
    scratch: Scratch | None = None,
) -> Relationships:
    """The edges of a document's graph. Both ends of every edge exist; quotes are the text of the pages.

    More than a few megabytes of intermediate data are kept on disk, in a folder of ``scratch`` if given.
    """
    settings = {"pair_limit": PAIR_LIMIT, "decay_characters": DECAY_CHARACTERS}
    return Relationships(
        PIPELINE.fingerprint(Relationships, settings, [entities, mentions, chunks, pages]),
        lambda: _relationships(entities, mentions, chunks, pages, scratch),
    )


class _Reading:
    """The state while the streams are read: the surrounding pages, and the results so far."""

    def __init__(self, window: PageWindow, entities: CanonicalEntities, parties: Parties) -> None:
        self.window = window
        self.lookup = EntityLookup(entities)
        self.parties = parties
        self.pairs = StrongestPairs(PAIR_LIMIT, self.window)
        self.page: PageText | None = None
        self.names: list[Named] = []

    def start_page(self, page: PageText | None) -> None:
        """Process the completed page with all names on it, and continue with the next one."""
        if self.page is not None:
            self.parties.read_page(self.page, self.names)
        self.page = page
        self.names = []

    def advance_to(self, start: int) -> None:
        """Drop the pages that no later result can quote."""
        self.window.drop_before(self.pairs.oldest_needed(start))

    def name(self, mention: Mention) -> Named:
        entity = self.lookup.entity_of(mention)
        if entity is None:
            raise ArtifactDamaged(
                f"{mention.document}: mention {mention.mention} has no canonical entity; the artifacts do "
                "not match, materialize canonical_entities again"
            )
        named = Named(mention, entity)
        self.names.append(named)
        if mention.type in _COUNTED_TYPES and not self._is_in_margin(mention.place):
            self.pairs.add(named)
        return named

    def _is_in_margin(self, place: Place) -> bool:
        """Names in headers and footers are near any subject of the page and are no evidence of a relation."""
        return any(True for _ in self.window.marks(place.start, place.end))


def _relationships(
    entities: CanonicalEntities,
    mentions: Mentions,
    chunks: Chunks,
    pages: PageTexts,
    scratch: Scratch | None,
) -> Iterator[Relationship]:
    window = PageWindow(pages)
    with Parties.open(window, scratch) as parties:
        reading = _Reading(window, entities, parties)
        yield from _structure(reading, mentions, chunks)
        yield from _typed(reading)
        yield from _close_pairs(reading)


def _structure(reading: _Reading, mentions: Mentions, chunks: Chunks) -> Iterator[Relationship]:
    # Text order: a page before the chunks that begin on it, a chunk before the mentions in it.
    events = merge(
        ((page.start, 0, page) for page in reading.window),
        ((chunk.start, 1, chunk) for chunk in chunks),
        ((mention.place.start, 2, mention) for mention in mentions),
        key=lambda event: event[:2],
    )
    for start, _, record in events:
        match record:
            case PageText():
                reading.start_page(record)
                reading.advance_to(start)
                yield _page_edge(reading.window, record)
            case Chunk():
                reading.advance_to(start)
                yield _chunk_edge(reading.window, record)
            case Mention():
                reading.advance_to(start)
                yield from _mention_edges(reading.window, reading.name(record))
    reading.start_page(None)


def _page_edge(window: PageWindow, page: PageText) -> Relationship:
    place = window.place(page.document, page.version, page.start, page.end, Outline.NONE)
    return _edge(RelationshipType.HAS_PAGE, "document", f"page:{page.page}", place)


def _chunk_edge(window: PageWindow, chunk: Chunk) -> Relationship:
    place = window.place(chunk.document, chunk.version, chunk.start, chunk.end, Outline.PAGES)
    return _edge(
        RelationshipType.HAS_CHUNK,
        "document",
        f"chunk:{chunk.chunk}",
        place,
        is_grounded=window.text(chunk.start, chunk.end) == chunk.text,
    )


def _mention_edges(window: PageWindow, named: Named) -> Iterator[Relationship]:
    mention, entity = named
    node = f"mention:{mention.mention}"
    is_at_place = window.text(mention.place.start, mention.place.end) == mention.quote
    for relationship, subject, target in (
        (RelationshipType.HAS_MENTION, f"chunk:{mention.chunk}", node),
        (RelationshipType.REFERS_TO, node, f"entity:{entity}"),
    ):
        yield _edge(
            relationship, subject, target, mention.place, quote=mention.quote, is_grounded=is_at_place
        )


def _edge(
    relationship: RelationshipType,
    subject: str,
    target: str,
    place: Place,
    *,
    quote: str | None = None,
    is_grounded: bool = True,
    role: str | None = None,
    score: float = 1.0,
    measure: str = STRUCTURE,
    count: int = 1,
) -> Relationship:
    return Relationship(
        document=place.document,
        version=place.version,
        relationship=f"{subject} {relationship} {target}",
        type=relationship,
        subject=subject,
        object=target,
        role=role,
        score=score,
        measure=measure,
        count=count,
        quote=quote,
        place=place,
        is_grounded=is_grounded,
    )


def _typed(reading: _Reading) -> Iterator[Relationship]:
    for found, count in reading.parties.evidence():
        yield _edge(
            found.type,
            found.subject,
            found.object,
            found.place,
            quote=found.quote,
            is_grounded=found.is_grounded,
            role=found.role,
            score=found.score,
            measure=RULE,
            count=count,
        )


def _close_pairs(reading: _Reading) -> Iterator[Relationship]:
    for (one, other), pair in reading.pairs.strongest():
        yield _edge(
            RelationshipType.CO_OCCURS_WITH,
            f"entity:{one}",
            f"entity:{other}",
            pair.place,
            quote=pair.quote,
            is_grounded=pair.is_grounded,
            score=round(pair.score, 6),
            measure=MEASURE,
            count=pair.count,
        )
