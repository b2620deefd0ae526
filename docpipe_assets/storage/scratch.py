"""Temporary folders below one root, deleted after their process has died."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ScratchFolder:
    """Temporary folders below ``root``; their names start with the ID of the process that created them."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def folder(self) -> Iterator[Path]:
        self._root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{os.getpid()}-", dir=self._root) as name:
            yield Path(name)

    def sweep(self) -> int:
        """Delete the folders of processes that no longer exist; return their number."""
        left = [
            entry
            for entry in (self._root.iterdir() if self._root.is_dir() else ())
            if (owner := entry.name.partition("-")[0]).isdigit() and not Path("/proc", owner).exists()
        ]
        for entry in left:
            shutil.rmtree(entry, ignore_errors=True)
        return len(left)
