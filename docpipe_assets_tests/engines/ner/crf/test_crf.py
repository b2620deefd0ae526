"""The names that the shipped tagger finds in litigation text, and the words that it ignores."""

import hashlib
from itertools import pairwise
from pathlib import Path

import pytest

from docpipe_assets.engines.ner.crf import MODEL, CrfNer
from docpipe_assets.engines.ner.crf.features import sequences, tokenize
from docpipe_assets.errors import EngineError
from docpipe_assets.protocols import NameContext

ENGINE = CrfNer()


def found(text: str, lowercase_words: str = "") -> set[tuple[str, str]]:
    context = NameContext(frozenset(lowercase_words.split()))
    return {(text[f.start : f.end], f.type.value) for f in ENGINE.find(text, context)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Plaintiff Margaret Ellison is a resident of Tulsa, Oklahoma.",
            {("Margaret Ellison", "person"), ("Tulsa", "place"), ("Oklahoma", "place")},
        ),
        (
            "Attorneys for Defendant\nBRIDGEPORT STEEL SUPPLY, INC.\n",
            {("BRIDGEPORT STEEL SUPPLY, INC.", "organisation")},
        ),
        ("Reporting Officer: R. Danforth #4471\n", {("R. Danforth", "person")}),
        ("Patient: Ramirez, Elena M.     DOB: 04/02/1970\n", {("Ramirez, Elena M.", "person")}),
        (
            "She was seen by Dr. Whitfield at Mercy General Hospital.",
            {("Whitfield", "person"), ("Mercy General Hospital", "organisation")},
        ),
        ("3        MR. HOLLOWAY: Objection, form.\n", {("HOLLOWAY", "person")}),
        ("HARPER, DOYLE & KIM, LLP\n", {("HARPER, DOYLE & KIM, LLP", "organisation")}),
    ],
)
def test_names_in_litigation_forms_are_found_completely(text: str, expected: set[tuple[str, str]]) -> None:
    assert found(text) == expected


def test_titles_and_possessives_stay_outside_the_name() -> None:
    assert ("Osborne", "person") in found("It was Sergeant Osborne's report that Dr. Osborne read.")


@pytest.mark.parametrize(
    "text",
    [
        "The Company shall pay the Contractor under this Agreement.",
        "TABLE OF CONTENTS\nSTATEMENT OF FACTS\nARGUMENT\nCONCLUSION\n",
        "Plaintiff opposes Defendant's Motion for Summary Judgment.",
    ],
)
def test_defined_terms_and_headings_are_not_names(text: str) -> None:
    assert (
        found(text, "the company contractor agreement of statement facts argument motion for judgment")
        == set()
    )


def test_a_candidate_whose_words_also_occur_in_lower_case_is_dropped() -> None:
    text = "It was delivered by Summit Freight Services on Monday."
    assert ("Summit Freight Services", "organisation") in found(text)
    assert found(text, "summit freight services") == set()


def test_a_legal_form_keeps_an_organization_of_plain_words() -> None:
    text = "It was delivered by Summit Freight Lines, Inc. on Monday."
    assert ("Summit Freight Lines, Inc.", "organisation") in found(text, "summit freight lines")


def test_a_short_form_takes_the_type_of_the_full_name_in_the_same_text() -> None:
    text = "Korvane Industrial Supply, Inc. sold it. Korvane denies it. Paula Dresnik agrees; Dresnik saw it."
    names = found(text)
    assert ("Korvane", "organisation") in names
    assert ("Dresnik", "person") in names


def test_scores_are_probabilities_that_differ() -> None:
    text = "Ms. Dana Whitcomb of Larkin Freight, LLC drove to Boise. Redline out of Duluth."
    scores = [f.score for f in ENGINE.find(text, NameContext(frozenset()))]
    assert all(0 < score <= 1 for score in scores)
    assert len(set(scores)) > 1


def test_the_recorded_version_is_that_of_the_shipped_files() -> None:
    content = (MODEL / "crf.zst").read_bytes() + (MODEL / "gazetteer.txt.zst").read_bytes()
    assert ENGINE.version.endswith(hashlib.sha256(content).hexdigest()[:12])


def test_the_shipped_model_stays_small() -> None:
    assert sum(path.stat().st_size for path in MODEL.iterdir()) < 10_000_000


def test_a_missing_model_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"version\.txt.*reinstall docpipe"):
        CrfNer(tmp_path)
    (tmp_path / "version.txt").write_text("0")
    with pytest.raises(EngineError, match=r"crf\.zst"):
        list(CrfNer(tmp_path).find("Jane Roe", NameContext(frozenset())))


def test_a_damaged_model_is_an_engine_error(tmp_path: Path) -> None:
    for name in ("gazetteer.txt.zst", "version.txt"):
        (tmp_path / name).write_bytes((MODEL / name).read_bytes())
    (tmp_path / "crf.zst").write_bytes((MODEL / "crf.zst").read_bytes()[:1000])
    with pytest.raises(EngineError, match="can't be read"):
        list(CrfNer(tmp_path).find("Jane Roe", NameContext(frozenset())))


def test_tokens_match_the_text_at_their_offsets() -> None:
    text = "Dr. O\u2019Brien's firm, AT&T Inc., paid U.S. taxes\n\n\tin St. Louis (J.R. Roe)."
    tokens = tokenize(text)
    assert [text[a:b] for a, b in zip(tokens.starts, tokens.ends, strict=True)] == tokens.words
    assert {"O\u2019Brien", "AT&T", "Inc.", "U.S.", "St.", "J.R."} <= set(tokens.words)
    assert "".join(tokens.words) == "".join(text.split())


def test_long_texts_are_split_without_losing_a_token() -> None:
    tokens = tokenize("One two three. " * 2_000)
    ranges = sequences(tokens)
    assert (ranges[0][0], ranges[-1][1]) == (0, len(tokens.words))
    assert all(a[1] == b[0] for a, b in pairwise(ranges))
    assert all(0 < end - start <= 1_500 for start, end in ranges)
