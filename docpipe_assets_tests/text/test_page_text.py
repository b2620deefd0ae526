"""Words are assembled into the text of a page; a word hyphenated at a line end is one word with
both boxes.
"""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe_assets.model import Box, PageText, PageTexts, TextMethod
from docpipe_assets.protocols import Lines, PlacedWord
from docpipe_assets.streaming.text_window import PageWindow
from docpipe_assets.text.page_text import assemble


def lines(*texts: str) -> Lines:
    """Words of 6 points a letter in lines of 12 points."""
    placed = []
    for row, text in enumerate(texts):
        at, line = 0, []
        for token in text.split():
            line.append(
                PlacedWord(token, Box(6.0 * at, 12.0 * row, 6.0 * (at + len(token)), 12.0 * row + 10))
            )
            at += len(token) + 1
        placed.append(tuple(line))
    return tuple(placed)


@pytest.mark.parametrize(
    ("texts", "joined"),
    [
        (("for exam-", "ple the load"), "for example\nthe load"),
        (("the ship-", "ment."), "the shipment."),
        (("The agree-", "ment, as signed"), "The agreement,\nas signed"),
        (("the (agree-", "ments) of both"), "the (agreements)\nof both"),
        (("the plain-", "tiff's claim"), "the plaintiff's\nclaim"),
        (("AGREE-", "MENT OF LEASE"), "AGREEMENT\nOF LEASE"),
        (("he worked over-", "time on it"), "he worked overtime\non it"),
        (("soft\u00ad", "ly zzgrb\u00ad", "xqj of"), "softly\nzzgrbxqj\nof"),
        (("they under‐", "stand it"), "they understand\nit"),
        (("Mr. Zzgrb-", "xqj left. Zzgrbxqj"), "Mr. Zzgrbxqj\nleft. Zzgrbxqj"),
        (("14 for exam-", "15 ple the load"), "14 for example\n15 the load"),
        (("one exam-", "ple two agree-", "ment three"), "one example\ntwo agreement\nthree"),
    ],
)
def test_a_hyphenated_word_is_joined(texts: tuple[str, ...], joined: str) -> None:
    assert assemble(lines(*texts))[0] == joined


@pytest.mark.parametrize(
    "texts",
    [
        ("a well-", "known firm"),
        ("a long-", "term lease"),
        ("the cross-", "examination of"),
        ("a follow-", "up call"),
        ("the back-", "up copy"),
        ("the Smith-", "Jones merger"),
        ("Zzgrb-", "xqj left"),
        ("from 1985-", "1990 on"),
        ("a three-", "year term"),
        ("an exam-", "Ple of"),
        ("see exam-", "14 of"),
        ("the exam -", "ple of"),
        ("14 for exam-", "16 ple of"),
        ("it was re-", "signed; they re-signed it"),
        ("- - -", "none of"),
        ("the end-",),
    ],
)
def test_in_doubt_the_hyphen_and_the_line_end_are_kept(texts: tuple[str, ...]) -> None:
    assert assemble(lines(*texts))[0] == "\n".join(texts)


def test_each_half_of_a_joined_word_keeps_its_box() -> None:
    text, words, _ = assemble(lines("for exam-", "ple the load"))
    assert [text[word.start : word.end] for word in words] == ["for", "exam", "ple", "the", "load"]
    exam, ple = words[1:3]
    assert exam.end == ple.start
    assert (exam.box, ple.box) == (Box(24, 0, 54, 10), Box(0, 12, 18, 22))


def test_a_span_over_a_joined_word_has_a_box_on_each_line() -> None:
    text, words, _ = assemble(lines("for exam-", "ple the load"))
    page = PageText(
        document="b/x.pdf",
        version="v",
        page=1,
        start=0,
        end=len(text),
        text=text,
        method=TextMethod.OCR,
        reason="made",
        confidence=1.0,
        engine="made",
        words=words,
    )
    window = PageWindow(PageTexts("made", lambda: iter([page])))
    start = text.index("example")
    place = window.place("b/x.pdf", "v", start, start + len("example"))
    assert [box.box for box in place.boxes] == [Box(24, 0, 54, 10), Box(0, 12, 18, 22)]
    assert window.text(place.start, place.end) == "example"


PARTS = st.sampled_from(
    ["exam-", "ple", "14", "15", "agree-", "ment", "soft\u00ad", "ly.", "(ship-", "-", "a"]
)


@given(st.lists(st.lists(PARTS, max_size=4).map(" ".join), max_size=6))
def test_no_letter_is_lost_or_moved_and_spans_slice_the_words(texts: list[str]) -> None:
    text, words, _ = assemble(lines(*texts))
    hyphens = str.maketrans("", "", "-\u00ad \n")
    assert sorted(text.translate(hyphens)) == sorted("".join(texts).translate(hyphens))
    assert all(a.end <= b.start for a, b in pairwise(words))
    covered = "".join(text[word.start : word.end] for word in words)
    assert covered == "".join(text.split())
