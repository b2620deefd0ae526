"""The demo: a sample production in a real bucket becomes relationships before your eyes."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.live import Live

from docpipe_assets.cli.rendering import as_text
from docpipe_assets.instance.records.history import read_ledger
from docpipe_assets.operations.ledger import Ledger, State
from docpipe_assets.runtime.shared import shared_workbench
from docpipe_assets.sample import expected, write_production
from docpipe_assets.settings import read_settings
from docpipe_assets.stack import Stack
from docpipe_assets.storage.open_store import open_store
from docpipe_assets.storage.upload import files_to_upload, upload

BATCH = "sample"
_POLL_SECONDS = 2.0
_PATIENCE_SECONDS = 1800.0


def run_demo(
    data_dir: Path,
    *,
    workers: int,
    stay: bool,
    json_path: Path | None,
    console: Console,
    note: Callable[[str], None],
) -> bool:
    """Run it all; return whether every file ended as the sample production says it must."""
    production = data_dir / "sample production"
    note(f"making the sample production in {production}")
    write_production(production)
    with Stack(data_dir, workers=workers, on_event=note) as stack:
        os.environ.update(stack.environment)
        settings = read_settings()
        console.print(f"Dagster's UI: [bold]{stack.endpoints.webserver_url}[/]")
        store = open_store(settings.intake, settings)
        done = upload(files_to_upload([production], BATCH), store, parallel=4, on_done=lambda _: None)
        console.print(f"{len(done)} files are in {settings.intake}/{BATCH}; intake finds them by itself")
        with dg.DagsterInstance.get() as instance, Live(console=console, refresh_per_second=4) as live:
            ledger = _watch(stack, lambda: read_ledger(instance, shared_workbench(settings), BATCH), live)
        console.print()  # the live table leaves the cursor at its end
        if json_path is not None:
            json_path.write_text(json.dumps(ledger.as_json(), ensure_ascii=False, indent=1) + "\n")
        is_as_expected = _judge(ledger, console)
        if stay:
            console.print(
                f"The UI stays up at [bold]{stack.endpoints.webserver_url}[/] until Ctrl-C. "
                "In another terminal: .venv/bin/docpipe status"
            )
            try:
                stack.run()
            except KeyboardInterrupt:
                note("stopping")
    return is_as_expected


def _watch(stack: Stack, look: Callable[[], Ledger], live: Live) -> Ledger:
    """Show the ledger until nothing moves any more, or for half an hour."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        stack.tend()
        ledger = look()
        live.update(as_text(ledger))
        if (ledger.is_settled and ledger.discovered) or time.monotonic() > deadline:
            return ledger
        time.sleep(_POLL_SECONDS)


def _judge(ledger: Ledger, console: Console) -> bool:
    """Compare the ledger with what is known of the sample production beforehand."""
    surprises = []
    found = {entry.document.removeprefix(f"{BATCH}/"): entry for entry in ledger.entries}
    for name, truth in expected().items():
        entry = found.get(name)
        if entry is None:
            surprises.append(f"{name}: missing")
        elif isinstance(truth, str) and entry.error != truth:
            surprises.append(f"{name}: {truth} was expected, it is {entry.state.value} {entry.error or ''}")
        elif isinstance(truth, int) and (entry.state is not State.SUCCEEDED or entry.pages != truth):
            surprises.append(
                f"{name}: {truth} pages were expected, it is {entry.state.value} with {entry.pages}"
            )
    if ledger.count(State.UNACCOUNTED):
        surprises.append(f"{ledger.count(State.UNACCOUNTED)} documents are unaccounted for")
    if surprises:
        console.print("Not as it should be:", *surprises, sep="\n  ", style="red", markup=False)
    else:
        console.print(
            f"{ledger.discovered} documents, each accounted for: {ledger.count(State.SUCCEEDED)} done, "
            f"{ledger.count(State.QUARANTINED)} unusable and named with the reason; unaccounted = 0",
            style="green",
        )
    return not surprises
