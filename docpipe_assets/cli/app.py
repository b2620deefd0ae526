"""What all commands share: consoles, options, settings, the connection, and how errors are shown."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from docpipe_assets.errors import DocpipeError
from docpipe_assets.settings import Settings, read_settings

if TYPE_CHECKING:
    import dagster as dg

    from docpipe_assets.operations.ledger import Ledger
    from docpipe_assets.runtime.document_pipeline import Workbench
console = Console()
notes = Console(stderr=True)

DataDir = Annotated[
    Path, typer.Option(help="Where the local stack keeps its data.", envvar="DOCPIPE_DATA_DIR")
]
Batch = Annotated[str | None, typer.Option("--batch", "-b", help="Only this batch.")]
DATA_DIR = Path(".docpipe")
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept with the action.")]


COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


def settings_of(data_dir: Path) -> Settings:
    """The settings of this shell or, where it has none, of the local stack that runs in ``data_dir``."""
    from docpipe_assets.stack import running_environment

    settings = read_settings()
    if settings.postgres_url is None and (found := running_environment(data_dir)):
        os.environ.update(found)
        settings = read_settings()
    return settings


def connect(data_dir: Path) -> "tuple[Workbench, dg.DagsterInstance]":
    import dagster as dg

    from docpipe_assets.runtime.shared import shared_workbench

    settings = settings_of(data_dir)
    return shared_workbench(settings), dg.DagsterInstance.get()


def ledger_of(instance: "dg.DagsterInstance", bench: "Workbench", batch: str | None) -> "Ledger":
    from docpipe_assets.instance.records.history import read_ledger

    return read_ledger(instance, bench, batch)


def note(text: str) -> None:
    notes.print(text, markup=False, highlight=False, style="dim")


@contextmanager
def errors_shown() -> Iterator[None]:
    """A typed error becomes one line that says what to do, and status 2; a defect keeps its traceback."""
    try:
        yield
    except DocpipeError as error:
        notes.print(f"{error.full_code}: {error.message}", style="red", markup=False)
        raise typer.Exit(2) from error
