"""Mentions: overlaps are resolved, each is found once, each is on its page."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe_assets.errors import EngineError
from docpipe_assets.model import Box, Chunks, EntityType, FoundName, Mention, Mentions, PageTexts
from docpipe_assets.protocols import NameContext, NerEngine
from docpipe_assets.stages.chunks_to_mentions import chunks_to_mentions
from docpipe_assets.stages.text_to_chunks import text_to_chunks
from docpipe_assets_tests.stages.productions import FindsListedNames, document_text, page_texts

NAMES = FindsListedNames(
    {
        "Maria Ortega": EntityType.PERSON,
        "Ortega": EntityType.PERSON,
        "Acuity Freight": EntityType.ORGANISATION,
        "Reno": EntityType.PLACE,
    },
    name="names",
)


class ReturnsSpanOutside:
    """An engine whose offsets do not match the given text."""

    name = "astray"
    version = "3"

    def find(self, text: str, context: NameContext) -> Iterator[FoundName]:
        yield FoundName(0, len(text) + 1, EntityType.PERSON, 1.0, self.name)


class FindsCapitalisedWordsUnlessLowercase:
    """Finds every capitalized word that never occurs in lower case in the document."""

    name = "capitals"
    version = "1"

    def find(self, text: str, context: NameContext) -> Iterator[FoundName]:
        start = 0
        for word in text.split(" "):
            if word[:1].isupper() and word.lower() not in context.lowercase_words:
                yield FoundName(start, start + len(word), EntityType.PERSON, 0.5, self.name)
            start += len(word) + 1


def mentions_of(pages: PageTexts, *engines: NerEngine, **chunking: int) -> Mentions:
    return chunks_to_mentions(text_to_chunks(pages, **chunking), pages, engines=engines)


def found(mentions: Mentions) -> list[tuple[str, str]]:
    return [(mention.type.value, mention.quote) for mention in mentions]


def test_a_mention_is_placed_on_its_page_with_box_and_bates() -> None:
    pages = page_texts("First page.", "On Monday\nMaria Ortega left.")
    (mention,) = mentions_of(pages, NAMES)
    assert mention.mention == "person:22-34"
    assert (mention.place.start, mention.place.end) == (22, 34)
    assert (mention.place.page, mention.place.last_page, mention.place.bates) == (2, 2, "WOMBAT 000002")
    assert [(b.page, b.box) for b in mention.place.boxes] == [(2, Box(0, 12, 72, 22))]
    assert mention.is_grounded


def test_a_name_across_a_page_end_has_a_box_on_each_page() -> None:
    pages = page_texts("It was signed by Maria", "Ortega in Reno.")
    person, place = mentions_of(pages, NAMES)
    assert person.quote == "Maria\fOrtega"
    assert (person.place.page, person.place.last_page) == (1, 2)
    assert [box.page for box in person.place.boxes] == [1, 2]
    assert place.quote == "Reno"


def test_a_name_across_a_line_end_has_a_box_for_each_line() -> None:
    (mention,) = mentions_of(page_texts("It was signed by Maria\nOrtega today."), NAMES)
    assert [b.box for b in mention.place.boxes] == [Box(102, 0, 132, 10), Box(0, 12, 36, 22)]


def test_a_person_inside_an_address_or_citation_is_dropped() -> None:
    parsers = FindsListedNames(
        {"ortega@acuity.example": EntityType.EMAIL, "Ortega v. Moss, 12 F.4th 33": EntityType.CASE_CITATION},
        name="parsers",
    )
    names = FindsListedNames({"ortega": EntityType.PERSON, "Ortega": EntityType.PERSON}, name="names")
    pages = page_texts("Write to ortega@acuity.example and see Ortega v. Moss, 12 F.4th 33. Ortega won.")
    expected = [
        ("email", "ortega@acuity.example"),
        ("case_citation", "Ortega v. Moss, 12 F.4th 33"),
        ("person", "Ortega"),
    ]
    assert found(mentions_of(pages, names, parsers)) == expected
    assert found(mentions_of(pages, parsers, names)) == expected


def test_of_two_overlapping_names_the_longer_one_is_kept() -> None:
    other = FindsListedNames({"Maria": EntityType.PERSON}, name="short", score=1.0)
    assert found(mentions_of(page_texts("Maria Ortega left."), other, NAMES)) == [("person", "Maria Ortega")]


def test_a_name_in_the_overlap_of_two_chunks_is_one_mention() -> None:
    pages = page_texts("One came here. Ortega came. Moss went home. All was well then.")
    chunks = list(text_to_chunks(pages, token_limit=8, overlap_tokens=4))
    assert sum("Ortega" in chunk.text for chunk in chunks) == 2
    assert found(mentions_of(pages, NAMES, token_limit=8, overlap_tokens=4)) == [("person", "Ortega")]


def test_engines_know_the_lowercase_words_of_the_complete_document() -> None:
    pages = page_texts("Company and Ortega signed.", "The company paid, and the others too.")
    assert [m.quote for m in mentions_of(pages, FindsCapitalisedWordsUnlessLowercase())] == ["Ortega"]


def test_a_quote_that_is_not_on_the_page_is_marked_ungrounded() -> None:
    chunks = text_to_chunks(page_texts("Yesterday Maria Ortega left."))
    others = page_texts("Yesterday Marta Ortega left.")
    (mention,) = chunks_to_mentions(chunks, others, engines=[NAMES])
    assert mention.quote == "Maria Ortega"
    assert not mention.is_grounded


def test_a_span_outside_the_text_is_an_engine_failure() -> None:
    with pytest.raises(EngineError, match=r"astray 3 .* 0-11 for chunk 0 of 10 characters"):
        list(mentions_of(page_texts("Ten chars."), ReturnsSpanOutside()))


def test_the_fingerprint_depends_on_the_engines_and_both_inputs() -> None:
    pages = page_texts("x")
    chunks = text_to_chunks(pages)
    known = chunks_to_mentions(chunks, pages, engines=[NAMES]).fingerprint
    assert chunks_to_mentions(chunks, pages, engines=[]).fingerprint != known
    assert chunks_to_mentions(Chunks("other", lambda: iter(())), pages, engines=[NAMES]).fingerprint != known
    assert (
        chunks_to_mentions(chunks, page_texts("x", fingerprint="other"), engines=[NAMES]).fingerprint != known
    )


WORDS = st.sampled_from(
    ["Maria Ortega", "Ortega", "Acuity Freight", "Reno", "went", ".", "\n", "the", "Maria"]
)
TEXTS = st.lists(st.lists(WORDS, max_size=25).map(" ".join), max_size=4)


@given(TEXTS, st.integers(2, 12), st.integers(0, 6))
def test_mentions_slice_the_text_in_order_without_overlap(texts: list[str], limit: int, overlap: int) -> None:
    pages = page_texts(*texts)
    text = document_text(pages)
    surnames = FindsListedNames({"Ortega": EntityType.PERSON, "Freight": EntityType.PLACE}, name="second")
    mentions: list[Mention] = list(
        mentions_of(pages, NAMES, surnames, token_limit=limit, overlap_tokens=min(overlap, limit - 1))
    )
    last_end = 0
    for mention in mentions:
        place = mention.place
        assert mention.quote == text[place.start : place.end]
        assert mention.is_grounded
        assert place.start >= last_end
        boxed = {box.page for box in place.boxes}
        assert {place.page, place.last_page} <= boxed <= set(range(place.page, place.last_page + 1))
        last_end = place.end
    assert len({mention.mention for mention in mentions}) == len(mentions)
    assert sum(m.quote == "Reno" for m in mentions) == text.count("Reno")
