"""Text that is marked as not part of the body is kept, and separated from the body by every stage."""

from docpipe_assets.engines import load_engine
from docpipe_assets.model import (
    PAGE_SEPARATOR,
    EntityType,
    Mark,
    MarkRole,
    PageText,
    PageTexts,
    RelationshipType,
)
from docpipe_assets.stages.chunks_to_mentions import chunks_to_mentions
from docpipe_assets.stages.entities_to_relationships import entities_to_relationships
from docpipe_assets.stages.mentions_to_entities import mentions_to_entities
from docpipe_assets.stages.text_to_chunks import text_to_chunks
from docpipe_assets_tests.stages.productions import FindsListedNames, document_text, page_texts

NAMES = {
    "Maria Ortega": EntityType.PERSON,
    "Douglas Pell": EntityType.PERSON,
    "Harrow & Slate LLP": EntityType.ORGANISATION,
    "Slate LLP The driver": EntityType.ORGANISATION,
}
FIRST = "Maria Ortega met Douglas Pell and told\nHarrow & Slate LLP\nCONFIDENTIAL\nWOMBAT 000001"
SECOND = "The driver had left before Maria Ortega came. See WOMBAT 000777 for it.\nWOMBAT 000002"
ROLES = {
    "Harrow & Slate LLP": MarkRole.FOOTER,
    "CONFIDENTIAL": MarkRole.LEGEND,
    "WOMBAT 00000": MarkRole.STAMP,
}


def pages() -> PageTexts:
    def marks(page: PageText) -> tuple[Mark, ...]:
        found = []
        for what, role in ROLES.items():
            if (at := page.text.find(what)) >= 0:
                found.append(Mark(start=at, end=page.text.find("\n", at) % (len(page.text) + 1), role=role))
        return tuple(sorted(found, key=lambda mark: mark.start))

    made = [page.model_copy(update={"marks": marks(page)}) for page in page_texts(FIRST, SECOND)]
    assert [mark.end for mark in made[1].marks] == [len(SECOND)]
    return PageTexts("marked", lambda: iter(made))


def test_no_sentence_spans_a_mark_and_offsets_stay_exact() -> None:
    text = document_text(pages())
    chunks = list(text_to_chunks(pages(), token_limit=9, overlap_tokens=0))
    assert all(text[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    assert [chunk.text for chunk in chunks] == [
        "Maria Ortega met Douglas Pell and told",
        "Harrow & Slate LLP\nCONFIDENTIAL\nWOMBAT 000001",
        "The driver had left before Maria Ortega came.",
        "See WOMBAT 000777 for it.\nWOMBAT 000002",
    ]


def test_a_legend_is_not_a_heading() -> None:
    assert {chunk.heading for chunk in text_to_chunks(pages())} == {None}


def test_the_stamp_of_a_page_is_not_a_mention_but_a_citation_is() -> None:
    engines = [load_engine("ner", "patterns", "find")]
    mentions = list(chunks_to_mentions(text_to_chunks(pages()), pages(), engines=engines))
    assert [m.quote for m in mentions if m.type is EntityType.BATES] == ["WOMBAT 000777"]


def test_no_name_extends_from_a_mark_into_the_body() -> None:
    chunks = list(text_to_chunks(pages()))
    assert f"Slate LLP\nCONFIDENTIAL\nWOMBAT 000001{PAGE_SEPARATOR}The driver" in chunks[0].text
    mentions = list(chunks_to_mentions(text_to_chunks(pages()), pages(), engines=[FindsListedNames(NAMES)]))
    quotes = [mention.quote for mention in mentions]
    assert quotes == ["Maria Ortega", "Douglas Pell", "Harrow & Slate LLP", "Maria Ortega"]


def test_names_in_headers_and_footers_are_mentions_but_do_not_co_occur() -> None:
    chunks = text_to_chunks(pages())
    mentions = chunks_to_mentions(chunks, pages(), engines=[FindsListedNames(NAMES)])
    entities = mentions_to_entities(mentions)
    names = {f"entity:{entity.entity}": entity.name for entity in entities}
    pairs = [
        {names[edge.subject], names[edge.object]}
        for edge in entities_to_relationships(entities, mentions, chunks, pages())
        if edge.type is RelationshipType.CO_OCCURS_WITH
    ]
    assert "Harrow & Slate LLP" in names.values()
    assert pairs == [{"Maria Ortega", "Douglas Pell"}]
