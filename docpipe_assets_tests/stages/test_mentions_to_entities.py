"""Entities: which mentions are the same entity, in any order, and why."""

from collections.abc import Iterable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from docpipe_assets.entities.lookup import EntityLookup
from docpipe_assets.model import CanonicalEntity, EntityType, Mention, Mentions, Place
from docpipe_assets.stages.mentions_to_entities import mentions_to_entities
from docpipe_assets_tests.stages.productions import DOCUMENT, VERSION


def mention(
    quote: str, entity_type: EntityType = EntityType.PERSON, start: int = 0, value: str | None = None
) -> Mention:
    end = start + len(quote)
    return Mention(
        document=DOCUMENT,
        version=VERSION,
        mention=f"{entity_type}:{start}-{end}",
        chunk=0,
        type=entity_type,
        quote=quote,
        value=value,
        score=0.9,
        engine="test",
        place=Place(document=DOCUMENT, version=VERSION, start=start, end=end, page=1, last_page=1),
    )


def stream(mentions: Iterable[Mention]) -> Mentions:
    held = list(mentions)
    return Mentions("mentions", lambda: iter(held))


def entities_of(*quotes: str, entity_type: EntityType = EntityType.PERSON) -> list[CanonicalEntity]:
    return list(mentions_to_entities(stream(mention(q, entity_type, 50 * n) for n, q in enumerate(quotes))))


def forms(entity: CanonicalEntity) -> dict[str, tuple[int, str]]:
    return {form.text: (form.mentions, form.reason) for form in entity.forms}


def test_forms_of_one_person_are_one_entity_with_counts_and_reasons() -> None:
    (entity,) = entities_of("Mr. Holt", "James R. Holt", "HOLT, JAMES", "Mr. Holt", "Jim Holt")
    assert entity.name == "James R. Holt"
    assert entity.mentions == 5
    assert entity.first.start == 0
    assert forms(entity) == {
        "Mr. Holt": (2, "last name: James R. Holt"),
        "James R. Holt": (1, "fullest form"),
        "HOLT, JAMES": (1, "same first and last name: James R. Holt"),
        "Jim Holt": (1, "short first name and last name: James R. Holt"),
    }


def test_an_ambiguous_last_name_stays_separate_and_names_candidates() -> None:
    found = {entity.name: entity for entity in entities_of("James Holt", "Maria Holt", "Holt")}
    assert set(found) == {"James Holt", "Maria Holt", "Holt"}
    assert found["Holt"].forms[0].reason == "ambiguous: could be James Holt or Maria Holt"


def test_a_name_broken_by_a_line_end_is_the_same_form() -> None:
    (entity,) = entities_of("James\nHolt", "James Holt")
    assert forms(entity) == {"James Holt": (2, "fullest form")}


def test_organizations_match_without_but_not_with_another_legal_form() -> None:
    found = entities_of(
        "Wombat Holdings, Inc.",
        "WOMBAT HOLDINGS INC",
        "Wombat Holdings LLC",
        entity_type=EntityType.ORGANISATION,
    )
    assert [(entity.name, entity.mentions) for entity in found] == [
        ("Wombat Holdings, Inc.", 2),
        ("Wombat Holdings LLC", 1),
    ]


def test_entities_with_a_value_are_grouped_by_it() -> None:
    dates = [
        mention("May 3, 2021", EntityType.DATE, 0, "2021-05-03"),
        mention("5/3/21", EntityType.DATE, 20, "2021-05-03"),
        mention("May 4, 2021", EntityType.DATE, 40, "2021-05-04"),
    ]
    found = list(mentions_to_entities(stream(dates)))
    assert [sorted(f.text for f in entity.forms) for entity in found] == [
        ["5/3/21", "May 3, 2021"],
        ["May 4, 2021"],
    ]


def test_the_same_words_are_two_entities_when_their_types_differ() -> None:
    both = [mention("Reno", EntityType.PLACE, 0), mention("Reno", EntityType.PERSON, 20)]
    assert [entity.type for entity in mentions_to_entities(stream(both))] == [
        EntityType.PERSON,
        EntityType.PLACE,
    ]


def test_a_document_without_mentions_has_no_entities() -> None:
    assert list(mentions_to_entities(stream([]))) == []


NAMES = [
    *[
        (q, EntityType.PERSON)
        for q in ("James R. Holt", "Holt", "Mr. Holt", "HOLT, JAMES", "Maria Holt", "J. Holt", "M.D.")
    ],
    *[
        (q, EntityType.ORGANISATION)
        for q in ("Acuity Freight, Inc.", "ACUITY FREIGHT", "Acuity", "AF", "Acuity Farms")
    ],
    *[(q, EntityType.PLACE) for q in ("U.S.", "United States", "Reno")],
    *[(q, EntityType.EMAIL) for q in ("holt@acuity.example", "Holt@Acuity.example")],
]
MENTIONS = st.lists(st.sampled_from(NAMES), max_size=25).map(
    lambda names: [mention(quote, entity_type, 40 * at) for at, (quote, entity_type) in enumerate(names)]
)


@given(MENTIONS, st.data())
def test_entities_do_not_depend_on_the_order_of_the_mentions(
    mentions: Sequence[Mention], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(mentions))
    assert list(mentions_to_entities(stream(shuffled))) == list(mentions_to_entities(stream(mentions)))


@given(MENTIONS)
def test_every_mention_finds_its_entity_and_counts_once(mentions: Sequence[Mention]) -> None:
    entities = list(mentions_to_entities(stream(mentions)))
    lookup = EntityLookup(entities)
    found = [lookup.entity_of(m) for m in mentions]
    assert len({entity.entity for entity in entities}) == len(entities)
    for entity in entities:
        assert found.count(entity.entity) == entity.mentions == sum(form.mentions for form in entity.forms)
    assert None not in found
