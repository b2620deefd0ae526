"""``docpipe run``: processes local files without Dagster."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from docpipe_assets.cli.app import COLUMNS, errors_shown, stderr_console
from docpipe_assets.settings import read_settings


def run(
    files: Annotated[list[Path], typer.Argument(help="PDF files, or folders of them.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the artifacts.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print only the JSON lines, no progress bar.")
    ] = False,
) -> None:
    """Process local files with the same stages, without Dagster. Print one JSON line per file.

    The exit code is 0 if every file has its line, even if a file is unusable; the line then has the error.
    """
    from docpipe_assets.runtime.local_run import named_documents, run_files

    with errors_shown():
        settings = read_settings()
        documents = named_documents(files)
        with Progress(
            *COLUMNS, console=stderr_console, disable=as_json or not stderr_console.is_terminal
        ) as progress:
            task = progress.add_task("processing", total=len(documents))
            for outcome in run_files(documents, out, settings):
                sys.stdout.write(json.dumps(outcome.as_json(), ensure_ascii=False) + "\n")
                sys.stdout.flush()
                progress.advance(task)
