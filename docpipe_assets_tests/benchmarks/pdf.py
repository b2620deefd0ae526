"""The cost of opening, splitting, analyzing, reading and rendering a long PDF, and the memory of the
processes.

    python -m docpipe_assets_tests.benchmarks.pdf [--documents scan600 text20000 ...] [--rendered 8]

The reader, its sandbox and their limits are those of the standard lane, except that the number of pages is
not limited. Documents are those of ``documents.py``; a file is used without changes. *child* is the largest
resident size of any one child, including pages shared with the zygote; *all* is the largest sum over the
zygote and its children, shared pages counted once (PSS), sampled twenty times per second.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.runtime.meter import PeakMemory, process_tree
from docpipe_assets.sandbox.limits import Usage
from docpipe_assets.settings import Settings
from docpipe_assets_tests.benchmarks.cost import MEGABYTE
from docpipe_assets_tests.benchmarks.documents import write_huge_images, write_scan, write_text

DOCUMENTS: dict[str, Callable[[Path], None]] = {
    "scan600": lambda path: write_scan(path, 1500, 600),
    "scan2000": lambda path: write_scan(path, 5000, 2000),
    "scan4000": lambda path: write_scan(path, 20000, 4000),
    "text5000": lambda path: write_text(path, 5000),
    "text20000": lambda path: write_text(path, 20000),
    "huge20": lambda path: write_huge_images(path, 20),
}
_READ_PAGES = 2000
"""Only the first part of longer documents is read: the cost of a part does not depend on its position."""
_SAMPLE_SECONDS = 0.05


def _below() -> Iterator[int]:
    return (process for process in process_tree(os.getpid()) if process != os.getpid())


@contextmanager
def _row(pipeline: DocumentPipeline, name: str, pages: int) -> Iterator[None]:
    pipeline.pop_child_usage()
    began, own = time.monotonic(), time.process_time()
    with PeakMemory(_below, _SAMPLE_SECONDS) as peak:
        yield
    used: Usage = pipeline.pop_child_usage()
    print(
        f"  {name:18}{pages:>7,}{used.child_cpu_seconds:>9.1f}"
        f"{used.child_cpu_seconds * 1000 / pages:>9.2f}{time.process_time() - own:>8.1f}"
        f"{time.monotonic() - began:>8.1f}{used.calls:>7,}{used.peak_rss_bytes / MEGABYTE:>8.0f}"
        f"{peak.bytes / MEGABYTE:>8.0f}",
        flush=True,
    )


def measure(pipeline: DocumentPipeline, document: Path, folder: Path, rendered: int) -> None:
    """Every call of the reader on one document, one row each."""
    print(
        f"  {'':18}{'pages':>7}{'CPU s':>9}{'/1,000':>9}{'own':>8}{'wall s':>8}{'calls':>7}"
        f"{'child':>8}{'all MB':>8}"
    )
    reader = pipeline.reader
    with _row(pipeline, "zygote alone", 1):
        list(pipeline.sandbox.confinement)
        time.sleep(0.1)
    with _row(pipeline, "inspect", 1):
        pages = reader.inspect(document, pipeline.settings.max_pages).pages
    parts: list[tuple[Path, int]] = []
    settings = pipeline.settings
    with _row(pipeline, "split", pages):
        for part in reader.split(document, pages, settings.pages_per_split, settings.bytes_per_split):
            kept = folder / f"{part.first_page}.pdf"
            part.path.rename(kept)
            parts.append((kept, part.last_page - part.first_page + 1))
    with _row(pipeline, "survey", pages):
        assert sum(1 for path, count in parts for _ in reader.survey(path, count)) == pages
    first = parts[: -(-_READ_PAGES // settings.pages_per_split)]
    pages = sum(count for _, count in first)
    with _row(pipeline, "read", pages):
        assert sum(1 for path, _ in first for _ in reader.read(path)) == pages
    if rendered:
        with _row(pipeline, f"render {settings.ocr_dpi} dpi", rendered):
            for path, _ in parts[:rendered]:
                with reader.render(path, 1, settings.ocr_dpi):
                    pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--documents", nargs="+", default=["scan600", "text5000", "huge20"])
    parser.add_argument("--rendered", type=int, default=8)
    parser.add_argument("--memory", type=int, help="the limit on a child's data, in MB")
    options = parser.parse_args()
    for name in options.documents:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            document = Path(name)
            if name in DOCUMENTS:
                document = folder / "document.pdf"
                DOCUMENTS[name](document)
            limit = {"sandbox_memory_bytes": options.memory * MEGABYTE} if options.memory else {}
            settings = Settings(data_dir=folder / "data", max_pages=100_000, **limit)
            pipeline = DocumentPipeline(settings)
            print(f"{name}: {document.stat().st_size / 1e6:,.0f} MB", flush=True)
            try:
                measure(pipeline, document, folder, options.rendered)
            finally:
                pipeline.close()


if __name__ == "__main__":
    main()
