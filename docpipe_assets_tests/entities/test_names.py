"""Parsing and comparing names: tables of cases."""

import pytest

from docpipe_assets.entities.names import OrganisationName, PersonName, place_key


def person(text: str) -> PersonName:
    name = PersonName.parse(text)
    assert name is not None
    return name


def organisation(text: str) -> OrganisationName:
    name = OrganisationName.parse(text)
    assert name is not None
    return name


@pytest.mark.parametrize(
    ("text", "first", "middles", "last", "generation"),
    [
        ("Maria L. Ortega", "maria", ("l",), "ortega", None),
        ("ORTEGA, Maria L.", "maria", ("l",), "ortega", None),
        ("Holt, James R., Jr.", "james", ("r",), "holt", "jr"),
        ("Dr. J.R. van der Berg III", "j", ("r",), "van der berg", "iii"),
        ("Hon. Karen Moss", "karen", (), "moss", None),
        ("Peter Varga, Esq.", "peter", (), "varga", None),
        ("Officer D. O’Brien’s", "d", (), "o'brien", None),
        ("Mr. Pell", None, (), "pell", None),
        ("De La Cruz", None, (), "de la cruz", None),
    ],
)
def test_a_name_is_parsed(
    text: str, first: str | None, middles: tuple[str, ...], last: str, generation: str | None
) -> None:
    name = person(text)
    assert (name.first, name.middles, name.last, name.generation) == (first, middles, last, generation)


@pytest.mark.parametrize("text", ["Jr.", "", " , ", "M.D."])
def test_text_without_a_name_is_not_a_name(text: str) -> None:
    assert PersonName.parse(text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Maria L. Ortega", "Ms. Ortega"),
        ("Maria L. Ortega", "M. Ortega"),
        ("Robert Hale", "Bob Hale"),
        ("Robert “Skip” Hale", "Skip Hale"),
        ("R. James Hale", "James Hale"),
        ("HOLT, JAMES", "James R. Holt"),
        ("José Núñez", "Jose Nunez"),
        ("Ludwig van Dorn", "Dorn"),
        ("Ana Lopez Garcia", "Ms. Lopez"),
    ],
)
def test_compatible_names_may_be_one_person(one: str, other: str) -> None:
    assert person(one).reason_if_compatible(person(other))
    assert person(other).reason_if_compatible(person(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("John Holt", "Jane Holt"),
        ("Mr. Holt", "Mrs. Holt"),
        ("James Holt, Jr.", "James Holt, Sr."),
        ("James R. Holt", "James T. Holt"),
        ("J. Holt", "Maria Holt"),
        ("Karen Moss", "Karen Ross"),
        ("Mr. James", "James Holt"),
        ("Patrick Vance", "Patricia Vance"),
    ],
)
def test_names_with_contradicting_parts_are_never_one_person(one: str, other: str) -> None:
    assert person(one).reason_if_compatible(person(other)) is None
    assert person(other).reason_if_compatible(person(one)) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acuity Freight, Inc.", "ACUITY FREIGHT INCORPORATED"),
        ("Acuity Freight, Inc.", "Acuity Freight"),
        ("The Larkspur Company", "Larkspur Co."),
        ("Bureau of Harbor Safety", "BHS"),
        ("Bureau of Harbor Safety", "B.H.S."),
        ("Wombat Logistics LLC (“Wombat”)", "Wombat"),
        ("Holt & Brandt LLP", "Holt and Brandt LLP"),
        ("Acuity Freight, Inc.", "Acuity’s"),
    ],
)
def test_compatible_names_may_be_one_organization(one: str, other: str) -> None:
    assert organisation(one).reason_if_compatible(organisation(other))
    assert organisation(other).reason_if_compatible(organisation(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Wombat Holdings, Inc.", "Wombat Holdings LLC"),
        ("Bank of Reno (Ohio) Ltd.", "Bank of Reno (Utah) Ltd."),
        ("Larkspur Fund IV", "Larkspur Fund V"),
        ("National Cargo Board", "National"),
        ("Acuity Freight", "Acuity Insurance"),
    ],
)
def test_names_with_contradicting_parts_are_never_one_organization(one: str, other: str) -> None:
    assert organisation(one).reason_if_compatible(organisation(other)) is None
    assert organisation(other).reason_if_compatible(organisation(one)) is None


def test_places_are_compared_by_their_words_alone() -> None:
    assert place_key("The U.S.A.") == place_key("United States") == place_key("UNITED STATES’")
    assert place_key("Reno, Nevada") == place_key("RENO NEVADA")
    assert place_key("Reno") != place_key("Reno County")
