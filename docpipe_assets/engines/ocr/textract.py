"""Reads page images with AWS Textract: the page is uploaded to a bucket, read there, and deleted again.

The asynchronous API is used (StartDocumentTextDetection and GetDocumentTextDetection), because it has the
higher quotas. Pages leave the machine: use this engine only if they may be sent to AWS. A lifecycle rule of
the bucket should expire objects below the prefix that a killed process may leave.
"""

import io
import math
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from docpipe_assets.errors import (
    AccessDenied,
    ConfigurationError,
    DocpipeError,
    EngineError,
    Throttled,
    WallTimeout,
)
from docpipe_assets.identity import digest
from docpipe_assets.lazy import lazy
from docpipe_assets.model import Box
from docpipe_assets.protocols import Line, PageImage, PlacedWord
from docpipe_assets.settings import Settings, read_settings
from docpipe_assets.text.reading_order import Piece, reading_order

CODE_VERSION = "1"
BLOCKS_AT_ONCE = 1000
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.5, 5.0

_ERROR_CLASSES: dict[str, type[DocpipeError]] = {
    "ProvisionedThroughputExceededException": Throttled,
    "ThrottlingException": Throttled,
    "Throttling": Throttled,
    "LimitExceededException": Throttled,
    "SlowDown": Throttled,
    "AccessDenied": AccessDenied,
    "AccessDeniedException": AccessDenied,
    "InvalidKMSKeyException": AccessDenied,
    "UnrecognizedClientException": AccessDenied,
    "InvalidSignatureException": AccessDenied,
    "ExpiredTokenException": AccessDenied,
    "ExpiredToken": AccessDenied,
    "InvalidAccessKeyId": AccessDenied,
    "NoSuchBucket": ConfigurationError,
    # Textract's error for a bucket in another region, or one that the caller may not read.
    "InvalidS3ObjectException": ConfigurationError,
}


class _Place(NamedTuple):
    bucket: str
    prefix: str


class Textract:
    """Raises ConfigurationError, when its version is read, if no bucket is configured for the pages.

    Raises Throttled after botocore's own attempts, AccessDenied, WallTimeout for a job that does not end, and
    EngineError for a failed job.
    """

    name = "textract"

    def __init__(self, settings: Settings | None = None, attempts: int = 5) -> None:
        """``settings`` default to those of the process; ``attempts`` is the total number of attempts of a
        throttled call.
        """
        self._explicit_settings = settings
        self._attempts = attempts

    @lazy
    def _settings(self) -> Settings:
        return self._explicit_settings or read_settings()

    @property
    def version(self) -> str:
        """AWS updates its models without notice and reports the model version only with the result."""
        assert self._place
        return f"textract DetectDocumentText {digest([CODE_VERSION])[:8]}"

    @lazy
    def _place(self) -> _Place:
        url = urlsplit(self._settings.textract_url)
        if url.scheme != "s3" or not url.netloc:
            raise ConfigurationError(
                "OCR engine textract: DOCPIPE_TEXTRACT_URL is not the URL of a bucket for page images; use "
                "s3://bucket/prefix, in the region of DOCPIPE_S3_REGION"
            )
        prefix = url.path.strip("/")
        return _Place(url.netloc, f"{prefix}/" if prefix else "")

    @lazy
    def _clients(self) -> tuple[Any, Any]:
        """Clients of S3 and Textract; credentials come from the standard AWS credential chain."""
        from boto3.session import Session
        from botocore.config import Config

        settings = self._settings
        session = Session(region_name=settings.s3_region)
        retries: Any = {"mode": "standard", "total_max_attempts": self._attempts}
        times: Any = {"connect_timeout": 10, "read_timeout": 60}
        s3 = session.client(
            "s3",
            endpoint_url=settings.s3_endpoint_url,
            config=Config(
                retries=retries,
                s3={"addressing_style": "path"} if settings.s3_endpoint_url else {},
                request_checksum_calculation="when_required",
                **times,
            ),
        )
        return s3, session.client(
            "textract", endpoint_url=settings.textract_endpoint_url, config=Config(retries=retries, **times)
        )

    def read(self, image: PageImage) -> tuple[Line, ...]:
        page, place = _as_png(image), self._place
        key = f"{place.prefix}{uuid.uuid4().hex}.png"
        s3, _ = self._clients
        with _translated("the page image can't be uploaded to the bucket"):
            encryption: Any = {}
            if kms_key := self._settings.s3_kms_key_id:
                encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key}
            s3.put_object(Bucket=place.bucket, Key=key, Body=page, ContentType="image/png", **encryption)
        try:
            blocks = list(self._blocks(place.bucket, key))
        finally:
            # The text was read or another error is being raised: a failed deletion must not replace either.
            with suppress(DocpipeError), _translated("the page image can't be deleted from the bucket"):
                s3.delete_object(Bucket=place.bucket, Key=key)
        return lines_of(blocks, image.width, image.height)

    def _blocks(self, bucket: str, key: str) -> Iterator[Mapping[str, Any]]:
        """All blocks of the result for one page, over all result pages."""
        _, textract = self._clients
        deadline = time.monotonic() + self._settings.textract_seconds
        with _translated("the page was rejected"):
            started = textract.start_document_text_detection(
                DocumentLocation={"S3Object": {"Bucket": bucket, "Name": key}},
                ClientRequestToken=uuid.uuid4().hex,
            )
        job, pause = started["JobId"], FIRST_PAUSE_SECONDS
        answer = self._answer(job)
        while answer["JobStatus"] == "IN_PROGRESS":
            if time.monotonic() + pause > deadline:
                raise WallTimeout(
                    f"Textract took longer than {self._settings.textract_seconds:g} s for one page "
                    "(DOCPIPE_TEXTRACT_SECONDS)"
                )
            time.sleep(pause)
            pause = min(2 * pause, MAX_PAUSE_SECONDS)
            answer = self._answer(job)
        if answer["JobStatus"] != "SUCCEEDED":
            message = answer.get("StatusMessage") or "no reason given"
            raise EngineError(f"the Textract job ended with {answer['JobStatus']}: {message}; try again")
        yield from answer.get("Blocks", ())
        while token := answer.get("NextToken"):
            answer = self._answer(job, NextToken=token)
            yield from answer.get("Blocks", ())

    def _answer(self, job: str, **more: str) -> Mapping[str, Any]:
        with _translated("the text of the page can't be fetched"):
            answer: Mapping[str, Any] = self._clients[1].get_document_text_detection(
                JobId=job, MaxResults=BLOCKS_AT_ONCE, **more
            )
        return answer


@contextmanager
def _translated(what: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except ClientError as exc:
        code = exc.response.get("Error", {}).get("Code", "")
        message = exc.response.get("Error", {}).get("Message", "")
        raise _ERROR_CLASSES.get(code, EngineError)(
            f"OCR engine textract: {what} ({code}: {message})"
        ) from exc
    except NoCredentialsError as exc:
        raise AccessDenied(f"OCR engine textract: {what} ({exc})") from exc
    except BotoCoreError as exc:
        raise EngineError(f"OCR engine textract: {what} ({exc}); try again") from exc


def _as_png(image: PageImage) -> bytes:
    from PIL import Image

    pixels = image.path.read_bytes()
    if len(pixels) != image.width * image.height:
        raise EngineError(
            f"page image {image.path.name}: {len(pixels)} bytes, not {image.width} x {image.height}; "
            "the output of the renderer is truncated, check the free space in DOCPIPE_DATA_DIR"
        )
    encoded = io.BytesIO()
    page = Image.frombytes("L", (image.width, image.height), pixels)
    page.save(encoded, "PNG", dpi=(image.dpi, image.dpi), compress_level=3)
    return encoded.getvalue()


def lines_of(blocks: Sequence[Mapping[str, Any]], width: int, height: int) -> tuple[Line, ...]:
    """The lines of a result, in reading order, with boxes in pixels of the image."""
    words = {block["Id"]: _word(block, width, height) for block in blocks if block["BlockType"] == "WORD"}
    pieces = [_piece(block, words, width, height) for block in blocks if block["BlockType"] == "LINE"]
    return reading_order([piece for piece in pieces if piece.words])


def _word(block: Mapping[str, Any], width: int, height: int) -> PlacedWord:
    found = block["Geometry"]["BoundingBox"]
    left, top = found["Left"] * width, found["Top"] * height
    box = Box(
        max(left, 0.0),
        max(top, 0.0),
        min(left + found["Width"] * width, float(width)),
        min(top + found["Height"] * height, float(height)),
    )
    return PlacedWord(block["Text"], box, min(max(block["Confidence"] / 100, 0.0), 1.0))


def _piece(block: Mapping[str, Any], words: Mapping[str, PlacedWord], width: int, height: int) -> Piece:
    named = [
        child
        for relation in block.get("Relationships") or ()
        if relation["Type"] == "CHILD"
        for child in relation["Ids"]
    ]
    corners = [(point["X"] * width, point["Y"] * height) for point in block["Geometry"]["Polygon"]]
    (x0, y0), (x1, y1), (x2, y2), _ = corners
    angle = math.atan2(y1 - y0, x1 - x0)
    turns = round(angle / (math.pi / 2)) % 4
    return Piece(
        words=tuple(words[child] for child in named if child in words),
        x=(x0 + x2) / 2,
        y=(y0 + y2) / 2,
        width=math.hypot(x1 - x0, y1 - y0),
        height=math.hypot(x2 - x1, y2 - y1),
        angle=math.remainder(angle, math.pi / 2),
        # Upside-down text is not margin text: it is read at its position.
        quarter_turns=turns if turns != 2 else 0,
    )
