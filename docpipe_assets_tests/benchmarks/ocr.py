"""OCR: pages per second and core, and error rates, compared with OCRmyPDF on the same scan.

    python -m docpipe_assets_tests.benchmarks.ocr [--pages 10]

OCRmyPDF is Debian's (``apt-get install ocrmypdf``), with one process, like docpipe's standard budget. The
character error rate is that of ``docpipe eval ocr``.
"""

import argparse
import itertools
import os
import shutil
import tempfile
from pathlib import Path

import pymupdf

from docpipe_assets.evaluation.text_score import TextScore, score
from docpipe_assets.model import PageTexts
from docpipe_assets.storage.file import FileStore
from docpipe_assets.storage.lake import Lake
from docpipe_assets.storage.scratch import ScratchFolder
from docpipe_assets_tests.benchmarks.cost import Cost, cost_of, module
from docpipe_assets_tests.benchmarks.documents import scan_text, write_scan

KILOBYTES_PER_PAGE = 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pages", type=int, default=10)
    pages = parser.parse_args().pages
    truth = [scan_text(page) for page in range(1, pages + 1)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scan = folder / "scan.pdf"
        write_scan(scan, pages, pages * KILOBYTES_PER_PAGE / 1000)
        ours = cost_of(
            module("docpipe_assets", "run", str(scan), "--out", str(folder / "out"), "--json"),
            {"DOCPIPE_DATA_DIR": str(folder / "data")},
        )
        lake = Lake(FileStore(folder / "out"), ScratchFolder(folder))
        rows = [("docpipe, all stages", ours, [page.text for page in lake.load(PageTexts, "scan.pdf")])]
        program = shutil.which("ocrmypdf")
        if program is None:
            print("ocrmypdf is not installed: without a peer")
        else:
            made = folder / "made.pdf"
            arguments = ["--jobs", "1", "--output-type", "pdf", "--optimize", "0", str(scan), str(made)]
            peer = cost_of([program, *arguments], {"OMP_THREAD_LIMIT": "1"})
            with pymupdf.open(made) as layered:
                rows.append(("OCRmyPDF", peer, [page.get_text() for page in layered]))
    print(f"a scan of {pages} pages, load {os.getloadavg()[0]:.1f}")
    print(f"{'':22}{'CPU s a page':>14}{'pages/s/core':>14}{'peak MB':>9}{'CER %':>8}")
    for label, cost, read in rows:
        print(_row(label, cost, error_rate(read, truth), pages))
    if len(rows) > 1:
        print(f"OCRmyPDF / docpipe, CPU: {rows[1][1].cpu_seconds / ours.cpu_seconds:.2f}")


def _row(label: str, cost: Cost, errors: float, pages: int) -> str:
    per_page = cost.cpu_seconds / pages
    return f"{label:22}{per_page:>14.2f}{1 / per_page:>14.2f}{cost.peak_megabytes:>9.0f}{100 * errors:>8.2f}"


def error_rate(read: list[str], truth: list[str]) -> float:
    """Edits by characters of the truth, over all pages."""
    pairs = itertools.zip_longest(read, truth, fillvalue="")
    return sum((score(*pair) for pair in pairs), TextScore()).character_error_rate


if __name__ == "__main__":
    main()
