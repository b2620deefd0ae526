"""Objects in a bucket of S3 or of a compatible server.

Loads boto3, and is therefore imported only if such a store is opened. boto3's modules import each other: if
several threads imported them for the first time concurrently, one of them could see a partially initialized
boto3.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from boto3.exceptions import Boto3Error
from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, IncompleteReadError, NoCredentialsError
from botocore.session import get_session
from botocore.utils import parse_timestamp
from urllib3.exceptions import HTTPError

from docpipe_assets.errors import (
    AccessDenied,
    ConfigurationError,
    DocpipeError,
    ObjectChanged,
    ObjectGone,
    StoreError,
    StoreUnavailable,
    Throttled,
    TransferCut,
)
from docpipe_assets.protocols import StoredObject
from docpipe_assets.storage.transfer import RANGE_BYTES, RangeResponse, ResumingReader, download_ranges

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

_ERROR_CLASSES: dict[str, type[StoreError]] = {
    "404": ObjectGone,
    "NoSuchKey": ObjectGone,
    "NoSuchVersion": ObjectGone,
    "412": ObjectChanged,
    "PreconditionFailed": ObjectChanged,
    "401": AccessDenied,
    "403": AccessDenied,
    "AccessDenied": AccessDenied,
    "InvalidAccessKeyId": AccessDenied,
    "SignatureDoesNotMatch": AccessDenied,
    "ExpiredToken": AccessDenied,
    "503": Throttled,
    "SlowDown": Throttled,
    "Throttling": Throttled,
    "RequestLimitExceeded": Throttled,
}

_ONE_PUT_BYTES = 1024 * 1024
"""Maximum size of an object that is sent in one checked request; larger ones are sent in parts and verified
afterwards."""


def s3_client(endpoint_url: str | None, region: str) -> "S3Client":
    """A client for an endpoint; credentials come from the standard AWS credential chain. Thread-safe."""
    session = get_session()
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_timestamp)
    # A separate session: the default one would cache the first credentials.
    client: S3Client = Session(botocore_session=session).client(
        "s3",
        endpoint_url=endpoint_url,
        region_name=region,
        config=Config(
            retries={"mode": "standard", "total_max_attempts": 5},
            # Servers other than AWS need path-style addressing and do not support checksum trailers. AWS
            # verifies every part of an upload against its checksum.
            s3={"addressing_style": "path"} if endpoint_url else {},
            request_checksum_calculation="when_required" if endpoint_url else "when_supported",
            response_checksum_validation="when_required",
            connect_timeout=10,
            read_timeout=60,
        ),
    )
    return client


def _timestamp(value: Any) -> datetime:
    """Parse a timestamp of a listing or a header. botocore's own parser, which guesses the format, takes
    three times as long as the rest of a listing.
    """
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            timestamp = read(value)
        except (TypeError, ValueError):
            continue
        if timestamp.tzinfo is not None:
            return timestamp
    guessed: datetime = parse_timestamp(value)
    return guessed


class S3Store:
    """The keys of a bucket below a prefix, which may be empty."""

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        endpoint_url: str | None = None,
        region: str = "us-east-1",
        kms_key_id: str | None = None,
        range_bytes: int = RANGE_BYTES,
    ) -> None:
        self.url = f"s3://{bucket}/{prefix}".rstrip("/")
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._range_bytes = range_bytes
        self._encryption = (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id} if kms_key_id else {}
        )
        # Not lazily: the first use may be by several threads concurrently.
        try:
            self._client = s3_client(endpoint_url, region)
        except (BotoCoreError, ValueError) as error:
            raise ConfigurationError(
                f"{self.url}: can't create an S3 client ({error}); correct DOCPIPE_S3_ENDPOINT_URL, "
                "DOCPIPE_S3_REGION or the AWS profile"
            ) from error

    def head(self, key: str) -> StoredObject:
        with self._translated(key):
            found = self._client.head_object(Bucket=self._bucket, Key=self._prefix + key)
        return StoredObject(
            key,
            found["ContentLength"],
            found["ETag"].strip('"'),
            found["LastModified"],
            found.get("VersionId"),
        )

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[StoredObject]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket,
            Prefix=self._prefix + prefix,
            StartAfter=self._prefix + start_after if start_after else "",
        )
        with self._translated(prefix or "the listing"):
            for page in pages:
                for item in page.get("Contents", []):
                    key = item["Key"].removeprefix(self._prefix)
                    yield StoredObject(key, item["Size"], item["ETag"].strip('"'), item["LastModified"])

    def folders(self) -> Sequence[str]:
        """Of the first 1,000 folders and objects: the result of one request."""
        with self._translated("the listing"):
            page = self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, Delimiter="/")
        found = [item["Prefix"] for item in page.get("CommonPrefixes", [])]
        return [folder.removeprefix(self._prefix).removesuffix("/") for folder in found]

    @contextmanager
    def open(self, key: str, etag: str | None = None) -> Iterator[BinaryIO]:
        version = _Version(etag)
        reader = ResumingReader(partial(self._open_range, key, version), f"{self.url}/{key}")
        with reader:
            yield cast(BinaryIO, reader)

    def fetch(self, key: str, target: Path, size_bytes: int, etag: str | None = None) -> str:
        open_range = partial(self._open_range, key, _Version(etag, size_bytes))
        return download_ranges(open_range, target, size_bytes, f"{self.url}/{key}", self._range_bytes)

    def _open_range(self, key: str, version: "_Version", start: int, end: int | None) -> RangeResponse:
        """Request a range and verify the response, because servers differ: some ignore If-Match, and one
        returns status 200 for a range.

        ETag, length and range of every response are compared with the request.
        """
        is_whole = start == 0 and end == version.size_bytes
        asked: Any = {} if is_whole else {"Range": f"bytes={start}-{(end or 0) - 1}"}
        if version.etag is not None:
            asked["IfMatch"] = f'"{version.etag}"'
        with self._translated(key):
            found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key, **asked)
        body = _Body(found["Body"], f"{self.url}/{key}")
        try:
            if not version.matches(found["ETag"].strip('"')):
                raise ObjectChanged(
                    f"{self.url}/{key}: ETag changed from {version.etag} to {found['ETag']}; "
                    "it was replaced since the listing"
                )
            length = found["ContentLength"]
            if end is None:
                version.size_bytes = end = length
            announced = found.get("ContentRange")
            expected = None if is_whole else f"bytes {start}-{end - 1}/{version.size_bytes}"
            if length != end - start or announced != expected:
                raise TransferCut(
                    f"{self.url}/{key}: requested {expected or f'{version.size_bytes} bytes'}, the server "
                    f"announces {announced or 'the whole object'} with {length} bytes; try again"
                )
        except BaseException:
            body.close()
            raise
        return RangeResponse(body, end)

    def put(self, key: str, source: Path) -> StoredObject:
        sent = source.stat().st_size
        if sent <= _ONE_PUT_BYTES:
            return self._put_at_once(key, source.read_bytes())
        with self._translated(key):
            self._client.upload_file(
                str(source), self._bucket, self._prefix + key, ExtraArgs=self._encryption or None
            )
        stored = self.head(key)
        if stored.size_bytes != sent:
            raise TransferCut(
                f"{self.url}/{key}: uploaded {stored.size_bytes:,} of {sent:,} bytes; try again"
            )
        return stored

    def _put_at_once(self, key: str, data: bytes) -> StoredObject:
        checksum = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
        with self._translated(key):
            stored = self._client.put_object(
                Bucket=self._bucket,
                Key=self._prefix + key,
                Body=data,
                ContentMD5=checksum,  # the server rejects an incomplete or altered transfer
                **self._encryption,  # type: ignore[arg-type]  # two of put_object's own parameters
            )
        etag = stored["ETag"].strip('"')
        return StoredObject(key, len(data), etag, datetime.now(UTC), stored.get("VersionId"))

    def delete(self, key: str) -> None:
        with self._translated(key):
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key)

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        where = f"{self.url}/{key}"
        try:
            yield
        except ClientError as error:
            raise self._refused(error, where) from error
        except NoCredentialsError as error:
            raise AccessDenied(
                f"{where}: no AWS credentials found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                "a profile or a role"
            ) from error
        except (IncompleteReadError, HTTPError) as error:
            raise TransferCut(f"{where}: the transfer was interrupted ({error}); try again") from error
        except Boto3Error as error:
            # An upload wraps the server's response, which is more specific than the wrapper.
            if isinstance(error.__context__, ClientError):
                raise self._refused(error.__context__, where) from error
            raise StoreUnavailable(f"{where}: {error}. {StoreUnavailable.advice}") from error
        except (BotoCoreError, ConnectionError) as error:
            raise StoreUnavailable(f"{where}: {error}. {StoreUnavailable.advice}") from error

    def _refused(self, error: ClientError, where: str) -> DocpipeError:
        code = str(error.response.get("Error", {}).get("Code", "?"))
        if code == "NoSuchBucket":
            return ConfigurationError(
                f"{self.url}: no such bucket; create it or correct the URL in the settings"
            )
        reaction = _ERROR_CLASSES.get(code, StoreUnavailable)
        return reaction(f"{where}: the S3 server returned {code}. {reaction.advice}")


class _Version:
    """The version of an object that is read: the requested one, or that of the first response."""

    def __init__(self, etag: str | None, size_bytes: int | None = None) -> None:
        self.etag = etag
        self.size_bytes = size_bytes
        self._lock = Lock()

    def matches(self, etag: str) -> bool:
        with self._lock:  # responses arrive in any order
            self.etag = self.etag or etag
            return self.etag == etag


class _Body:
    """The body of a response; any error during a read is an interrupted transfer."""

    def __init__(self, body: "StreamingBody", where: str) -> None:
        self._body = body
        self._where = where

    def read(self, size: int, /) -> bytes:
        try:
            return self._body.read(size)
        except (BotoCoreError, HTTPError, OSError) as error:
            raise TransferCut(f"{self._where}: the transfer was interrupted ({error}); try again") from error

    def close(self) -> None:
        self._body.close()
