"""Mentions -> canonical entities: join the names of one person, organisation or thing in a document.

Works on distinct surface forms with their counts, so the result does not depend on the order of the mentions,
and memory grows only with the number of different names of people and organisations. Names are processed from
the fullest to the shortest; a name joins an entity only if it contradicts none of its names and no other
entity fits equally well. Nothing is joined across documents.
"""

from collections.abc import Iterator, Mapping, Sequence

from docpipe_assets.entities.form_counts import Form, FormCounts
from docpipe_assets.entities.lookup import NAME_PARSERS, entity_id, surface, value_key
from docpipe_assets.entities.name_groups import name_groups
from docpipe_assets.model import (
    CanonicalEntities,
    CanonicalEntity,
    EntityType,
    Mention,
    Mentions,
    NameForm,
    Place,
)
from docpipe_assets.pipeline import PIPELINE
from docpipe_assets.protocols import Scratch


def mentions_to_entities(mentions: Mentions, *, scratch: Scratch | None = None) -> CanonicalEntities:
    """One entity for everything that is named, with all of its forms and the reason for each.

    More than a few megabytes of intermediate data are kept on disk, in a folder of ``scratch`` if given.
    """
    return CanonicalEntities(
        PIPELINE.fingerprint(CanonicalEntities, {}, [mentions]),
        lambda: _entities(mentions, scratch),
    )


def _entities(mentions: Mentions, scratch: Scratch | None) -> Iterator[CanonicalEntity]:
    any_mention: Mention | None = None
    with FormCounts.open(scratch) as counts:
        for mention in mentions:
            any_mention = mention  # all have the same document and version
            key = "" if mention.type in NAME_PARSERS else value_key(mention)
            counts.add(mention.type, key, surface(mention.quote), mention.place)
        if any_mention is None:
            return
        for entity_type in EntityType:
            find = _named_entities if entity_type in NAME_PARSERS else _thing_entities
            yield from find(any_mention, entity_type, counts)


def _named_entities(
    any_mention: Mention, entity_type: EntityType, counts: FormCounts
) -> Iterator[CanonicalEntity]:
    mentions = counts.counts(entity_type)
    groups = [
        (
            -sum(mentions[text] for text in group.reasons),
            group.name,
            entity_id(entity_type, group.name),
            group,
        )
        for group in name_groups(mentions, NAME_PARSERS[entity_type])
    ]
    groups.sort(key=lambda ranked: ranked[:3])
    for *_, group in groups:
        forms = [form for text in group.reasons for form in counts.under(entity_type, "", text)]
        yield _entity(any_mention, entity_type, group.name, group.name, forms, group.reasons)


def _thing_entities(
    any_mention: Mention, entity_type: EntityType, counts: FormCounts
) -> Iterator[CanonicalEntity]:
    reason = "same name" if entity_type is EntityType.PLACE else "same value"

    def named(key: str, forms: Sequence[Form]) -> tuple[str, str]:
        most_frequent = max(forms, key=lambda f: (f.mentions, not f.text.isupper(), len(f.text), f.text))
        return most_frequent.text, entity_id(entity_type, key)

    for key, name, forms in counts.ranked(entity_type, named):
        reasons = dict.fromkeys((form.text for form in forms), f"{reason}: {key}")
        yield _entity(any_mention, entity_type, key, name, forms, reasons)


def _entity(
    any_mention: Mention,
    entity_type: EntityType,
    key: str,
    name: str,
    forms: Sequence[Form],
    reasons: Mapping[str, str],
) -> CanonicalEntity:
    first = min(forms, key=lambda form: (form.start, form.end))
    return CanonicalEntity(
        document=any_mention.document,
        version=any_mention.version,
        entity=entity_id(entity_type, key),
        type=entity_type,
        name=name,
        forms=tuple(
            NameForm(
                text=form.text,
                mentions=form.mentions,
                reason=reasons[form.text],
                first=None if form is first else Place.model_validate_json(form.place),
            )
            for form in sorted(forms, key=lambda form: (-form.mentions, form.text))
        ),
        mentions=sum(form.mentions for form in forms),
        first=Place.model_validate_json(first.place),
    )
