"""``docpipe ingest``: uploads files into a batch."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from docpipe_assets.cli.app import (
    COLUMNS,
    DATA_DIR,
    DataDir,
    connect,
    console,
    errors_shown,
    settings_of,
    stderr_console,
)
from docpipe_assets.settings import Priority


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders to upload.")],
    batch: Annotated[str, typer.Option("--batch", "-b", help="Batch to upload to.")],
    parallel: Annotated[int, typer.Option(min=1, help="Number of concurrent uploads.")] = 4,
    priority: Annotated[
        Priority | None, typer.Option(help="Queue priority of the batch, recorded for later runs too.")
    ] = None,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Upload files to a batch of the intake bucket. Existing objects are skipped: run it again to resume."""
    from docpipe_assets.storage.open_store import open_store
    from docpipe_assets.storage.upload import Uploaded, files_to_upload, upload

    with errors_shown():
        settings = settings_of(data_dir)
        files = files_to_upload(paths, batch)
        if priority is not None:
            from docpipe_assets.instance.records.interventions import record_priority

            _, instance = connect(data_dir)
            with instance:
                record_priority(instance, batch, priority)
        with Progress(*COLUMNS, console=stderr_console) as progress:
            task = progress.add_task(f"uploading to {settings.intake}/{batch}", total=len(files))

            def advance(_: Uploaded) -> None:
                progress.advance(task)

            done = upload(files, open_store(settings.intake, settings), parallel=parallel, on_done=advance)
    there = sum(one.already_present for one in done)
    console.print(f"{len(done) - there} uploaded, {there} already present. See: docpipe status -b {batch}")
