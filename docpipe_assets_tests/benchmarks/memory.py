"""Peak memory and memory limits: reading the complete document, pickling it, and docpipe.

    python -m docpipe_assets_tests.benchmarks.memory [--documents scan600 scan2000 ...] [--limits 512 448]

Each program gets the document from a real S3 server. *Naive* reads the body of the object and opens it with
PyMuPDF; *pickle* is dagster-aws's own IO manager with one asset that returns the bytes and one that takes
them. docpipe's figure is for a complete run of all seven stages on the local stack, with a kernel-enforced
limit for all its processes together, and with the budget of the standard lane regardless of the size. The OCR
engine takes no time unless ``--engine rapidocr`` is given; fifty of the same pages (``scan20``) are
sufficient to measure the real one. The other programs run without a limit first, to measure their peak, and
then with it.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from docpipe_assets.operations.ledger import State
from docpipe_assets.runtime.meter import PeakMemory
from docpipe_assets_tests.benchmarks.cost import MEGABYTE, cost_of, module
from docpipe_assets_tests.benchmarks.documents import write_huge_images, write_scan, write_text
from docpipe_assets_tests.cgroup import memory_group
from docpipe_assets_tests.confined import confined_site, recorded_peaks
from docpipe_assets_tests.hostile.engines import FastOcr

DOCUMENTS: dict[str, Callable[[Path], None]] = {
    "scan600": lambda path: write_scan(path, 1500, 600),
    "scan2000": lambda path: write_scan(path, 5000, 2000),
    "text5000": lambda path: write_text(path, 5000),
    "huge20": lambda path: write_huge_images(path, 20),
    "scan20": lambda path: write_scan(path, 50, 20),
}
MOVING = (State.QUEUED, State.IN_FLIGHT, State.UNACCOUNTED)
"""The local S3 server reads a new object before it lists it; until then, intake can't detect it."""
_PATIENCE_SECONDS = 4 * 3600
_KEY = "b/document.pdf"


def naive(folder: Path) -> None:
    """How the 584 MB document was processed before docpipe."""
    import pymupdf

    body = _client().get_object(Bucket="intake", Key=_KEY)["Body"].read()
    document = pymupdf.open(stream=body, filetype="pdf")
    print(document.page_count, len(document[0].get_text()))


def pickled(folder: Path) -> None:
    """The same two steps as Dagster assets, with the IO manager of dagster-aws between them."""
    import dagster as dg
    import pymupdf
    from dagster_aws.s3 import S3PickleIOManager, S3Resource

    @dg.asset
    def raw() -> bytes:
        return bytes(_client().get_object(Bucket="intake", Key=_KEY)["Body"].read())

    @dg.asset
    def pages(raw: bytes) -> int:
        return int(pymupdf.open(stream=raw, filetype="pdf").page_count)

    store = S3Resource(endpoint_url=os.environ["DOCPIPE_S3_ENDPOINT_URL"], region_name="us-east-1")
    manager = S3PickleIOManager(s3_resource=store, s3_bucket="lake", s3_prefix="pickled")
    assert dg.materialize([raw, pages], resources={"io_manager": manager}).success


CONTENDERS = {"naive": naive, "pickle": pickled}


def _client() -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=os.environ["DOCPIPE_S3_ENDPOINT_URL"],
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )


def measure(name: str, limits: Sequence[int], engine: str) -> None:
    with tempfile.TemporaryDirectory() as temporary, memory_group() as group:
        folder = Path(temporary)
        document = folder / "document.pdf"
        DOCUMENTS[name](document)
        size = document.stat().st_size / 1e6
        print(f"\n{name}: {size:,.0f} MB")
        print(f"{'':10}{'limit MB':>9}{'outcome':>12}{'peak MB':>9}{'wall s':>9}")
        environment = {
            "DOCPIPE_OCR_ENGINE": engine,
            "DOCPIPE_LARGE_BYTES": str(10**12),
            "DOCPIPE_MAX_PAGES": "20000",
            "DOCPIPE_INTAKE_SECONDS": "2",
        }
        with confined_site(folder / "stack", group, environment, _PATIENCE_SECONDS) as site:
            batches = {limit: f"b{limit}" for limit in limits}
            for limit, batch in batches.items():
                group.limit(limit * MEGABYTE)
                kills = group.kills
                began = time.monotonic()
                site.put(f"{batch}/document.pdf", document)

                def settled(batch: str = batch) -> bool:
                    entries = site.ledger(batch).entries if time.monotonic() % 3 < 0.5 else ()
                    return bool(entries) and entries[0].state not in MOVING

                with PeakMemory(lambda: group.processes) as peak:
                    site.wait_for(settled, bool, f"{batch} to settle")
                (entry,) = site.ledger(batch).entries
                recorded = max(recorded_peaks(site, f"{batch}/document.pdf").values(), default=0)
                outcome = "killed" if group.kills > kills else entry.error or entry.state.value
                _row("docpipe", limit, outcome, peak.bytes, time.monotonic() - began)
                print(f"{'':10}largest peak that a materialization records: {recorded / MEGABYTE:.0f} MB")
            site.put(_KEY, document)
            for contender in CONTENDERS:
                command = module(__spec__.name, "--contender", contender)
                cost = cost_of(command)
                _row(contender, None, _outcome(cost.status), cost.peak_bytes, cost.wall_seconds)
                group.limit(limits[0] * MEGABYTE)
                with group.joined():
                    cost = cost_of(command)
                _row(contender, limits[0], _outcome(cost.status), cost.peak_bytes, cost.wall_seconds)


def _row(name: str, limit: int | None, outcome: str, peak_bytes: int, wall_seconds: float) -> None:
    print(
        f"{name:10}{limit or 'none':>9}{outcome:>12}{peak_bytes / MEGABYTE:>9.0f}{wall_seconds:>9.1f}",
        flush=True,
    )


def _outcome(status: int) -> str:
    return {0: "done", -9: "killed"}.get(status, f"status {status}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--documents", nargs="+", choices=DOCUMENTS, default=["scan600", "text5000", "huge20"]
    )
    parser.add_argument("--limits", nargs="+", type=int, default=[512, 448], help="in MB (2**20 bytes)")
    fast = f"{FastOcr.__module__}:{FastOcr.__qualname__}"
    parser.add_argument("--engine", default=fast, help="OCR engine; default: one that takes no time")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        CONTENDERS[options.contender](Path.cwd())
        return
    for name in options.documents:
        measure(name, options.limits, options.engine)


if __name__ == "__main__":
    main()
