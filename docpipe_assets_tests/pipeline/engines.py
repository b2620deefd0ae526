"""An OCR engine that a test can block in the middle of a document, in order to kill a process there."""

import os
import time
from contextlib import suppress
from pathlib import Path

from docpipe_assets.errors import EngineError
from docpipe_assets.model import Box
from docpipe_assets.protocols import PageImage, PlacedWord
from docpipe_assets.settings import read_settings

_PATIENCE_SECONDS = 300.0


class Gate:
    """Two files in the data folder: while one exists, pages wait; the other names the waiting process."""

    def __init__(self, data_dir: Path) -> None:
        self._closed = data_dir / "ocr.closed"
        self._waiting = data_dir / "ocr.waiting"

    def close(self) -> None:
        self._waiting.unlink(missing_ok=True)
        self._closed.touch()

    def open(self) -> None:
        self._closed.unlink(missing_ok=True)

    def waiting_process(self) -> int | None:
        """The id of the worker process whose page is waiting."""
        with suppress(FileNotFoundError):
            return int(self._waiting.read_text() or 0) or None
        return None

    def pass_through(self) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self._closed.exists():
            self._waiting.write_text(str(os.getppid()))  # an OCR process is the worker's child
            if time.monotonic() > deadline:
                raise EngineError(f"{self._closed} was there for {_PATIENCE_SECONDS:.0f} s; remove it")
            time.sleep(0.05)


class GatedOcr:
    """Returns the same two words for every page, as soon as the gate is open."""

    name = "slow"
    version = "1"

    def read(self, image: PageImage) -> tuple[tuple[PlacedWord, ...], ...]:
        Gate(read_settings().data_dir).pass_through()
        width, height = image.width, image.height
        return (
            (
                PlacedWord("slowly", Box(0, 0, width / 4, height / 10), 0.9),
                PlacedWord("read", Box(width / 4, 0, width / 2, height / 10), 0.9),
            ),
        )
