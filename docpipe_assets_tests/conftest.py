"""What several heights of tests share."""

from pathlib import Path

import pytest

from docpipe_assets.storage.scratch import ScratchFolder


@pytest.fixture
def scratch(tmp_path: Path) -> ScratchFolder:
    return ScratchFolder(tmp_path / "scratch")
