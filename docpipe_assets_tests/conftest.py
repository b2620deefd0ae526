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

# Based on Hypothesis's own profile, which is deterministic under CI. Examples have no deadline, since their
# duration depends on the load of the machine.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", UNTIMED, max_examples=40)
settings.register_profile("thorough", UNTIMED, max_examples=400)
settings.load_profile("quick")

# A background job of a script ignores SIGINT, and its children inherit that; the tests stop them with SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def scratch(tmp_path: Path) -> ScratchFolder:
    return ScratchFolder(tmp_path / "scratch")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for marker in item.iter_markers("needs"):
            if reason := reason_to_leave_out(marker.args[0]):
                item.add_marker(pytest.mark.skip(reason=reason))
    # Tests with a stack mostly wait: started first, they leave the cores to the other tests.
    items.sort(key=lambda item: item.get_closest_marker("pipeline") is None)


class _FilesInRows(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """The tests of a file run in one process, and the files of a row run in one process sequentially.

    Files that start stacks are in two rows of about the same duration, so at most two stacks run at once.
    """

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        folder, name = Path(file).parts[-2:]
        if folder not in ("pipeline", "stack"):
            return file
        return "first row" if name in _FIRST_ROW else "second row"


_FIRST_ROW = {"test_browser.py", "test_checks.py", "test_memory.py", "test_production.py", "test_recovery.py"}
"""The files that share a stack, and another one."""


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    return _FilesInRows(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each reason why tests were skipped, regardless of the verbosity."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"left out: {count} {'tests' if count > 1 else 'test'}; {reason}")
