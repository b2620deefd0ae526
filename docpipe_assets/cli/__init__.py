"""The command line: what a person types. Each command says what it did, and what to do next."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from docpipe_assets.errors import DocpipeError
from docpipe_assets.settings import Priority, Settings, read_settings

if TYPE_CHECKING:
    import dagster as dg

    from docpipe_assets.operations.ledger import Ledger
    from docpipe_assets.runtime.document_pipeline import Workbench

app = typer.Typer(
    help="docpipe turns a bucket of PDFs into evidence you can query.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # locals may hold credentials
)
console = Console()
notes = Console(stderr=True)

DataDir = Annotated[
    Path, typer.Option(help="Where the local stack keeps its data.", envvar="DOCPIPE_DATA_DIR")
]
Batch = Annotated[str | None, typer.Option("--batch", "-b", help="Only this batch.")]
_DATA_DIR = Path(".docpipe")
_LABELS_SHOWN = 20


@app.command()
def up(
    data_dir: DataDir = _DATA_DIR,
    workers: Annotated[int, typer.Option(min=1, help="Documents processed at once.")] = 2,
) -> None:
    """Start the local stack, and run it until Ctrl-C: S3 server, Postgres, broker, workers, UI, daemon."""
    from docpipe_assets.stack import Stack

    with _errors_shown(), Stack(data_dir, workers=workers, on_event=_note) as stack:
        _say_where(stack.endpoints.webserver_url)
        try:
            stack.run()
        except KeyboardInterrupt:
            notes.print("stopping")


@app.command()
def worker(
    lane: Annotated[
        list[str] | None, typer.Option("--lane", help="standard or large; may be given twice. Default: both.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Documents at once. Default: one for each CPU.")
    ] = None,
    grace_seconds: Annotated[
        float,
        typer.Option(min=0, help="How long documents may take to finish once the worker is told to end."),
    ] = 60,
    name: Annotated[str, typer.Option(help="Tells the workers of one machine apart.")] = "docpipe",
    data_dir: DataDir = _DATA_DIR,
) -> None:
    """Join this machine to the fleet: process documents until told to end (SIGTERM, Ctrl-C).

    Takes the same DOCPIPE_ variables as the rest of the fleet; beside a local stack, takes them from it.
    Told to end, it finishes its documents; after the grace, or told twice, it hands them back.
    """
    from docpipe_assets.instance.worker import WorkerOptions, run_worker
    from docpipe_assets.stack import settle_dagster_home

    with _errors_shown():
        settle_dagster_home(_settings(data_dir).data_dir)
        chosen: dict[str, Any] = {"lanes": lane, "concurrency": concurrency}
        given = {option: value for option, value in chosen.items() if value}
        run_worker(WorkerOptions(grace_seconds=grace_seconds, name=name, **given))


@app.command()
def configure(
    dagster_home: Annotated[
        Path, typer.Option(help="The folder to write to; made when missing.", envvar="DAGSTER_HOME")
    ],
    slots: Annotated[int, typer.Option(min=1, help="Documents that all workers together process at once.")],
    large_slots: Annotated[int, typer.Option(min=1, help="How many of them may be large.")] = 1,
    code_server: Annotated[str, typer.Option(help="Where the code server listens.")] = "localhost:4000",
) -> None:
    """Write the dagster.yaml and workspace.yaml of a deployment."""
    from docpipe_assets.stack import write_dagster_home

    with _errors_shown():
        write_dagster_home(dagster_home, slots=slots, large_slots=large_slots, code_server=code_server)
    console.print(f"{dagster_home}: dagster.yaml and workspace.yaml for {slots} documents at once")


@app.command()
def demo(
    data_dir: DataDir = _DATA_DIR,
    workers: Annotated[int, typer.Option(min=1, help="Documents processed at once.")] = 2,
    exit: Annotated[bool, typer.Option("--exit", help="End when all is done.")] = False,
    json_path: Annotated[
        Path | None, typer.Option("--json", help="Also write the final ledger here.")
    ] = None,
) -> None:
    """Make a sample production, process it on the local stack, and show what came of it."""
    from docpipe_assets.cli.demo import run_demo

    with _errors_shown():
        is_as_expected = run_demo(
            data_dir, workers=workers, stay=not exit, json_path=json_path, console=console, note=_note
        )
    raise typer.Exit(0 if is_as_expected else 1)


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.")],
    batch: Annotated[str, typer.Option("--batch", "-b", help="The batch they belong to.")],
    parallel: Annotated[int, typer.Option(min=1, help="Uploads at once.")] = 4,
    priority: Annotated[
        Priority | None, typer.Option(help="Before or after other batches, from now on.")
    ] = None,
    data_dir: DataDir = _DATA_DIR,
) -> None:
    """Upload files into a batch of the intake bucket. What is there is left: run it again to resume."""
    from docpipe_assets.storage.open_store import open_store
    from docpipe_assets.storage.upload import Uploaded, files_to_upload, upload

    with _errors_shown():
        settings = _settings(data_dir)
        files = files_to_upload(paths, batch)
        if priority is not None:
            from docpipe_assets.instance.records.interventions import record_priority

            _, instance = _connect(data_dir)
            with instance:
                record_priority(instance, batch, priority)
        with Progress(*_COLUMNS, console=notes) as progress:
            task = progress.add_task(f"uploading to {settings.intake}/{batch}", total=len(files))

            def advance(_: Uploaded) -> None:
                progress.advance(task)

            done = upload(files, open_store(settings.intake, settings), parallel=parallel, on_done=advance)
    there = sum(one.was_there for one in done)
    console.print(f"{len(done) - there} uploaded, {there} were there already. See: docpipe status -b {batch}")


@app.command()
def status(
    batch: Batch = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    data_dir: DataDir = _DATA_DIR,
) -> None:
    """Every document in exactly one state. Ends with 3 when a document is unaccounted for."""
    from docpipe_assets.cli.rendering import as_text, visible
    from docpipe_assets.defs.corpus import read_documents
    from docpipe_assets.operations.batch_report import label_findings
    from docpipe_assets.operations.ledger import State

    with _errors_shown():
        bench, instance = _connect(data_dir)
        with instance:
            ledger = _ledger(instance, bench, batch)
            labels = list(label_findings(ledger, dict(read_documents(instance))))
    if as_json:
        said = ledger.as_json() | {"bates": [one.as_json() for one in labels]}
        sys.stdout.write(json.dumps(said, ensure_ascii=False, indent=1) + "\n")
    else:
        console.print(as_text(ledger))
        for one in labels[:_LABELS_SHOWN]:
            console.print(visible(f"Bates {one.fault}: {one.document or one.batch}: {one.what}"))
        if len(labels) > _LABELS_SHOWN:
            console.print(f"{len(labels) - _LABELS_SHOWN:,} more on Bates labels are in the batch report")
    raise typer.Exit(3 if ledger.count(State.UNACCOUNTED) else 0)


@app.command()
def show(
    document: Annotated[str, typer.Argument(help="S3 key below the intake prefix, or partition key.")],
    mention: Annotated[str | None, typer.Option(help="Show this mention, e.g. person:120-134.")] = None,
    relationship: Annotated[str | None, typer.Option(help="Show this relationship.")] = None,
    crop: Annotated[
        Path | None, typer.Option(help="Write what is seen of it on the page to this PNG file.")
    ] = None,
    data_dir: DataDir = _DATA_DIR,
) -> None:
    """One document: its state, what to do about it, and its artifacts; or one place in it, followed back."""
    from docpipe_assets.cli.recovery import find_entry
    from docpipe_assets.cli.rendering import visible, what_happened
    from docpipe_assets.operations.breaker import advice_on

    with _errors_shown():
        bench, instance = _connect(data_dir)
        with instance:
            found = find_entry(instance, bench, document)
        if found is None:
            notes.print(visible(f"{document}: no such document; docpipe status lists them all"), style="red")
            raise typer.Exit(1)
        if mention or relationship:
            _show_place(bench, found.document, mention, relationship, crop)
            return
        console.print(visible(f"{found.document}  {found.state.value}"), style="bold")
        if found.error:
            console.print(visible(what_happened(found)), style="red")
            console.print(visible(advice_on(found.error)))
        table = Table("asset", "rows", "bytes", "artifact")
        for stream in bench.graph.streams:
            header = bench.lake.header(stream, found.document)
            if header is not None:
                url = visible(bench.lake.url(stream, found.document))
                table.add_row(stream.asset, f"{header.rows:,}", f"{header.payload_bytes:,}", url)
        console.print(table if table.row_count else "no artifacts yet")


def _show_place(
    bench: "Workbench", document: str, mention: str | None, relationship: str | None, crop: Path | None
) -> None:
    from docpipe_assets.cli.rendering import visible
    from docpipe_assets.model import Mention, Relationship
    from docpipe_assets.viewer.crops import find_mention, find_relationship, write_crop

    found: Mention | Relationship | None = None
    if mention:
        found = find_mention(bench, document, mention)
    elif relationship:
        found = find_relationship(bench, document, relationship)
    if found is None or found.place is None:
        notes.print(visible(f"{document}: there is no {mention or relationship}"), style="red")
        raise typer.Exit(1)
    place = found.place
    labels = " to ".join(label for label in (place.bates, place.last_bates) if label)
    pages = f"{place.page}" if place.page == place.last_page else f"{place.page}-{place.last_page}"
    console.print(visible(found.quote or ""), style="bold")
    console.print(visible(f"{document}, page {pages}, {labels or 'no Bates label'}"))
    if crop is not None:
        write_crop(bench, place, crop)
        console.print(visible(f"written to {crop}"))


@app.command()
def run(
    files: Annotated[list[Path], typer.Argument(help="PDF files, or folders of them.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the artifacts.")],
    as_json: Annotated[bool, typer.Option("--json", help="Nothing but the JSON lines.")] = False,
) -> None:
    """Process local files through the same stages, without Dagster: one JSON line a file.

    Ends with 0 when every file has its line, also where the line says that the file is unusable.
    """
    from docpipe_assets.runtime.local_run import named_documents, run_files

    with _errors_shown():
        settings = read_settings()
        documents = named_documents(files)
        with Progress(*_COLUMNS, console=notes, disable=as_json or not notes.is_terminal) as progress:
            task = progress.add_task("processing", total=len(documents))
            for outcome in run_files(documents, out, settings):
                sys.stdout.write(json.dumps(outcome.as_json(), ensure_ascii=False) + "\n")
                sys.stdout.flush()
                progress.advance(task)


breakers = typer.Typer(help="Who is held back, why, and until when.", no_args_is_help=True)
app.add_typer(breakers, name="breaker")
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept with the action.")]


@breakers.command("list")
def breaker_list(data_dir: DataDir = _DATA_DIR) -> None:
    """Every breaker that is not closed, of stages and of documents."""
    from docpipe_assets.cli.recovery import breakers_shown

    with _errors_shown():
        bench, instance = _connect(data_dir)
        with instance:
            console.print(breakers_shown(instance, bench))


@breakers.command("show")
def breaker_show(
    document: Annotated[str, typer.Argument(help="S3 key or partition key.")], data_dir: DataDir = _DATA_DIR
) -> None:
    """One document's breaker, and what to do."""
    from docpipe_assets.cli.recovery import breaker_shown

    with _errors_shown():
        bench, instance = _connect(data_dir)
        with instance:
            console.print(breaker_shown(instance, bench, document))


@breakers.command("reset")
def breaker_reset(
    reason: Reason,
    documents: Annotated[list[str] | None, typer.Argument(help="S3 keys or partition keys.")] = None,
    stage: Annotated[str | None, typer.Option(help="Also, or only, the breaker of this stage.")] = None,
    data_dir: DataDir = _DATA_DIR,
) -> None:
    """Say that an obstacle is gone: intake goes on with these at its next look."""
    from docpipe_assets.cli.recovery import reset

    with _errors_shown():
        _, instance = _connect(data_dir)
        with instance:
            count = reset(instance, documents=documents or [], stage=stage, reason=reason)
    console.print(f"{count} reset")


@app.command()
def retry(
    batch: Annotated[str, typer.Option("--batch", "-b", help="The batch.")],
    stage: Annotated[str | None, typer.Option(help="Only what failed in this stage.")] = None,
    code: Annotated[str | None, typer.Option(help="Only what failed with this code.")] = None,
    held: Annotated[bool, typer.Option("--held", help="Also the documents that are held.")] = False,
    quarantined: Annotated[bool, typer.Option("--quarantined", help="Also the quarantined ones.")] = False,
    reason: Reason = "retry of the batch",
    data_dir: DataDir = _DATA_DIR,
) -> None:
    """Have the failed documents of a batch tried again: the missing stages run, finished ones are left."""
    from docpipe_assets.cli.recovery import documents_to_retry, reset
    from docpipe_assets.operations.ledger import State

    states = [State.HELD] * held + [State.QUARANTINED] * quarantined
    with _errors_shown():
        bench, instance = _connect(data_dir)
        with instance:
            found = documents_to_retry(instance, bench, batch=batch, stage=stage, code=code, states=states)
            reset(instance, documents=[entry.document for entry in found], stage=None, reason=reason)
    console.print(f"{len(found)} documents are due again; see: docpipe status -b {batch}")


@app.command()
def withdraw(
    document: Annotated[str, typer.Argument(help="S3 key or partition key.")],
    reason: Reason,
    undo: Annotated[bool, typer.Option("--undo", help="Put it back.")] = False,
    data_dir: DataDir = _DATA_DIR,
) -> None:
    """Take a document out of the matter: recorded, kept in the ledger, and not processed any more."""
    from docpipe_assets.cli.recovery import withdraw as record

    with _errors_shown():
        bench, instance = _connect(data_dir)
        with instance:
            record(instance, bench, document, reason=reason, is_withdrawn=not undo)
    console.print(f"{document} is {'back in' if undo else 'withdrawn from'} the matter", markup=False)


evaluations = typer.Typer(help="How well engines do on what is known.", no_args_is_help=True)
app.add_typer(evaluations, name="eval")


@evaluations.command("ocr")
def eval_ocr(
    pairs: Annotated[
        Path, typer.Option("--pairs", help="A folder of PDFs and page images, each with its text beside it.")
    ],
    engine: Annotated[
        list[str] | None, typer.Option("--engine", help="May be given several times. Default: the one set.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line for each page and engine.")] = False,
) -> None:
    """Read pages whose text is known, and say what was read wrong, and what it cost, by folder and engine."""
    from docpipe_assets.evaluation.ocr import evaluate, find_pairs, rates, summaries

    with _errors_shown():
        settings = read_settings()
        results = []
        for result in evaluate(find_pairs(pairs), engine or [settings.ocr_engine], settings):
            results.append(result)
            if as_json:
                sys.stdout.write(json.dumps(result.as_json(), ensure_ascii=False) + "\n")
                sys.stdout.flush()
    if as_json:
        return
    table = Table(
        *("kind", "engine", "n", "bad", "CER", "WER", "F1", "F1*", "CPU s", "MB"),
        caption="of n pages, bad could not be read; rates in %; F1: words; F1*: characters, in any order of "
        "lines; CPU seconds a page; MB at the peak",
    )
    for row in summaries(results):
        shares = [f"{100 * value:.2f}" for value in rates(row.score).values()]
        cost = (f"{row.cpu_seconds:.2f}", f"{row.peak_bytes / 2**20:.0f}")
        table.add_row(row.kind, row.engine, str(row.pages), str(row.failed), *shares, *cost)
    console.print(table)


_COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


def _settings(data_dir: Path) -> Settings:
    """The settings of this shell or, where it has none, of the local stack that runs in ``data_dir``."""
    from docpipe_assets.stack import running_environment

    settings = read_settings()
    if settings.postgres_url is None and (found := running_environment(data_dir)):
        os.environ.update(found)
        settings = read_settings()
    return settings


def _connect(data_dir: Path) -> "tuple[Workbench, dg.DagsterInstance]":
    import dagster as dg

    from docpipe_assets.runtime.shared import shared_workbench

    settings = _settings(data_dir)
    return shared_workbench(settings), dg.DagsterInstance.get()


def _ledger(instance: "dg.DagsterInstance", bench: "Workbench", batch: str | None) -> "Ledger":
    from docpipe_assets.instance.records.history import read_ledger

    return read_ledger(instance, bench, batch)


def _note(text: str) -> None:
    notes.print(text, markup=False, highlight=False, style="dim")


def _say_where(url: str) -> None:
    console.print(f"Dagster's UI: [bold]{url}[/]   Ctrl-C stops everything; the data stays.")


@contextmanager
def _errors_shown() -> Iterator[None]:
    """A typed error becomes one line that says what to do, and status 2; a defect keeps its traceback."""
    try:
        yield
    except DocpipeError as error:
        notes.print(f"{error.full_code}: {error.message}", style="red", markup=False)
        raise typer.Exit(2) from error
