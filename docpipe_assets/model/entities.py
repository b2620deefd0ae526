"""What the mentions of one document name."""

from docpipe_assets.model.mentions import EntityType
from docpipe_assets.model.places import Place
from docpipe_assets.model.record import Record, Records


class NameForm(Record):
    """One way in which an entity is named, how often, and why it is held to be this entity."""

    text: str
    mentions: int
    reason: str
    first: Place | None = None
    """Where it stands first; None for the form that the entity's own first place shows."""


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
    """By type, then by mentions, most first, then by name."""

    asset = "canonical_entities"
    record = CanonicalEntity
