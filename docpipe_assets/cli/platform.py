"""Commands that start, join and configure the platform."""

from pathlib import Path
from typing import Annotated, Any

import typer

from docpipe_assets.cli.app import DATA_DIR, DataDir, console, errors_shown, note, settings_of, stderr_console


def up(
    data_dir: DataDir = DATA_DIR,
    workers: Annotated[int, typer.Option(min=1, help="Number of documents processed concurrently.")] = 2,
) -> None:
    """Start the local stack (S3 server, Postgres, broker, workers, UI, daemon) and run it until Ctrl-C."""
    from docpipe_assets.stack import Stack

    with errors_shown(), Stack(data_dir, workers=workers, corpus_worker=True, on_event=note) as stack:
        _print_ui_url(stack.endpoints.webserver_url)
        try:
            stack.run()
        except KeyboardInterrupt:
            stderr_console.print("stopping")


def worker(
    lane: Annotated[
        list[str] | None,
        typer.Option("--lane", help="standard, large or corpus; repeatable. Default: standard and large."),
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Number of concurrent documents. Default: one per CPU.")
    ] = None,
    grace_seconds: Annotated[
        float,
        typer.Option(min=0, help="Time that running documents have to finish after a shutdown signal."),
    ] = 60,
    name: Annotated[str, typer.Option(help="Worker name, unique on its machine.")] = "docpipe",
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Run a worker on this machine until it receives SIGTERM or Ctrl-C.

    The worker reads the same DOCPIPE_ variables as the other workers; beside a local stack it uses those of
    the stack. On shutdown it finishes its running documents. After the grace period, or on a second signal,
    it requeues them.
    """
    from docpipe_assets.instance.worker import WorkerOptions, run_worker
    from docpipe_assets.stack import ensure_dagster_home

    with errors_shown():
        ensure_dagster_home(settings_of(data_dir).data_dir)
        chosen: dict[str, Any] = {"lanes": lane, "concurrency": concurrency}
        given = {option: value for option, value in chosen.items() if value}
        run_worker(WorkerOptions(grace_seconds=grace_seconds, name=name, **given))


def configure(
    dagster_home: Annotated[
        Path, typer.Option(help="Target folder; created if it does not exist.", envvar="DAGSTER_HOME")
    ],
    slots: Annotated[int, typer.Option(min=1, help="Number of concurrent documents over all workers.")],
    large_slots: Annotated[int, typer.Option(min=1, help="Slots that large documents may use.")] = 1,
    code_server: Annotated[str, typer.Option(help="HOST:PORT of the code server.")] = "localhost:4000",
) -> None:
    """Write the dagster.yaml and workspace.yaml of a deployment."""
    from docpipe_assets.stack import write_dagster_home

    with errors_shown():
        write_dagster_home(dagster_home, slots=slots, large_slots=large_slots, code_server=code_server)
    console.print(f"{dagster_home}: wrote dagster.yaml and workspace.yaml for {slots} concurrent documents")


def demo(
    data_dir: DataDir = DATA_DIR,
    workers: Annotated[int, typer.Option(min=1, help="Number of documents processed concurrently.")] = 2,
    exit: Annotated[bool, typer.Option("--exit", help="Stop when all documents are processed.")] = False,
    json_path: Annotated[
        Path | None, typer.Option("--json", help="Also write the final ledger to this file.")
    ] = None,
) -> None:
    """Create a sample production, process it on the local stack, and show the result."""
    from docpipe_assets.cli.demo import run_demo

    with errors_shown():
        is_as_expected = run_demo(
            data_dir, workers=workers, keep_running=not exit, json_path=json_path, console=console, note=note
        )
    raise typer.Exit(0 if is_as_expected else 1)


def _print_ui_url(url: str) -> None:
    console.print(f"Dagster UI: [bold]{url}[/]   Ctrl-C stops all services and keeps the data.")
