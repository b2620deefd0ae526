"""``docpipe eval``: measures engines on pages whose text is known."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from docpipe_assets.cli.app import console, errors_shown
from docpipe_assets.settings import read_settings

evaluations = typer.Typer(help="Evaluate engines on labelled pages.", no_args_is_help=True)


@evaluations.command("ocr")
def eval_ocr(
    pairs: Annotated[
        Path,
        typer.Option("--pairs", help="Folder of PDFs and page images, each with a .txt of the same name."),
    ],
    engine: Annotated[
        list[str] | None, typer.Option("--engine", help="Engine, repeatable. Default: the configured one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line per page and engine.")] = False,
) -> None:
    """Read pages whose text is known; print error rates and cost by folder and engine."""
    from docpipe_assets.evaluation.ocr import evaluate, find_pairs, rates, summaries

    with errors_shown():
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
        caption="n: pages; bad: pages that could not be read; rates in %; F1: words; F1*: characters, "
        "regardless of line order; CPU s: per page; MB: peak memory",
    )
    for row in summaries(results):
        shares = [f"{100 * value:.2f}" for value in rates(row.score).values()]
        cost = (f"{row.cpu_seconds:.2f}", f"{row.peak_bytes / 2**20:.0f}")
        table.add_row(row.kind, row.engine, str(row.pages), str(row.failed), *shares, *cost)
    console.print(table)
