"""A running docpipe as its users meet it: a bucket to put files in, records to look at, a UI to click."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import dagster as dg

from docpipe_assets.defs.history import read_ledger
from docpipe_assets.ledger import Entry, Ledger
from docpipe_assets.protocols import Store
from docpipe_assets.stack import Stack
from docpipe_assets.workbench import Workbench

T = TypeVar("T")


@dataclass(frozen=True)
class Site:
    stack: Stack
    instance: dg.DagsterInstance
    bench: Workbench
    intake: Store
    patience_seconds: float = 400

    def put(self, key: str, path: Path) -> None:
        self.intake.put(key, path)

    def ledger(self, batch: str) -> Ledger:
        return read_ledger(self.instance, self.bench, batch)

    def entry(self, document: str) -> Entry:
        ledger = read_ledger(self.instance, self.bench)
        return next(entry for entry in ledger.entries if entry.document == document)

    def settled(self, batch: str, documents: int) -> Ledger:
        """The batch's ledger once that many documents are there and nothing moves any more."""
        return self.wait_for(
            lambda: self.ledger(batch),
            lambda ledger: ledger.discovered == documents and ledger.is_settled,
            f"batch {batch} to settle",
        )

    def runs_of(self, partition_key: str) -> list[dg.DagsterRun]:
        """Newest first."""
        return list(self.instance.get_runs(dg.RunsFilter(tags={"dagster/partition": partition_key})))

    def wait_for(self, look: Callable[[], T], is_there: Callable[[T], bool], what: str) -> T:
        deadline = time.monotonic() + self.patience_seconds
        while not is_there(found := look()):
            assert time.monotonic() < deadline, (
                f"waited {self.patience_seconds:.0f} s for {what}; last seen: {found}"
            )
            assert not self.stack.check(), "a part of the stack died"
            time.sleep(0.5)
        return found
