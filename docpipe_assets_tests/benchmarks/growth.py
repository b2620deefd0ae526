"""The cost of an intake tick and of one additional document with 100, 1,000 and 10,000 existing documents.

    python -m docpipe_assets_tests.benchmarks.growth [--sizes 100 1000 10000] [--documents 20] [--repeats 3]

The existing documents are simulated (see ``replicas``); the additional ones run through all stages. Tick and
status are evaluated in this process while the daemon is stopped; their cost is that of this process,
PostgreSQL and the S3 server. CPU seconds are medians of the repeats.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import dagster as dg

from docpipe_assets.defs.sensors import intake_sensor
from docpipe_assets.instance.records.history import read_ledger
from docpipe_assets.model import Relationships
from docpipe_assets.operations.ledger import State
from docpipe_assets.sample import write_text_pdfs
from docpipe_assets.stack import Stack
from docpipe_assets_tests.benchmarks.orchestration import cpu_by_part, process
from docpipe_assets_tests.benchmarks.replicas import BATCH, replicate
from docpipe_assets_tests.pipeline.site import Site, open_site

_SERVICES = ("postgres", "s3")
_LAST_EVENTS_SECONDS = 2.0
"""After its last artifact, a run only has to record its end."""


@dataclass(frozen=True)
class Cost:
    """Medians."""

    cpu_seconds: float
    """CPU seconds of this process and PostgreSQL."""
    s3_seconds: float
    """CPU seconds of the S3 server."""
    wall_seconds: float


@dataclass(frozen=True)
class Size:
    documents: int
    first_tick: Cost
    """The tick of a sensor without a cursor, which folds all runs."""
    tick: Cost
    status: Cost
    by_part: list[dict[str, float]]
    """CPU seconds of an additional document by service of the stack; one for each repeat."""

    @property
    def document_seconds(self) -> list[float]:
        """The sum of all services."""
        return [sum(parts.values()) for parts in self.by_part]


def measure(sizes: list[int], documents: int, repeats: int) -> list[Size]:
    measured: list[Size] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        open_site(Stack(Path(folder, "stack"), workers=2, webserver=False)) as site,
    ):
        files = write_text_pdfs(Path(folder), 1 + documents * (1 + repeats * len(sizes)))
        process(site, "template", [files.pop()])
        (template,) = (entry.document for entry in site.ledger("template").entries)
        process(site, "warm-up", [files.pop() for _ in range(documents)])
        replicated = 0
        for size in sizes:
            site.stack.part("daemon").kill()
            there = site.instance.get_runs_count(dg.RunsFilter(job_name="process_document"))
            names = [f"{number:06}.pdf" for number in range(replicated, replicated + size - there)]
            replicate(site, template, names)
            replicated += len(names)
            costs = first, tick, status = _tick_costs(site, repeats)
            del costs
            assert site.ledger(BATCH).count(State.SUCCEEDED) == replicated
            site.stack.part("daemon").restart()
            each = [
                _cost_of_documents(site, f"{size}-{repeat}", [files.pop() for _ in range(documents)])
                for repeat in range(repeats)
            ]
            measured.append(Size(size, first, tick, status, each))
    return measured


def _tick_costs(site: Site, repeats: int) -> tuple[Cost, Cost, Cost]:
    cursors: list[str | None] = [None]
    sensor = intake_sensor(site.pipeline.settings)

    def tick() -> None:
        with dg.build_sensor_context(
            instance=site.instance, cursor=cursors[-1], resources={"pipeline": site.pipeline}
        ) as context:
            answer = sensor(context)
        assert isinstance(answer, dg.SensorResult)
        assert not answer.run_requests, "no document is due"
        cursors.append(answer.cursor)

    def tick_without_cursor() -> None:
        cursors.append(None)
        tick()

    first = cost_of_action(site, tick_without_cursor, repeats)
    return (
        first,
        cost_of_action(site, tick, 5 * repeats),
        cost_of_action(site, lambda: read_ledger(site.instance, site.pipeline), repeats),
    )


def cost_of_action(site: Site, action: Callable[[], object], repeats: int) -> Cost:
    costs = []
    for _ in range(repeats):
        before, own, began = cpu_by_part(site.stack, _SERVICES), time.process_time(), time.monotonic()
        action()
        wall = time.monotonic() - began
        own = time.process_time() - own
        after = cpu_by_part(site.stack, _SERVICES)
        costs.append((own + after["postgres"] - before["postgres"], after["s3"] - before["s3"], wall))
    return Cost(*(median(column) for column in zip(*costs, strict=True)))


def _cost_of_documents(site: Site, batch: str, files: list[Path]) -> dict[str, float]:
    """Polls only the lake's folder meanwhile: a query in PostgreSQL would add to the cost."""
    made = site.stack.folder / "s3" / "lake" / Relationships.asset / batch
    before = cpu_by_part(site.stack)
    for path in files:
        site.put(f"{batch}/{path.name}", path)
    site.wait_for(
        lambda: sum(1 for _ in made.glob("*.zst")), lambda count: count == len(files), f"batch {batch}"
    )
    time.sleep(_LAST_EVENTS_SECONDS)
    after = cpu_by_part(site.stack)
    assert site.ledger(batch).count(State.SUCCEEDED) == len(files)
    return {part: (after[part] - before[part]) / len(files) for part in after}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1_000, 10_000])
    parser.add_argument("--documents", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    measured = measure(options.sizes, options.documents, options.repeats)
    print(f"CPU seconds, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    looks = [("first tick", "first_tick"), ("tick", "tick"), ("status", "status")]
    print(
        f"{'documents':>10}"
        + "".join(f"{f'{name}: own, S3, wall':>28}" for name, _ in looks)
        + f"{'one more':>10}"
    )
    for size in measured:
        costs: list[Cost] = [getattr(size, name) for _, name in looks]
        cells = (f"{cost.cpu_seconds:.3f}, {cost.s3_seconds:.3f}, {cost.wall_seconds:.3f}" for cost in costs)
        print(
            f"{size.documents:>10,}"
            + "".join(f"{cell:>28}" for cell in cells)
            + f"{median(size.document_seconds):>10.3f}"
        )
    smallest, largest = (median(size.document_seconds) for size in (measured[0], measured[-1]))
    print(f"one more document among {measured[-1].documents:,}: {largest / smallest:.2f} times the cost")
    for size in measured:
        parts = {part: median(one[part] for one in size.by_part) for part in size.by_part[0]}
        text = ", ".join(f"{part} {seconds:.3f}" for part, seconds in parts.items())
        print(f"among {size.documents:,}, by service: {text}")
        print(f"  repeats: {', '.join(f'{seconds:.3f}' for seconds in size.document_seconds)}")


if __name__ == "__main__":
    main()
