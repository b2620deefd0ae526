"""The cost of the stages after ocr_text, and of the audit, for long documents: memory and CPU time by stage.

    python -m docpipe_assets_tests.benchmarks.stages [--pages 500 5000 20000] [--keep FOLDER]

The document is the endless litigation file of ``litigation.py``, stored as ocr_text in a lake of files. A new
process with the imports of a worker, including Dagster and boto3, then materializes each asset
from and to the lake, as a run does, after a short warm-up document. ``base`` is the resident size of the
process at the start of a stage, ``peak`` its maximum during the stage (VmHWM), both in MB. The work of the
lake is included.
"""

import argparse
import gc
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import get_type_hints

from docpipe_assets.model import (
    Blob,
    CanonicalEntities,
    Chunks,
    Mentions,
    PageProse,
    PageTexts,
    RawPdf,
    Relationships,
)
from docpipe_assets.operations.audit import audit
from docpipe_assets.pipeline import PIPELINE
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.settings import Settings
from docpipe_assets_tests.benchmarks.litigation import DOCUMENT, VERSION, litigation_file

_MODULE = "docpipe_assets_tests.benchmarks.stages"
_WARM_UP_PAGES = 20


@dataclass(frozen=True)
class Cost:
    stage: str
    pages: int
    rows: int
    cpu_seconds: float
    base_mb: float
    peak_mb: float

    def __str__(self) -> str:
        per_thousand = self.cpu_seconds * 1000 / self.pages
        return (
            f"{self.pages:>7,} {self.stage:20}{self.rows:>11,}{self.base_mb:>8.0f}{self.peak_mb:>8.0f}"
            f"{self.peak_mb - self.base_mb:>8.1f}{self.cpu_seconds:>10.1f}{per_thousand:>13.2f}"
        )


HEADER = (
    f"{'pages':>7} {'stage':20}{'rows':>11}{'base':>8}{'peak':>8}{'above':>8}{'CPU s':>10}{'per 1,000':>13}"
)


def costs(pipeline: DocumentPipeline, pages: int) -> Iterator[Cost]:
    """Materialize every asset after ocr_text and audit the document; one cost for each step, in order."""
    for stream in PIPELINE.streams[PIPELINE.streams.index(PageTexts) + 1 :]:
        yield _measured(stream.asset, pages, partial(_materialize, pipeline, stream.asset))
    yield _measured("audit", pages, lambda: _audit(pipeline, pages))


def _materialize(pipeline: DocumentPipeline, asset: str) -> int:
    stage = getattr(pipeline, asset)
    inputs = {
        name: pipeline.load(kind, DOCUMENT)
        for name, kind in get_type_hints(stage).items()
        if name not in ("document", "return")
    }
    return pipeline.save(DOCUMENT, stage(DOCUMENT, **inputs)).header.rows


def _audit(pipeline: DocumentPipeline, pages: int) -> int:
    raw_pdf = RawPdf(
        document=DOCUMENT,
        version=VERSION,
        size_bytes=1,
        etag="",
        last_modified=datetime(2026, 1, 1, tzinfo=UTC),
        pdf=Blob(key="", size_bytes=1, sha256=""),
        pages=pages,
    )
    found = audit(
        raw_pdf,
        pages=pipeline.load(PageTexts, DOCUMENT).view_as(PageProse),
        chunks=pipeline.load(Chunks, DOCUMENT),
        mentions=pipeline.load(Mentions, DOCUMENT),
        entities=pipeline.load(CanonicalEntities, DOCUMENT),
        relationships=pipeline.load(Relationships, DOCUMENT),
    )
    assert found.is_sound, found.examples
    return found.quotes


def _measured(stage: str, pages: int, work: Callable[[], int]) -> Cost:
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    base, began = _status_mb("VmRSS"), time.process_time()
    rows = work()
    return Cost(stage, pages, rows, time.process_time() - began, base, _status_mb("VmHWM"))


def _status_mb(field: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


def _pipeline(folder: Path) -> DocumentPipeline:
    return DocumentPipeline(Settings(data_dir=folder, lake_url=(folder / "lake").as_uri()))


def _work(folder: Path, pages: int) -> None:
    """Runs in the worker: prints the costs, one JSON line each."""
    importlib.import_module("docpipe_assets.definitions")
    with tempfile.TemporaryDirectory() as name:
        warm = _pipeline(Path(name))
        warm.save(DOCUMENT, litigation_file(_WARM_UP_PAGES))
        list(costs(warm, _WARM_UP_PAGES))
    for cost in costs(_pipeline(folder), pages):
        print(json.dumps(asdict(cost)), flush=True)


def measure(folder: Path, pages: int) -> Iterator[Cost]:
    """Costs of a document with ``pages`` pages, measured in a separate process."""
    _pipeline(folder).save(DOCUMENT, litigation_file(pages))
    command = [sys.executable, "-m", _MODULE, "--worker", str(folder), "--pages", str(pages)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        for line in worker.stdout:
            yield Cost(**json.loads(line))
    if worker.returncode:
        raise SystemExit(worker.returncode)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pages", type=int, nargs="+", default=[500, 5000, 20000])
    parser.add_argument("--keep", type=Path, help="folder for the lakes, which is kept")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return _work(options.worker, options.pages[0])
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n{HEADER}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        for pages in options.pages:
            for cost in measure((options.keep or Path(name)) / str(pages), pages):
                print(cost, flush=True)


if __name__ == "__main__":
    main()
