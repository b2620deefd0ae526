"""The cost of reading 25 pages of a large document in a later stage: from a part PDF, or by ranges.

    python -m docpipe_assets_tests.benchmarks.reading [--megabytes 600] [--pages 5000] [--repeats 3]

The pages are in the middle of a scan with 1,500 pages and of a text PDF with 5,000. PDFium extracts the
stored image of each scanned page and the text of each other page. For ranges, a file object fetches the
blocks of the object that PDFium reads and caches up to 64 MB of them. Each reading is a separate process
without a cache; the figures are medians. All variants must return the same content.
"""

import argparse
import functools
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium

from docpipe_assets.engines.pdf import qpdf
from docpipe_assets.storage.s3 import S3Store, s3_client
from docpipe_assets.storage.transfer import RANGE_BYTES
from docpipe_assets_tests.benchmarks.documents import MEGABYTE, write_scan, write_text
from docpipe_assets_tests.storage.servers import KEY_ID, SECRET, rclone_server

BUCKET = "read"
WINDOW = 25
BYTES_PER_PART = 64 * 1024 * 1024
CACHE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Reading:
    """The cost of reading one range of pages."""

    requests: int
    megabytes: float
    cpu_seconds: float
    seconds: float
    peak_megabytes: float
    found: int
    """Bytes of images plus characters of text."""


class RangedFile(io.RawIOBase):
    """An object of a bucket as a seekable file; counts requests and bytes."""

    def __init__(self, url: str, key: str, block_bytes: int) -> None:
        super().__init__()
        self._client = s3_client(url, "us-east-1")
        self._key = key
        self._block_bytes = block_bytes
        self._size = self._client.head_object(Bucket=BUCKET, Key=key)["ContentLength"]
        self._at = 0
        self.requests = 1
        self.moved_bytes = 0
        self._block = functools.lru_cache(maxsize=CACHE_BYTES // block_bytes)(self._fetch)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        view, done = memoryview(buffer).cast("B"), 0
        while done < len(view) and self._at < self._size:
            number, skipped = divmod(self._at, self._block_bytes)
            piece = self._block(number)[skipped : skipped + len(view) - done]
            view[done : done + len(piece)] = piece
            done, self._at = done + len(piece), self._at + len(piece)
        return done

    def _fetch(self, number: int) -> bytes:
        start = number * self._block_bytes
        end = min(start + self._block_bytes, self._size)
        body = self._client.get_object(Bucket=BUCKET, Key=self._key, Range=f"bytes={start}-{end - 1}")["Body"]
        block = body.read(end - start)
        self.requests += 1
        self.moved_bytes += len(block)
        return block


def find(source: Any, first: int) -> int:
    """Extract the content of the pages from ``first`` (from 1) on; return its size."""
    document, found = pypdfium2.PdfDocument(source), 0
    for number in range(first - 1, first - 1 + WINDOW):
        page = document[number]
        text = page.get_textpage()
        found += len(text.get_text_range())
        for item in page.get_objects([pdfium.FPDF_PAGEOBJ_IMAGE]):
            found += len(item.get_data(decode_simple=False))
        text.close()
        page.close()
    document.close()
    return found


def read_part(url: str, key: str, first: int) -> tuple[int, int, int]:
    """Requests, bytes and the size of the content in the part that contains exactly these pages."""
    store = S3Store(BUCKET, endpoint_url=url)
    (part,) = store.list(f"{key}.parts/{first:06d}-")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "part.pdf")
        store.fetch(part.key, path, part.size_bytes)
        return -(-part.size_bytes // RANGE_BYTES), part.size_bytes, find(path, 1)


def read_view(url: str, key: str, first: int, *, suffix: str, block_bytes: int) -> tuple[int, int, int]:
    """The same from the complete object or from its copy with object streams."""
    source = RangedFile(url, key + suffix, block_bytes)
    found = find(source, first)
    return source.requests, source.moved_bytes, found


WAYS: dict[str, Callable[[str, str, int], tuple[int, int, int]]] = {
    "part PDF": read_part,
    "view, 64 kB blocks": functools.partial(read_view, suffix="", block_bytes=1 << 16),
    "view, 1 MB blocks": functools.partial(read_view, suffix="", block_bytes=1 << 20),
    "object streams, 64 kB": functools.partial(read_view, suffix=".packed", block_bytes=1 << 16),
    "object streams, 1 MB": functools.partial(read_view, suffix=".packed", block_bytes=1 << 20),
}


def measure(way: str, url: str, key: str, first: int) -> Reading:
    # Creating the client takes the same time in all variants and is not measured.
    s3_client(url, "us-east-1").head_object(Bucket=BUCKET, Key=key)
    began, cpu = time.perf_counter(), time.process_time()
    requests, moved, found = WAYS[way](url, key, first)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    peak = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
    return Reading(requests, moved / MEGABYTE, cpu_seconds, seconds, int(peak) * 1024 / MEGABYTE, found)


def cut(source: Path, pages: int) -> int:
    """Write the part PDFs next to the document, named after their pages; return their size."""
    target = source.with_name(f"{source.name}.parts")
    target.mkdir()
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        for part in qpdf.split(str(source), pages, WINDOW, BYTES_PER_PART, True, folder):
            Path(part["path"]).rename(target / f"{part['first_page']:06d}-{part['last_page']:06d}.pdf")
    return sum(part.stat().st_size for part in target.iterdir())


def pack(source: Path, pages: int) -> int:
    """Write a copy with object streams next to the document; return its size."""
    target = Path(f"{source}.packed")
    options = ["--object-streams=generate", "--stream-data=preserve"]
    pikepdf.Job(["qpdf", *options, str(source), str(target)]).run()
    return target.stat().st_size


PREPARATIONS: dict[str, Callable[[Path, int], int]] = {"part PDF": cut, "object streams": pack}


def in_new_process(*arguments: object) -> Any:
    """The JSON output of a separate process."""
    command = [sys.executable, "-m", __spec__.name, *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"{' '.join(map(str, arguments))}: {run.stderr}")
    return json.loads(run.stdout)


@contextmanager
def documents(megabytes: float, pages: int) -> Iterator[tuple[Path, dict[str, int]]]:
    """A folder of buckets with the documents, and the number of pages of each."""
    with tempfile.TemporaryDirectory() as folder:
        bucket = Path(folder, BUCKET)
        bucket.mkdir()
        scanned = max(round(megabytes / 0.4), 4 * WINDOW)
        write_scan(bucket / "scan.pdf", scanned, megabytes)
        write_text(bucket / "text.pdf", pages)
        yield bucket, {"scan.pdf": scanned, "text.pdf": pages}


def prepare(path: Path, pages: int) -> None:
    print(f"\n{path.name}: {pages:,} pages, {path.stat().st_size / MEGABYTE:,.1f} MB")
    for name in PREPARATIONS:
        cost = in_new_process("--prepare", name, path, pages)
        print(
            f"  to prepare {name}: {cost['cpu_seconds']:.1f} CPU s, {cost['peak_megabytes']:.0f} MB at the "
            f"peak, and {cost['stored_megabytes']:,.1f} MB more are stored"
        )


def report(key: str, pages: int, url: str, repeats: int) -> None:
    first = pages // 2 // WINDOW * WINDOW + 1
    readings: dict[str, list[Reading]] = {way: [] for way in WAYS}
    for _ in range(repeats):
        for way in WAYS:
            readings[way].append(Reading(**in_new_process("--measure", way, url, key, first)))
    if len({reading.found for measured in readings.values() for reading in measured}) != 1:
        raise RuntimeError(f"{key}: the variants found different contents")
    print(f"\n{key + ', ' + str(WINDOW) + ' pages':26}{'requests':>10}{'MB moved':>10}", end="")
    print(f"{'CPU s':>8}{'wall s':>8}{'peak MB':>9}")
    for way, measured in readings.items():
        moved, cpu, wall, peak = (
            median(getattr(reading, name) for reading in measured)
            for name in ("megabytes", "cpu_seconds", "seconds", "peak_megabytes")
        )
        print(f"{way:26}{measured[0].requests:>10}{moved:>10.1f}{cpu:>8.2f}{wall:>8.2f}{peak:>9.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=600)
    parser.add_argument("--pages", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--prepare", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.update(AWS_ACCESS_KEY_ID=KEY_ID, AWS_SECRET_ACCESS_KEY=SECRET)
    if options.measure:
        way, url, key, first = options.measure
        print(json.dumps(asdict(measure(way, url, key, int(first)))))
        return
    if options.prepare:
        name, path, pages = options.prepare
        cpu = time.process_time()
        stored = PREPARATIONS[name](Path(path), int(pages))
        peak = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
        cost = {
            "cpu_seconds": time.process_time() - cpu,
            "peak_megabytes": int(peak) * 1024 / MEGABYTE,
            "stored_megabytes": stored / MEGABYTE,
        }
        print(json.dumps(cost))
        return
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before, medians of {options.repeats}")
    with documents(options.megabytes, options.pages) as (bucket, made):
        for key, pages in made.items():
            prepare(bucket / key, pages)
        with rclone_server(bucket.parent) as url:
            for key, pages in made.items():
                report(key, pages, url, options.repeats)


if __name__ == "__main__":
    main()
