"""A running docpipe from the perspective of its users: a bucket, records, and a UI."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
import pytest

from docpipe_assets.defs.corpus import batch_report
from docpipe_assets.instance.records import tags
from docpipe_assets.instance.records.history import read_ledger
from docpipe_assets.operations.ledger import Entry, Ledger
from docpipe_assets.protocols import Source, Store
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.settings import read_settings
from docpipe_assets.stack import Stack
from docpipe_assets.storage.open_store import open_store

T = TypeVar("T")
_PAUSE_SECONDS = 0.7
_PAUSE_SHARE = 9
"""Polling thousands of documents takes a while, and must not slow down their processing."""


@dataclass(frozen=True)
class Site:
    stack: Stack
    instance: dg.DagsterInstance
    pipeline: DocumentPipeline
    intake: Store
    patience_seconds: float = 400

    def put(self, key: str, path: Path) -> None:
        self.intake.put(key, path)

    def ledger(self, batch: str | None = None) -> Ledger:
        """The ledger of a batch, or of all documents."""
        return read_ledger(self.instance, self.pipeline, batch)

    def entry(self, document: str) -> Entry:
        ledger = read_ledger(self.instance, self.pipeline)
        return next(entry for entry in ledger.entries if entry.document == document)

    def settled(self, batch: str, documents: int) -> Ledger:
        """The ledger of the batch, once it has ``documents`` documents and all are settled."""
        return self.wait_for(
            lambda: self.ledger(batch),
            lambda ledger: ledger.discovered == documents and ledger.is_settled,
            f"batch {batch} to settle",
        )

    def runs_in(self, batch: str) -> Counter[str]:
        """The number of runs of each document of a batch, by partition key."""
        runs = self.instance.get_runs(dg.RunsFilter(tags={tags.BATCH: batch}))
        return Counter(run.tags[tags.PARTITION] for run in runs)

    def runs_of(self, partition_key: str) -> list[dg.DagsterRun]:
        """Newest first."""
        return list(self.instance.get_runs(dg.RunsFilter(tags={"dagster/partition": partition_key})))

    def wait_for_ticks(self, count: int = 3) -> None:
        """Wait until intake has begun ``count`` more ticks; all but the last of them have ended by then."""
        since = time.time()
        self.wait_for(lambda: self._ticks_since(since), lambda ticks: ticks >= count, f"{count} more ticks")

    def _ticks_since(self, moment: float) -> int:
        (intake,) = self.instance.all_instigator_state()  # docpipe's only sensor
        return len(self.instance.get_ticks(intake.instigator_origin_id, intake.selector_id, after=moment))

    def wait_for(self, poll: Callable[[], T], is_done: Callable[[T], bool], what: str) -> T:
        deadline = time.monotonic() + self.patience_seconds
        while True:
            began = time.monotonic()
            if is_done(found := poll()):
                return found
            assert time.monotonic() < deadline, (
                f"waited {self.patience_seconds:.0f} s for {what}; last seen: {found}"
            )
            assert not self.stack.check(), "a service of the stack died"
            time.sleep(max(_PAUSE_SECONDS, _PAUSE_SHARE * (time.monotonic() - began)))


@contextmanager
def open_site(stack: Stack, patience_seconds: float = 400) -> Iterator[Site]:
    """Starts the stack; this process uses it like the command line does."""
    with stack, pytest.MonkeyPatch.context() as environment:
        for name, value in stack.environment.items():
            environment.setenv(name, value)
        settings = read_settings()
        with dg.DagsterInstance.get() as instance:
            intake = open_store(settings.intake, settings)
            yield Site(stack, instance, DocumentPipeline(settings), intake, patience_seconds)


def report(site: Site, intake: Source | None = None) -> tuple[dg.ExecuteInProcessResult, dict[str, Any]]:
    """Materialize the batch report; return its metadata by name."""
    pipeline = DocumentPipeline(site.pipeline.settings, intake=intake)
    result = dg.materialize(
        [batch_report], instance=site.instance, resources={"pipeline": pipeline}, raise_on_error=False
    )
    (made,) = result.asset_materializations_for_node("batch_report")
    return result, {name: value.value for name, value in made.metadata.items()}
