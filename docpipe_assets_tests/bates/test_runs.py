"""Stamps are resolved by their neighbors: repaired if letters resemble digits, never if digits differ."""

from collections.abc import Iterator, Sequence
from itertools import chain

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from docpipe_assets.bates.file_names import named_range
from docpipe_assets.bates.runs import LOOKAHEAD_PAGES, Stamped, UndecidedPage, stamped
from docpipe_assets.bates.stamps import TextAndBox, stamps_on
from docpipe_assets.model import Box, Stamp

WIDTH, HEIGHT = 612.0, 792.0
RIGHT, LEFT, TOP = (440.0, 765.0), (30.0, 765.0), (440.0, 17.0)


def words(text: str, left: float, top: float) -> list[TextAndBox]:
    placed: list[TextAndBox] = []
    for token in text.split():
        placed.append((token, Box(left, top, left + 6.0 * len(token), top + 10)))
        left += 6.0 * len(token) + 6.0
    return placed


def undecided(
    number: int, *texts: str | tuple[str, tuple[float, float]], layer: str | None = None
) -> UndecidedPage:
    """A page read by OCR with these texts in its margins, by default at the bottom right."""
    placed = [(text, RIGHT) if isinstance(text, str) else text for text in texts]
    found = stamps_on(chain.from_iterable(words(text, *at) for text, at in placed), WIDTH, HEIGHT)
    stamp = None
    if layer is not None:
        prefix, digits = layer.split()
        stamp = Stamp(prefix=prefix, separator=" ", number=int(digits), digits=len(digits))
    return UndecidedPage(number, found, True, stamp)


def document(
    pages: Sequence[UndecidedPage], named: str | None = None, first: int = 900_000
) -> list[Stamped[int]]:
    """``named`` is the prefix in the document's name, and ``first`` the number of its first page."""
    file_stamp = Stamp(prefix=named, separator=" ", number=first, digits=6) if named else None
    return list(stamped(((page.page, page) for page in pages), file_stamp))


def read(*texts: str, named: str | None = None) -> list[Stamped[int]]:
    return document([undecided(n, text) if text else undecided(n) for n, text in enumerate(texts, 1)], named)


def labels(pages: Sequence[Stamped[int]]) -> list[str | None]:
    return [page.label for page in pages]


@pytest.mark.parametrize(
    "misread",
    [
        "WOMBAT 0O0455",
        "WOMBAT OOO455",
        "W0MBAT 000455",
        "WOM8AT 000455",
        "WOMBAT 00045S",
        "WOMBAT 0004SS",
        "WOMBAT000455",
        "WOMBAT 000 455",
        "W OMBAT 000455",
        "WOMBAI 000455",
        "WOMBA 000455",
        "WOMBATT 000455",
        "VOMBAT 000455",
        "| W0MBAT O00455",
        "CONFIDENTIAL WOMBAT 0O0455",
    ],
)
def test_a_misread_stamp_is_repaired_by_its_neighbors_and_marked(misread: str) -> None:
    pages = read("WOMBAT 000454", misread, "WOMBAT 000456")
    assert labels(pages) == ["WOMBAT 000454", "WOMBAT 000455", "WOMBAT 000456"]
    (stamp,) = pages[1].stamps
    assert stamp.read_as is not None
    assert stamp.read_as in misread
    assert [page.stamps[0].read_as for page in (pages[0], pages[2])] == [None, None]


@pytest.mark.parametrize("at", [0, 1, 4])
def test_the_first_and_the_last_page_have_neighbors_too(at: int) -> None:
    texts = [f"WOMBAT {n:06d}" for n in range(108, 113)]
    wanted = list(texts)
    texts[at] = texts[at].replace("0", "O").replace("1", "l")
    assert labels(read(*texts)) == wanted


@pytest.mark.parametrize(
    "other", ["WOMBAT 000454", "WOMBAT 000465", "WOMBAT 000456", "WOMBAT 001455", "WOMBAT 00455"]
)
def test_no_digit_is_ever_replaced_by_another(other: str) -> None:
    pages = read("WOMBAT 000453", "WOMBAT 000454", other, "WOMBAT 000456", "WOMBAT 000457")
    assert pages[2].label == other
    assert pages[2].stamps[0].read_as is None


def test_a_space_lost_by_ocr_on_half_of_the_pages_is_restored() -> None:
    pages = read("WOMBAT000454", "WOMBAT 000455", "WOMBAT000456", "WOMBAT 000457")
    assert labels(pages) == [f"WOMBAT {n:06d}" for n in range(454, 458)]
    assert [page.stamps[0].read_as for page in pages] == ["WOMBAT000454", None, "WOMBAT000456", None]


def test_a_missing_stamp_is_not_invented() -> None:
    assert labels(read("WOMBAT 000454", "", "WOMBAT 000456")) == ["WOMBAT 000454", None, "WOMBAT 000456"]
    assert labels(read("", "", "")) == [None, None, None]


def test_a_letter_after_the_number_stays_a_letter() -> None:
    texts = ["CALDERA 000454", "CALDERA 000454A", "CALDERA 000454B", "CALDERA 000455"]
    assert labels(read(*texts)) == texts


def test_numbers_that_increase_after_a_period_are_a_run() -> None:
    texts = [f"CALDERA 000123.{n:03d}" for n in range(8, 13)]
    misread = ["CALDERA O00123.O10" if text.endswith("010") else text for text in texts]
    assert labels(read(*misread)) == texts


def test_padding_may_overflow() -> None:
    for texts in (["AB 0998", "AB 0999", "AB 1000"], ["WOMBAT 999999", "WOMBAT 1000000"]):
        assert labels(read(*texts)) == texts


def test_the_documents_own_production_is_the_label_and_both_are_kept() -> None:
    pages = document(
        [undecided(n, f"WOMBAT {453 + n:06d}", (f"OLDCO-{n:07d}", LEFT)) for n in range(1, 8)], "OLDCO"
    )
    assert labels(pages) == [f"OLDCO-{n:07d}" for n in range(1, 8)]
    assert [[stamp.label for stamp in page.stamps] for page in pages[:1]] == [
        ["OLDCO-0000001", "WOMBAT 000454"]
    ]


def test_the_run_on_most_pages_is_the_documents_own() -> None:
    """An older production's stamp, even in a better corner, is on a few pages only."""
    pages = [
        undecided(n, (f"WOMBAT {n:06d}", (250.0, 765.0)), *([f"OLDCO {n:07d}"] if n in (3, 4) else []))
        for n in range(1, 10)
    ]
    assert labels(document(pages)) == [f"WOMBAT {n:06d}" for n in range(1, 10)]


def test_a_missing_stamp_is_not_replaced_by_that_of_another_production() -> None:
    for missing in (1, 4, 7):
        pages = [
            undecided(n, (f"OLDCO {n + 70:06d}", LEFT), *([] if n == missing else [f"WOMBAT {n:06d}"]))
            for n in range(1, 8)
        ]
        found = labels(document(pages, "WOMBAT"))
        assert found == [None if n == missing else f"WOMBAT {n:06d}" for n in range(1, 8)]


def test_a_lookalike_elsewhere_on_a_page_does_not_replace_its_stamp() -> None:
    for page in (2, 5):
        pages = [undecided(n, ("ABC 000777", TOP) if n == page else f"WOMBAT {n:06d}") for n in range(1, 6)]
        found = document(pages)
        assert found[page - 1].label is None
        assert [stamp.label for stamp in found[page - 1].stamps] == ["ABC 000777"]


def test_another_prefix_at_the_same_place_is_the_pages_label() -> None:
    texts = ["WOMBAT 000001", "WOMBAT 000002", "KOALA 000003", "WOMBAT 000004"]
    assert labels(read(*texts)) == texts
    texts = ["WOMBAT 000001", "WOMBAT 000002", "KOALA 000071", "KOALA 000072"]
    assert labels(read(*texts)) == texts


def test_a_different_prefix_beside_another_productions_stamp_is_kept() -> None:
    own = [f"{'KOALA' if n == 4 else 'WOMBAT'} {n:06d}" for n in range(1, 8)]
    pages = [undecided(n, label, (f"OLDCO {n + 70:06d}", LEFT)) for n, label in enumerate(own, 1)]
    assert labels(document(pages, "WOMBAT")) == own


def test_a_number_repeated_on_all_pages_is_a_file_number() -> None:
    pages = [undecided(n, ("GR 0012345", LEFT), f"WOMBAT {n:06d}") for n in range(1, 6)]
    assert [[stamp.label for stamp in page.stamps] for page in document(pages)] == [
        [f"WOMBAT {n:06d}"] for n in range(1, 6)
    ]
    assert labels(read(*["GR 0012345"] * 4)) == [None] * 4


def test_a_stamp_in_the_text_layer_is_newer_than_one_in_the_image() -> None:
    pages = [undecided(n, f"OLDCO {n:06d}", layer=f"WOMBAT {n + 9:06d}") for n in range(1, 6)]
    found = document(pages)
    assert labels(found) == [f"WOMBAT {n + 9:06d}" for n in range(1, 6)]
    assert [stamp.label for stamp in found[0].stamps] == ["WOMBAT 000010", "OLDCO 000001"]


def test_the_file_name_corrects_a_prefix_that_is_always_misread() -> None:
    pages = read("W0MBAT 000454", "W0MBAT 000455", named="WOMBAT")
    assert labels(pages) == ["WOMBAT 000454", "WOMBAT 000455"]
    assert [page.stamps[0].read_as for page in pages] == ["W0MBAT 000454", "W0MBAT 000455"]


@pytest.mark.parametrize("misread", ["W0MBAT O00454", "WOM8AT 0OO454", "WOMBAI 000454"])
def test_the_file_name_corrects_the_misread_stamp_of_a_single_page(misread: str) -> None:
    (page,) = document([undecided(1, misread)], "WOMBAT", first=454)
    assert (page.label, page.stamps[0].read_as) == ("WOMBAT 000454", misread)


def test_a_label_from_the_file_name_does_not_replace_another_stamp() -> None:
    for stamp in ("WOMBAT 000464", "KOALA 000454"):
        (page,) = document([undecided(1, stamp)], "WOMBAT", first=454)
        assert (page.label, page.stamps[0].read_as) == (stamp, None)
    assert labels(document([undecided(1)], "WOMBAT", first=454)) == [None]


def test_a_stamp_along_the_side_of_a_landscape_page_is_read() -> None:
    tall: list[TextAndBox] = [("WOMBAT", Box(20, 700, 30, 736)), ("000454", Box(20, 742, 30, 778))]
    up: list[TextAndBox] = [("WOMBAT", Box(20, 742, 30, 778)), ("000454", Box(20, 700, 30, 736))]
    for lying in (tall, up):
        assert [s.label for s in stamps_on(lying, WIDTH, HEIGHT).stamps] == ["WOMBAT 000454"]


def test_no_more_pages_are_buffered_than_documented() -> None:
    taken = 0

    def pages() -> Iterator[tuple[int, UndecidedPage]]:
        nonlocal taken
        for taken in range(1, 101):
            yield taken, undecided(taken, f"WOMBAT {taken:06d}")

    for number, page in enumerate(stamped(pages()), start=1):
        assert page.page == number
        assert taken <= number + LOOKAHEAD_PAGES


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 99_000),
    st.lists(st.sampled_from(["", "", "0O", "1l", "5S", "8B"]), min_size=4, max_size=30),
)
@example(174, ["0O", "5S", "", ""]).via("the nearest label is itself misread")
def test_a_run_is_resolved_whatever_digits_were_misread_as_letters(first: int, swaps: list[str]) -> None:
    """This only requires one page that was read correctly."""
    texts = [f"COBALT {first + n:06d}" for n in range(len(swaps))]
    swaps[len(swaps) // 2] = ""
    misread = [
        text.replace(swap[:1], swap[1:]) if swap else text for text, swap in zip(texts, swaps, strict=True)
    ]
    found = read(*misread)
    assert labels(found) == texts
    assert [page.stamps[0].read_as or page.label for page in found] == misread


TEXTS = st.sampled_from(["", "WOMBAT 0O0455", "KOALA 000003", "000123", "GR 0012345", "Page 3", "X1 O0O0O0"])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(TEXTS, st.integers(1, 40).map("WOMBAT {:06d}".format)), max_size=40))
def test_every_page_is_returned_once_in_order_with_its_first_stamp(texts: list[str]) -> None:
    pages = read(*texts)
    assert [page.page for page in pages] == list(range(1, len(texts) + 1))
    for page in pages:
        if page.label is not None:
            assert page.stamps[0].label == page.label


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("acuity/WOMBAT 000454-000784.pdf", "WOMBAT 000454-000784"),
        ("acuity/wombat_000454-000784.PDF", "WOMBAT 000454-000784"),
        ("WOMBAT000454-WOMBAT000784.pdf", "WOMBAT 000454-000784"),
        ("WOMBAT 000454 - 784 (Deposition of Pell).pdf", "WOMBAT 000454-000784"),
        ("Exhibit 4 CALDERA LIT 000010 through 000012.pdf", "CALDERA LIT 000010-000012"),
        ("ABC-0001234.pdf", "ABC 0001234"),
        ("letter of 2019-03-12.pdf", None),
        ("Smith 2019-2020.pdf", None),
        ("Invoice 000123-000130.pdf", None),
        ("x.pdf", None),
    ],
)
def test_the_range_in_a_name_is_read(name: str, expected: str | None) -> None:
    found = named_range(name)
    assert (None if found is None else str(found)) == expected
