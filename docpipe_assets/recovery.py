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

from docpipe_assets.breaker import Breakers, DocumentBreaker, advice_on
from docpipe_assets.defs.history import fold_history, read_ledger
from docpipe_assets.defs.interventions import record_reset, record_withdrawal
from docpipe_assets.errors import ConfigurationError
from docpipe_assets.identity import document_of
from docpipe_assets.ledger import Entry, State
from docpipe_assets.model import STREAMS
from docpipe_assets.workbench import Workbench

_RETRIED = (State.FAILED, State.QUEUED)
_STAGES = tuple(stream.asset for stream in STREAMS)


def breakers_shown(instance: dg.DagsterInstance, bench: Workbench) -> Group:
    """All breakers that are not closed."""
    breakers, _ = fold_history(instance, bench.settings)
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
                Text(document_of(one.key), overflow="fold"),
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
    breakers, _ = fold_history(instance, bench.settings)
    one = _find(breakers, document)
    if one is None:
        return Text(f"{document}: closed; its newest attempt went well, or there was none")
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
    return Text("\n".join(lines))


def reset(instance: dg.DagsterInstance, *, documents: Iterable[str], stage: str | None, reason: str) -> int:
    """Record resets; return how many. Raises ConfigurationError for a stage that is none."""
    if stage is not None and stage not in _STAGES:
        raise ConfigurationError(f"{stage!r} is no stage; there are {', '.join(_STAGES)}")
    count = 0
    for document in documents:
        record_reset(instance, reason=reason, document=document)
        count += 1
    if stage is not None:
        record_reset(instance, reason=reason, stage=stage)
        count += 1
    return count


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
    names = {document, document_of(document)}
    ledger = read_ledger(instance, bench)
    found = next((entry for entry in ledger.entries if entry.document in names), None)
    if found is None:
        raise ConfigurationError(f"{document}: no such document; docpipe status lists them all")
    record_withdrawal(instance, found.document, reason=reason, is_withdrawn=is_withdrawn)


def _find(breakers: Breakers, document: str) -> DocumentBreaker | None:
    return next((one for key, one in breakers.documents.items() if document in (key, document_of(key))), None)


def _clock(at: datetime | None) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else "none"
