"""The people, organisations and things of a document."""

from docpipe_assets.model.mentions import EntityType
from docpipe_assets.model.places import Place
from docpipe_assets.model.record import Record, Records


class NameForm(Record):
    """One form under which an entity is named, its count, and the reason for assigning it to this entity."""

    text: str
    mentions: int
    reason: str
    first: Place | None = None
    """Place of its first occurrence; None for the form at the entity's own first place."""


class CanonicalEntity(Record):
    document: str
    version: str
    entity: str
    """Identifier, unique in the document version and independent of the order of the mentions."""
    type: EntityType
    name: str
    forms: tuple[NameForm, ...]
    mentions: int
    first: Place


class CanonicalEntities(Records[CanonicalEntity]):
    """By type, then by number of mentions, descending, then by name."""

    asset = "canonical_entities"
    record = CanonicalEntity
