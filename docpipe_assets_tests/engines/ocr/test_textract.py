"""Textract responses are converted to words with boxes, and each failure to its error class."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from docpipe_assets.engines.ocr.textract import Textract
from docpipe_assets.errors import (
    AccessDenied,
    ConfigurationError,
    DocpipeError,
    EngineError,
    Throttled,
    WallTimeout,
)
from docpipe_assets.model import Box
from docpipe_assets.protocols import PageImage, PlacedWord
from docpipe_assets.settings import Settings
from docpipe_assets_tests.engines.ocr.textract_service import BLOCKS_AT_ONCE, Service, textract_service

WORDS_OF_A_LINE = 4


def rows(image: PageImage) -> tuple[tuple[PlacedWord, ...], ...]:
    """Ten rows of known words."""
    return tuple(
        tuple(
            PlacedWord(
                f"r{row}w{n}", Box(20.0 + 40 * n, 10.0 + 18 * row, 50.0 + 40 * n, 20.0 + 18 * row), 0.75
            )
            for n in range(WORDS_OF_A_LINE)
        )
        for row in range(10)
    )


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.fixture
def service() -> Iterator[Service]:
    with textract_service(rows) as running:
        yield running


@pytest.fixture
def page(tmp_path: Path) -> PageImage:
    path = tmp_path / "page.grey"
    path.write_bytes(b"\xff" * 200 * 200)
    return PageImage(path, 200, 200, 200.0)


def engine_at(service: Service, url: str = "s3://pages/now", seconds: float = 30) -> Textract:
    return Textract(
        Settings(
            textract_url=url,
            textract_seconds=seconds,
            s3_endpoint_url=service.url,
            textract_endpoint_url=service.url,
        ),
        attempts=2,
    )


def test_a_paginated_response_becomes_all_lines_in_order(service: Service, page: PageImage) -> None:
    found = engine_at(service).read(page)
    assert [[word.text for word in line] for line in found] == [
        [f"r{row}w{n}" for n in range(WORDS_OF_A_LINE)] for row in range(10)
    ]
    pieces = 1 + 10 + 10 * WORDS_OF_A_LINE
    fetched = service.calls.count("GetDocumentTextDetection")
    assert fetched == service.polls_until_done + -(-pieces // BLOCKS_AT_ONCE)


def test_word_boxes_are_in_pixels_and_confidence_is_a_fraction(service: Service, page: PageImage) -> None:
    word = engine_at(service).read(page)[2][1]
    assert word.box == pytest.approx((60, 46, 90, 56))
    assert word.confidence == pytest.approx(0.75)


def test_the_page_is_in_the_bucket_only_while_it_is_read(service: Service, page: PageImage) -> None:
    engine_at(service).read(page)
    assert service.objects == {}
    service.ends_as = "FAILED"
    with pytest.raises(EngineError):
        engine_at(service).read(page)
    assert service.objects == {}


def test_brief_throttling_has_no_effect(service: Service, page: PageImage) -> None:
    service.throttled_starts = 1
    assert len(engine_at(service).read(page)) == 10


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("LimitExceededException", Throttled),
        ("AccessDeniedException", AccessDenied),
        ("InvalidS3ObjectException", ConfigurationError),
        ("UnsupportedDocumentException", EngineError),
    ],
)
def test_a_rejection_is_an_error_of_its_class(
    service: Service, page: PageImage, code: str, error: type[DocpipeError]
) -> None:
    service.refuses_with = code
    with pytest.raises(error, match=rf"the page was rejected \({code}") as caught:
        engine_at(service).read(page)
    assert type(caught.value) is error
    assert service.objects == {}


@pytest.mark.parametrize("status", ["FAILED", "PARTIAL_SUCCESS"])
def test_a_job_that_fails_is_never_an_empty_page(service: Service, page: PageImage, status: str) -> None:
    service.ends_as = status
    with pytest.raises(EngineError, match=f"ended with {status}: INVALID_IMAGE_TYPE"):
        engine_at(service).read(page)


def test_a_job_that_does_not_end_times_out(service: Service, page: PageImage) -> None:
    service.polls_until_done = 10**6
    with pytest.raises(WallTimeout, match=r"longer than 0\.4 s"):
        engine_at(service, seconds=0.4).read(page)
    assert service.objects == {}


def test_an_unavailable_service_is_an_engine_failure(page: PageImage) -> None:
    with textract_service(rows) as gone:
        pass
    settings = Settings(textract_url="s3://pages", s3_endpoint_url=gone.url, textract_endpoint_url=gone.url)
    with pytest.raises(EngineError, match="can't be uploaded to the bucket"):
        Textract(settings).read(page)


@pytest.mark.parametrize("url", ["", "pages/now", "file:///tmp"])
def test_a_missing_bucket_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DOCPIPE_TEXTRACT_URL"):
        assert Textract(Settings(textract_url=url)).version
