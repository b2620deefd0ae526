"""The sentence splitter: tables of legal text, and properties that hold for any text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe_assets.text.sentences import heading_of, sentence_starts, sentences


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Mr. Pell met Dr. Ana Varga at 9:30 a.m. on Main St. near the depot.",
        "See Larkspur v. Acuity Freight, Inc., 517 F.3d 1154, 1160 (9th Cir. 2008).",
        "The motion under Fed. R. Civ. P. 12(b)(6) and Cal. Civ. Code § 1542 is denied.",
        "J. R. Holt, Jr. signed for Wombat Logistics, Inc. as its president.",
        "Plaintiff lives in the U.S. Virgin Islands.",
        "The order, No. 22-1044, followed Bell v. Moss, 12 Cal. App. 4th 33.",
        "12. On May 3, 2021, the truck was sold.",
        "He quoted “the whole . . . record” in full.",
    ],
)
def test_abbreviations_and_citations_stay_inside_their_sentence(sentence: str) -> None:
    assert split(f"It rained. {sentence} That is all.") == ["It rained.", sentence, "That is all."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "He works for Acuity, Inc. The firm is in Ohio.",
            ["He works for Acuity, Inc.", "The firm is in Ohio."],
        ),
        ("She said “Stop.” He did not.", ["She said “Stop.”", "He did not."]),
        ("It was so. The truck left.", ["It was so.", "The truck left."]),
        ("Was it late? Yes! It was.", ["Was it late?", "Yes!", "It was."]),
        ("It is settled law. 38 C.F.R. § 3.303(d).", ["It is settled law.", "38 C.F.R. § 3.303(d)."]),
        ("The claim fails.[4] The motion is granted.", ["The claim fails.[4]", "The motion is granted."]),
    ],
)
def test_a_sentence_ends_where_another_clearly_begins(text: str, expected: list[str]) -> None:
    assert split(text) == expected


def test_questions_and_answers_of_a_deposition_are_separate_sentences() -> None:
    text = (
        "Q. Did you sign the bill of lading for\nthe second truck\nA. I did not\n"
        "MR. HOLT: Objection\nQ. Who did"
    )
    assert split(text) == [
        "Q. Did you sign the bill of lading for\nthe second truck",
        "A. I did not",
        "MR. HOLT: Objection",
        "Q. Who did",
    ]


def test_wrapped_lines_are_one_sentence_and_headings_are_separate() -> None:
    text = (
        "FACTUAL BACKGROUND\n"
        "1. Acuity hired the driver in March and trained him for two weeks before he\n"
        "drove alone to Reno.\n"
        "2. The truck left the road.\n"
        "CLAIM FOR RELIEF\n"
        "3. Acuity was negligent."
    )
    assert split(text) == [
        "FACTUAL BACKGROUND",
        "1. Acuity hired the driver in March and trained him for two weeks before he\ndrove alone to Reno.",
        "2. The truck left the road.",
        "CLAIM FOR RELIEF",
        "3. Acuity was negligent.",
    ]


@pytest.mark.parametrize(
    ("line", "is_heading"),
    [
        ("STATEMENT OF FACTS", True),
        ("II. Standard of Review", True),
        ("ARTICLE IV Terms of Payment", True),
        ("ACUITY WOMBAT 000454", False),
        ("CASE NO. 4:23-CV-01877", False),
        ("The parties agree as follows", False),
        ("1. The truck left the road.", False),
        ("JANE ROE,", False),
        ("", False),
    ],
)
def test_headings_are_capitals_or_numbered_titles_but_not_stamps(line: str, is_heading: bool) -> None:
    assert (heading_of(line) is not None) == is_heading


TEXTS = st.text(alphabet=st.sampled_from("aBc .?!\n\f\r,;Q12()\"'”[]§é\t"), max_size=200) | st.text(
    max_size=80
)


@given(TEXTS)
def test_sentences_contain_all_visible_text_in_order(text: str) -> None:
    spans = list(sentences(text))
    assert "".join("".join(text[s:e].split()) for s, e in spans) == "".join(text.split())
    assert all(s < e for s, e in spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


LINES = st.lists(st.text(alphabet='aB .?1"', max_size=20), max_size=8).map("\n".join)


@given(LINES, LINES)
def test_all_starts_but_the_last_are_independent_of_later_text(first: str, second: str) -> None:
    known = list(sentence_starts(first))[:-1]
    assert list(sentence_starts(f"{first}\f{second}"))[: len(known)] == known
