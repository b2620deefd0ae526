"""Case citations are found in the small window exactly as in the complete text."""

import pytest

from docpipe_assets.engines.ner.citations import CitationNer, windows
from docpipe_assets.protocols import NameContext

NO_CONTEXT = NameContext(frozenset())


def found(text: str) -> list[tuple[str, str | None]]:
    return [(text[f.start : f.end], f.value) for f in CitationNer().find(text, NO_CONTEXT)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Doe v. Roe, 571 U.S. 117, 137 (2014).", [("571 U.S. 117", "571 U.S. 117")]),
        ("cf. Roe, 717 F.3d at 770.", [("717 F.3d at 770", "717 F.3d at 770")]),
        ("545 F.3d\n304, 315 (5th Cir. 2008)", [("545 F.3d\n304", "545 F.3d 304")]),
        ("12 Cal. App. 5th 100", [("12 Cal. App. 5th 100", "12 Cal. App. 5th 100")]),
        ("123 Cal.Rptr.2d 456", [("123 Cal.Rptr.2d 456", "123 Cal. Rptr. 2d 456")]),
        ("2019 WL 1234567 (S.D.N.Y. Jan. 3, 2019)", [("2019 WL 1234567", "2019 WL 1234567")]),
        ("at 12 Smith v. Jones, 500 F.2d 123", [("500 F.2d 123", "500 F.2d 123")]),
        (
            "100 Ill. 2d 55, 88 N.E.2d 99",
            [("100 Ill. 2d 55", "100 Ill. 2d 55"), ("88 N.E.2d 99", "88 N.E.2d 99")],
        ),
    ],
)
def test_a_citation_is_found_completely_and_in_standard_form(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "612 Magnolia Blvd, Macon, GA 31201",
        "on 3 March 2020",
        "42 U.S.C. § 1983",
        "paid $500 U.S. 12 times",
        "Page 12 Exhibit 4",
    ],
)
def test_text_that_is_not_a_case_citation_is_ignored(text: str) -> None:
    assert found(text) == []


def test_text_without_a_reporter_never_reaches_the_slow_parser() -> None:
    assert list(windows("On 12 May 2020, Mr. Doe paid 500 dollars for 3 chairs. " * 200)) == []
