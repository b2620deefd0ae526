"""A large upload is verified: by AWS with a checksum of each part, by other servers with its length."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from docpipe_assets.errors import TransferCut
from docpipe_assets.protocols import StoredObject
from docpipe_assets.storage.s3 import S3Store, s3_client
from docpipe_assets_tests.storage.servers import KEY_ID, SECRET, moto_server

PART_BYTES = 8 * 1024 * 1024


@pytest.fixture(scope="module", autouse=True)
def aws() -> Iterator[None]:
    """A server with AWS's semantics instead of AWS: the store has no endpoint."""
    with moto_server() as url, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
        environment.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        environment.setenv("AWS_ENDPOINT_URL", url)
        s3_client(None, "us-east-1").create_bucket(Bucket="put")
        yield


class TruncatesUploads(S3Store):
    """Reports an object one byte shorter than it was sent, like a server that truncated it."""

    def head(self, key: str) -> StoredObject:
        found = super().head(key)
        return StoredObject(key, found.size_bytes - 1, found.etag, found.last_modified)


def test_aws_receives_the_checksum_of_every_part(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * (2 * PART_BYTES // 256) + b"end")
    stored = S3Store("put").put("large.pdf", path)
    assert stored.size_bytes == path.stat().st_size
    parts = s3_client(None, "us-east-1").get_object_attributes(
        Bucket="put", Key="large.pdf", ObjectAttributes=["Checksum", "ETag", "ObjectSize"]
    )
    assert parts["ObjectSize"] == path.stat().st_size
    assert any(name.startswith("ChecksumCRC") for name in parts["Checksum"])


def test_a_truncated_upload_is_detected(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"x" * (PART_BYTES + 1))
    with pytest.raises(TransferCut, match=r"large\.pdf: uploaded 8,388,608 of 8,388,609 bytes"):
        TruncatesUploads("put").put("large.pdf", path)


def test_a_repeated_large_upload_is_recognized_by_its_etag(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"a" * PART_BYTES + b"b")
    digests = [hashlib.md5(part, usedforsecurity=False).digest() for part in (b"a" * PART_BYTES, b"b")]
    expected = hashlib.md5(b"".join(digests), usedforsecurity=False).hexdigest()
    assert S3Store("put").put("large.pdf", path).etag == f"{expected}-2"
