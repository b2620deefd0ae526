"""``docpipe run``: processes local files without Dagster."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from docpipe_assets.cli.app import COLUMNS, errors_shown, notes
from docpipe_assets.settings import read_settings


def run(
    files: Annotated[list[Path], typer.Argument(help="PDF files, or folders of them.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the artifacts.")],
    as_json: Annotated[bool, typer.Option("--json", help="Nothing but the JSON lines.")] = False,
) -> None:
    """Process local files through the same stages, without Dagster: one JSON line a file.

    Ends with 0 when every file has its line, also where the line says that the file is unusable.
    """
    from docpipe_assets.runtime.local_run import named_documents, run_files

    with errors_shown():
        settings = read_settings()
        documents = named_documents(files)
        with Progress(*COLUMNS, console=notes, disable=as_json or not notes.is_terminal) as progress:
            task = progress.add_task("processing", total=len(documents))
            for outcome in run_files(documents, out, settings):
                sys.stdout.write(json.dumps(outcome.as_json(), ensure_ascii=False) + "\n")
                sys.stdout.flush()
                progress.advance(task)
