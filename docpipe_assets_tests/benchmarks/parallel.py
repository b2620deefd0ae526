"""A scan read by one OCR process and by one per core: speedup, and whether the results are identical.

    python -m docpipe_assets_tests.benchmarks.parallel [--pages 200]

The budget of a run determines the number of concurrent pages; the engine is the real one, at 300 dpi.
"""

import argparse
import os
import tempfile
from pathlib import Path

from docpipe_assets_tests.benchmarks.cost import MEGABYTE, Cost, cost_of, module
from docpipe_assets_tests.benchmarks.documents import write_scan

KILOBYTES_PER_PAGE = 100
BUDGETS = {1: 512 * MEGABYTE, 2: 1024 * MEGABYTE}
"""The memory of a run by the number of concurrent pages."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pages", type=int, default=200)
    pages = parser.parse_args().pages
    costs: dict[int, Cost] = {}
    artifacts: dict[int, bytes] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scan = folder / "scan.pdf"
        write_scan(scan, pages, pages * KILOBYTES_PER_PAGE / 1000)
        for processes, budget in BUDGETS.items():
            out = folder / str(processes)
            costs[processes] = cost_of(
                module("docpipe_assets", "run", str(scan), "--out", str(out), "--json"),
                {
                    "DOCPIPE_DATA_DIR": str(folder / "data"),
                    "DOCPIPE_RUN_MEMORY_BYTES": str(budget),
                    # Otherwise the larger budget would select another back-end, which is not compared here.
                    "DOCPIPE_OCR_BACKEND": "onnxruntime",
                },
            )
            artifacts[processes] = (out / "ocr_text" / "scan.pdf.jsonl.zst").read_bytes()
    assert all(cost.status == 0 for cost in costs.values())
    print(f"a scan of {pages} pages, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'pages at once':>14}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'pages a second':>16}")
    for processes, cost in costs.items():
        print(
            f"{processes:>14}{cost.wall_seconds:>9.1f}{cost.cpu_seconds:>9.1f}{cost.peak_megabytes:>9.0f}"
            f"{pages / cost.wall_seconds:>16.2f}"
        )
    print(f"speed-up: {costs[1].wall_seconds / costs[2].wall_seconds:.2f}")
    print(f"the artifacts are {'the same' if artifacts[1] == artifacts[2] else 'DIFFERENT'}, byte by byte")


if __name__ == "__main__":
    main()
