"""The cost of isolation and evidence for a born-digital document.

    python -m docpipe_assets_tests.benchmarks.text [--pages 1000] [--repeats 3]

The reference is PyMuPDF alone, which reads the words of every page in one process and stores nothing. docpipe
fetches, opens, splits, analyzes and reads in child processes with limits, and continues with names, entities
and relationships, each row with its location; its text stages are measured separately and as part of the
total.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from docpipe_assets_tests.benchmarks.cost import MEGABYTE, Cost, cost_of, module
from docpipe_assets_tests.benchmarks.documents import write_text

_READ_ALONE = """
import sys, pymupdf
document = pymupdf.open(sys.argv[1])
print(sum(len(page.get_text("words")) for page in document))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        document = folder / "text.pdf"
        write_text(document, options.pages)
        alone: list[Cost] = []
        ours: list[Cost] = []
        for number in range(options.repeats):
            alone.append(cost_of([*module("docpipe_assets")[:1], "-c", _READ_ALONE, str(document)]))
            result = folder / f"{number}.json"
            out = str(folder / f"out{number}")
            ours.append(
                cost_of(
                    module("docpipe_assets", "run", str(document), "--out", out, "--json"),
                    {"DOCPIPE_DATA_DIR": str(folder / "data")},
                    stdout=result,
                )
            )
            status = json.loads(result.read_text())
            assert (status["state"], status["pages"]) == ("succeeded", options.pages)
    print(f"a born-digital document of {options.pages} pages, medians of {options.repeats}")
    print(f"{'':22}{'CPU s':>8}{'ms a page':>11}{'peak MB':>9}")
    for label, costs in (("PyMuPDF alone", alone), ("docpipe, all stages", ours)):
        cpu = statistics.median(cost.cpu_seconds for cost in costs)
        peak = statistics.median(cost.peak_bytes for cost in costs) / MEGABYTE
        print(f"{label:22}{cpu:>8.1f}{1000 * cpu / options.pages:>11.1f}{peak:>9.0f}")
    ratio = statistics.median(o.cpu_seconds / a.cpu_seconds for o, a in zip(ours, alone, strict=True))
    print(f"docpipe / PyMuPDF alone, CPU: {ratio:.1f}")


if __name__ == "__main__":
    main()
