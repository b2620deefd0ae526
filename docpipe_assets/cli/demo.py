"""The demo: processes a sample production in a real bucket and shows the ledger while it runs."""

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
from docpipe_assets.runtime.shared import shared_pipeline
from docpipe_assets.sample import expected, write_production
from docpipe_assets.settings import read_settings
from docpipe_assets.stack import Stack
from docpipe_assets.storage.open_store import open_store
from docpipe_assets.storage.upload import files_to_upload, upload

BATCH = "sample"
_POLL_SECONDS = 2.0
_TIMEOUT_SECONDS = 1800.0


def run_demo(
    data_dir: Path,
    *,
    workers: int,
    keep_running: bool,
    json_path: Path | None,
    console: Console,
    note: Callable[[str], None],
) -> bool:
    """Run the demo; return whether every file ended as the sample production states."""
    production = data_dir / "sample production"
    note(f"creating the sample production in {production}")
    write_production(production)
    with Stack(data_dir, workers=workers, on_event=note) as stack:
        os.environ.update(stack.environment)
        settings = read_settings()
        console.print(f"Dagster UI: [bold]{stack.endpoints.webserver_url}[/]")
        store = open_store(settings.intake, settings)
        done = upload(files_to_upload([production], BATCH), store, parallel=4, on_done=lambda _: None)
        console.print(
            f"{len(done)} files are in {settings.intake}/{BATCH}; intake picks them up automatically"
        )
        with dg.DagsterInstance.get() as instance, Live(console=console, refresh_per_second=4) as live:
            ledger = _watch(stack, lambda: read_ledger(instance, shared_pipeline(settings), BATCH), live)
        console.print()  # the live table leaves the cursor at its end
        if json_path is not None:
            json_path.write_text(json.dumps(ledger.as_json(), ensure_ascii=False, indent=1) + "\n")
        is_as_expected = _verify(ledger, console)
        if keep_running:
            console.print(
                f"The UI runs at [bold]{stack.endpoints.webserver_url}[/] until Ctrl-C. "
                "In another terminal: .venv/bin/docpipe status"
            )
            try:
                stack.run()
            except KeyboardInterrupt:
                note("stopping")
    return is_as_expected


def _watch(stack: Stack, read: Callable[[], Ledger], live: Live) -> Ledger:
    """Show the ledger until all documents are settled, at most for half an hour."""
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while True:
        stack.restart_failed()
        ledger = read()
        live.update(as_text(ledger))
        if (ledger.is_settled and ledger.discovered) or time.monotonic() > deadline:
            return ledger
        time.sleep(_POLL_SECONDS)


def _verify(ledger: Ledger, console: Console) -> bool:
    """Compare the ledger with the stated truth about the sample production."""
    mismatches = []
    found = {entry.document.removeprefix(f"{BATCH}/"): entry for entry in ledger.entries}
    for name, truth in expected().items():
        entry = found.get(name)
        if entry is None:
            mismatches.append(f"{name}: missing")
        elif isinstance(truth, str) and entry.error != truth:
            mismatches.append(f"{name}: expected {truth}, found {entry.state.value} {entry.error or ''}")
        elif isinstance(truth, int) and (entry.state is not State.SUCCEEDED or entry.pages != truth):
            mismatches.append(f"{name}: expected {truth} pages, found {entry.state.value} with {entry.pages}")
    if ledger.count(State.UNACCOUNTED):
        mismatches.append(f"{ledger.count(State.UNACCOUNTED)} documents are unaccounted for")
    if mismatches:
        console.print("Unexpected results:", *mismatches, sep="\n  ", style="red", markup=False)
    else:
        console.print(
            f"{ledger.discovered} documents accounted for: {ledger.count(State.SUCCEEDED)} succeeded, "
            f"{ledger.count(State.QUARANTINED)} quarantined with their reasons; unaccounted = 0",
            style="green",
        )
    return not mismatches
