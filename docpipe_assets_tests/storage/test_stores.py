"""The conformance suite of all stores."""

import uuid
from contextlib import suppress
from pathlib import Path

import pytest

from docpipe_assets.errors import (
    AccessDenied,
    ConfigurationError,
    ObjectChanged,
    ObjectGone,
    StoreUnavailable,
    TransferCut,
)
from docpipe_assets.protocols import Store
from docpipe_assets.storage.file import FileStore, LocalFiles
from docpipe_assets.storage.memory import MemoryStore
from docpipe_assets.storage.s3 import S3Store

HOSTILE_KEYS = [
    "batch/plain.pdf",
    "batch/O'Néill, exhibit #4 (100% final).pdf",
    "batch/a b/c+d&e=f?g;h:i@j$k.pdf",
    "batch/日本語.pdf",
    "batch/[x]*{y}~^`|<z>.pdf",
    "batch/%41%2F.pdf",
    "batch/" + "long" * 50 + ".pdf",
]


@pytest.fixture(params=["memory", "file", "s3 (rclone)", "s3 (moto)"])
def store(request: pytest.FixtureRequest, tmp_path: Path, endpoints: dict[str, str]) -> Store:
    if request.param == "memory":
        return MemoryStore()
    if request.param == "file":
        root = tmp_path / "root"
        root.mkdir()
        return FileStore(root)
    server = request.param.split("(")[1].rstrip(")")
    return S3Store("conformance", uuid.uuid4().hex, endpoint_url=endpoints[server])


def put(store: Store, key: str, data: bytes, folder: Path) -> str:
    path = folder / uuid.uuid4().hex
    path.write_bytes(data)
    return store.put(key, path).etag


def read(store: Store, key: str, etag: str | None = None) -> bytes:
    with store.open(key, etag) as source:
        return source.read()


def test_an_uploaded_object_is_read_back(store: Store, tmp_path: Path) -> None:
    put(store, "a/b.pdf", b"bytes", tmp_path)
    assert read(store, "a/b.pdf") == b"bytes"
    assert store.head("a/b.pdf").size_bytes == 5


@pytest.mark.parametrize("key", HOSTILE_KEYS)
def test_hostile_names_are_just_names(store: Store, tmp_path: Path, key: str) -> None:
    put(store, key, b"x", tmp_path)
    assert read(store, key) == b"x"
    assert [found.key for found in store.list()] == [key]


def test_an_empty_object_is_an_object(store: Store, tmp_path: Path) -> None:
    put(store, "empty.pdf", b"", tmp_path)
    assert read(store, "empty.pdf") == b""
    assert [found.size_bytes for found in store.list()] == [0]


def test_a_missing_key_is_gone(store: Store) -> None:
    with pytest.raises(ObjectGone, match=r"nothing\.pdf"):
        store.head("nothing.pdf")
    with pytest.raises(ObjectGone, match=r"nothing\.pdf"), store.open("nothing.pdf"):
        pass


def test_a_listing_is_in_byte_order_and_can_be_resumed(store: Store, tmp_path: Path) -> None:
    keys = ["b/2.pdf", "b/10.pdf", "a/z.pdf", "B/x.pdf", "b/é.pdf", "b.pdf"]
    for key in keys:
        put(store, key, b"x", tmp_path)
    listed = [found.key for found in store.list()]
    assert listed == sorted(keys, key=str.encode)
    assert [found.key for found in store.list(start_after=listed[2])] == listed[3:]
    assert [found.key for found in store.list("b/")] == [key for key in listed if key.startswith("b/")]


def test_folders_are_the_first_segments(store: Store, tmp_path: Path) -> None:
    assert list(store.folders()) == []
    for key in ("top.pdf", "b/1.pdf", "b/2.pdf", "a b+%41 é/deep/3.pdf", "z/y/x/4.pdf"):
        put(store, key, b"x", tmp_path)
    assert sorted(store.folders()) == ["a b+%41 é", "b", "z"]


def test_listing_and_head_agree(store: Store, tmp_path: Path) -> None:
    put(store, "x.pdf", b"some bytes", tmp_path)
    (listed,) = store.list()
    head = store.head("x.pdf")
    assert (listed.key, listed.size_bytes, listed.etag) == (head.key, head.size_bytes, head.etag)


def test_overwriting_changes_the_etag_and_the_bytes(store: Store, tmp_path: Path) -> None:
    before = put(store, "x.pdf", b"old bytes", tmp_path)
    after = put(store, "x.pdf", b"new bytes", tmp_path)
    assert before != after
    assert read(store, "x.pdf", after) == b"new bytes"
    with pytest.raises(ObjectChanged, match=r"x\.pdf"):
        read(store, "x.pdf", before)


def test_an_object_overwritten_while_it_is_read_is_never_a_mixture(store: Store, tmp_path: Path) -> None:
    size = 6 * 2**20
    etag = put(store, "x.pdf", b"a" * size, tmp_path)
    received = b""
    with suppress(ObjectChanged, TransferCut), store.open("x.pdf", etag) as source:
        received = source.read(1000)
        put(store, "x.pdf", b"b" * size, tmp_path)
        while block := source.read(2**20):
            received += block
        assert received == b"a" * size
    assert set(received) <= {ord("a")}
    assert read(store, "x.pdf") == b"b" * size


def test_a_name_that_no_file_can_have_is_absent_from_a_folder(tmp_path: Path) -> None:
    folder = FileStore(tmp_path)
    for key in ("b/" + "x" * 300, "b/nul\x00.pdf"):
        with pytest.raises(ObjectGone):
            folder.head(key)
        with pytest.raises(ObjectGone), folder.open(key):
            pass
        with pytest.raises(StoreUnavailable, match="can't be written"):
            put(folder, key, b"x", tmp_path)
        folder.delete(key)
    assert not [found.key for found in folder.list("b/")]


def test_deleting_twice_is_fine(store: Store, tmp_path: Path) -> None:
    put(store, "x.pdf", b"x", tmp_path)
    store.delete("x.pdf")
    store.delete("x.pdf")
    assert list(store.list()) == []


def test_a_failed_write_leaves_the_old_object(store: Store, tmp_path: Path) -> None:
    put(store, "x.pdf", b"old", tmp_path)
    with pytest.raises((OSError, StoreUnavailable)):
        store.put("x.pdf", tmp_path / "no such file")
    assert read(store, "x.pdf") == b"old"
    assert [found.key for found in store.list()] == ["x.pdf"]


def test_a_large_object_arrives_complete(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * 4096 * 20)  # 20 MiB: above the multipart threshold
    store.put("large.pdf", path)
    with store.open("large.pdf") as source:
        size = 0
        while block := source.read(1 << 20):
            size += len(block)
    assert size == path.stat().st_size


def test_a_missing_bucket_is_an_error_that_names_it(endpoints: dict[str, str]) -> None:
    for endpoint in endpoints.values():
        with pytest.raises(ConfigurationError, match="no such bucket"):
            list(S3Store("nowhere", endpoint_url=endpoint).list())


def test_a_server_that_does_not_respond_is_unavailable() -> None:
    store = S3Store("conformance", endpoint_url="http://127.0.0.1:9")
    with pytest.raises(StoreUnavailable, match="endpoint"):
        store.head("x.pdf")


def test_wrong_credentials_are_denied(
    endpoints: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    store = S3Store("conformance", endpoint_url=endpoints["rclone"])
    with pytest.raises(AccessDenied, match="credentials"):
        list(store.list())
    with pytest.raises(AccessDenied, match="credentials"):
        put(store, "x.pdf", b"x", tmp_path)


def test_a_missing_folder_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="no such folder"):
        list(FileStore(tmp_path / "nowhere").list())


def test_given_files_are_found_under_the_names_they_are_given(tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    path.write_bytes(b"x")
    source = LocalFiles({"named so.pdf": path})
    assert [found.key for found in source.list()] == ["named so.pdf"]
    with source.open("named so.pdf", source.head("named so.pdf").etag) as opened:
        assert opened.read() == b"x"
    with pytest.raises(ObjectGone):
        source.head("x.pdf")
