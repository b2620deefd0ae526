"""Every row can be traced: its quote is at its place, boxes and labels are those of its words."""

from collections.abc import Iterator

import pytest

from docpipe_assets.model import (
    Box,
    CanonicalEntity,
    Chunk,
    EntityType,
    Mention,
    PageBox,
    PageText,
    PageTexts,
    Place,
    Relationship,
    RelationshipType,
)
from docpipe_assets.protocols import PlacedWord
from docpipe_assets.stages.chunks_to_mentions import chunks_to_mentions
from docpipe_assets.stages.entities_to_relationships import entities_to_relationships
from docpipe_assets.stages.mentions_to_entities import mentions_to_entities
from docpipe_assets.stages.text_to_chunks import text_to_chunks
from docpipe_assets.text.page_text import assemble
from docpipe_assets_tests.stages.productions import FindsListedNames, document_text, page_texts

NAMES = {
    "Maria Ortega": EntityType.PERSON,
    "Ms. Ortega": EntityType.PERSON,
    "Brightwater Agreement Holdings": EntityType.ORGANISATION,
    "Douglas Pell": EntityType.PERSON,
}
LINES = [
    ["Maria Ortega signed for the Brightwater Agree-", "ment Holdings of the port. Then came Douglas"],
    ["Pell and said that Ms. Ortega had left", "the yard."],
]


class ProcessedDocument:
    """Two pages with a name split at a line end and one at the page end, and all results of the stages."""

    def __init__(self) -> None:
        texts = [assemble(tuple(map(_line, range(9), lines))) for lines in LINES]
        blank = page_texts(*(text for text, _, _ in texts))
        made = [
            page.model_copy(update={"words": words}) for page, (_, words, _) in zip(blank, texts, strict=True)
        ]
        self.pages = PageTexts("made", lambda: iter(made))
        self.text = document_text(self.pages)
        chunks = text_to_chunks(self.pages)
        mentions = chunks_to_mentions(chunks, self.pages, engines=[FindsListedNames(NAMES)])
        entities = mentions_to_entities(mentions)
        edges = entities_to_relationships(entities, mentions, chunks, self.pages)
        self.chunks: list[Chunk] = list(chunks)
        self.mentions: list[Mention] = list(mentions)
        self.entities: list[CanonicalEntity] = list(entities)
        self.edges: list[Relationship] = list(edges)

    def mention(self, quote: str) -> Mention:
        return next(one for one in self.mentions if " ".join(one.quote.split()) == quote)

    def words_at(self, place: Place) -> Iterator[tuple[int, Box]]:
        page: PageText
        for page in self.pages:
            for word in page.words:
                if page.start + word.start < place.end and page.start + word.end > place.start:
                    yield page.page, word.box


def _line(row: int, text: str) -> tuple[PlacedWord, ...]:
    at, placed = 0, []
    for token in text.split():
        placed.append(PlacedWord(token, Box(6.0 * at, 12.0 * row, 6.0 * (at + len(token)), 12.0 * row + 10)))
        at += len(token) + 1
    return tuple(placed)


@pytest.fixture(scope="module")
def processed() -> ProcessedDocument:
    return ProcessedDocument()


def test_every_quote_is_the_text_at_its_place(processed: ProcessedDocument) -> None:
    quoted = [(chunk.text, chunk.start, chunk.end) for chunk in processed.chunks]
    quoted += [(one.quote, one.place.start, one.place.end) for one in processed.mentions]
    quoted += [
        (edge.quote, edge.place.start, edge.place.end)
        for edge in processed.edges
        if edge.quote and edge.place
    ]
    assert len(quoted) > 12
    for quote, start, end in quoted:
        assert processed.text[start:end] == quote


def test_a_name_split_over_two_lines_is_one_name_with_two_boxes(processed: ProcessedDocument) -> None:
    place = processed.mention("Brightwater Agreement Holdings").place
    assert [box.box for box in place.boxes] == [
        Box(168.0, 0.0, 276.0, 10.0),
        Box(0.0, 12.0, 24.0, 22.0),
        Box(30.0, 12.0, 78.0, 22.0),
    ]
    assert (place.page, place.last_page, place.bates, place.last_bates) == (1, 1, "WOMBAT 000001", None)


def test_a_name_across_the_page_end_has_boxes_and_labels_of_both_pages(processed: ProcessedDocument) -> None:
    place = processed.mention("Douglas Pell").place
    assert [box.page for box in place.boxes] == [1, 2]
    assert (place.page, place.last_page) == (1, 2)
    assert (place.bates, place.last_bates) == ("WOMBAT 000001", "WOMBAT 000002")


def test_the_words_of_a_place_are_inside_its_boxes(processed: ProcessedDocument) -> None:
    places = [one.place for one in processed.mentions]
    places += [
        edge.place for edge in processed.edges if edge.type is RelationshipType.HAS_CHUNK and edge.place
    ]
    for place in places:
        for page, box in processed.words_at(place):
            assert any(_covers(one, page, box) for one in place.boxes)


def _covers(outer: PageBox, page: int, box: Box) -> bool:
    return (
        outer.page == page
        and outer.box.left <= box.left
        and outer.box.top <= box.top
        and outer.box.right >= box.right
        and outer.box.bottom >= box.bottom
    )


def test_every_row_names_its_labels(processed: ProcessedDocument) -> None:
    (chunk,) = processed.chunks
    assert [span.bates for span in chunk.pages] == ["WOMBAT 000001", "WOMBAT 000002"]
    for edge in processed.edges:
        assert edge.place is not None
        assert edge.place.bates is not None
        assert (edge.place.last_bates is not None) == (edge.place.page != edge.place.last_page)


def test_a_chunk_is_outlined_page_by_page(processed: ProcessedDocument) -> None:
    (edge,) = (edge for edge in processed.edges if edge.type is RelationshipType.HAS_CHUNK)
    assert edge.place is not None
    assert [box.page for box in edge.place.boxes] == [1, 2]


def test_every_form_of_a_name_has_its_first_place(processed: ProcessedDocument) -> None:
    (ortega,) = (one for one in processed.entities if one.name == "Maria Ortega")
    places = {form.text: form.first or ortega.first for form in ortega.forms}
    assert set(places) == {"Maria Ortega", "Ms. Ortega"}
    for text, place in places.items():
        assert " ".join(processed.text[place.start : place.end].split()) == text
    assert sum(form.first is None for form in ortega.forms) == 1


def test_every_edge_from_mention_to_entity_has_the_place_of_the_mention(processed: ProcessedDocument) -> None:
    links = {edge.subject: edge for edge in processed.edges if edge.type is RelationshipType.REFERS_TO}
    assert len(links) == len(processed.mentions)
    for mention in processed.mentions:
        link = links[f"mention:{mention.mention}"]
        assert (link.place, link.quote) == (mention.place, mention.quote)
