"""A partition key is the S3 key: readable, injective, reversible, and accepted by Dagster."""

import string

import dagster as dg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docpipe_assets.identity import (
    batch_of,
    candidate_documents,
    document_of,
    file_name_of,
    fingerprint,
    object_version,
    partition_key,
    path_of,
)

hostile = st.text(alphabet=st.sampled_from(string.printable + "é日😀\u2028\x85"), min_size=1, max_size=60)
keys = st.one_of(
    st.text(min_size=1, max_size=60).filter(lambda t: not any(0xD800 <= ord(c) < 0xE000 for c in t)), hostile
)


@given(keys)
def test_a_partition_key_round_trips_to_its_document(document: str) -> None:
    assert document_of(partition_key(document)) == document


@given(keys, keys)
def test_two_documents_never_share_a_partition_key(one: str, other: str) -> None:
    assert (partition_key(one) == partition_key(other)) == (one == other)


@given(keys)
def test_a_partition_key_has_no_character_that_dagster_or_its_ui_rejects(document: str) -> None:
    key = partition_key(document)
    assert not set(key) & set(',[]"*\n\r\t\x00')
    assert "..." not in key
    assert key == key.strip(" ")


def test_dagster_accepts_every_partition_key() -> None:
    with dg.instance_for_test() as instance:

        @settings(deadline=None)
        @given(st.lists(keys, min_size=1, max_size=20, unique=True))
        def check(documents: list[str]) -> None:
            encoded = [partition_key(document) for document in documents]
            instance.add_dynamic_partitions("documents", encoded)
            assert set(encoded) <= set(instance.get_dynamic_partitions("documents"))

        check()


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ("acuity/WOMBAT 000454-000784.pdf", "acuity/WOMBAT 000454-000784.pdf"),
        ("b/O'Néill, exhibit #4 (100% final).pdf", "b/O'Néill%2C exhibit #4 (100%25 final).pdf"),
        ("b/ leading.pdf", "b/ leading.pdf"),
        (" x ", "%20x%20"),
        ("a...b", "a%2E..b"),
        ("a[1]*.pdf", "a%5B1%5D%2A.pdf"),
        ("line\nbreak", "line%0Abreak"),
    ],
)
def test_ordinary_names_are_unchanged_and_the_rest_percent_encoded(document: str, key: str) -> None:
    assert partition_key(document) == key


def test_the_batch_is_the_first_path_segment() -> None:
    assert batch_of("acuity/sub/x.pdf") == "acuity"
    assert batch_of("x.pdf") == ""


@given(keys, keys)
def test_two_documents_never_share_a_path_in_the_lake(one: str, other: str) -> None:
    assert (path_of(one) == path_of(other)) == (one == other)


@given(
    st.lists(st.sampled_from(["", ".", "..", "a", ",", "%2C", "x" * 250, "é" * 150, "*" * 90]), max_size=40)
)
def test_a_path_in_the_lake_is_accepted_by_file_systems_and_s3(segments: list[str]) -> None:
    path = path_of("/".join(segments))
    assert len(path.encode()) <= 700
    for segment in path.split("/"):
        assert segment not in ("", ".", "..")
        assert len(segment.encode()) <= 200


def test_long_names_with_the_same_beginning_have_different_paths() -> None:
    keys = [f"b/{'x' * 900}{number}.pdf" for number in range(3)]
    keys += [f"{'d' * 100}/" * 9 + f"{number}.pdf" for number in range(3)]
    keys += [path_of(key) for key in keys]  # a key that is written like the path of another one
    assert len({path_of(key) for key in keys}) == len(keys)


def test_ordinary_names_are_paths_without_changes() -> None:
    assert path_of("acuity/WOMBAT 000454-000784.pdf") == "acuity/WOMBAT 000454-000784.pdf"
    assert path_of("a/../b//c.pdf") == "a/%2E%2E/b/,/c.pdf"
    assert path_of("/x.pdf") == ",/x.pdf"


def test_a_name_may_be_a_key_or_a_partition_key() -> None:
    assert candidate_documents("b/x.pdf") == ("b/x.pdf",)
    assert candidate_documents("b/50%20off.pdf") == ("b/50%20off.pdf", "b/50 off.pdf")
    assert candidate_documents("b/%FF.pdf") == ("b/%FF.pdf",)


def test_a_local_file_name_contains_nothing_of_the_key() -> None:
    assert file_name_of("../../etc/passwd").isalnum()


def test_an_object_version_changes_with_size_etag_and_version() -> None:
    versions = {
        object_version(1, "a", None),
        object_version(2, "a", None),
        object_version(1, "b", None),
        object_version(1, "a", "v1"),
    }
    assert len(versions) == 4


def test_a_fingerprint_changes_with_everything_that_can_change_the_rows() -> None:
    base = fingerprint("chunks", "1", {"tokens": 400}, ["in"])
    assert base == fingerprint("chunks", "1", {"tokens": 400}, ["in"])
    changed = [
        fingerprint("mentions", "1", {"tokens": 400}, ["in"]),
        fingerprint("chunks", "2", {"tokens": 400}, ["in"]),
        fingerprint("chunks", "1", {"tokens": 401}, ["in"]),
        fingerprint("chunks", "1", {"tokens": 400}, ["other"]),
        fingerprint("chunks", "1", {"tokens": 400}, ["in", "in"]),
    ]
    assert base not in changed
    assert len(set(changed)) == len(changed)
