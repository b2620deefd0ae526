"""Each fault in the labels of a document or batch is one finding; labels in sequence have none."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe_assets.bates.batch import batch_findings
from docpipe_assets.bates.checks import DocumentBates
from docpipe_assets.bates.findings import BatesFault, BatesSummary
from docpipe_assets.bates.stamps import stamp_of
from docpipe_assets.model import PageProse, Stamp, TextMethod

FAILED = "(failed)"


def stamp(label: str) -> Stamp:
    if found := stamp_of(label):
        return found
    prefix, _, digits = label.rpartition(" ")
    return Stamp(prefix=prefix, separator=" ", number=int(digits), digits=len(digits))


def page(number: int, label: str | None, document: str) -> PageProse:
    return PageProse(
        document=document,
        version="v",
        page=number,
        start=0,
        end=0,
        text="",
        method=TextMethod.FAILED if label == FAILED else TextMethod.OCR,
        reason="",
        confidence=1.0,
        engine="",
        bates=None if label == FAILED else label,
        stamps=(stamp(label),) if label and label != FAILED else (),
    )


def summary(labels: Sequence[str | int | None], document: str = "b/x.pdf") -> BatesSummary:
    """The summary of a document with these labels; a number is one with the prefix WOMBAT."""
    checked = DocumentBates()
    for number, label in enumerate(labels, 1):
        checked.add_page(page(number, f"WOMBAT {label:06d}" if isinstance(label, int) else label, document))
    return checked.summary()


def found(labels: Sequence[str | int | None], document: str = "b/x.pdf") -> list[tuple[str, str]]:
    return [(one.fault.value, one.what) for one in summary(labels, document).findings]


@pytest.mark.parametrize(
    "labels",
    [
        [],
        [None, None],
        [7],
        range(1, 400),
        [f"AB {n:04d}" for n in (9998, 9999)] + ["AB 10000", "AB 10001"],
        ["WOMBAT 000007", "WOMBAT 000007A", "WOMBAT 000007B", "WOMBAT 000008"],
        [1, 2, FAILED, 4],
    ],
)
def test_labels_in_sequence_have_no_findings(labels: Sequence[str | int | None]) -> None:
    assert found(labels) == []


@pytest.mark.parametrize(
    ("labels", "finding"),
    [
        ([1, 2, 6, 7], ("gap", "WOMBAT 000003-000005 (3 pages) is missing between page 2 and page 3")),
        ([1, 2, 4, 5], ("gap", "WOMBAT 000003 (1 page) is missing between page 2 and page 3")),
        ([1, 2, 2, 3, 4], ("duplicate", "page 3 is stamped WOMBAT 000002, like page 2")),
        ([1, 2, 2, 4, 5], ("duplicate", "page 3 is stamped WOMBAT 000002, like page 2")),
        (
            [1, 2, 3, 1, 2, 3, 4],
            ("duplicate", "page 4-6 is stamped WOMBAT 000001 to WOMBAT 000003, like page 1-3"),
        ),
        ([1, 2, 3, 4, 2, 5], ("duplicate", "page 5 is stamped WOMBAT 000002, like page 2")),
        ([1, 3, 2, 4, 5], ("order", "page 3 is stamped WOMBAT 000002, expected WOMBAT 000004")),
        ([1, 2, 53, 4, 5], ("order", "page 3 is stamped WOMBAT 000053, expected WOMBAT 000003")),
        (
            [1, 2, 6, 7, 3, 4, 5, 8],
            ("order", "page 5 is stamped WOMBAT 000003, expected WOMBAT 000008"),
        ),
        ([1, 2, None, 4], ("missing", "no Bates stamp on page 3 of 4")),
        ([None, 2, None, None], ("missing", "no Bates stamp on page 1, 3-4 of 4")),
        ([1, 2, None, 3, 4], ("missing", "no Bates stamp on page 3 of 5")),
        ([1, 2, "KOALA 000003", 4], ("prefix", "page 3 has the prefix KOALA, most pages have WOMBAT")),
        (
            [1, 2, 3, "KOALA 000071", "KOALA 000072"],
            ("prefix", "page 4-5 has the prefix KOALA, most pages have WOMBAT"),
        ),
        ([1, 2, "WOMBAT 00003", 4], ("padding", "page 3 has numbers of 5 digits, most pages have 6")),
        (
            ["AB 0998", "AB 0999", "AB 001000"],
            ("padding", "page 3 has numbers of 6 digits, most pages have 4"),
        ),
        (
            ["CALDERA 000123.001", "CALDERA 000123.001"],
            ("duplicate", "page 2 is stamped CALDERA 000123.001, like page 1"),
        ),
    ],
)
def test_each_fault_is_one_finding(labels: Sequence[str | int | None], finding: tuple[str, str]) -> None:
    assert found(labels) == [finding]


@pytest.mark.parametrize(
    ("name", "labels", "what"),
    [
        ("WOMBAT 000001-000004.pdf", [1, 2, 3], "states 4 pages, the document has 3; it ends with 000004"),
        ("WOMBAT 000011-000013.pdf", [1, 2, 3], "begins with 000011, page 1 is WOMBAT 000001"),
        ("KOALA 000001-000003.pdf", [1, 2, 3], "states the prefix KOALA, the first stamp is WOMBAT 000001"),
        ("WOMBAT 000001-000003.pdf", [None] * 3, "states Bates numbers, no page has one"),
        ("WOMBAT 000001.pdf", [2], "begins with 000001"),
    ],
)
def test_the_file_name_is_compared_with_the_pages(name: str, labels: Sequence[int | None], what: str) -> None:
    ((fault, text),) = found(labels, f"b/{name}")
    assert fault == BatesFault.NAME
    assert what in text


@pytest.mark.parametrize(
    "name", ["WOMBAT 000001-000003.pdf", "wombat_000001-3.pdf", "WOMBAT000001.pdf", "x.pdf"]
)
def test_a_correct_file_name_is_not_a_finding(name: str) -> None:
    assert found([1, 2, 3], f"b/{name}") == []


def test_ranges_are_those_of_the_labels_on_the_pages() -> None:
    labels: list[str | int | None] = [1, 2, 6, 7, "KOALA 000071", 3]
    expected = ["KOALA 000071", "WOMBAT 000001-000003", "WOMBAT 000006-000007"]
    assert [str(one) for one in summary(labels).ranges] == expected


def test_repaired_pages_are_listed_but_are_not_a_finding() -> None:
    checked = DocumentBates()
    for n in (1, 2):
        read = page(n, f"WOMBAT {n:06d}", "x.pdf")
        repaired = read.stamps[0].model_copy(update={"read_as": f"WOMBAT OOOOO{n}"})
        checked.add_page(read.model_copy(update={"stamps": (repaired,)}))
    assert (checked.summary().repaired, checked.summary().findings) == ("1-2", ())


def test_a_summary_stays_small_and_counts_all() -> None:
    checked = summary(range(1, 4000, 2))
    assert checked.counts == {"gap": 1999}
    assert len(checked.findings) == 20
    assert len(checked.ranges) == 200
    assert BatesSummary.from_json(checked.as_json()) == checked


@given(st.lists(st.one_of(st.none(), st.integers(1, 12)), max_size=12))
def test_labels_have_no_findings_only_if_all_are_in_sequence(labels: list[int | None]) -> None:
    numbers = [one for one in labels if one is not None]
    is_in_step = all(after == before + 1 for before, after in pairwise(numbers))
    assert (found(labels) == []) == (not numbers or (is_in_step and len(numbers) == len(labels)))


def batch(documents: dict[str, Sequence[str | int | None] | None]) -> list[tuple[str, str]]:
    read = {
        f"b/{name}.pdf": None if labels is None else summary(labels, f"b/{name}.pdf")
        for name, labels in documents.items()
    }
    return [(one.fault.value, one.what) for one in batch_findings(read)]


def test_consecutive_documents_are_not_a_finding() -> None:
    assert batch({"a": [1, 2], "b": [3], "c": [4, 5], "d": ["KOALA 000900"]}) == []


def test_unused_numbers_between_documents_are_a_gap() -> None:
    assert batch({"a": [1, 2], "b": [6, 7]}) == [
        ("gap", "WOMBAT 000003-000005 (3 pages) is in no document between b/a.pdf and b/b.pdf")
    ]


def test_a_gap_within_a_document_is_reported_once() -> None:
    assert batch({"a": [1, 2, 5], "b": [6, 7]}) == []


def test_an_unread_document_with_a_range_in_its_name_is_not_a_gap() -> None:
    assert batch({"a": [1, 2], "WOMBAT 000003-000005": None, "b": [6, 7]}) == []
    assert [fault for fault, _ in batch({"a": [1, 2], "letter": None, "b": [6, 7]})] == ["gap"]


def test_shared_numbers_are_an_overlap_or_a_duplicate() -> None:
    both = "both b/a.pdf and b/b.pdf"
    assert batch({"a": [1, 2, 3], "b": [3, 4]}) == [("overlap", f"WOMBAT 000003 is in {both}")]
    doubled = [("duplicate", f"WOMBAT 000001-000002 is in {both}")]
    assert batch({"a": [1, 2], "b": [1, 2], "c": [3]}) == doubled


def test_an_unstamped_document_among_stamped_ones_is_reported() -> None:
    assert batch({"a": [1], "b": [None, None], "c": [2]}) == [
        ("missing", "b/b.pdf: no page has a Bates stamp")
    ]
    assert batch({"a": [1], "b": [None], "c": [None]}) == []
