"""Relationships: existing nodes, quotes that match the page, parties, counsel, co-occurrence."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe_assets.errors import ArtifactDamaged
from docpipe_assets.model import (
    CanonicalEntities,
    EntityType,
    PageTexts,
    Relationship,
    RelationshipType,
)
from docpipe_assets.stages.chunks_to_mentions import chunks_to_mentions
from docpipe_assets.stages.entities_to_relationships import entities_to_relationships
from docpipe_assets.stages.mentions_to_entities import mentions_to_entities
from docpipe_assets.stages.text_to_chunks import text_to_chunks
from docpipe_assets_tests.litigation.test_captions import CALIFORNIA, PETITION
from docpipe_assets_tests.stages.productions import FindsListedNames, document_text, page_texts

ENGINE = FindsListedNames(
    {
        **dict.fromkeys(
            ["ACUITY FREIGHT, INC.", "Acuity Freight, Inc.", "Acuity Freight"], EntityType.ORGANISATION
        ),
        **dict.fromkeys(["WOMBAT LOGISTICS LLC", "Wombat Logistics LLC"], EntityType.ORGANISATION),
        **dict.fromkeys(["HOLT BRANDT LLP", "ORTEGA & VANCE LLP"], EntityType.ORGANISATION),
        **dict.fromkeys(
            ["DOUGLAS R. PELL", "Douglas Pell", "Pell", "JAMES R. HOLT", "James Holt"], EntityType.PERSON
        ),
        **dict.fromkeys(["Karen L. Moss", "Maria Ortega", "ANTOINE VARGA"], EntityType.PERSON),
        **dict.fromkeys(["Reno", "UNITED STATES"], EntityType.PLACE),
        **dict.fromkeys(["4:23-cv-01877-KLM", "10-1259"], EntityType.DOCKET_NUMBER),
    }
)


class Graph:
    """The relationships of a document, with entities shown by name."""

    def __init__(self, *texts: str, **chunking: int) -> None:
        self.pages: PageTexts = page_texts(*texts)
        self.text = document_text(self.pages)
        self.chunks = text_to_chunks(self.pages, **chunking)
        self.mentions = chunks_to_mentions(self.chunks, self.pages, engines=[ENGINE])
        self.entities = mentions_to_entities(self.mentions)
        self.relationships: list[Relationship] = list(
            entities_to_relationships(self.entities, self.mentions, self.chunks, self.pages)
        )
        self._names = {f"entity:{entity.entity}": entity.name for entity in self.entities}

    def of(self, kind: RelationshipType) -> list[Relationship]:
        return [relationship for relationship in self.relationships if relationship.type is kind]

    def edges(self, kind: RelationshipType) -> set[tuple[str, str, str | None]]:
        return {(self.show(r.subject), self.show(r.object), r.role) for r in self.of(kind)}

    def show(self, node: str) -> str:
        return self._names.get(node, node)

    def nodes(self) -> set[str]:
        return {
            "document",
            *(f"page:{page.page}" for page in self.pages),
            *(f"chunk:{chunk.chunk}" for chunk in self.chunks),
            *(f"mention:{mention.mention}" for mention in self.mentions),
            *self._names,
        }


def test_structure_is_in_text_order_and_connects_every_node() -> None:
    graph = Graph("Maria Ortega left.", "Pell stayed.")
    assert [(r.type.value, r.subject, graph.show(r.object)) for r in graph.relationships[:7]] == [
        ("has_page", "document", "page:1"),
        ("has_chunk", "document", "chunk:0"),
        ("has_mention", "chunk:0", "mention:person:0-12"),
        ("refers_to", "mention:person:0-12", "Maria Ortega"),
        ("has_page", "document", "page:2"),
        ("has_mention", "chunk:0", "mention:person:19-23"),
        ("refers_to", "mention:person:19-23", "Pell"),
    ]


def test_a_caption_makes_parties_of_the_docket_and_opponents() -> None:
    graph = Graph(CALIFORNIA)
    docket = "4:23-cv-01877-KLM"
    assert graph.edges(RelationshipType.PARTY_TO) == {
        ("ACUITY FREIGHT, INC.", docket, "plaintiff"),
        ("WOMBAT LOGISTICS LLC", docket, "defendant"),
        ("DOUGLAS R. PELL", docket, "defendant"),
    }
    assert graph.edges(RelationshipType.OPPOSES) == {
        ("ACUITY FREIGHT, INC.", "WOMBAT LOGISTICS LLC", None),
        ("ACUITY FREIGHT, INC.", "DOUGLAS R. PELL", None),
    }
    pell = next(r for r in graph.of(RelationshipType.PARTY_TO) if graph.show(r.subject) == "DOUGLAS R. PELL")
    assert pell.quote is not None
    assert re.fullmatch(r"DOUGLAS R\. PELL, an individual,\s+\)\s+Defendants", pell.quote)


def test_without_a_docket_number_parties_belong_to_the_document() -> None:
    graph = Graph("Acuity Freight, Inc. v. Wombat Logistics LLC\nNotes of the meeting\n")
    assert graph.edges(RelationshipType.PARTY_TO) == {
        ("Acuity Freight, Inc.", "document", None),
        ("Wombat Logistics LLC", "document", None),
    }


def test_a_state_may_be_a_party() -> None:
    graph = Graph(PETITION)
    assert graph.edges(RelationshipType.PARTY_TO) == {
        ("UNITED STATES", "10-1259", "petitioner"),
        ("ANTOINE VARGA", "10-1259", "respondent"),
    }


def test_a_stated_role_replaces_an_unknown_one() -> None:
    graph = Graph("Acuity Freight, Inc. v. Wombat Logistics LLC\n", "Defendant Wombat Logistics LLC moved.")
    assert ("Wombat Logistics LLC", "document", "defendant") in graph.edges(RelationshipType.PARTY_TO)


def test_counsel_represents_the_named_client() -> None:
    graph = Graph("James Holt\nHOLT BRANDT LLP\nAttorneys for Defendant Wombat Logistics LLC\n")
    assert graph.edges(RelationshipType.REPRESENTS) == {
        ("James Holt", "Wombat Logistics LLC", "defendant"),
        ("HOLT BRANDT LLP", "Wombat Logistics LLC", "defendant"),
    }


def test_counsel_for_a_role_represents_the_parties_with_that_role() -> None:
    appearances = "APPEARANCES:\nFor the Defendants:\nHOLT BRANDT LLP\nBY: JAMES R. HOLT, ESQ.\n"
    graph = Graph(appearances, CALIFORNIA)
    assert graph.edges(RelationshipType.REPRESENTS) == {
        (attorney, client, "defendant")
        for attorney in ("HOLT BRANDT LLP", "JAMES R. HOLT")
        for client in ("WOMBAT LOGISTICS LLC", "DOUGLAS R. PELL")
    }


def test_close_names_rank_before_distant_ones_and_quote_both() -> None:
    far = "It rained and nothing else was said about it on that day. " * 4
    graph = Graph(f"Maria Ortega met Douglas Pell. {far}Then James Holt came.")
    pairs = graph.of(RelationshipType.CO_OCCURS_WITH)
    assert {graph.show(pairs[0].subject), graph.show(pairs[0].object)} == {"Maria Ortega", "Douglas Pell"}
    assert pairs[0].quote == "Maria Ortega met Douglas Pell"
    assert pairs[0].measure == "distance_decay"
    assert [pair.score for pair in pairs] == sorted((pair.score for pair in pairs), reverse=True)
    assert len(pairs) == 3


def test_the_closest_place_is_quoted_and_all_are_counted() -> None:
    graph = Graph("Maria Ortega saw that Douglas Pell slept. Maria Ortega and Douglas Pell left.")
    (pair,) = graph.of(RelationshipType.CO_OCCURS_WITH)
    assert pair.quote == "Maria Ortega and Douglas Pell"
    assert pair.count == 4


def test_names_in_different_chunks_do_not_co_occur() -> None:
    graph = Graph("Maria Ortega left at noon. Douglas Pell came in.", token_limit=6, overlap_tokens=0)
    assert graph.of(RelationshipType.CO_OCCURS_WITH) == []


def test_a_quote_may_run_across_a_page_end() -> None:
    graph = Graph("It was Maria Ortega", "and Douglas Pell.")
    (pair,) = graph.of(RelationshipType.CO_OCCURS_WITH)
    assert pair.quote == "Maria Ortega\fand Douglas Pell"
    assert pair.place is not None
    assert (pair.place.page, pair.place.last_page) == (1, 2)


def test_edges_to_text_not_on_the_page_are_marked_ungrounded() -> None:
    graph = Graph("Then Maria Ortega met Douglas Pell.")
    others = page_texts("Then Marta Ortega met Douglas Pell.")
    relationships = list(entities_to_relationships(graph.entities, graph.mentions, graph.chunks, others))
    ungrounded = {(r.type, graph.show(r.object)) for r in relationships if not r.is_grounded}
    assert (RelationshipType.REFERS_TO, "Maria Ortega") in ungrounded
    assert (RelationshipType.REFERS_TO, "Douglas Pell") not in ungrounded
    assert RelationshipType.CO_OCCURS_WITH in {kind for kind, _ in ungrounded}


def test_mentions_without_their_entities_are_rejected_with_advice() -> None:
    graph = Graph("Maria Ortega left.")
    nobody = CanonicalEntities("stale", lambda: iter(()))
    with pytest.raises(ArtifactDamaged, match="materialize canonical_entities again"):
        list(entities_to_relationships(nobody, graph.mentions, graph.chunks, graph.pages))


def test_an_empty_document_has_only_its_pages() -> None:
    assert [r.object for r in Graph("", " ").relationships] == ["page:1", "page:2"]


WORDS = st.sampled_from(
    [
        "Maria Ortega", "Douglas Pell", "Pell", "Acuity Freight, Inc.", "Wombat Logistics LLC", "Reno",
        "v.", "vs.", "Plaintiff", "Defendant,", "Plaintiffs", "\n", "\nv.\n", ".", "the road",
        "Attorneys for", "For the", "10-1259", "represented by", "HOLT BRANDT LLP", ", Defendant.\n",
        "against",
    ]
)  # fmt: skip
TEXTS = st.lists(st.lists(WORDS, max_size=30).map(" ".join), max_size=4)


@given(TEXTS, st.integers(3, 40))
def test_both_ends_exist_and_quotes_match_the_text(texts: list[str], token_limit: int) -> None:
    graph = Graph(*texts, token_limit=token_limit, overlap_tokens=token_limit // 4)
    nodes = graph.nodes()
    for relationship in graph.relationships:
        assert relationship.subject in nodes
        assert relationship.object in nodes
        assert relationship.subject != relationship.object
        assert relationship.is_grounded
        assert relationship.place is not None
        if relationship.quote is not None:
            assert graph.text[relationship.place.start : relationship.place.end] == relationship.quote
            assert len(relationship.quote) < 3000
    assert len({r.relationship for r in graph.relationships}) == len(graph.relationships)
    assert {r.object for r in graph.of(RelationshipType.HAS_MENTION)} == {
        n for n in nodes if n.startswith("mention")
    }
