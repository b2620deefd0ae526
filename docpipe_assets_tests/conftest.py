"""What several heights of tests share."""

from pathlib import Path

import pytest

from docpipe_assets.storage.scratch import ScratchFolder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With ``--dist loadgroup`` a module stays together, and so do all that share the session's stack."""
    for item in items:
        shares = "site" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("site" if shares else str(item.path)))


@pytest.fixture
def scratch(tmp_path: Path) -> ScratchFolder:
    return ScratchFolder(tmp_path / "scratch")
