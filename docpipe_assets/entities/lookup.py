"""Maps mentions to entities: the keys of mentions and the lookup."""

from collections.abc import Callable, Iterable

from docpipe_assets.entities.name_groups import Name
from docpipe_assets.entities.names import OrganisationName, PersonName, place_key, plain
from docpipe_assets.identity import digest
from docpipe_assets.model import CanonicalEntity, EntityType, Mention
from docpipe_assets.streaming.hashed import HashedMap, HashedSet

_ID_DIGITS = 12
# The types whose names have parts; all others are identified by their value.
NAME_PARSERS: dict[EntityType, Callable[[str], Name | None]] = {
    EntityType.PERSON: PersonName.parse,
    EntityType.ORGANISATION: OrganisationName.parse,
}


class EntityLookup:
    """Finds the entity of a mention among the entities of its document, which are stored as hashes."""

    def __init__(self, entities: Iterable[CanonicalEntity]) -> None:
        self._number_by_form = HashedMap()
        self._ids = HashedSet()
        for entity in entities:
            if entity.type in NAME_PARSERS:
                number = int(entity.entity.rpartition(":")[2], 16)
                for form in entity.forms:
                    self._number_by_form[entity.type, form.text] = number
            else:
                self._ids.add(entity.entity)

    def entity_of(self, mention: Mention) -> str | None:
        """The identifier of the entity; None for a mention that the entities were not made from."""
        if mention.type in NAME_PARSERS:
            number = self._number_by_form.get((mention.type, surface(mention.quote)))
            return None if number is None else f"{mention.type}:{number:0{_ID_DIGITS}x}"
        entity = entity_id(mention.type, value_key(mention))
        return entity if entity in self._ids else None


def entity_id(entity_type: EntityType, name: str) -> str:
    """The identifier of the entity with this canonical name in its document."""
    return f"{entity_type}:{digest([entity_type, name])[:_ID_DIGITS]}"


def surface(quote: str) -> str:
    """A quote as a name form: white space, including line and page ends, is collapsed."""
    return " ".join(quote.split())


def value_key(mention: Mention) -> str:
    """The common key of mentions of one thing whose names have no parts: the name of a place, or
    the value.
    """
    if mention.type is EntityType.PLACE:
        return place_key(mention.value or mention.quote)
    return mention.value or plain(mention.quote)
