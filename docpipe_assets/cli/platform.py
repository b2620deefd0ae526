"""Commands that start, join and configure the platform."""

from pathlib import Path
from typing import Annotated, Any

import typer

from docpipe_assets.cli.app import DATA_DIR, DataDir, console, errors_shown, note, notes, settings_of


def up(
    data_dir: DataDir = DATA_DIR,
    workers: Annotated[int, typer.Option(min=1, help="Documents processed at once.")] = 2,
) -> None:
    """Start the local stack, and run it until Ctrl-C: S3 server, Postgres, broker, workers, UI, daemon."""
    from docpipe_assets.stack import Stack

    with errors_shown(), Stack(data_dir, workers=workers, on_event=note) as stack:
        _say_where(stack.endpoints.webserver_url)
        try:
            stack.run()
        except KeyboardInterrupt:
            notes.print("stopping")


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
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Join this machine to the fleet: process documents until told to end (SIGTERM, Ctrl-C).

    Takes the same DOCPIPE_ variables as the rest of the fleet; beside a local stack, takes them from it.
    Told to end, it finishes its documents; after the grace, or told twice, it hands them back.
    """
    from docpipe_assets.instance.worker import WorkerOptions, run_worker
    from docpipe_assets.stack import settle_dagster_home

    with errors_shown():
        settle_dagster_home(settings_of(data_dir).data_dir)
        chosen: dict[str, Any] = {"lanes": lane, "concurrency": concurrency}
        given = {option: value for option, value in chosen.items() if value}
        run_worker(WorkerOptions(grace_seconds=grace_seconds, name=name, **given))


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

    with errors_shown():
        write_dagster_home(dagster_home, slots=slots, large_slots=large_slots, code_server=code_server)
    console.print(f"{dagster_home}: dagster.yaml and workspace.yaml for {slots} documents at once")


def demo(
    data_dir: DataDir = DATA_DIR,
    workers: Annotated[int, typer.Option(min=1, help="Documents processed at once.")] = 2,
    exit: Annotated[bool, typer.Option("--exit", help="End when all is done.")] = False,
    json_path: Annotated[
        Path | None, typer.Option("--json", help="Also write the final ledger here.")
    ] = None,
) -> None:
    """Make a sample production, process it on the local stack, and show what came of it."""
    from docpipe_assets.cli.demo import run_demo

    with errors_shown():
        is_as_expected = run_demo(
            data_dir, workers=workers, stay=not exit, json_path=json_path, console=console, note=note
        )
    raise typer.Exit(0 if is_as_expected else 1)


def _say_where(url: str) -> None:
    console.print(f"Dagster's UI: [bold]{url}[/]   Ctrl-C stops everything; the data stays.")
