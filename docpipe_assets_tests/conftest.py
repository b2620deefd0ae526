"""Shared by all tests: which tests are skipped, and which run in the same process."""

import signal
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling, Scheduling

from docpipe_assets.storage.scratch import ScratchFolder
from docpipe_assets_tests.programs import reason_to_leave_out

# On top of Hypothesis's own profile: under CI that one tries the same examples each time. No example fails
# for taking long, since that depends on what else the machine does.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", UNTIMED, max_examples=40)
settings.register_profile("thorough", UNTIMED, max_examples=400)
settings.load_profile("quick")

# A background job of a script starts with SIGINT ignored, and so would what the tests start and stop with it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def scratch(tmp_path: Path) -> ScratchFolder:
    return ScratchFolder(tmp_path / "scratch")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for marker in item.iter_markers("needs"):
            if reason := reason_to_leave_out(marker.args[0]):
                item.add_marker(pytest.mark.skip(reason=reason))
    # Stacks wait more than they work: begun first, they leave the cores to the tests that need none.
    items.sort(key=lambda item: item.get_closest_marker("pipeline") is None)


class _FilesInRows(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """The tests of a file run in one process, and so do the files of a row, one after the other.

    The files that start stacks are in two rows that take about the same time: two stacks at once, no more.
    """

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        folder, name = Path(file).parts[-2:]
        if folder not in ("pipeline", "stack"):
            return file
        return "first row" if name in _FIRST_ROW else "second row"


_FIRST_ROW = {"test_browser.py", "test_checks.py", "test_memory.py", "test_production.py", "test_recovery.py"}
"""The files that share a stack, and one more."""


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    return _FilesInRows(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each reason to leave tests out, whatever the verbosity."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"left out: {count} {'tests' if count > 1 else 'test'}; {reason}")
