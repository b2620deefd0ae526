"""The labelled documents are parsed correctly, and the scores are correct."""

import pytest

from docpipe_assets.engines.ner.citations import CitationNer
from docpipe_assets.engines.ner.crf import CrfNer
from docpipe_assets.engines.ner.patterns import PatternNer
from docpipe_assets.model import EntityType, FoundName
from docpipe_assets_tests.evaluation.ner.__main__ import NAMES, score_half
from docpipe_assets_tests.evaluation.ner.labelled import HALVES, parse, read_half
from docpipe_assets_tests.evaluation.ner.scoring import Scores, score_document


def test_marks_are_removed_and_offsets_match_the_remaining_text() -> None:
    document = parse("d", "By [Jane Roe](person) [sic](ignore) of [Acme (US)](organisation) [x].")
    assert document.text == "By Jane Roe sic of Acme (US) [x]."
    assert [document.text[label.start : label.end] for label in document.labels] == ["Jane Roe", "Acme (US)"]
    assert document.ignored == ((12, 15),)


def test_exact_and_overlapping_hits_differ_and_ignored_spans_hide_names() -> None:
    document = parse("d", "By [Jane Roe](person) [Sic](ignore) of [Acme](organisation) in Rome.")
    scores = Scores()
    found = [
        FoundName(3, 7, EntityType.PERSON, 1.0, "e"),
        FoundName(12, 15, EntityType.PERSON, 1.0, "e"),
        FoundName(19, 23, EntityType.ORGANISATION, 1.0, "e"),
        FoundName(27, 31, EntityType.PLACE, 1.0, "e"),
    ]
    score_document(document, found, scores)
    assert scores.by_type[EntityType.PERSON].precision_recall_f1() == (0.0, 0.0, 0.0)
    assert scores.by_type[EntityType.PERSON].precision_recall_f1(is_relaxed=True) == (1.0, 1.0, 1.0)
    assert scores.by_type[EntityType.ORGANISATION].precision_recall_f1() == (1.0, 1.0, 1.0)
    assert scores.by_type[EntityType.PLACE].precision_recall_f1() == (0.0, 0.0, 0.0)


def test_the_halves_share_no_document_and_mark_every_type() -> None:
    names = [{document.name for document in read_half(half)} for half in HALVES]
    assert names[0].isdisjoint(names[1])
    for half in HALVES:
        documents = read_half(half)
        assert not any("](" in document.text for document in documents)
        assert {label.type for document in documents for label in document.labels} == set(EntityType)


@pytest.mark.parametrize("half", HALVES)
def test_the_shipped_engines_reach_their_minimum_scores(half: str) -> None:
    scores = score_half(half, [CitationNer(), PatternNer(), CrfNer()])
    regular = [entity_type for entity_type in EntityType if entity_type not in NAMES]
    assert scores.total(NAMES).precision_recall_f1()[2] > 0.80
    assert scores.total(NAMES).precision_recall_f1(is_relaxed=True)[2] > 0.85
    assert scores.total(regular).precision_recall_f1()[2] > 0.95
