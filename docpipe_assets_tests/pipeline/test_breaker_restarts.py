"""The breaker of a document is unchanged after a restart of all services, and with two daemons at once."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dagster as dg
import pytest

from docpipe_assets.instance.records import tags
from docpipe_assets.instance.records.interventions import read_interventions
from docpipe_assets.instance.records.names import BREAKER
from docpipe_assets.operations.interventions import resets
from docpipe_assets.operations.ledger import State
from docpipe_assets_tests.pipeline.chromium import open_page
from docpipe_assets_tests.pipeline.restartable_stack import KILLER, RestartableStack, metadata_on, state

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.long,
    pytest.mark.timeout(900),
]


@pytest.fixture
def restartable(tmp_path: Path) -> Iterator[RestartableStack]:
    """A document that killed its worker twice; its breaker is open, and stays so for an hour."""
    (tmp_path / "documents").mkdir()
    made = RestartableStack(tmp_path / "stack")
    (tmp_path / "stack").mkdir()
    made.start()
    try:
        made.open_the_breaker(tmp_path / "documents")
        yield made
    finally:
        made.stop()


def test_a_restart_of_all_services_changes_nothing(restartable: RestartableStack) -> None:
    restartable.site.wait_for(lambda: restartable.messages, bool, "the sensor to record the open breaker")
    before, shown, listed = (
        restartable.breaker,
        restartable.command("breaker", "show", KILLER),
        set(restartable.messages),
    )
    restartable.stop()
    restartable.start()
    assert restartable.breaker == before
    assert restartable.command("breaker", "show", KILLER) == shown
    restartable.site.wait_for_ticks()
    assert len(restartable.site.runs_of(KILLER)) == 2, "no automatic run after the restart either"
    assert set(restartable.messages) == listed, "and the sensor records nothing new"


def test_two_daemons_allow_one_probe(restartable: RestartableStack) -> None:
    before = restartable.breaker
    assert before is not None
    restartable.stop()
    restartable.start(cool_down_seconds=1, daemon=False)
    now = restartable.breaker
    assert now is not None
    assert state(now) == "half_open", "both daemons find it due"
    with two_daemons(restartable):
        restartable.site.wait_for(
            lambda: restartable.breaker,
            lambda one: one is not None and one.attempts >= before.attempts + 2,
            "two probes, one after the other",
        )
    records = restartable.site.instance.get_run_records(dg.RunsFilter(tags={tags.PARTITION: KILLER}))
    probes = [one for one in records if one.dagster_run.tags.get(tags.PURPOSE) == "probe"]
    probes.sort(key=lambda one: one.create_timestamp)
    print(f"\nprobes: {[(one.dagster_run.tags[tags.ATTEMPT], one.create_timestamp) for one in probes]}")
    names = [one.dagster_run.tags[tags.REQUEST] for one in probes]
    assert len(names) == len(set(names)) >= 2


@contextmanager
def two_daemons(restartable: RestartableStack) -> Iterator[None]:
    workspace = Path(restartable.site.stack.environment["DAGSTER_HOME"]) / "workspace.yaml"
    command = [str(Path(sys.executable).with_name("dagster-daemon")), "run", f"--workspace={workspace}"]
    with ExitStack() as ending:
        for number in (1, 2):
            log = ending.enter_context((workspace.parent / f"daemon-{number}.log").open("wb"))
            daemon = subprocess.Popen(command, stdout=log, stderr=log)
            ending.callback(daemon.wait, 60)
            ending.callback(daemon.send_signal, signal.SIGINT)
        yield


@pytest.mark.needs("chromium")
def test_the_command_resets_and_the_history_shows_it_all(
    restartable: RestartableStack, tmp_path: Path
) -> None:
    restartable.set_fault("well")
    assert "Reset 1 breaker" in restartable.command(
        "breaker", "reset", KILLER, "--reason", "a copy of fewer pixels"
    )
    restartable.site.wait_for(
        lambda: restartable.site.entry(KILLER).state,
        lambda found: found is State.SUCCEEDED,
        "the success of the document",
    )
    news = "closed: the latest attempt succeeded"
    restartable.site.wait_for(
        lambda: restartable.messages, lambda texts: texts[0] == news, "the success on the breaker asset"
    )
    assert "All breakers are closed." in restartable.command("breaker", "list")
    (reset,) = resets(read_interventions(restartable.site.instance, BREAKER))
    assert reset.reason == "a copy of fewer pixels"
    with open_page() as page:
        page.goto(f"{restartable.url}/assets/breaker?view=events")
        page.get_by_text(news).first.wait_for()
        page.screenshot(path=tmp_path / "history.png")
        page.goto(f"{restartable.url}/assets/breaker?view=partitions&partition=breakers%2Fkiller.pdf")
        page.get_by_text("the latest attempt succeeded").first.wait_for()
        page.screenshot(path=tmp_path / "closed.png")
        assert metadata_on(page)["state"] == "closed"
