"""Settings: everything a deployment may choose, read once from DOCPIPE_* environment variables."""

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
    """One field a setting; the environment variable is DOCPIPE_ and the field's name in capitals.

    S3 credentials are not settings: they come from the usual AWS chain.
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    intake_url: str = ""
    """Where documents arrive: ``s3://bucket[/prefix]`` or ``file:///folder``; a folder below
    ``data_dir`` when empty."""
    lake_url: str = ""
    """Where artifacts are kept, likewise."""
    s3_endpoint_url: str | None = None
    s3_region: str = "us-east-1"
    s3_kms_key_id: str | None = None
    """Encrypts everything written to the lake by SSE-KMS under this key."""

    postgres_url: SecretStr | None = None
    """``postgresql+psycopg2://...`` for Dagster's storage; SQLite when unset."""
    broker_url: SecretStr | None = None
    """``redis://...`` for Celery; Dagster's default launcher when unset."""
    data_dir: Path = Path(".docpipe")
    """Local state and temporary files."""

    pages_per_split: int = Field(25, ge=1, le=1000)
    bytes_per_split: int = Field(64 * 1024 * 1024, ge=1024)
    max_pages: int = Field(5000, ge=1)
    ocr_dpi: int = Field(300, ge=72, le=600)
    ocr_engine: str = "rapidocr"
    """The name of a module in ``docpipe_assets/engines/ocr`` or ``module:Class`` of another package."""
    ocr_backend: Literal["auto", "onnxruntime", "openvino"] = "auto"
    """What the models of the engine ``rapidocr`` run on. ``auto`` is OpenVINO where it is installed and
    ``run_memory_bytes`` suffices for two pages at once on it, else ONNX Runtime: workers of a fleet must be
    alike in both."""
    ocr_fallback: str = ""
    """A second OCR engine, likewise, for the pages that the first one is unsure of; none when empty. Its
    process is there beside the first one's: see docs/pages.md for the memory."""
    ocr_fallback_below: float = Field(0.85, ge=0, le=1)
    """A page is unsure when the mean confidence of its words is below this, or lines of it are left."""
    textract_url: str = ""
    """For the engine ``textract``: where page images lie while they are read, ``s3://bucket/prefix``."""
    textract_endpoint_url: str | None = None
    textract_seconds: float = Field(150, gt=0)
    """A page that Textract has not read by then is given up."""
    # Where two engines of equal rank find the same span, the earlier one wins.
    ner_engines: tuple[str, ...] = ("citations", "patterns", "crf")
    chunk_tokens: int = Field(400, ge=32)
    chunk_overlap_tokens: int = Field(50, ge=0)

    large_bytes: int = Field(100 * 1024 * 1024, ge=1)
    """Documents of this size or more go to the ``large`` lane."""
    large_budget: float = Field(4, ge=1)
    """How many times the memory and CPU of the next five a document may have in the ``large`` lane."""
    run_memory_bytes: int = Field(512 * 1024 * 1024, ge=256 * 1024 * 1024)
    """What all processes of a run together are meant to use at most; as many pages at once are read by
    OCR as this suffices for, and no more than there are cores."""
    sandbox_memory_bytes: int = Field(256 * 1024 * 1024, ge=128 * 1024 * 1024)
    """The private data of a process that parses a document or renders a page; the PDF libraries take
    100 MiB of it before they have seen one."""
    ocr_memory_bytes: int = Field(1024 * 1024 * 1024, ge=256 * 1024 * 1024)
    """The private data, as far as it is addressed, of a process that reads page images."""
    page_cpu_seconds: float = Field(20, gt=0)
    split_cpu_seconds: float = Field(120, gt=0)

    batch_priorities: dict[str, Priority] = {}
    """Which batches are taken from the queue before or after the others, as JSON:
    ``{"acuity": "high", "archive": "low"}``; ``docpipe ingest --priority`` goes before it. What already
    waits keeps the priority it came with."""

    intake_seconds: int = Field(10, ge=1)
    """How often intake looks at the bucket."""
    intake_keys_per_tick: int = Field(2000, ge=1)
    """A look at the bucket goes on where the one before ended, and a new folder is looked at at once. More
    find a document that is added to an old folder sooner among tens of thousands, and cost more while nothing
    is new: a fifth of a CPU second for these."""
    intake_runs_per_tick: int = Field(200, ge=1)
    intake_max_queued: int = Field(20, ge=1)
    """Intake waits while this many runs are queued: what waits stays in the bucket, not in the queue.
    So many documents may spend an attempt before a stage that breaks pauses intake; with many workers
    raise it to what they finish between two looks at the bucket."""
    intake_settle_seconds: float = Field(0, ge=0)
    """A key younger than this is left for a later tick (for uploaders that write in place)."""

    retry_seconds: float = Field(30, gt=0)
    """The pause before a failed document is tried again by itself; doubles with each failure."""
    retry_max_seconds: float = Field(3600, gt=0)
    breaker_failures: int = Field(3, ge=1)
    """A document that failed so often is held back for a cool-down, then one probe goes."""
    breaker_cool_down_seconds: float = Field(900, gt=0)
    """The first cool-down of a document; doubles with each probe that fails."""
    breaker_cool_down_max_seconds: float = Field(6 * 3600, gt=0)
    breaker_lateness_seconds: float = Field(300, ge=0)
    """How long after later ones the end of a run may become known and still count in its place."""
    stage_breaker_attempts: int = Field(20, ge=1)
    """The newest attempts that reached a stage are what it is judged by, so many at most..."""
    stage_breaker_window_seconds: float = Field(600, gt=0)
    """...and none older than this."""
    stage_breaker_share: float = Field(0.5, gt=0, le=1)
    """Intake pauses when at least this share of them failed alike..."""
    stage_breaker_documents: int = Field(5, ge=1)
    """...and they are so many different documents."""
    stage_breaker_cool_down_seconds: float = Field(120, gt=0)
    """The pause before a canary shows whether the stage works again; doubles with each that fails."""
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

    Raises ConfigurationError for a value that cannot be and for an unknown DOCPIPE_ variable,
    naming the nearest known one: a misspelt setting must not be a silent default.
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
    except SettingsError as error:  # a list or mapping that is no JSON
        raise ConfigurationError(f"{error}: {error.__cause__}; write it as JSON") from error
