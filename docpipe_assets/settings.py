"""Settings: everything that a deployment can configure, read once from DOCPIPE_* environment variables."""

import difflib
import os
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from docpipe_assets.errors import ConfigurationError

_PREFIX = "DOCPIPE_"


Priority: TypeAlias = Literal["high", "normal", "low"]


class Settings(BaseSettings):
    """One field per setting; its environment variable is DOCPIPE_ and the field name in capitals.

    S3 credentials are not settings: they come from the standard AWS credential chain.
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    intake_url: str = ""
    """URL of the intake bucket: ``s3://bucket[/prefix]`` or ``file:///folder``. Empty: a folder below
    ``data_dir``."""
    lake_url: str = ""
    """URL of the lake, which stores the artifacts; same forms and default as ``intake_url``."""
    s3_endpoint_url: str | None = None
    s3_region: str = "us-east-1"
    s3_kms_key_id: str | None = None
    """KMS key with which everything written to the lake is encrypted (SSE-KMS)."""

    postgres_url: SecretStr | None = None
    """``postgresql+psycopg2://...`` of Dagster's storage; SQLite if unset."""
    broker_url: SecretStr | None = None
    """``redis://...`` of the Celery broker; Dagster's default launcher if unset."""
    data_dir: Path = Path(".docpipe")
    """Local state and temporary files."""

    pages_per_split: int = Field(25, ge=1, le=1000)
    bytes_per_split: int = Field(64 * 1024 * 1024, ge=1024)
    max_pages: int = Field(5000, ge=1)
    ocr_dpi: int = Field(300, ge=72, le=600)
    ocr_engine: str = "rapidocr"
    """Name of a module in ``docpipe_assets/engines/ocr``, or ``module:Class`` of another package."""
    ocr_backend: Literal["auto", "onnxruntime", "openvino"] = "auto"
    """Runtime of the models of the engine ``rapidocr``. ``auto`` selects OpenVINO if it is installed and
    ``run_memory_bytes`` suffices for two concurrent pages, else ONNX Runtime. All workers of a deployment
    must agree in both."""
    ocr_fallback: str = ""
    """Second OCR engine, named like ``ocr_engine``, for pages on which the first one has low confidence; none
    if empty. It needs a process of its own: see docs/pages.md for the memory."""
    ocr_fallback_below: float = Field(0.85, ge=0, le=1)
    """Mean word confidence below which the second engine reads a page too; unread lines have the same
    effect."""
    textract_url: str = ""
    """For the engine ``textract``: ``s3://bucket/prefix`` for page images while they are read."""
    textract_endpoint_url: str | None = None
    textract_seconds: float = Field(150, gt=0)
    """Timeout of Textract for one page."""
    # Where two engines of equal rank find the same span, the earlier one wins.
    ner_engines: tuple[str, ...] = ("citations", "patterns", "crf")
    chunk_tokens: int = Field(400, ge=32)
    chunk_overlap_tokens: int = Field(50, ge=0)

    large_bytes: int = Field(100 * 1024 * 1024, ge=1)
    """Minimum size of documents in the ``large`` lane."""
    large_budget: float = Field(4, ge=1)
    """Factor by which the ``large`` lane multiplies the memory and CPU budgets of the next five fields."""
    run_memory_bytes: int = Field(512 * 1024 * 1024, ge=256 * 1024 * 1024)
    """Memory budget of a run, all of its processes together. OCR reads as many pages concurrently as the
    budget and the number of cores allow."""
    sandbox_memory_bytes: int = Field(256 * 1024 * 1024, ge=128 * 1024 * 1024)
    """Maximum private data of a process that parses a document or renders a page. The PDF libraries alone
    take 100 MiB of it."""
    ocr_memory_bytes: int = Field(1024 * 1024 * 1024, ge=256 * 1024 * 1024)
    """Maximum private data (addressed) of a process that reads page images."""
    page_cpu_seconds: float = Field(20, gt=0)
    split_cpu_seconds: float = Field(120, gt=0)

    batch_priorities: dict[str, Priority] = {}
    """Queue priorities of batches as JSON: ``{"acuity": "high", "archive": "low"}``. ``docpipe ingest
    --priority`` takes precedence. Queued runs keep the priority that they were queued with."""

    intake_seconds: int = Field(10, ge=1)
    """Interval between two ticks of the intake sensor."""
    intake_keys_per_tick: int = Field(2000, ge=1)
    """Maximum number of keys that one tick lists. The next tick continues after them; a new folder is listed
    at once. A higher value finds a document sooner that is added to an old folder among tens of thousands,
    and makes idle ticks more expensive: a fifth of a CPU second for the default."""
    intake_runs_per_tick: int = Field(200, ge=1)
    intake_max_queued: int = Field(20, ge=1)
    """Intake requests no more runs while this number is queued; further documents wait in the bucket, not in
    the queue. It bounds the attempts that an outage of a stage can use before intake pauses. With many
    workers, raise it to the number of documents that they finish between two ticks."""
    intake_settle_seconds: float = Field(0, ge=0)
    """Minimum age of an object before intake requests it, for uploaders that write in place."""
    event_lateness_seconds: float = Field(30, ge=0)
    """Maximum delay with which a worker's event becomes visible in Dagster's event log after later events.
    Corpus assets read events of this age again."""

    retry_seconds: float = Field(30, gt=0)
    """Pause before a failed document is retried automatically; doubles with each failure."""
    retry_max_seconds: float = Field(3600, gt=0)
    breaker_failures: int = Field(3, ge=1)
    """Number of failures after which a document is held for a cool-down and then probed."""
    breaker_cool_down_seconds: float = Field(900, gt=0)
    """First cool-down of a document; doubles with each failed probe."""
    breaker_cool_down_max_seconds: float = Field(6 * 3600, gt=0)
    breaker_lateness_seconds: float = Field(300, ge=0)
    """Maximum delay with which the end of a run may become visible and still count in order."""
    stage_breaker_attempts: int = Field(20, ge=1)
    """Maximum number of latest attempts that reached a stage and by which its breaker decides."""
    stage_breaker_window_seconds: float = Field(600, gt=0)
    """Maximum age of these attempts."""
    stage_breaker_share: float = Field(0.5, gt=0, le=1)
    """Minimum share of these attempts with the same failure that opens the breaker."""
    stage_breaker_documents: int = Field(5, ge=1)
    """Minimum number of different documents among these failures."""
    stage_breaker_cool_down_seconds: float = Field(120, gt=0)
    """Pause before a canary tests a paused stage; doubles with each failed canary."""
    stage_breaker_cool_down_max_seconds: float = Field(3600, gt=0)

    @property
    def scratch_dir(self) -> Path:
        return self.data_dir.absolute() / "scratch"

    @property
    def intake(self) -> str:
        return self.intake_url or (self.data_dir.absolute() / "intake").as_uri()

    @property
    def lake(self) -> str:
        return self.lake_url or (self.data_dir.absolute() / "lake").as_uri()


def read_settings() -> Settings:
    """The settings of this process.

    Raises ConfigurationError for an invalid value, and for an unknown DOCPIPE_ variable with the nearest
    known name: a misspelt setting must not silently fall back to its default.
    """
    known = {_PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted(os.environ):
        if name.startswith(_PREFIX) and name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)
            raise ConfigurationError(f"{name} is not a setting; the nearest is {nearest[0]}")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        field = _PREFIX + str(first["loc"][0]).upper()
        raise ConfigurationError(f"{field}={first['input']!r}: {first['msg']}") from error
    except SettingsError as error:  # a list or mapping that is not JSON
        raise ConfigurationError(f"{error}: {error.__cause__}; write it as JSON") from error
