"""The open breaker of one document, as an operator sees it in the terminal and in the UI."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from docpipe_assets.instance.records import tags
from docpipe_assets.instance.records.interventions import read_interventions
from docpipe_assets.instance.records.names import BREAKER
from docpipe_assets.operations.interventions import resets
from docpipe_assets_tests.pipeline.chromium import open_page
from docpipe_assets_tests.pipeline.restartable_stack import (
    KILLER,
    OTHER,
    RestartableStack,
    metadata_on,
    state,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.needs("chromium"),
    pytest.mark.timeout(900),
]


def utc(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


@pytest.fixture(scope="module")
def restartable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestartableStack]:
    """A document that killed its worker twice; its breaker is open, and stays so for an hour."""
    made = RestartableStack(tmp_path_factory.mktemp("stack"))
    made.start()
    try:
        made.open_the_breaker(tmp_path_factory.mktemp("documents"))
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def page() -> "Iterator[Page]":
    with open_page() as page:
        yield page


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("screenshots")


def test_the_command_line_shows_an_open_breaker_with_reason_and_end(restartable: RestartableStack) -> None:
    one = restartable.breaker
    assert one is not None
    assert one.next_at is not None
    listed = restartable.command("breaker", "list")
    print(f"\n{listed}")
    (line,) = [line for line in listed.splitlines() if KILLER in line]
    since, next_at = (at.astimezone().strftime("%Y-%m-%d %H:%M:%S") for at in (one.since, one.next_at))
    cells = [cell.strip() for cell in line.strip("│").split("│")]
    assert cells == [KILLER, "open", "2", since, next_at, "WORKER_LOST in the run"]
    assert OTHER not in listed
    shown = restartable.command("breaker", "show", KILLER)
    print(shown)
    for expected in (f"open since {since}", "WORKER_LOST", one.run_id, f"next attempt: {next_at}"):
        assert expected in shown
    assert re.search(r"counted against it: 2\b", shown)
    assert "closed" in restartable.command("breaker", "show", OTHER)


def test_the_ui_shows_the_same_on_the_breaker_asset(
    restartable: RestartableStack, page: "Page", shots: Path
) -> None:
    one = restartable.breaker
    assert one is not None
    assert one.next_at is not None
    page.goto(f"{restartable.url}/assets/breaker?view=partitions&partition=breakers%2Fkiller.pdf")
    page.get_by_text("next_attempt").first.wait_for()
    page.screenshot(path=shots / "breaker.png")
    shown = metadata_on(page)
    print(shown)
    expected = {"state": "open", "reason": "WORKER_LOST", "failures": "2", "run": one.run_id}
    expected |= {"since": utc(one.since), "next_attempt": utc(one.next_at)}
    assert {name: shown.get(name) for name in expected} == expected
    assert "worker's log" in shown["advice"]


def test_a_manual_run_is_allowed_while_the_breaker_is_open(
    restartable: RestartableStack, page: "Page", shots: Path
) -> None:
    before, messages, runs = restartable.breaker, restartable.messages, restartable.site.runs_of(KILLER)
    assert before is not None
    page.goto(f"{restartable.url}/assets/mentions?view=partitions&partition=breakers%2Fkiller.pdf")
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_role("dialog").get_by_text(KILLER).first.wait_for(state="attached")
    page.screenshot(path=shots / "person.png")
    page.get_by_role("button", name="Launch 1 run").click()
    found = restartable.site.wait_for(
        lambda: restartable.site.runs_of(KILLER),
        lambda found: len(found) == len(runs) + 1 and found[0].is_finished,
        "the manual run",
    )
    assert tags.REQUEST not in found[0].tags
    after = restartable.breaker
    assert after is not None
    assert (after.run_id, after.attempts) == (found[0].run_id, before.attempts + 1), "it killed its worker"
    assert (state(after), after.since, after.failures) == ("open", before.since, before.failures)
    restartable.site.wait_for(
        lambda: restartable.messages, lambda now: len(now) == len(messages) + 1, "the sensor to record it"
    )


def test_the_job_in_the_ui_resets_with_a_reason(
    restartable: RestartableStack, page: "Page", shots: Path
) -> None:
    before = restartable.breaker
    assert before is not None
    page.goto(f"{restartable.url}/locations/docpipe/jobs/reset_breakers/playground")
    editor = page.locator(".CodeMirror").first
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(
        'ops:\n  reset:\n    config:\n      reason: "more memory for the worker"\n'
        f'      documents: ["{KILLER}"]\n'
    )
    page.screenshot(path=shots / "launchpad.png")
    page.get_by_role("button", name="Launch Run").click()
    page.get_by_text("Success").first.wait_for()
    page.screenshot(path=shots / "reset.png")
    (reset,) = resets(read_interventions(restartable.site.instance, BREAKER))
    assert (reset.key, reset.reason) == (KILLER, "more memory for the worker")
    restartable.site.wait_for(
        lambda: restartable.messages,
        lambda texts: "more memory" in " ".join(texts),
        "the sensor to record the reset",
    )
    one = restartable.wait_for_opening(attempts=before.attempts + 2)
    assert (one.reset_reason, one.failures) == (reset.reason, 2), "it reopens after two more"
