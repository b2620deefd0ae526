"""Hashed sets and maps behave like Python's own."""

from hypothesis import given
from hypothesis import strategies as st

from docpipe_assets.streaming.hashed import HashedMap, HashedSet

ITEMS = st.text(max_size=3) | st.tuples(st.text(max_size=1), st.integers(0, 5))


@given(st.lists(ITEMS), st.lists(ITEMS))
def test_a_set_contains_exactly_the_added_values(added: list[object], queried: list[object]) -> None:
    items = HashedSet()
    for item in added:
        items.add(item)
    assert [item in items for item in [*added, *queried]] == [
        item in set(added) for item in [*added, *queried]
    ]
    assert len(items) == len(set(added))


@given(st.lists(st.tuples(ITEMS, st.integers(0, 2**64 - 1))), st.lists(ITEMS))
def test_a_map_returns_the_value_set_last(pairs: list[tuple[object, int]], queried: list[object]) -> None:
    numbers = HashedMap()
    for key, number in pairs:
        numbers[key] = number
    known = dict(pairs)
    assert [numbers.get(key) for key in [*known, *queried]] == [known.get(key) for key in [*known, *queried]]
