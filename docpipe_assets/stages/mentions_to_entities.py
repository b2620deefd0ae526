"""Mentions -> canonical entities: join the names of one person, organisation or thing in a document.

Works on distinct surface forms with their counts, so that neither memory nor the result depends on
how many mentions there are or in which order they come. Names are taken from the fullest to the
shortest; a name joins an entity only if it contradicts none of its names and no other entity would
do as well. Nothing is joined across documents.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from docpipe_assets.identity import fingerprint
from docpipe_assets.model import (
    CanonicalEntities,
    CanonicalEntity,
    EntityType,
    Mention,
    Mentions,
    NameForm,
    Place,
)
from docpipe_assets.rules.entity_lookup import NAME_PARSERS, entity_id, surface, value_key
from docpipe_assets.rules.name_groups import name_groups

VERSION = "1"


def mentions_to_entities(mentions: Mentions) -> CanonicalEntities:
    """One entity for everything that is named, with all its forms and why each is held to be it."""
    return CanonicalEntities(
        fingerprint(CanonicalEntities.asset, VERSION, {}, [mentions.fingerprint]),
        lambda: iter(_entities(mentions)),
    )


@dataclass
class _Form:
    """How often a surface form occurs, and where first."""

    mentions: int
    first: Place

    def add(self, place: Place) -> None:
        self.mentions += 1
        if place.start < self.first.start:
            self.first = place


def _entities(mentions: Mentions) -> list[CanonicalEntity]:
    named: dict[EntityType, dict[str, _Form]] = defaultdict(dict)
    things: dict[tuple[EntityType, str], dict[str, _Form]] = defaultdict(dict)
    owner: Mention | None = None
    for mention in mentions:
        owner = mention
        is_named = mention.type in NAME_PARSERS
        forms = named[mention.type] if is_named else things[mention.type, value_key(mention)]
        text = surface(mention.quote)
        if text in forms:
            forms[text].add(mention.place)
        else:
            forms[text] = _Form(1, mention.place)
    if owner is None:
        return []
    entities = [*_named_entities(owner, named), *_thing_entities(owner, things)]
    order = {entity_type: index for index, entity_type in enumerate(EntityType)}
    return sorted(entities, key=lambda e: (order[e.type], -e.mentions, e.name, e.entity))


def _named_entities(
    owner: Mention, named: Mapping[EntityType, dict[str, _Form]]
) -> Iterator[CanonicalEntity]:
    for entity_type, forms in named.items():
        counts = {text: form.mentions for text, form in forms.items()}
        for group in name_groups(counts, NAME_PARSERS[entity_type]):
            kept = {text: forms[text] for text in group.reasons}
            yield _entity(owner, entity_type, group.name, group.name, kept, group.reasons)


def _thing_entities(
    owner: Mention, things: Mapping[tuple[EntityType, str], dict[str, _Form]]
) -> Iterator[CanonicalEntity]:
    for (entity_type, key), forms in things.items():
        fullest = max(forms, key=lambda text: (forms[text].mentions, not text.isupper(), len(text), text))
        reason = "same name" if entity_type is EntityType.PLACE else "same value"
        yield _entity(owner, entity_type, key, fullest, forms, dict.fromkeys(forms, f"{reason}: {key}"))


def _entity(
    owner: Mention,
    entity_type: EntityType,
    key: str,
    name: str,
    forms: Mapping[str, _Form],
    reasons: Mapping[str, str],
) -> CanonicalEntity:
    order = sorted(forms, key=lambda text: (-forms[text].mentions, text))
    return CanonicalEntity(
        document=owner.document,
        version=owner.version,
        entity=entity_id(entity_type, key),
        type=entity_type,
        name=name,
        forms=tuple(NameForm(text=t, mentions=forms[t].mentions, reason=reasons[t]) for t in order),
        mentions=sum(form.mentions for form in forms.values()),
        first=min((form.first for form in forms.values()), key=lambda place: (place.start, place.end)),
    )
