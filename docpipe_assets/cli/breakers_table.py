"""Shows breakers in a terminal."""

from datetime import UTC, datetime

import dagster as dg
from rich.console import Group
from rich.table import Table
from rich.text import Text

from docpipe_assets.cli.rendering import printable
from docpipe_assets.identity import candidate_documents, document_of, partition_key
from docpipe_assets.instance.records.history import fold_history
from docpipe_assets.operations.breaker import Breakers, DocumentBreaker, advice_on
from docpipe_assets.runtime.document_pipeline import DocumentPipeline


def breaker_table(instance: dg.DagsterInstance, pipeline: DocumentPipeline) -> Group:
    """A table of all breakers that are not closed."""
    breakers, _ = fold_history(instance, pipeline.settings, pipeline.graph)
    now = datetime.now(UTC)
    table = Table("document or stage", "state", "failures", "since", "next attempt", "reason")
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
                printable(document_of(one.key)),
                one.state_at(now),
                str(one.failures),
                _clock(one.since),
                _clock(one.next_at),
                Text(f"{one.error} in {one.stage or 'the run'}"),
            )
    if not table.row_count:
        return Group(Text("All breakers are closed."))
    return Group(table)


def breaker_details(instance: dg.DagsterInstance, pipeline: DocumentPipeline, document: str) -> Text:
    """The breaker of one document, with advice."""
    breakers, _ = fold_history(instance, pipeline.settings, pipeline.graph)
    one = _find(breakers, document)
    if one is None:
        return printable(f"{document}: closed; its latest attempt succeeded, or there was none")
    now = datetime.now(UTC)
    lines = [
        f"{document_of(one.key)}: {one.state_at(now)} since {_clock(one.since)}",
        f"last failure: {one.error} in {one.stage or 'the run'}, run {one.run_id}",
        f"failures counted against it: {one.failures}; attempts in total: {one.attempts}",
        f"next attempt: {_clock(one.next_at)}",
        advice_on(one.error),
    ]
    if one.reset_reason:
        lines.insert(1, f"reset by {one.reset_by or 'unknown'}: {one.reset_reason}")
    return Text("\n").join(printable(line) for line in lines)


def _find(breakers: Breakers, name: str) -> DocumentBreaker | None:
    known = (breakers.documents.get(partition_key(document)) for document in candidate_documents(name))
    return next((one for one in known if one is not None), None)


def _clock(at: datetime | None) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else "none"
