"""Sends files through the complete pipeline, one after the other, and reports the outcome of each."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from docpipe_assets.model import PageTexts, RawPdfs, TextMethod
from docpipe_assets.pipeline import PIPELINE
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.runtime.local_run import processed
from docpipe_assets.runtime.meter import Meter
from docpipe_assets.settings import Settings
from docpipe_assets.storage.file import LocalFiles
from docpipe_assets_tests.hostile.kinds import BLANK, PARTIAL, TEXT

PAGE_CPU_SECONDS = 4.0
SPLIT_CPU_SECONDS = 15.0
"""Lower than in production, so that endless processing is stopped sooner."""


@dataclass(frozen=True)
class Outcome:
    """``code`` is TEXT, BLANK, PARTIAL or the full code of an error."""

    code: str
    message: str
    text: str
    flags: tuple[str, ...]
    cpu_seconds: float
    wall_seconds: float
    peak_mebibytes: float


@contextmanager
def open_pipeline(data_dir: Path, files: Mapping[str, Path]) -> Iterator[DocumentPipeline]:
    settings = Settings(
        data_dir=data_dir,
        lake_url=(data_dir / "lake").absolute().as_uri(),
        ocr_engine="docpipe_assets_tests.hostile.engines:FastOcr",
        ner_engines=("patterns",),
        page_cpu_seconds=PAGE_CPU_SECONDS,
        split_cpu_seconds=SPLIT_CPU_SECONDS,
    )
    pipeline = DocumentPipeline(settings, intake=LocalFiles(files))
    try:
        yield pipeline
    finally:
        pipeline.close()


def outcome_of(pipeline: DocumentPipeline, document: str) -> Outcome:
    """Run all stages for one document; an error that is not a DocpipeError propagates."""
    with Meter(pipeline) as meter:
        _, error = processed(pipeline, document)
    raw = [] if error else list(pipeline.load(RawPdfs, document))
    pages = [] if error else list(pipeline.load(PageTexts, document))
    failed = [page for page in pages if page.method is TextMethod.FAILED]
    text = "\n".join(page.text for page in pages)
    flags = [f"p. {page.page}: {page.reason}" for page in failed]
    for found in raw:
        flags += ["REPAIRED"] * found.is_repaired + ["ENCRYPTED"] * found.is_encrypted
        flags += ["WARNINGS"] * bool(found.warnings) + ["PDFIUM_ONLY"] * (
            "opened by PDFium only" in found.warnings
        )
    flags += sorted({f"{page.method.value.upper()}" for page in pages if page.method is TextMethod.OCR})
    flags += ["CUT"] * any("characters_left_out" in page.signals for page in pages)
    flags += ["READ_BY_PDFIUM"] * any("read_by_pdfium" in page.signals for page in pages)
    return Outcome(
        code=error.full_code if error else PARTIAL if failed else TEXT if text.strip() else BLANK,
        message=error.message if error else "",
        text=text,
        flags=tuple(flags),
        cpu_seconds=meter.cpu_seconds,
        wall_seconds=meter.wall_seconds,
        peak_mebibytes=meter.peak_rss_bytes / 2**20,
    )


def artifacts(pipeline: DocumentPipeline, document: str) -> dict[str, list[str]]:
    """Every record of every stage as JSON, which must not depend on earlier documents."""
    return {
        stream.asset: [record.model_dump_json() for record in pipeline.load(stream, document)]
        for stream in PIPELINE.streams
    }
