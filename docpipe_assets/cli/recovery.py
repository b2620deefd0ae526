"""What a person does about failures: look at breakers, reset, retry, withdraw.

Nothing here starts a run. A decision is recorded, and intake acts upon it at its next look, so that
a command that dies half-way has lost nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import dagster as dg
from rich.console import Group
from rich.table import Table
from rich.text import Text

from docpipe_assets.cli.rendering import visible
from docpipe_assets.errors import ConfigurationError
from docpipe_assets.identity import batch_of, document_of, meanings_of, partition_key
from docpipe_assets.instance.records.history import fold_history, read_ledger
from docpipe_assets.instance.records.interventions import record_reset, record_withdrawal, registered_document
from docpipe_assets.operations.breaker import Breakers, DocumentBreaker, advice_on
from docpipe_assets.operations.ledger import Entry, State
from docpipe_assets.pipeline import PIPELINE
from docpipe_assets.runtime.document_pipeline import Workbench

_RETRIED = (State.FAILED, State.QUEUED)


def breakers_shown(instance: dg.DagsterInstance, bench: Workbench) -> Group:
    """All breakers that are not closed."""
    breakers, _ = fold_history(instance, bench.settings, bench.graph)
    now = datetime.now(UTC)
    table = Table("document or stage", "state", "count", "since", "next attempt", "reason")
    for stage in breakers.open_stages:
        table.add_row(
            Text(f"stage {stage.stage}"),
            stage.state_at(now),
            str(stage.documents),
            _clock(stage.since),
            _clock(stage.next_canary_at),
            Text(stage.reason),
        )
    for one in sorted(breakers.documents.values(), key=lambda b: b.key):
        if one.state_at(now) != "closed":
            table.add_row(
                visible(document_of(one.key)),
                one.state_at(now),
                str(one.failures),
                _clock(one.since),
                _clock(one.next_at),
                Text(f"{one.error} in {one.stage or 'its run'}"),
            )
    if not table.row_count:
        return Group(Text("all breakers are closed"))
    return Group(table)


def breaker_shown(instance: dg.DagsterInstance, bench: Workbench, document: str) -> Text:
    """One document's breaker, with what to do."""
    breakers, _ = fold_history(instance, bench.settings, bench.graph)
    one = _find(breakers, document)
    if one is None:
        return visible(f"{document}: closed; its newest attempt went well, or there was none")
    now = datetime.now(UTC)
    lines = [
        f"{document_of(one.key)}: {one.state_at(now)} since {_clock(one.since)}",
        f"last failure: {one.error} in {one.stage or 'its run'}, run {one.run_id}",
        f"failures charged to it: {one.failures}; attempts in all: {one.attempts}",
        f"next attempt: {_clock(one.next_at)}",
        advice_on(one.error),
    ]
    if one.reset_reason:
        lines.insert(1, f"reset by {one.reset_by or 'somebody'}: {one.reset_reason}")
    return Text("\n").join(visible(line) for line in lines)


def reset(instance: dg.DagsterInstance, *, documents: Iterable[str], stage: str | None, reason: str) -> int:
    """Record resets; return how many. Raises ConfigurationError for a stage or document that is none."""
    if stage is not None and stage not in PIPELINE.assets:
        raise ConfigurationError(f"{stage!r} is no stage; there are {', '.join(PIPELINE.assets)}")
    named = [registered_document(instance, name) for name in documents]
    for document in named:
        record_reset(instance, reason=reason, document=document)
    if stage is not None:
        record_reset(instance, reason=reason, stage=stage)
    return len(named) + (stage is not None)


def documents_to_retry(
    instance: dg.DagsterInstance,
    bench: Workbench,
    *,
    batch: str,
    stage: str | None = None,
    code: str | None = None,
    states: Sequence[State] = (),
) -> list[Entry]:
    """The failed documents of a batch; held and quarantined ones only where ``states`` names them."""
    ledger = read_ledger(instance, bench, batch)
    wanted = {*_RETRIED, *states}
    return [
        entry
        for entry in ledger.entries
        if entry.state in wanted
        and entry.error is not None
        and stage in (None, entry.stage)
        and (code is None or entry.error.split(":")[0] == code.split(":")[0])
    ]


def withdraw(
    instance: dg.DagsterInstance, bench: Workbench, document: str, *, reason: str, is_withdrawn: bool
) -> None:
    """Record it. Raises ConfigurationError for a document that is not there."""
    found = find_entry(instance, bench, document)
    if found is None:
        raise ConfigurationError(f"{document}: no such document; docpipe status lists them all")
    record_withdrawal(instance, found.document, reason=reason, is_withdrawn=is_withdrawn)


def find_entry(instance: dg.DagsterInstance, bench: Workbench, name: str) -> Entry | None:
    """The ledger's line of the document that somebody means by its S3 key or its partition key."""
    for document in meanings_of(name):
        ledger = read_ledger(instance, bench, batch_of(document) or None)
        if found := next((entry for entry in ledger.entries if entry.document == document), None):
            return found
    return None


def _find(breakers: Breakers, name: str) -> DocumentBreaker | None:
    known = (breakers.documents.get(partition_key(document)) for document in meanings_of(name))
    return next((one for one in known if one is not None), None)


def _clock(at: datetime | None) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else "none"
