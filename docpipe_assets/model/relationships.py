"""Relationships between the parts and entities of a document."""

from enum import StrEnum

from docpipe_assets.model.places import Place
from docpipe_assets.model.record import Record, Records


class RelationshipType(StrEnum):
    HAS_PAGE = "has_page"
    HAS_CHUNK = "has_chunk"
    HAS_MENTION = "has_mention"
    REFERS_TO = "refers_to"
    PARTY_TO = "party_to"
    OPPOSES = "opposes"
    REPRESENTS = "represents"
    CO_OCCURS_WITH = "co_occurs_with"


class Relationship(Record):
    """A directed edge between two nodes of a document, with the quote that supports it.

    ``subject`` and ``object`` identify nodes as ``document``, ``page:<n>``, ``chunk:<n>``, ``mention:<id>``
    or ``entity:<id>``.
    """

    document: str
    version: str
    relationship: str
    """Identifier, unique in the document version: subject, type and object."""
    type: RelationshipType
    subject: str
    object: str
    role: str | None = None
    score: float
    measure: str
    """The kind of score, for example ``rule`` or ``distance_decay``."""
    count: int = 1
    """Number of places that support it; quote and place are those of the first one."""
    quote: str | None
    place: Place | None
    is_grounded: bool = True


class Relationships(Records[Relationship]):
    """Structural edges in text order, then typed ones, then co-occurrence."""

    asset = "relationships"
    record = Relationship
