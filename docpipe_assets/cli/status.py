"""Commands that show documents: ``status`` and ``show``."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from docpipe_assets.cli.app import (
    DATA_DIR,
    Batch,
    DataDir,
    connect,
    console,
    errors_shown,
    ledger_of,
    stderr_console,
)

if TYPE_CHECKING:
    from docpipe_assets.runtime.document_pipeline import DocumentPipeline
_LABELS_SHOWN = 20


def status(
    batch: Batch = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Show every document in exactly one state. The exit code is 3 if a document is unaccounted for."""
    from docpipe_assets.cli.rendering import as_text, printable
    from docpipe_assets.defs.corpus import all_documents
    from docpipe_assets.operations.batch_report import label_findings
    from docpipe_assets.operations.ledger import State

    with errors_shown():
        pipeline, instance = connect(data_dir)
        with instance:
            ledger = ledger_of(instance, pipeline, batch)
            labels = list(label_findings(ledger, all_documents(instance)))
    if as_json:
        content = ledger.as_json() | {"bates": [one.as_json() for one in labels]}
        sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=1) + "\n")
    else:
        console.print(as_text(ledger))
        for one in labels[:_LABELS_SHOWN]:
            console.print(printable(f"Bates {one.fault}: {one.document or one.batch}: {one.what}"))
        if len(labels) > _LABELS_SHOWN:
            console.print(f"The batch report lists {len(labels) - _LABELS_SHOWN:,} more Bates label findings")
    raise typer.Exit(3 if ledger.count(State.UNACCOUNTED) else 0)


def show(
    document: Annotated[str, typer.Argument(help="S3 key below the intake prefix, or partition key.")],
    mention: Annotated[str | None, typer.Option(help="Show this mention, e.g. person:120-134.")] = None,
    relationship: Annotated[str | None, typer.Option(help="Show this relationship.")] = None,
    crop: Annotated[Path | None, typer.Option(help="Write its region of the page to this PNG file.")] = None,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Show the state, advice and artifacts of a document, or one mention or relationship and its page."""
    from docpipe_assets.cli.rendering import failure_text, printable
    from docpipe_assets.instance.records.history import find_entry
    from docpipe_assets.operations.breaker import advice_on

    with errors_shown():
        pipeline, instance = connect(data_dir)
        with instance:
            found = find_entry(instance, pipeline, document)
        if found is None:
            stderr_console.print(
                printable(f"{document}: no such document; docpipe status lists all documents"), style="red"
            )
            raise typer.Exit(1)
        if mention or relationship:
            _show_place(pipeline, found.document, mention, relationship, crop)
            return
        console.print(printable(f"{found.document}  {found.state.value}"), style="bold")
        if found.error:
            console.print(printable(failure_text(found)), style="red")
            console.print(printable(advice_on(found.error)))
        table = Table("asset", "rows", "bytes", "artifact")
        for stream in pipeline.graph.streams:
            header = pipeline.lake.header(stream, found.document)
            if header is not None:
                url = printable(pipeline.lake.url(stream, found.document))
                table.add_row(stream.asset, f"{header.rows:,}", f"{header.payload_bytes:,}", url)
        console.print(table if table.row_count else "The document has no artifacts yet.")


def _show_place(
    pipeline: "DocumentPipeline",
    document: str,
    mention: str | None,
    relationship: str | None,
    crop: Path | None,
) -> None:
    from docpipe_assets.cli.rendering import printable
    from docpipe_assets.model import Mention, Relationship
    from docpipe_assets.viewer.crops import find_mention, find_relationship, write_crop

    found: Mention | Relationship | None = None
    if mention:
        found = find_mention(pipeline, document, mention)
    elif relationship:
        found = find_relationship(pipeline, document, relationship)
    if found is None or found.place is None:
        stderr_console.print(printable(f"{document}: {mention or relationship} was not found"), style="red")
        raise typer.Exit(1)
    place = found.place
    labels = " to ".join(label for label in (place.bates, place.last_bates) if label)
    pages = f"{place.page}" if place.page == place.last_page else f"{place.page}-{place.last_page}"
    console.print(printable(found.quote or ""), style="bold")
    console.print(printable(f"{document}, page {pages}, {labels or 'no Bates label'}"))
    if crop is not None:
        write_crop(pipeline, place, crop)
        console.print(printable(f"Wrote {crop}"))
