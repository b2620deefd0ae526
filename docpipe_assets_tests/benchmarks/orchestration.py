"""The cost of a one-page document through all stages, with all processes.

    python -m docpipe_assets_tests.benchmarks.orchestration [--documents 40] [--peer-documents 8]

The reference is Dagster's default launcher, which starts one process per run, on the same stack, storage,
definitions and documents. All begin with a few warm-up documents that are not counted. The minimum is
``docpipe run`` over the same documents: the seven stages and the lake, without Dagster, queue and broker. CPU
seconds are those of the S3 server, PostgreSQL, the broker, the code server, the daemon, the workers and all
their descendants, from the upload of the first counted document to the end of the last run; the UI is not
running.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import psutil
import pytest

from docpipe_assets.instance.records import tags
from docpipe_assets.operations.ledger import State
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.sample import write_text_pdfs
from docpipe_assets.settings import read_settings
from docpipe_assets.stack import Stack
from docpipe_assets.storage.open_store import open_store
from docpipe_assets_tests.benchmarks.cost import cost_of, module
from docpipe_assets_tests.pipeline.site import Site

_WARM_UP = 4


@dataclass(frozen=True)
class Cost:
    name: str
    documents: int
    cpu_seconds: float
    wall_seconds: float
    by_part: Mapping[str, float]

    @property
    def cpu_per_document(self) -> float:
        return self.cpu_seconds / self.documents


def measure(name: str, documents: int, *, workers: int, environment: Mapping[str, str] | None = None) -> Cost:
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(
            Path(folder, "stack"), workers=workers, webserver=False, environment=environment or {}
        ) as stack,
        pytest.MonkeyPatch.context() as patch,
    ):
        for variable, value in stack.environment.items():
            patch.setenv(variable, value)
        settings = read_settings()
        with dg.DagsterInstance.get() as instance:
            site = Site(stack, instance, DocumentPipeline(settings), open_store(settings.intake, settings))
            files = write_text_pdfs(Path(folder), _WARM_UP + documents)
            process(site, "warm-up", files[:_WARM_UP])
            before, began = cpu_by_part(stack), time.monotonic()
            process(site, "counted", files[_WARM_UP:])
            wall_seconds = time.monotonic() - began
            after = cpu_by_part(stack)
    by_part = {part: after[part] - before[part] for part in after}
    return Cost(name, documents, sum(by_part.values()), wall_seconds, by_part)


def minimum(documents: int) -> Cost:
    """The cost of additional documents with ``docpipe run``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = write_text_pdfs(folder, _WARM_UP + documents)
        few, all_of_them = (
            cost_of(
                module("docpipe_assets", "run", *map(str, given), "--out", str(folder / f"out{len(given)}")),
                {"DOCPIPE_DATA_DIR": str(folder / "data")},
            )
            for given in (files[:_WARM_UP], files)
        )
    assert few.status == all_of_them.status == 0
    cpu_seconds = all_of_them.cpu_seconds - few.cpu_seconds
    return Cost("the stages alone", documents, cpu_seconds, all_of_them.wall_seconds - few.wall_seconds, {})


def process(site: Site, batch: str, files: list[Path]) -> None:
    """Returns when all are done; polls only a count, since a ledger would add to the cost."""
    for path in files:
        site.put(f"{batch}/{path.name}", path)
    succeeded = dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS], tags={tags.BATCH: batch})
    site.wait_for(
        lambda: site.instance.get_runs_count(succeeded),
        lambda count: count == len(files),
        f"the runs of batch {batch}",
    )
    ledger = site.ledger(batch)
    assert ledger.count(State.SUCCEEDED) == len(files), [e.message for e in ledger.entries if e.error]


def cpu_by_part(stack: Stack, parts: Iterable[str] | None = None) -> dict[str, float]:
    """CPU seconds of each service so far, including its descendants, both running and ended."""
    return {name: _cpu_of_tree(psutil.Process(stack.part(name).pid)) for name in parts or stack.names}


def _cpu_of_tree(root: psutil.Process) -> float:
    total = 0.0
    for process in [root, *root.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:  # it ended meanwhile: its time is included in its parent's
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--documents", type=int, default=40)
    parser.add_argument("--peer-documents", type=int, default=8)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    ours = [
        measure(f"docpipe, {workers} worker{'s' * (workers > 1)}", options.documents, workers=workers)
        for workers in (1, 2)
    ]
    peer = measure(
        "default launcher", options.peer_documents, workers=0, environment={"DOCPIPE_BROKER_URL": ""}
    )
    costs = [*ours, peer, minimum(options.documents)]
    print(f"one-page documents, {os.cpu_count()} cores, load {load:.1f} before")
    print(f"{'':22}{'documents':>10}{'CPU s each':>12}{'documents/s':>13}")
    for cost in costs:
        speed = cost.documents / cost.wall_seconds
        print(f"{cost.name:22}{cost.documents:>10}{cost.cpu_per_document:>12.2f}{speed:>13.2f}")
    print(f"default launcher / docpipe, CPU: {peer.cpu_per_document / ours[-1].cpu_per_document:.1f}")
    print(f"documents a second, 2 workers / 1: {ours[0].wall_seconds / ours[1].wall_seconds:.2f}")
    for cost in (*ours, peer):
        parts = ", ".join(f"{part} {seconds / cost.documents:.3f}" for part, seconds in cost.by_part.items())
        print(f"{cost.name}, CPU s a document by part: {parts}")


if __name__ == "__main__":
    main()
