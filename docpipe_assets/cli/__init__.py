"""The command line. Each command reports its result and the next step."""

from importlib.metadata import version
from typing import Annotated

import typer

from docpipe_assets.cli.evaluate import evaluations
from docpipe_assets.cli.ingest import ingest
from docpipe_assets.cli.local import run
from docpipe_assets.cli.platform import configure, demo, up, worker
from docpipe_assets.cli.recover import breakers, retry, withdraw
from docpipe_assets.cli.status import show, status

app = typer.Typer(
    help="Turn a bucket of PDFs into evidence that you can query.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # locals may hold credentials
)


def _print_version(is_requested: bool) -> None:
    if is_requested:
        typer.echo(f"docpipe {version('docpipe-assets')}")
        raise typer.Exit


@app.callback()
def main(
    _: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Options of the program itself."""


for command in (up, worker, configure, demo, ingest, status, show, run):
    app.command()(command)
app.add_typer(breakers, name="breaker")
app.command()(retry)
app.command()(withdraw)
app.add_typer(evaluations, name="eval")
