"""``docpipe eval``: measures engines on pages whose text is known."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from docpipe_assets.cli.app import console, errors_shown
from docpipe_assets.settings import read_settings

evaluations = typer.Typer(help="How well engines do on what is known.", no_args_is_help=True)


@evaluations.command("ocr")
def eval_ocr(
    pairs: Annotated[
        Path, typer.Option("--pairs", help="A folder of PDFs and page images, each with its text beside it.")
    ],
    engine: Annotated[
        list[str] | None, typer.Option("--engine", help="May be given several times. Default: the one set.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line for each page and engine.")] = False,
) -> None:
    """Read pages whose text is known, and say what was read wrong, and what it cost, by folder and engine."""
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
        caption="of n pages, bad could not be read; rates in %; F1: words; F1*: characters, in any order of "
        "lines; CPU seconds a page; MB at the peak",
    )
    for row in summaries(results):
        shares = [f"{100 * value:.2f}" for value in rates(row.score).values()]
        cost = (f"{row.cpu_seconds:.2f}", f"{row.peak_bytes / 2**20:.0f}")
        table.add_row(row.kind, row.engine, str(row.pages), str(row.failed), *shares, *cost)
    console.print(table)
