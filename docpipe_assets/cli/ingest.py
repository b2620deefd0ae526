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
    notes,
    settings_of,
)
from docpipe_assets.settings import Priority


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.")],
    batch: Annotated[str, typer.Option("--batch", "-b", help="The batch they belong to.")],
    parallel: Annotated[int, typer.Option(min=1, help="Uploads at once.")] = 4,
    priority: Annotated[
        Priority | None, typer.Option(help="Before or after other batches, from now on.")
    ] = None,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Upload files into a batch of the intake bucket. What is there is left: run it again to resume."""
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
        with Progress(*COLUMNS, console=notes) as progress:
            task = progress.add_task(f"uploading to {settings.intake}/{batch}", total=len(files))

            def advance(_: Uploaded) -> None:
                progress.advance(task)

            done = upload(files, open_store(settings.intake, settings), parallel=parallel, on_done=advance)
    there = sum(one.was_there for one in done)
    console.print(f"{len(done) - there} uploaded, {there} were there already. See: docpipe status -b {batch}")
