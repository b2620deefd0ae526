"""Grouping of name forms: which forms are the same entity, and why."""

from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from docpipe_assets.entities.name_groups import name_groups
from docpipe_assets.entities.names import OrganisationName, PersonName

PARTS = st.sampled_from(
    ["Mr. ", "Ms. ", "James ", "Jane ", "J. ", "Jim ", "R. ", "Holt", "Pell", "Moss", ", Jr.", "Holt, "]
)
FORMS = st.lists(st.lists(PARTS, min_size=1, max_size=4).map("".join).map(str.strip), max_size=9)


def groups(*forms: str) -> list[set[str]]:
    return [set(g.reasons) for g in name_groups(dict.fromkeys(forms, 1), PersonName.parse)]


def test_all_forms_of_one_person_are_grouped() -> None:
    assert groups("Dr. James R. Holt", "HOLT, JAMES", "Jim Holt", "Mr. Holt", "Holt") == [
        {"Dr. James R. Holt", "HOLT, JAMES", "Jim Holt", "Mr. Holt", "Holt"}
    ]


def test_a_last_name_of_two_people_stays_separate_with_the_reason() -> None:
    found = name_groups({"James Holt": 3, "Maria Holt": 2, "Holt": 9}, PersonName.parse)
    alone = next(g for g in found if g.name == "Holt")
    assert alone.reasons == {"Holt": "ambiguous: could be James Holt or Maria Holt"}
    assert len(found) == 3


def test_a_title_identifies_a_last_name_that_is_also_a_first_name() -> None:
    assert {"Maria Chen", "Ms. Chen"} in groups("Maria Chen", "Chen Wei", "Ms. Chen")


def test_an_initial_that_fits_two_people_joins_neither() -> None:
    assert {"J. Holt"} in groups("James Holt", "Joan Holt", "J. Holt")


def test_an_acronym_joins_only_if_it_fits_one_organization() -> None:
    counts = {"Bureau of Harbor Safety": 2, "Board of Health Standards": 1, "BHS": 5}
    assert len(name_groups(counts, OrganisationName.parse)) == 3
    del counts["Board of Health Standards"]
    assert len(name_groups(counts, OrganisationName.parse)) == 1


@given(FORMS, st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_the_order_of_forms(forms: Sequence[str], random: Random) -> None:
    counts = {form: 1 + index % 3 for index, form in enumerate(sorted(set(forms)))}
    shuffled = list(counts)
    random.shuffle(shuffled)
    expected = name_groups(counts, PersonName.parse)
    assert name_groups({form: counts[form] for form in shuffled}, PersonName.parse) == expected


@given(FORMS)
def test_members_of_a_group_never_contradict_each_other(forms: Sequence[str]) -> None:
    for group in name_groups(dict.fromkeys(forms, 1), PersonName.parse):
        names = [name for form in group.reasons if (name := PersonName.parse(form))]
        assert all(one == other or one.reason_if_compatible(other) for one in names for other in names)


@given(FORMS)
def test_every_form_is_in_exactly_one_group(forms: Sequence[str]) -> None:
    found = [
        form for group in name_groups(dict.fromkeys(forms, 1), PersonName.parse) for form in group.reasons
    ]
    assert sorted(found) == sorted(set(forms))
