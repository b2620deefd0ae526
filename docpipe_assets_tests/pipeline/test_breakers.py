"""One document's breaker, from its opening to its reset, as the person on call meets it.

The document kills whoever works on it. The tests are the stations of one story and run in their order.
"""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from docpipe_assets.breaker import DocumentBreaker
from docpipe_assets.defs import tags
from docpipe_assets.defs.history import fold_history
from docpipe_assets.defs.interventions import breaker, read_interventions
from docpipe_assets.ledger import State
from docpipe_assets.stack import Stack
from docpipe_assets_tests.pipeline.chromium import needs_chromium, open_page
from docpipe_assets_tests.pipeline.papers import invoice, letter
from docpipe_assets_tests.pipeline.site import Site, open_site

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    needs_chromium,
]

KILLER, OTHER = "ward/killer.pdf", "ward/other.pdf"
LONG_ENOUGH_SECONDS = 3600
"""A cool-down that does not end while somebody looks."""
ENVIRONMENT = {
    "DOCPIPE_INTAKE_SECONDS": "1",
    "DOCPIPE_RETRY_SECONDS": "1",
    "DOCPIPE_BREAKER_FAILURES": "2",
    "DOCPIPE_NER_ENGINES": '["docpipe_assets_tests.pipeline.moods:MoodyNer"]',
}


class Clinic:
    """A stack that is stopped as a whole and started again on the same folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = ExitStack()
        self.site: Site
        self.started_at = 0.0

    def start(self, cool_down_seconds: int = LONG_ENOUGH_SECONDS, *, daemon: bool = True) -> None:
        environment = ENVIRONMENT | {
            "DOCPIPE_BREAKER_COOL_DOWN_SECONDS": str(cool_down_seconds),
            "DOCPIPE_BREAKER_COOL_DOWN_MAX_SECONDS": str(cool_down_seconds),
        }
        stack = Stack(self._folder, workers=2, daemon=daemon, environment=environment)
        self.site = self._running.enter_context(open_site(stack))
        self.started_at = time.time()

    def stop(self) -> None:
        self._running.close()

    @property
    def url(self) -> str:
        return self.site.stack.endpoints.webserver_url

    @property
    def breaker(self) -> DocumentBreaker | None:
        return fold_history(self.site.instance, self.site.bench.settings)[0].documents.get(KILLER)

    def set_mood(self, mood: str) -> None:
        (self._folder / "mood").write_text(mood)

    def wait_for_opening(self, attempts: int) -> DocumentBreaker:
        found = self.site.wait_for(
            lambda: self.breaker,
            lambda one: one is not None and one.attempts >= attempts and state(one) == "open",
            "the breaker to open",
        )
        assert found is not None
        return found

    def command(self, *arguments: str) -> str:
        """What ``docpipe`` prints on a wide terminal."""
        done = subprocess.run(
            [sys.executable, "-m", "docpipe_assets", *arguments],
            env={**self.site.stack.environment, "PATH": "", "COLUMNS": "180"},
            capture_output=True,
            text=True,
            timeout=120,
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


def utc(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def state(one: DocumentBreaker) -> str:
    return one.state_at(datetime.now(UTC))


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    made = Clinic(tmp_path_factory.mktemp("clinic"))
    made.set_mood("well")
    made.start()
    try:
        path = tmp_path_factory.mktemp("documents") / "document.pdf"
        path.write_bytes(letter(1))
        made.site.put(OTHER, path)
        assert made.site.settled("ward", 1).count(State.SUCCEEDED) == 1
        made.set_mood("deadly")
        path.write_bytes(invoice(2))
        made.site.put(KILLER, path)
        made.wait_for_opening(attempts=2)
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


def test_the_command_line_says_who_is_held_back_why_and_until_when(clinic: Clinic) -> None:
    one = clinic.breaker
    assert one is not None
    assert one.next_at is not None
    listed = clinic.command("breaker", "list")
    print(f"\n{listed}")
    (line,) = [line for line in listed.splitlines() if KILLER in line]
    since, next_at = (at.astimezone().strftime("%Y-%m-%d %H:%M:%S") for at in (one.since, one.next_at))
    cells = [cell.strip() for cell in line.strip("│").split("│")]
    assert cells == [KILLER, "open", "2", since, next_at, "WORKER_LOST in its run"]
    assert OTHER not in listed
    shown = clinic.command("breaker", "show", KILLER)
    print(shown)
    for said in (f"open since {since}", "WORKER_LOST", one.run_id, f"next attempt: {next_at}"):
        assert said in shown
    assert re.search(r"charged to it: 2\b", shown)
    assert "closed" in clinic.command("breaker", "show", OTHER)


def test_the_ui_says_the_same_on_the_breaker_asset(clinic: Clinic, page: "Page", shots: Path) -> None:
    one = clinic.breaker
    assert one is not None
    assert one.next_at is not None
    page.goto(f"{clinic.url}/assets/breaker?view=partitions&partition=ward%2Fkiller.pdf")
    page.get_by_text("next_attempt").first.wait_for()
    page.screenshot(path=shots / "breaker.png")
    shown = metadata_on(page)
    print(shown)
    expected = {"state": "open", "reason": "WORKER_LOST", "failures": "2", "run": one.run_id}
    expected |= {"since": utc(one.since), "next_attempt": utc(one.next_at)}
    assert {name: shown.get(name) for name in expected} == expected
    assert "worker's log" in shown["advice"]


def test_a_person_is_not_refused_while_the_breaker_is_open(clinic: Clinic, page: "Page", shots: Path) -> None:
    before = clinic.breaker
    assert before is not None
    page.goto(f"{clinic.url}/assets/mentions?view=partitions&partition=ward%2Fkiller.pdf")
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_role("dialog").get_by_text(KILLER).first.wait_for(state="attached")
    page.screenshot(path=shots / "person.png")
    page.get_by_role("button", name="Launch 1 run").click()
    runs = clinic.site.wait_for(
        lambda: clinic.site.runs_of(KILLER),
        lambda found: len(found) == 3 and found[0].is_finished,
        "the person's run",
    )
    assert tags.REQUEST not in runs[0].tags
    after = clinic.breaker
    assert after is not None
    assert (after.run_id, after.attempts) == (runs[0].run_id, 3), "it was worked on, and killed its worker"
    assert (state(after), after.since, after.failures) == ("open", before.since, before.failures)
    clinic.site.wait_for(lambda: told(clinic), lambda texts: len(texts) == 2, "the sensor to tell of it")


def test_a_restart_of_everything_changes_nothing(clinic: Clinic) -> None:
    before, shown, listed = clinic.breaker, clinic.command("breaker", "show", KILLER), set(told(clinic))
    clinic.stop()
    clinic.start()
    assert clinic.breaker == before
    assert clinic.command("breaker", "show", KILLER) == shown
    clinic.site.wait_for(lambda: looks(clinic), lambda found: found >= 2, "intake to look again")
    assert len(clinic.site.runs_of(KILLER)) == 3, "automation holds back after the restart too"
    assert set(told(clinic)) == listed, "and has nothing new to tell"


def test_the_job_in_the_ui_resets_with_a_reason(clinic: Clinic, page: "Page", shots: Path) -> None:
    page.goto(f"{clinic.url}/locations/docpipe/jobs/reset_breakers/playground")
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
    (reset,) = read_interventions(clinic.site.instance)[0]
    assert (reset.key, reset.reason) == (KILLER, "more memory for the worker")
    clinic.site.wait_for(
        lambda: told(clinic),
        lambda texts: "more memory" in " ".join(texts),
        "the sensor to tell of the reset",
    )
    one = clinic.wait_for_opening(attempts=5)
    assert (one.reset_reason, one.failures) == (reset.reason, 2), "two attempts more, and it opens again"


def test_two_daemons_let_one_probe_through(clinic: Clinic) -> None:
    before = clinic.breaker
    assert before is not None
    clinic.stop()
    clinic.start(cool_down_seconds=1, daemon=False)
    now = clinic.breaker
    assert now is not None
    assert state(now) == "half_open", "both daemons find it so"
    with two_daemons(clinic):
        clinic.site.wait_for(
            lambda: clinic.breaker,
            lambda one: one is not None and one.attempts >= before.attempts + 2,
            "two probes, one after the other",
        )
    records = clinic.site.instance.get_run_records(dg.RunsFilter(tags={tags.PARTITION: KILLER}))
    probes = [one for one in records if one.dagster_run.tags.get(tags.PURPOSE) == "probe"]
    probes.sort(key=lambda one: one.create_timestamp)
    print(f"\nprobes: {[(one.dagster_run.tags[tags.ATTEMPT], one.create_timestamp) for one in probes]}")
    names = [one.dagster_run.tags[tags.REQUEST] for one in probes]
    assert len(names) == len(set(names)) >= 2


@contextmanager
def two_daemons(clinic: Clinic) -> Iterator[None]:
    workspace = Path(clinic.site.stack.environment["DAGSTER_HOME"]) / "workspace.yaml"
    command = [str(Path(sys.executable).with_name("dagster-daemon")), "run", f"--workspace={workspace}"]
    with ExitStack() as ending:
        for number in (1, 2):
            log = ending.enter_context((workspace.parent / f"daemon-{number}.log").open("wb"))
            daemon = subprocess.Popen(command, stdout=log, stderr=log)
            ending.callback(daemon.wait, 60)
            ending.callback(daemon.send_signal, signal.SIGINT)
        yield


def test_the_command_resets_and_the_history_shows_it_all(clinic: Clinic, page: "Page", shots: Path) -> None:
    clinic.stop()
    clinic.start()
    clinic.site.wait_for(
        lambda: all(run.is_finished for run in clinic.site.runs_of(KILLER)), bool, "the last probe to end"
    )
    one = clinic.breaker
    assert one is not None
    assert state(one) == "open"
    clinic.set_mood("well")
    assert "1 reset" in clinic.command("breaker", "reset", KILLER, "--reason", "a copy of fewer pixels")
    clinic.site.wait_for(
        lambda: clinic.site.entry(KILLER).state, lambda found: found is State.SUCCEEDED, "its success"
    )
    news = "closed: the newest attempt went well"
    clinic.site.wait_for(lambda: told(clinic), lambda texts: texts[0] == news, "the news of it")
    assert "all breakers are closed" in clinic.command("breaker", "list")
    resets = read_interventions(clinic.site.instance)[0]
    assert [one.reason for one in resets] == ["more memory for the worker", "a copy of fewer pixels"]
    page.goto(f"{clinic.url}/assets/breaker?view=events")
    page.get_by_text(news).first.wait_for()
    page.screenshot(path=shots / "history.png")
    page.goto(f"{clinic.url}/assets/breaker?view=partitions&partition=ward%2Fkiller.pdf")
    page.get_by_text("the newest attempt went well").first.wait_for()
    page.screenshot(path=shots / "closed.png")
    assert metadata_on(page)["state"] == "closed"


def told(clinic: Clinic) -> list[str]:
    """What the sensor has told of the breaker, newest first."""
    records = clinic.site.instance.fetch_materializations(breaker.key, limit=100).records
    return [str(one.asset_materialization.description) for one in records if one.asset_materialization]


def looks(clinic: Clinic) -> int:
    """Ticks of intake since the stack was started."""
    (sensor,) = clinic.site.instance.all_instigator_state()
    return len(
        clinic.site.instance.get_ticks(
            sensor.instigator_origin_id, sensor.selector_id, after=clinic.started_at
        )
    )
