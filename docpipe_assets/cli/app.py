"""Shared by all commands: consoles, options, settings, connection, display of errors."""

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
    from docpipe_assets.runtime.document_pipeline import DocumentPipeline
console = Console()
stderr_console = Console(stderr=True)

DataDir = Annotated[Path, typer.Option(help="Data directory of the local stack.", envvar="DOCPIPE_DATA_DIR")]
Batch = Annotated[str | None, typer.Option("--batch", "-b", help="Limit the command to this batch.")]
DATA_DIR = Path(".docpipe")
Reason = Annotated[str, typer.Option("--reason", help="Reason, recorded with the action.")]


COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


def settings_of(data_dir: Path) -> Settings:
    """Settings of this shell or, if the shell has none, of the local stack that runs in ``data_dir``."""
    from docpipe_assets.stack import running_environment

    settings = read_settings()
    if settings.postgres_url is None and (found := running_environment(data_dir)):
        os.environ.update(found)
        settings = read_settings()
    return settings


def connect(data_dir: Path) -> "tuple[DocumentPipeline, dg.DagsterInstance]":
    import dagster as dg

    from docpipe_assets.runtime.shared import shared_pipeline

    settings = settings_of(data_dir)
    return shared_pipeline(settings), dg.DagsterInstance.get()


def ledger_of(instance: "dg.DagsterInstance", pipeline: "DocumentPipeline", batch: str | None) -> "Ledger":
    from docpipe_assets.instance.records.history import read_ledger

    return read_ledger(instance, pipeline, batch)


def note(text: str) -> None:
    stderr_console.print(text, markup=False, highlight=False, style="dim")


@contextmanager
def errors_shown() -> Iterator[None]:
    """Print a typed error and its advice, and exit with status 2; a defect keeps its traceback."""
    try:
        yield
    except DocpipeError as error:
        stderr_console.print(f"{error.full_code}: {error.message}", style="red", markup=False)
        stderr_console.print(error.advice, markup=False)
        raise typer.Exit(2) from error
