"""A fetched file is the requested version, complete and verified, or absent."""

import hashlib
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from docpipe_assets.errors import ObjectChanged, ObjectGone, StoreUnavailable, TransferCut
from docpipe_assets.protocols import Source, Store
from docpipe_assets.stack.parts import free_port
from docpipe_assets.storage.file import FileStore, LocalFiles
from docpipe_assets.storage.memory import MemoryStore
from docpipe_assets.storage.s3 import S3Store, s3_client
from docpipe_assets_tests.relay import HERE, relay
from docpipe_assets_tests.storage.servers import KEY_ID, SECRET, moto_server, rclone_server
from docpipe_assets_tests.storage.unreliable import (
    Fault,
    Served,
    announces_less,
    cuts_each,
    ignores_ranges,
    refuses,
    replaced_after,
    says_ok_to_ranges,
    sends_another_range,
    serving,
)

RANGE_BYTES = 64 * 1024
DATA = random.Random(1).randbytes(10 * RANGE_BYTES + 12_345)
SHA256 = hashlib.sha256(DATA).hexdigest()
ETAG = hashlib.md5(DATA, usedforsecurity=False).hexdigest()


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("buckets")
    (folder / "fetched").mkdir()
    with rclone_server(folder) as real, moto_server() as aws_like:
        yield {"rclone": real, "moto": aws_like}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "written"
    path.write_bytes(DATA)
    return path


@pytest.fixture(params=["memory", "file", "given", "s3 (rclone)", "s3 (moto)"])
def source(
    request: pytest.FixtureRequest, tmp_path: Path, written: Path, endpoints: dict[str, str]
) -> Source:
    """A source that holds DATA as ``x.pdf``."""
    if request.param == "given":
        return LocalFiles({"x.pdf": written})
    store: Store
    if request.param == "memory":
        store = MemoryStore()
    elif request.param == "file":
        (tmp_path / "root").mkdir()
        store = FileStore(tmp_path / "root")
    else:
        endpoint = endpoints[request.param.split("(")[1].rstrip(")")]
        if "moto" in request.param:
            s3_client(endpoint, "us-east-1").create_bucket(Bucket="fetched")
        store = S3Store("fetched", endpoint_url=endpoint, range_bytes=RANGE_BYTES)
    store.put("x.pdf", written)
    return store


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "arrivals").mkdir()
    return tmp_path / "arrivals" / "document.pdf"


def nothing_arrived(target: Path) -> bool:
    return list(target.parent.iterdir()) == []


def test_a_fetched_file_is_the_object_and_its_hash_is_known(source: Source, target: Path) -> None:
    etag = source.head("x.pdf").etag
    assert source.fetch("x.pdf", target, len(DATA), etag) == SHA256
    assert target.read_bytes() == DATA
    assert list(target.parent.iterdir()) == [target]


def test_an_etag_is_optional(source: Source, target: Path) -> None:
    assert source.fetch("x.pdf", target, len(DATA)) == SHA256


def test_another_version_is_not_fetched(source: Source, target: Path) -> None:
    with pytest.raises(ObjectChanged, match=r"x\.pdf"):
        source.fetch("x.pdf", target, len(DATA), "0" * 32)
    assert nothing_arrived(target)


def test_a_size_other_than_the_declared_one_is_an_error(source: Source, target: Path) -> None:
    for size_bytes in (len(DATA) - 1, len(DATA) + 1, 5):
        with pytest.raises(TransferCut, match=r"x\.pdf"):
            source.fetch("x.pdf", target, size_bytes)
        assert nothing_arrived(target)


def test_a_missing_object_is_gone(source: Source, target: Path) -> None:
    with pytest.raises(ObjectGone, match=r"nothing\.pdf"):
        source.fetch("nothing.pdf", target, 1)
    assert nothing_arrived(target)


def test_a_failed_fetch_leaves_the_existing_file(source: Source, target: Path) -> None:
    target.write_bytes(b"old")
    with pytest.raises(TransferCut):
        source.fetch("x.pdf", target, len(DATA) + 1)
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("size_bytes", [0, 1, RANGE_BYTES - 1, RANGE_BYTES, RANGE_BYTES + 1, 2 * RANGE_BYTES])
def test_every_size_is_split_into_ranges_without_gap_or_overlap(size_bytes: int, target: Path) -> None:
    with serving(DATA[:size_bytes]) as served:
        assert store_of(served).fetch("x.pdf", target, size_bytes) == sha256(served.data)
    assert target.read_bytes() == served.data
    assert covered(served) == size_bytes


@pytest.mark.parametrize("fault", [cuts_each(10_000, times=3), says_ok_to_ranges, refuses(2)])
def test_a_transient_fault_has_no_effect(fault: Fault, target: Path) -> None:
    with serving(DATA, fault) as served:
        assert store_of(served).fetch("x.pdf", target, len(DATA), ETAG) == SHA256
    assert target.read_bytes() == DATA


def test_an_interrupted_range_resumes_where_it_ended(target: Path) -> None:
    with serving(DATA[:RANGE_BYTES], cuts_each(20_000, times=3)) as served:
        store_of(served).fetch("x.pdf", target, RANGE_BYTES)
    assert [start for start, _ in served.requested] == [0, 20_000, 40_000, 60_000]


def test_an_interrupted_stream_resumes_where_it_ended() -> None:
    with serving(DATA, cuts_each(200_000, times=2)) as served, store_of(served).open("x.pdf") as source:
        read = []
        while block := source.read(50_000):
            read.append(block)
    assert b"".join(read) == DATA
    assert [start for start, _ in served.requested] == [0, 200_000, 400_000]


def test_a_transfer_that_is_always_interrupted_is_given_up(target: Path) -> None:
    with (
        serving(DATA, cuts_each(100, times=10_000)) as served,
        pytest.raises(TransferCut, match=r"x\.pdf: interrupted 7 times, after 700 of 65,536 bytes"),
    ):
        store_of(served).fetch("x.pdf", target, len(DATA))
    assert nothing_arrived(target)


@pytest.mark.parametrize("etag", [ETAG, None])
def test_an_object_replaced_before_a_transfer_resumes_has_changed(etag: str | None, target: Path) -> None:
    with serving(DATA[:RANGE_BYTES], replaced_after(1, cut_bytes=30_000)) as served:
        known = etag and hashlib.md5(served.data, usedforsecurity=False).hexdigest()
        with pytest.raises(ObjectChanged):
            store_of(served).fetch("x.pdf", target, RANGE_BYTES, known)
    assert nothing_arrived(target)


def test_an_object_replaced_between_two_ranges_has_changed(target: Path) -> None:
    with (
        serving(DATA, replaced_after(3, cut_bytes=RANGE_BYTES)) as served,
        pytest.raises(ObjectChanged),
    ):
        store_of(served).fetch("x.pdf", target, len(DATA))
    assert nothing_arrived(target)


@pytest.mark.parametrize("fault", [ignores_ranges, sends_another_range, announces_less])
def test_a_server_that_sends_other_bytes_is_detected(fault: Fault, target: Path) -> None:
    with serving(DATA, fault) as served, pytest.raises(TransferCut, match="requested"):
        store_of(served).fetch("x.pdf", target, len(DATA), ETAG)
    assert nothing_arrived(target)


def test_a_local_disk_fault_is_not_mistaken_for_a_server_fault(tmp_path: Path, target: Path) -> None:
    with serving(DATA) as served, pytest.raises(FileNotFoundError):
        store_of(served).fetch("x.pdf", tmp_path / "no such folder" / "x.pdf", len(DATA))


def test_a_killed_server_that_comes_back_costs_no_attempt(tmp_path: Path, target: Path) -> None:
    data = os.urandom(1 << 20) * 48
    (tmp_path / "buckets" / "b").mkdir(parents=True)
    (tmp_path / "buckets" / "b" / "x.pdf").write_bytes(data)
    place = HERE, free_port(None, ())
    store = S3Store("b", endpoint_url=f"http://{HERE}:{place[1]}")
    found: list[str] = []
    fetching = threading.Thread(target=lambda: found.append(store.fetch("x.pdf", target, len(data))))
    # The replacement server is already running, so that the result does not depend on its start time. Until
    # it takes over the port, connections are refused.
    with rclone_server(tmp_path / "buckets") as second:
        with rclone_server(tmp_path / "buckets") as first, relay(place, int(first.rpartition(":")[2])):
            fetching.start()
            wait_for_bytes(target)
        with relay(place, int(second.rpartition(":")[2])):
            fetching.join(60)
    assert found == [sha256(data)]


def test_a_server_that_stays_down_is_unavailable(tmp_path: Path, target: Path) -> None:
    with pytest.raises(StoreUnavailable, match="endpoint"):
        S3Store("b", endpoint_url="http://127.0.0.1:9").fetch("x.pdf", target, 10)
    assert nothing_arrived(target)


def test_memory_does_not_grow_with_the_object(tmp_path: Path, endpoints: dict[str, str]) -> None:
    size_bytes = 64_000_000
    with (tmp_path / "large").open("wb") as large:
        large.truncate(size_bytes)
    store = S3Store("fetched", endpoint_url=endpoints["rclone"])
    store.put("large.pdf", tmp_path / "large")
    program = (
        "import sys; from pathlib import Path; from docpipe_assets.storage.s3 import S3Store;"
        "store = S3Store('fetched', endpoint_url=sys.argv[1]);"
        "store.fetch('large.pdf', Path(sys.argv[2]), int(sys.argv[3]));"
        # Not ru_maxrss, which a process inherits from its parent.
        "print(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])"
    )
    arguments = [endpoints["rclone"], str(tmp_path / "arrived"), str(size_bytes)]
    run = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "arrived").stat().st_size == size_bytes
    assert int(run.stdout) < 90_000, "peak in kB, including the interpreter and boto3"


def store_of(served: Served) -> S3Store:
    return S3Store("b", endpoint_url=served.url, range_bytes=RANGE_BYTES)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def covered(served: Served) -> int:
    """The number of consecutive bytes from the start that were requested, each counted once."""
    at = 0
    for start, end in sorted(served.requested):
        assert start == at
        at = end
    return at


def wait_for_bytes(target: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if any(path.stat().st_size for path in target.parent.iterdir()):
            return
        time.sleep(0.001)
    raise TimeoutError("no byte arrived")
