"""The matches of each family of patterns, their normalized values, and the text that must not match."""

from itertools import pairwise

import pytest

from docpipe_assets.engines.ner.patterns import PatternNer
from docpipe_assets.engines.ner.patterns.sums import number_in_words
from docpipe_assets.model import EntityType
from docpipe_assets.protocols import NameContext

NO_CONTEXT = NameContext(frozenset())


def found(text: str) -> list[tuple[str, str, str | None]]:
    return [(f.type.value, text[f.start : f.end], f.value) for f in PatternNer().find(text, NO_CONTEXT)]


DATES = [
    ("on March 3, 2021, he", "March 3, 2021", "2021-03-03"),
    ("on Mar. 3, 2021", "Mar. 3, 2021", "2021-03-03"),
    ("MARCH 3, 2021", "MARCH 3, 2021", "2021-03-03"),
    ("March\n3, 2021", "March\n3, 2021", "2021-03-03"),
    ("May 3rd, 2019.", "May 3rd, 2019", "2019-05-03"),
    ("dated 3 March 2021", "3 March 2021", "2021-03-03"),
    ("this 17th day of August, 2020.", "17th day of August, 2020", "2020-08-17"),
    ("DOB: 03/04/1978", "03/04/1978", "1978-03-04"),
    ("on 3/4/21 at", "3/4/21", "2021-03-04"),
    ("born 3/4/78", "3/4/78", "1978-03-04"),
    ("Date: 02-06-2021", "02-06-2021", "2021-02-06"),
    ("2021-03-03T10:15:00Z", "2021-03-03", "2021-03-03"),
    ("filed 2021-03-03.", "2021-03-03", "2021-03-03"),
    ("09-SEP-2014", "09-SEP-2014", "2014-09-09"),
    ("25/12/2020", "25/12/2020", "2020-12-25"),
    ("in March 2021,", "March 2021", "2021-03"),
    ("since October, 2016", "October, 2016", "2016-10"),
]
MONEY = [
    ("paid $1,250.00.", "$1,250.00", "USD 1250.00"),
    ("about $3.2 million in", "$3.2 million", "USD 3200000.00"),
    ("reserve $2.75M now", "$2.75M", "USD 2750000.00"),
    ("USD 500 was", "USD 500", "USD 500.00"),
    ("pages at $.35 each", "$.35", "USD 0.35"),
    ("€1,000", "€1,000", "EUR 1000.00"),
    ("five hundred dollars", "five hundred dollars", "USD 500.00"),
    ("Two Hundred Twenty-Five Thousand Dollars", "Two Hundred Twenty-Five Thousand Dollars", "USD 225000.00"),
    ("One Thousand and 50/100 Dollars", "One Thousand and 50/100 Dollars", "USD 1000.50"),
    ("500 dollars", "500 dollars", "USD 500.00"),
]
CONTACTS = [
    ("email", "write to J.Doe@Example.COM, or", "J.Doe@Example.COM", "j.doe@example.com"),
    ("phone", "call (312) 555-0177.", "(312) 555-0177", "+13125550177"),
    ("phone", "312.555.0177", "312.555.0177", "+13125550177"),
    ("phone", "312-555-0177 ext. 12", "312-555-0177 ext. 12", "+13125550177;ext=12"),
    ("phone", "Tel: 3125550177", "3125550177", "+13125550177"),
    ("phone", "+44 20 7946 0958", "+44 20 7946 0958", "+442079460958"),
]
LAW = [
    ("statute", "under 42 U.S.C. § 1983.", "42 U.S.C. § 1983", "42 U.S.C. § 1983"),
    ("statute", "42 USC 1395y(b)(2)", "42 USC 1395y(b)(2)", "42 U.S.C. § 1395y(b)(2)"),
    ("statute", "28 U.S.C. §§ 1331, 1332 and", "28 U.S.C. §§ 1331, 1332", "28 U.S.C. §§ 1331, 1332"),
    ("statute", "29 C.F.R. § 1910.134", "29 C.F.R. § 1910.134", "29 C.F.R. § 1910.134"),
    ("statute", "Fed. R. Civ. P. 26(a)(1)", "Fed. R. Civ. P. 26(a)(1)", "Fed. R. Civ. P. 26(a)(1)"),
    ("statute", "Federal Rule of Evidence 702", "Federal Rule of Evidence 702", "Fed. R. Evid. 702"),
    ("statute", "FRCP 12", "FRCP 12", "Fed. R. Civ. P. 12"),
    ("statute", "See Cal. Civ. Code § 1714.", "Cal. Civ. Code § 1714", "Cal. Civ. Code § 1714"),
    ("statute", "735 ILCS 5/2-619", "735 ILCS 5/2-619", "735 ILCS 5/2-619"),
    ("docket_number", "Case No. 2:21-cv-01234-ABC", "2:21-cv-01234-ABC", "2:21-cv-01234"),
    ("docket_number", "Civil Action No. 4:22-CV-00117", "4:22-CV-00117", "4:22-cv-00117"),
    ("docket_number", "21 Civ. 1234", "21 Civ. 1234", "21-cv-01234"),
    ("docket_number", "No. 19-1392", "19-1392", "19-1392"),
    ("docket_number", "Index No. 650123/2021", "650123/2021", "650123/2021"),
    ("docket_number", "CV2021-004567", "CV2021-004567", "CV2021-004567"),
    ("docket_number", "Case No. 21CECG01874", "21CECG01874", "21CECG01874"),
    ("docket_number", "No. CV-21-00456-PHX-DLR", "CV-21-00456-PHX-DLR", "CV-21-00456-PHX-DLR"),
    ("bates", "stamped WOMBAT 000454.", "WOMBAT 000454", "WOMBAT 000454"),
    ("bates", "WOMBAT 000454-000784", "WOMBAT 000454-000784", "WOMBAT 000454 - WOMBAT 000784"),
    ("bates", "ABC-0001234", "ABC-0001234", "ABC-0001234"),
    ("bates", "SMITH_00012", "SMITH_00012", "SMITH_00012"),
]
# Their value is the quote on one line, with text before and after it.
ON_ONE_LINE = [
    ("address", "31 Quarry Lane\nProvidence, RI 02903"),
    ("address", "P.O. Box 1190, Manchester, NH 03105"),
    ("address", "9 W. Elm St., Ste. 4, Reno, Nevada 89501-1234"),
    ("court", "United States District Court for the Northern District of California"),
    ("court", "UNITED STATES DISTRICT COURT\nEASTERN DISTRICT OF TEXAS\nTYLER DIVISION"),
    ("court", "SUPERIOR COURT OF THE STATE OF CALIFORNIA\nFOR THE COUNTY OF LOS ANGELES"),
    ("court", "Circuit Court of Cook County, Illinois"),
    ("court", "Ninth Circuit"),
    ("court", "Surrogate's Court, Kings County"),
]


@pytest.mark.parametrize(
    ("kind", "text", "quote", "value"),
    [*(("date", *case) for case in DATES), *(("money", *case) for case in MONEY), *CONTACTS, *LAW],
)
def test_a_regular_form_is_found_completely_and_normalized(
    kind: str, text: str, quote: str, value: str
) -> None:
    assert found(text) == [(kind, quote, value)]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("date", "Page 3 of 12"),
        ("date", "Section 12.3.4 and Part No. 3-4-5678"),
        ("date", "on 13/45/2020 and 02/30/2021"),
        ("date", "you may 2019 times"),
        ("date", "10.0.12.2020.7"),
        ("phone", "Account No. 312-555-0177"),
        ("phone", "MRN 3125550177, order 4410028837"),
        ("phone", "SSN 123-45-6789"),
        ("phone", "1234-5678-9012-3456"),
        ("bates", "Fresno, CA 93721"),
        ("bates", "Boston, MA 02110"),
        ("bates", "SBN 214556; ARDC 0619924"),
        ("bates", "Page 00012 of INVOICE 000882"),
        ("bates", "FORM 1099 and HB 2021"),
        ("docket_number", "Claim No. 19-1392, Policy No. 20-CVX-1187"),
        ("docket_number", "Interrogatory No. 12"),
        ("docket_number", "Bar No. 031877"),
        ("court", "the Court finds that the District of Columbia"),
        ("court", "the food court of the mall"),
        ("address", "see 113 S. Ct. 933 and 12 L. Ed. 4"),
        ("address", "In 2019 Plaintiff moved to Reno, Nevada"),
        ("money", "the dollars and 12% of 500"),
        ("email", "see @handle and a@b"),
        ("statute", "Section 12.3 of this Agreement"),
    ],
)
def test_text_that_only_resembles_a_type_does_not_match(kind: str, text: str) -> None:
    assert kind not in {name[0] for name in found(text)}


@pytest.mark.parametrize(("kind", "quote"), ON_ONE_LINE)
def test_a_court_or_an_address_may_span_lines(kind: str, quote: str) -> None:
    assert found(f"at the {quote}.\n\nAlso") == [(kind, quote, " ".join(quote.split()))]


def test_the_same_characters_match_one_type_only() -> None:
    text = "Served 2021-03-03 on WOMBAT 000454 at 31 Quarry Lane, Providence, RI 02903, call 401-555-0166."
    spans = [(f.start, f.end) for f in PatternNer().find(text, NO_CONTEXT)]
    assert len(spans) == 4
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


def test_a_weak_match_has_a_lower_score() -> None:
    text = "at 12 Main Street on 02-06-21"
    assert {f.type: f.score for f in PatternNer().find(text, NO_CONTEXT)} == {
        EntityType.ADDRESS: 0.6,
        EntityType.DATE: 0.6,
    }


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("Two Hundred Twenty-Five Thousand", 225_000),
        ("one million, fifty", 1_000_050),
        ("hundred", 100),
        ("a few", None),
    ],
)
def test_numbers_in_words_are_parsed(words: str, number: int | None) -> None:
    assert number_in_words(words) == number
