"""A stack with a document that kills its worker; the complete stack can be stopped and restarted."""

import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from docpipe_assets.defs.operations import breaker
from docpipe_assets.instance.records.history import fold_history
from docpipe_assets.operations.breaker import DocumentBreaker
from docpipe_assets.operations.ledger import State
from docpipe_assets.stack import Stack
from docpipe_assets_tests.pipeline.documents import invoice, letter
from docpipe_assets_tests.pipeline.site import Site, open_site

if TYPE_CHECKING:
    from playwright.sync_api import Page

KILLER, OTHER = "breakers/killer.pdf", "breakers/other.pdf"
LONG_ENOUGH_SECONDS = 3600
"""A cool-down that does not end during a test."""
ENVIRONMENT = {
    "DOCPIPE_INTAKE_SECONDS": "1",
    "DOCPIPE_RETRY_SECONDS": "1",
    "DOCPIPE_BREAKER_FAILURES": "2",
    "DOCPIPE_NER_ENGINES": '["docpipe_assets_tests.pipeline.switchable_engines:SwitchableNer"]',
}


class RestartableStack:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = ExitStack()
        self.site: Site

    def start(self, cool_down_seconds: int = LONG_ENOUGH_SECONDS, *, daemon: bool = True) -> None:
        environment = ENVIRONMENT | {
            "DOCPIPE_BREAKER_COOL_DOWN_SECONDS": str(cool_down_seconds),
            "DOCPIPE_BREAKER_COOL_DOWN_MAX_SECONDS": str(cool_down_seconds),
        }
        stack = Stack(self._folder, workers=2, daemon=daemon, environment=environment)
        self.site = self._running.enter_context(open_site(stack))

    def stop(self) -> None:
        self._running.close()

    def open_the_breaker(self, folder: Path) -> None:
        """Process a normal document, then one that kills two workers and is held from then on."""
        path = folder / "document.pdf"
        self.set_fault("well")
        path.write_bytes(letter(1))
        self.site.put(OTHER, path)
        assert self.site.settled("breakers", 1).count(State.SUCCEEDED) == 1
        self.set_fault("deadly")
        path.write_bytes(invoice(2))
        self.site.put(KILLER, path)
        self.wait_for_opening(attempts=2)

    @property
    def url(self) -> str:
        return self.site.stack.endpoints.webserver_url

    @property
    def breaker(self) -> DocumentBreaker | None:
        return fold_history(self.site.instance, self.site.pipeline.settings)[0].documents.get(KILLER)

    @property
    def messages(self) -> list[str]:
        """The descriptions that the sensor has recorded for the breaker, newest first."""
        records = self.site.instance.fetch_materializations(breaker.key, limit=100).records
        return [str(one.asset_materialization.description) for one in records if one.asset_materialization]

    def set_fault(self, fault: str) -> None:
        (self._folder / "fault").write_text(fault)

    def wait_for_opening(self, attempts: int) -> DocumentBreaker:
        found = self.site.wait_for(
            lambda: self.breaker,
            lambda one: one is not None and one.attempts >= attempts and state(one) == "open",
            "the breaker to open",
        )
        assert found is not None
        return found

    def command(self, *arguments: str) -> str:
        """The output of ``docpipe`` on a wide terminal."""
        done = subprocess.run(
            [sys.executable, "-m", "docpipe_assets", *arguments],
            env={**self.site.stack.environment, "PATH": "", "COLUMNS": "180"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def metadata_on(page: "Page") -> dict[str, str]:
    """The tables of names and values that a page shows."""
    rows = page.locator("table tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.innerText.trim()))"
    )
    return {row[0]: row[1] for row in rows if len(row) > 1}


def state(one: DocumentBreaker) -> str:
    return one.state_at(datetime.now(UTC))
