"""Events that can affect a key while its document is being processed, on real servers.

The real server stores objects in a file system; cases that it does not support are tested with moto, which
has the semantics of AWS. A small server that responds as AWS does is used for rejected requests.
"""

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypedDict

import pytest

from docpipe_assets.errors import AccessDenied, ObjectChanged, ObjectGone, StoreUnavailable, Throttled
from docpipe_assets.identity import partition_key
from docpipe_assets.model import RawPdfs
from docpipe_assets.operations.intake import Budget, Plan, RecordedState, listed_document, plan
from docpipe_assets.protocols import PdfFacts, Source
from docpipe_assets.settings import Settings
from docpipe_assets.stages.object_to_pdf import object_to_pdf
from docpipe_assets.storage.artifact import artifact_key
from docpipe_assets.storage.lake import Lake, Saved
from docpipe_assets.storage.memory import MemoryStore
from docpipe_assets.storage.s3 import S3Store, s3_client
from docpipe_assets.storage.scratch import ScratchFolder
from docpipe_assets_tests.storage.conftest import BUCKET
from docpipe_assets_tests.storage.servers import FaultyS3Server, rclone_server

DOCUMENT = "batch/letter.pdf"
FIRST, SECOND = b"%PDF-1.7 first", b"%PDF-1.7 other"
"""The same length, so that only the content differs."""


class ObjectPlace(TypedDict):
    Bucket: str
    Key: str


class FindsOnePage:
    """A reader that accepts any file."""

    version = "1"

    def inspect(self, pdf: Path, max_pages: int) -> PdfFacts:
        return PdfFacts(1, False, False, (), None, None, None)


class IngestionHarness:
    """The first stage for a bucket, with a separate lake."""

    def __init__(self, intake: Source, folder: Path) -> None:
        self.intake = intake
        self._scratch_folder = folder / "scratch"
        self._scratch = ScratchFolder(self._scratch_folder)
        self.lake = Lake(MemoryStore(), self._scratch)

    def begin(self, document: str = DOCUMENT) -> RawPdfs:
        """Requests size and ETag, but not the content yet."""
        return object_to_pdf(
            document,
            intake=self.intake,
            reader=FindsOnePage(),  # type: ignore[arg-type]  # what the stage needs of it
            parts=self.lake.parts(RawPdfs.asset, document),
            scratch=self._scratch,
            max_pages=10,
        )

    def finish(self, begun: RawPdfs, document: str = DOCUMENT) -> Saved:
        return self.lake.save(document, begun)

    def size_kept(self, document: str = DOCUMENT) -> int:
        (raw,) = self.lake.load(RawPdfs, document)
        return raw.size_bytes

    @property
    def leftovers(self) -> list[Path]:
        return list(self._scratch_folder.iterdir())


@pytest.fixture(params=["rclone", "moto"])
def intake(request: pytest.FixtureRequest, endpoints: dict[str, str]) -> S3Store:
    return S3Store(BUCKET, uuid.uuid4().hex, endpoint_url=endpoints[request.param])


@pytest.fixture
def harness(intake: S3Store, tmp_path: Path) -> IngestionHarness:
    return IngestionHarness(intake, tmp_path)


def put(store: S3Store, data: bytes, folder: Path, key: str = DOCUMENT) -> None:
    path = folder / uuid.uuid4().hex
    path.write_bytes(data)
    store.put(key, path)


class Records:
    """Dagster's records as intake sees them."""

    def __init__(self) -> None:
        self.partitions: set[str] = set()
        self.runs: list[tuple[str, str]] = []
        self.resume_after = ""

    def tick(self, bucket: Source, keys: int = 1000, runs: int = 1000) -> Plan:
        made = plan(
            bucket.list(start_after=self.resume_after),
            RecordedState(self.partitions, set(self.runs)),
            budget=Budget(keys, runs, modified_before=datetime.now(UTC) + timedelta(seconds=5)),
            large_bytes=2**20,
        )
        self.partitions.update(made.register)
        self.runs += [(one.listed.document, one.listed.version) for one in made.requests]
        self.resume_after = made.resume_after
        return made


def test_a_key_overwritten_before_it_is_read_is_detected_and_read_again(
    harness: IngestionHarness, intake: S3Store, tmp_path: Path
) -> None:
    put(intake, FIRST, tmp_path)
    first = harness.finish(harness.begin())
    put(intake, SECOND + b"!", tmp_path)
    begun = harness.begin()
    put(intake, SECOND + b"?", tmp_path)
    with pytest.raises(ObjectChanged, match=DOCUMENT):
        harness.finish(begun)
    assert harness.lake.header(RawPdfs, DOCUMENT) == first.header, "the old artifact stays"
    assert harness.leftovers == []
    assert not harness.finish(harness.begin()).is_unchanged
    assert harness.size_kept() == len(SECOND) + 1


def test_a_key_deleted_before_its_run_is_gone(
    harness: IngestionHarness, intake: S3Store, tmp_path: Path
) -> None:
    put(intake, FIRST, tmp_path)
    (listed,) = intake.list()
    intake.delete(DOCUMENT)
    with pytest.raises(ObjectGone, match=DOCUMENT):
        harness.begin(listed.key)


def test_a_key_deleted_before_it_is_read_is_gone_and_its_artifact_stays(
    harness: IngestionHarness, intake: S3Store, tmp_path: Path
) -> None:
    put(intake, FIRST, tmp_path)
    first = harness.finish(harness.begin())
    put(intake, SECOND, tmp_path)
    begun = harness.begin()
    intake.delete(DOCUMENT)
    with pytest.raises(ObjectGone, match=DOCUMENT):
        harness.finish(begun)
    assert harness.lake.header(RawPdfs, DOCUMENT) == first.header
    assert harness.leftovers == []


def test_a_key_deleted_and_added_again_is_processed_once_more(
    harness: IngestionHarness, intake: S3Store, tmp_path: Path
) -> None:
    records = Records()
    put(intake, FIRST, tmp_path)
    assert len(records.tick(intake).requests) == 1
    harness.finish(harness.begin())
    intake.delete(DOCUMENT)
    assert records.tick(intake).documents == 0
    put(intake, SECOND, tmp_path)
    assert len(records.tick(intake).requests) == 1
    assert not harness.finish(harness.begin()).is_unchanged
    assert records.partitions == {DOCUMENT}


def test_a_key_added_again_with_the_same_bytes_is_found_unchanged(
    harness: IngestionHarness, intake: S3Store, tmp_path: Path
) -> None:
    put(intake, FIRST, tmp_path)
    harness.finish(harness.begin())
    intake.delete(DOCUMENT)
    put(intake, FIRST, tmp_path)
    assert harness.finish(harness.begin()).is_unchanged


def test_uploads_of_one_second_and_overwrites_within_it_are_all_detected(
    intake: S3Store, tmp_path: Path
) -> None:
    keys = [f"batch/{number:02d}.pdf" for number in range(12)]
    for key in keys:
        put(intake, FIRST, tmp_path, key)
    records = Records()
    assert [one.listed.document for one in records.tick(intake).requests] == keys
    (before, *_) = intake.list()
    put(intake, SECOND, tmp_path, keys[0])
    (after, *_) = intake.list()
    same_second = before.last_modified, after.last_modified.replace(microsecond=0)
    assert (same_second[1] - same_second[0]) < timedelta(seconds=5)
    assert listed_document(after).version != listed_document(before).version
    assert [one.listed.document for one in records.tick(intake).requests] == [keys[0]]


def test_an_unfinished_multipart_upload_is_not_a_document(
    intake: S3Store, endpoints: dict[str, str], served_folder: Path, request: pytest.FixtureRequest
) -> None:
    prefix = intake.url.rpartition("/")[2]
    client = s3_client(endpoints[request.node.callspec.params["intake"]], "us-east-1")
    where: ObjectPlace = {"Bucket": BUCKET, "Key": f"{prefix}/{DOCUMENT}"}
    records = Records()
    for is_finished in (False, True):
        upload = client.create_multipart_upload(**where)["UploadId"]
        part = client.upload_part(**where, UploadId=upload, PartNumber=1, Body=FIRST)
        assert list(intake.list()) == []
        with pytest.raises(ObjectGone):
            intake.head(DOCUMENT)
        assert (records.tick(intake).documents, records.partitions) == (0, set())
        if is_finished:
            client.complete_multipart_upload(
                **where,
                UploadId=upload,
                MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
            )
        else:
            client.abort_multipart_upload(**where, UploadId=upload)
            assert not any(path.is_file() for path in (served_folder / BUCKET / prefix).rglob("*"))
    assert [one.listed.document for one in records.tick(intake).requests] == [DOCUMENT]


def test_an_unfinished_upload_on_a_killed_server_is_not_a_document(tmp_path: Path, credentials: None) -> None:
    (tmp_path / BUCKET).mkdir()
    where: ObjectPlace = {"Bucket": BUCKET, "Key": DOCUMENT}
    with rclone_server(tmp_path) as endpoint:  # the server is killed at the end of the block
        client = s3_client(endpoint, "us-east-1")
        upload = client.create_multipart_upload(**where)["UploadId"]
        client.upload_part(**where, UploadId=upload, PartNumber=1, Body=FIRST)
    with rclone_server(tmp_path) as endpoint:
        made = Records().tick(S3Store(BUCKET, endpoint_url=endpoint))
    assert (made.documents, made.register) == (0, [])


def test_rejected_credentials_do_not_count_against_the_document(
    endpoints: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    refused = S3Store(BUCKET, endpoint_url=endpoints["rclone"])
    with pytest.raises(AccessDenied, match="credentials"):
        IngestionHarness(refused, tmp_path).begin()
    with pytest.raises(AccessDenied, match="credentials"):
        Records().tick(refused)


@pytest.fixture
def faulty(credentials: None) -> Iterator[tuple[FaultyS3Server, S3Store]]:
    server = FaultyS3Server(FIRST)
    with server.serve() as endpoint:
        yield server, S3Store(BUCKET, endpoint_url=endpoint)


def test_an_object_that_may_be_listed_but_not_read_is_denied(
    faulty: tuple[FaultyS3Server, S3Store], tmp_path: Path
) -> None:
    server, store = faulty
    harness = IngestionHarness(store, tmp_path)
    first = harness.finish(harness.begin())
    server.data = SECOND
    server.refusals.append((403, "AccessDenied"))
    with pytest.raises(AccessDenied, match="policy"):
        harness.finish(harness.begin())
    assert server.answers.count(("GET", 403)) == 1, "a retry would not help"
    assert harness.lake.header(RawPdfs, DOCUMENT) == first.header
    assert harness.leftovers == []


def test_a_throttled_request_is_retried_after_a_delay(
    faulty: tuple[FaultyS3Server, S3Store], tmp_path: Path
) -> None:
    server, store = faulty
    harness = IngestionHarness(store, tmp_path)
    server.refusals.append((503, "SlowDown"))
    assert harness.finish(harness.begin()).header.rows == 1
    assert server.answers == [("HEAD", 200), ("GET", 503), ("GET", 200)]


def test_a_server_that_keeps_throttling_is_a_retryable_error(
    faulty: tuple[FaultyS3Server, S3Store], tmp_path: Path
) -> None:
    server, store = faulty
    harness = IngestionHarness(store, tmp_path)
    first = harness.finish(harness.begin())
    server.data = SECOND
    server.head_refusals.extend([503] * 5)
    with pytest.raises(Throttled):
        harness.begin()
    server.refusals.extend([(503, "SlowDown")] * 5)
    with pytest.raises(Throttled, match="SlowDown"):
        harness.finish(harness.begin())
    assert Throttled.is_retryable
    assert server.answers.count(("GET", 503)) == server.answers.count(("HEAD", 503)) == 5
    assert harness.lake.header(RawPdfs, DOCUMENT) == first.header
    assert harness.leftovers == []
    assert not harness.finish(harness.begin()).is_unchanged, "the next attempt succeeds"


def test_ten_thousand_keys_are_registered_within_a_few_bounded_ticks(
    tmp_path: Path, credentials: None
) -> None:
    count, folders = 10_000, 20
    for number in range(folders):
        (tmp_path / BUCKET / f"batch {number:02d}").mkdir(parents=True)
    for number in range(count):
        (tmp_path / BUCKET / f"batch {number % folders:02d}" / f"{number:06d}.pdf").write_bytes(FIRST)
    settings, records = Settings(), Records()
    seconds: list[float] = []
    with rclone_server(tmp_path) as endpoint:
        bucket = S3Store(BUCKET, endpoint_url=endpoint)
        while not seconds or records.resume_after:
            began = time.perf_counter()
            made = records.tick(bucket, settings.intake_keys_per_tick, settings.intake_runs_per_tick)
            seconds.append(time.perf_counter() - began)
            assert made.documents <= settings.intake_keys_per_tick
            assert len(made.requests) <= settings.intake_runs_per_tick
    print(f"{len(seconds)} ticks: {', '.join(f'{one:.2f}' for one in seconds)} s")
    assert len(records.partitions) == count, "one pass through the listing registers all"
    assert len(seconds) == count / settings.intake_keys_per_tick + 1
    assert max(seconds) < 30


ODD_KEYS = [
    "../x.pdf",
    "batch/../x.pdf",
    "batch/./x.pdf",
    "batch//x.pdf",
    "/x.pdf",
    "//x.pdf",
    "batch/nul\x00.pdf",
    "batch/\x01\x1f\x7f.pdf",
    "batch/%00.pdf",
    "batch/\\0.pdf",
    "batch/" + "x" * 1014 + ".pdf",
    "batch/" + "é" * 507 + ".pdf",
    "batch/" + "/".join(["d" * 100] * 10) + "zzzz.pdf",
]


@pytest.mark.parametrize("key", ODD_KEYS, ids=range(len(ODD_KEYS)))
def test_a_key_is_just_a_name(endpoints: dict[str, str], tmp_path: Path, key: str) -> None:
    store = S3Store(BUCKET, uuid.uuid4().hex, endpoint_url=endpoints["moto"])
    assert len(key.encode()) <= 1024
    put(store, FIRST, tmp_path, key)
    (request,) = Records().tick(store).requests
    assert (request.listed.document, request.listed.key) == (key, partition_key(key))
    harness = IngestionHarness(store, tmp_path)
    assert harness.finish(harness.begin(key), key).header.document == key
    assert harness.size_kept(key) == len(FIRST)


def test_the_artifacts_of_odd_keys_fit_on_the_real_server(endpoints: dict[str, str], tmp_path: Path) -> None:
    lake = S3Store(BUCKET, uuid.uuid4().hex, endpoint_url=endpoints["rclone"])
    keys = sorted(artifact_key("canonical_entities", key) for key in ODD_KEYS)
    for key in keys:
        put(lake, FIRST, tmp_path, key)
    assert [found.key for found in lake.list()] == sorted(keys, key=str.encode)


def test_the_real_server_rejects_keys_that_it_cannot_store_at_the_upload(
    endpoints: dict[str, str], tmp_path: Path
) -> None:
    store = S3Store(BUCKET, uuid.uuid4().hex, endpoint_url=endpoints["rclone"])
    for key in ("../x.pdf", "batch/./x.pdf", "batch//x.pdf", "/x.pdf"):
        with pytest.raises(StoreUnavailable):
            put(store, FIRST, tmp_path, key)
    assert list(store.list()) == []
    with pytest.raises(StoreUnavailable):
        put(store, FIRST, tmp_path, "batch/" + "x" * 252 + ".pdf")
