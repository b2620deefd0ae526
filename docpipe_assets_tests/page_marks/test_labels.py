"""Stamps, legends, headers and footers are marked; unique lines and body text are not."""

import gc
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise

import pytest

from docpipe_assets.model import Box, Legend, MarkRole, Page, PageText, TextMethod, Word
from docpipe_assets.page_marks.labels import with_labels
from docpipe_assets.page_marks.legends import legends_in

WIDTH, HEIGHT = 612.0, 792.0
BODY = ["The shipment was received at the yard.", "Nobody signed for it on that day."]


@pytest.mark.parametrize(
    ("text", "legends"),
    [
        ("CONFIDENTIAL", {"confidential"}),
        ("CONFIDENTIAL - ATTORNEYS' EYES ONLY", {"confidential", "attorneys_eyes_only"}),
        ("CONFIDENTIAL—ATTORNEYS’ EYES ONLY", {"confidential", "attorneys_eyes_only"}),
        ("CONFIDENTIAL-ATTORNEYSEYESONLY", {"confidential", "attorneys_eyes_only"}),
        ("HIGHLY CONFIDENTIAL – OUTSIDE COUNSEL ONLY", {"highly_confidential", "attorneys_eyes_only"}),
        (
            "HIGHLY CONFIDENTIAL - OUTSIDE ATTORNEYS' EYES ONLY",
            {"highly_confidential", "attorneys_eyes_only"},
        ),
        ("SUBJECT TO PROTECTIVE ORDER", {"protective_order"}),
        ("CONFIDENTIAL PURSUANT TO STIPULATED PROTECTIVE ORDER", {"confidential", "protective_order"}),
        ("PRODUCED SUBJECT TO THE CONFIDENTIALITY AGREEMENT", {"protective_order"}),
        ("PRIVILEGED AND CONFIDENTIAL", {"privileged", "confidential"}),
        ("ATTORNEY-CLIENT PRIVILEGED / ATTORNEY WORK PRODUCT", {"privileged"}),
        ("CONFIDENTIAL TREATMENT REQUESTED", {"confidential"}),
        ("FILED UNDER SEAL", {"under_seal"}),
        ("Confidential", {"confidential"}),
        ("confidential", set()),
        ("STIPULATED PROTECTIVE ORDER", set()),
        ("CONFIDENTIALITY", set()),
        ("CONFIDENTIAL SETTLEMENT AGREEMENT", set()),
        ("This letter is confidential.", set()),
        ("Confidential and proprietary terms follow", set()),
        ("", set()),
        ("* * *", set()),
    ],
)
def test_a_legend_is_a_line_without_other_text(text: str, legends: set[str]) -> None:
    assert legends_in(text, is_in_margin=True) == {Legend(one) for one in legends}


def test_a_legend_in_the_body_is_in_capitals_and_not_a_heading() -> None:
    assert legends_in("CONFIDENTIAL", is_in_margin=False)
    assert not legends_in("Confidential", is_in_margin=False)
    assert not legends_in("PRIVILEGED", is_in_margin=False)


def page(number: int, *lines: tuple[str, float] | tuple[str, float, float]) -> tuple[PageText, Page]:
    """A page with a line for each tuple: its text, top and, if it is not 72, left; 6 points a letter."""
    texts, words, offset = [], [], 0
    for text, top, *left in lines:
        start = left[0] if left else 72.0
        at = 0
        for token in text.split(" "):
            x = start + 6.0 * at
            if token.strip("."):
                span = offset + at, offset + at + len(token)
                words.append(Word(*span, Box(x, top, x + 6.0 * len(token), top + 10)))
            at += len(token) + 1
        texts.append(text)
        offset += len(text) + 1
    whole = "\n".join(texts)
    record = PageText(
        document="b/x.pdf",
        version="v",
        page=number,
        start=0,
        end=len(whole),
        text=whole,
        method=TextMethod.TEXT_LAYER,
        reason="made",
        confidence=1.0,
        engine="made",
        words=tuple(words),
    )
    size = Page(
        page=number,
        width_points=WIDTH,
        height_points=HEIGHT,
        rotation_degrees=0,
        text_characters=1,
        image_cover=0,
    )
    return record, size


def body(number: int) -> list[tuple[str, float]]:
    return [(f"{line} {number}", 300.0 + 14 * n) for n, line in enumerate(BODY)]


def marked(*pages: tuple[PageText, Page]) -> list[list[tuple[MarkRole, str]]]:
    return [[(m.role, p.text[m.start : m.end]) for m in p.marks] for p in with_labels(pages)]


def test_headers_and_footers_are_lines_repeated_up_to_numbers() -> None:
    def one(n: int) -> tuple[PageText, Page]:
        return page(n, ("Norvane v. Caldera", 20.0), *body(n), (f"Complaint | page {n}", 760.0))

    for n, marks in enumerate(marked(*(one(n) for n in range(1, 5))), 1):
        assert marks == [(MarkRole.HEADER, "Norvane v. Caldera"), (MarkRole.FOOTER, f"Complaint | page {n}")]


def test_a_line_that_numbers_the_page_is_a_footer_from_the_second_page_on() -> None:
    pages = [page(n, *body(n), (f"First Mutual Bank | page {n}", 760.0)) for n in (1, 2)]
    assert marked(*pages) == [[(MarkRole.FOOTER, f"First Mutual Bank | page {n}")] for n in (1, 2)]
    assert marked(pages[0]) == [[]]


def test_a_line_at_an_edge_of_one_or_two_pages_is_body_text() -> None:
    first = page(1, ("Brightwater Freight, LLC", 20.0), *body(1))
    others = [page(n, (f"{word} paragraph", 20.0), *body(n)) for n, word in ((2, "Second"), (3, "Third"))]
    assert marked(first, *others) == [[], [], []]
    assert marked(first, page(2, ("Brightwater Freight, LLC", 20.0), *body(2)), *others) == [[], [], [], []]


def test_repeated_lines_of_the_body_are_not_headers() -> None:
    pages = [page(n, ("Q. Do you recall?", 300.0), *body(n)) for n in range(1, 6)]
    assert marked(*pages) == [[]] * 5


def test_a_repetition_far_away_does_not_count() -> None:
    pages = [page(n, (f"Part {chr(64 + n % 26)}{n * 'x'}", 20.0), *body(n)) for n in range(1, 60)]
    for n in (1, 30, 59):
        pages[n - 1] = page(n, ("SCHEDULE", 20.0), *body(n))
    assert marked(*pages) == [[]] * 59


def test_page_numbers_have_a_fixed_position_unlike_numbers_in_a_table() -> None:
    numbered = [page(n, *body(n), (str(n), 760.0, 300.0)) for n in range(1, 5)]
    assert marked(*numbered) == [[(MarkRole.FOOTER, str(n))] for n in range(1, 5)]
    tables = [page(n, *body(n), (str(n * 7), 760.0, 40.0 + 120 * n)) for n in range(1, 5)]
    assert marked(*tables) == [[]] * 4


def test_a_line_number_is_not_a_header() -> None:
    pages = [
        page(n, (f"1 ............ It was the {n * 'x'} that came", 40.0), *body(n), ("28", 770.0))
        for n in (1, 2, 3)
    ]
    assert marked(*pages) == [[(MarkRole.FOOTER, "28")]] * 3


def test_a_stamp_and_a_legend_in_one_line_are_distinguished() -> None:
    line = "CONFIDENTIAL - ATTORNEYS' EYES ONLY WOMBAT 000454"
    pages = [page(n, *body(n), (line.replace("454", f"{453 + n}"), 760.0)) for n in (1, 2)]
    assert marked(*pages)[1] == [
        (MarkRole.LEGEND, "CONFIDENTIAL - ATTORNEYS' EYES ONLY"),
        (MarkRole.STAMP, "WOMBAT 000455"),
    ]
    (first, _) = with_labels(pages)
    assert first.legends == (Legend.ATTORNEYS_EYES_ONLY, Legend.CONFIDENTIAL)
    assert first.bates == "WOMBAT 000454"


def test_a_repaired_stamp_is_marked_as_it_appears_in_the_text() -> None:
    texts = ["WOMBAT 000454", "W0MBAT O00455", "WOMBAT 000456"]
    pages = [page(n, *body(n), (text, 760.0, 480.0)) for n, text in enumerate(texts, 1)]
    assert marked(*pages) == [[(MarkRole.STAMP, text)] for text in texts]


def test_the_marks_of_a_page_are_in_order_and_do_not_overlap() -> None:
    pages = [
        page(
            n,
            ("SUBJECT TO PROTECTIVE ORDER", 10.0),
            ("Norvane v. Caldera", 24.0),
            *body(n),
            (f"page {n} ............ CONFIDENTIAL WOMBAT {453 + n:06d}", 760.0),
        )
        for n in range(1, 5)
    ]
    for marks, (text, _) in zip((p.marks for p in with_labels(pages)), pages, strict=True):
        assert [m.role for m in marks] == ["legend", "header", "footer", "legend", "stamp"]
        assert all(a.end <= b.start for a, b in pairwise(marks))
        assert marks[-1].end == len(text.text)


def test_memory_does_not_grow_with_the_document() -> None:
    """Every page of the document has a different header, stamp and number."""

    def pages(count: int) -> Iterator[tuple[PageText, Page]]:
        for n in range(1, count + 1):
            name = "".join(chr(65 + int(digit)) for digit in f"{n:05d}")
            yield page(n, (f"Header {name}", 20.0), *body(n), (f"{name} {n * 7:06d}", 760.0))

    held: dict[int, int] = {}
    tracemalloc.start()
    for one in with_labels(pages(150)):
        if one.page in (40, 130):
            gc.collect()
            held[one.page], _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held[130] < held[40] + 50_000, f"{held[40]:,} bytes grew to {held[130]:,}"
