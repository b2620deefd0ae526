"""Bates stamps are found at their usual positions, and nothing else is mistaken for one."""

import pytest

from docpipe_assets.bates.stamps import bates_label
from docpipe_assets.model import Box
from docpipe_assets.protocols import PlacedWord

WIDTH, HEIGHT = 612.0, 792.0


def typeset(text: str, left: float, top: float, size: float = 10.0) -> list[PlacedWord]:
    """Words side by side in a fixed pitch; a word of dots is a gap of its width."""
    words = []
    for token in text.split(" "):
        right = left + len(token) * size * 0.6
        if token.strip("."):
            words.append(PlacedWord(token, Box(left, top, right, top + size)))
        left = right + size * 0.6
    return words


def body() -> list[PlacedWord]:
    rows = ["The shipment was received at the yard.", "ACME 000777 is quoted here in the body."]
    return [word for n, row in enumerate(rows * 8) for word in typeset(row, 72, 120 + n * 30)]


@pytest.mark.parametrize(
    ("stamp", "label"),
    [
        ("CALDERA 000123", "CALDERA 000123"),
        ("ABC-0001234", "ABC-0001234"),
        ("SMITH_00012", "SMITH_00012"),
        ("Smith_00012", "SMITH_00012"),
        ("WOMBAT000454", "WOMBAT000454"),
        ("CALDERA LIT 000123", "CALDERA LIT 000123"),
        ("US-DRK-0004321", "US-DRK-0004321"),
        ("NORVANE - 0004321", "NORVANE-0004321"),
        ("B&W00004321", "B&W00004321"),
        ("PLTF 0012", "PLTF 0012"),
        ("CALDERA 123456", "CALDERA 123456"),
        ("[CALDERA 000123]", "CALDERA 000123"),
        ("CONFIDENTIAL CALDERA 000123", "CALDERA 000123"),
        ("CALDERA 000123 CONFIDENTIAL", "CALDERA 000123"),
        ("CALDERA 000123.001", "CALDERA 000123.001"),
        ("CALDERA 000123A", "CALDERA 000123A"),
        ("000123", "000123"),
    ],
)
def test_a_stamp_in_a_corner_is_read(stamp: str, label: str) -> None:
    assert bates_label([*body(), *typeset(stamp, 430, 765)], WIDTH, HEIGHT) == label


@pytest.mark.parametrize(
    "text",
    [
        "Page 12 of 345",
        "PAGE 0012",
        "12/03/2019",
        "MARCH 2019",
        "DEC 000123",
        "2019-03-12",
        "(555) 010-1234",
        "TEL 5550101234",
        "FAX 555-010-1234",
        "1:19-cv-01234-ABC",
        "CASE 2:20-CV-00123-ABC DOCUMENT 45",
        "CV-19-01234",
        "SA-19-CV-01234",
        "Case 2:20-cv-00123 Document 00045 Filed 01/02/20 PageID 00123",
        "PAGEID 001234",
        "INDEX NO. 0123456",
        "NYSCEF DOC. NO. 0012",
        "SBN 012345",
        "Port Ellery, MA 02139",
        "CA 94105",
        "INVOICE 000123",
        "Invoice 000123",
        "P.O. BOX 00123",
        "SUITE 1200",
        "FORM 1040",
        "OMB 1545-0074",
        "$ 000123",
        "USD 0001234.50",
        "12",
        "01234",
        "1234567",
        "EXHIBIT 0012",
        "CONFIDENTIAL 000123",
        "MDL 002741",
        "ISO 90012",
        "",
    ],
)
def test_text_that_only_resembles_a_stamp_is_ignored(text: str) -> None:
    assert bates_label([*body(), *typeset(text, 250, 765)], WIDTH, HEIGHT) is None
    assert bates_label([*body(), *typeset(text, 250, 20)], WIDTH, HEIGHT) is None


def test_a_number_in_the_body_is_not_a_stamp() -> None:
    assert bates_label(body(), WIDTH, HEIGHT) is None


def test_a_prefix_far_from_a_number_does_not_make_a_stamp() -> None:
    assert bates_label(typeset("CALDERA ............ 4123456", 72, 765), WIDTH, HEIGHT) is None


def test_of_two_stamps_the_one_nearer_to_a_corner_is_used() -> None:
    words = [*typeset("OLDCO 000009", 250, 765), *typeset("CALDERA 000123", 500, 765)]
    assert bates_label(words, WIDTH, HEIGHT) == "CALDERA 000123"


def test_the_bottom_is_preferred_to_the_top() -> None:
    words = [*typeset("OLDCO 000009", 500, 17), *typeset("CALDERA 000123", 500, 765)]
    assert bates_label(words, WIDTH, HEIGHT) == "CALDERA 000123"


def test_the_order_of_the_words_does_not_matter() -> None:
    words = [*body(), *typeset("CALDERA LIT 000123", 430, 765)]
    assert bates_label(reversed(words), WIDTH, HEIGHT) == "CALDERA LIT 000123"


def test_boxes_may_be_in_any_unit() -> None:
    scale = 300 / 72
    words = [
        PlacedWord(word.text, Box(*(value * scale for value in word.box)))
        for word in typeset("CALDERA 000123", 430, 765)
    ]
    assert bates_label(words, WIDTH * scale, HEIGHT * scale) == "CALDERA 000123"


def test_a_page_with_very_many_words_is_searched_too() -> None:
    """Including words that overlap each other; the time must be proportional to the number of words."""
    words = [PlacedWord("heap", Box(10, 10, 60, 20)) for _ in range(20_000)] + body()
    assert bates_label([*words, *typeset("CALDERA 000123", 430, 765)], WIDTH, HEIGHT) == "CALDERA 000123"
