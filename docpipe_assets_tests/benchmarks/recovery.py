"""The cost of a kill at 90 %: time and pages read twice, compared with starting again.

    python -m docpipe_assets_tests.benchmarks.recovery [--pages 400]

A scan is processed by ``docpipe run`` with an OCR engine that takes no time, so that only the rest is
measured: fetching, splitting, rendering. With a real engine the savings increase with the cost of a page. The
reference is the same run without the finished splits of the killed one.
"""

import argparse
import tempfile
from pathlib import Path

from docpipe_assets_tests.benchmarks.cost import Cost, cost_of, module
from docpipe_assets_tests.benchmarks.documents import write_scan
from docpipe_assets_tests.benchmarks.engines import COUNT, CountingOcr

KILLED_AT = 0.9
KILOBYTES_PER_PAGE = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pages", type=int, default=400)
    pages = parser.parse_args().pages
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scan, count = folder / "scan.pdf", folder / "count"
        write_scan(scan, pages, pages * KILOBYTES_PER_PAGE / 1000)

        def pages_read() -> int:
            return count.stat().st_size if count.exists() else 0

        def run(out: str, until_page: int | None = None) -> tuple[Cost, int]:
            before = pages_read()
            cost = cost_of(
                module("docpipe_assets", "run", str(scan), "--out", str(folder / out), "--json"),
                {
                    "DOCPIPE_DATA_DIR": str(folder / "data"),
                    "DOCPIPE_OCR_ENGINE": f"{CountingOcr.__module__}:{CountingOcr.__qualname__}",
                    COUNT: str(count),
                },
                until=lambda: until_page is not None and pages_read() - before >= until_page,
            )
            return cost, pages_read() - before

        whole, read_by_whole = run("whole")
        killed, read_before = run("killed", until_page=int(KILLED_AT * pages))
        resumed, read_after = run("killed")
    assert (whole.status, resumed.status, read_by_whole) == (0, 0, pages)
    assert killed.status != 0
    print(f"a scan of {pages} pages, killed after {read_before} of them")
    print(f"{'':24}{'pages read':>12}{'wall s':>9}{'CPU s':>9}")
    for label, cost, read in (
        ("whole, from the beginning", whole, read_by_whole),
        ("until it was killed", killed, read_before),
        ("resumed", resumed, read_after),
    ):
        print(f"{label:24}{read:>12}{cost.wall_seconds:>9.1f}{cost.cpu_seconds:>9.1f}")
    print(f"pages read twice: {read_before + read_after - pages}")
    print(f"from the beginning / resumed, CPU: {whole.cpu_seconds / resumed.cpu_seconds:.1f}")


if __name__ == "__main__":
    main()
