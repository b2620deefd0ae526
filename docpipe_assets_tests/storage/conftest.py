"""The S3 servers for the store tests, one of each per test file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from docpipe_assets.storage.s3 import s3_client
from docpipe_assets_tests.storage.servers import KEY_ID, SECRET, moto_server, rclone_server

BUCKET = "conformance"


@pytest.fixture(scope="module")
def credentials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
        environment.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        yield


@pytest.fixture(scope="module")
def served_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the real server serves; its subfolders are the buckets."""
    folder = tmp_path_factory.mktemp("buckets")
    (folder / BUCKET).mkdir()
    return folder


@pytest.fixture(scope="module")
def endpoints(served_folder: Path, credentials: None) -> Iterator[dict[str, str]]:
    with rclone_server(served_folder) as real, moto_server() as aws_like:
        s3_client(aws_like, "us-east-1").create_bucket(Bucket=BUCKET)
        yield {"rclone": real, "moto": aws_like}
