"""OCR engines with one fault each; they return the gray value of the page as its text."""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from docpipe_assets.errors import EngineError
from docpipe_assets.model import Box
from docpipe_assets.protocols import PageImage, PlacedWord

FATAL_SHADE = 13
"""A page with this gray value triggers the fault."""

Lines = tuple[tuple[PlacedWord, ...], ...]


class Sound:
    name = "sound"
    version = "1"

    def read(self, image: PageImage) -> Lines:
        shade = int(np.fromfile(image.path, dtype=np.uint8).max())
        if shade == FATAL_SHADE:
            self.fail(image)
        return (
            (
                PlacedWord(f"shade-{shade}", Box(0.5, 1, 2.25, 3), 0.875),
                PlacedWord(str(os.getpid()), Box(0, 0, 1, 1)),
            ),
        )

    def fail(self, image: PageImage) -> None:
        """The fault at a fatal page."""


class DiesOnPage(Sound):
    def fail(self, image: PageImage) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)


class IsKilledOnPage(Sound):
    def fail(self, image: PageImage) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class DiesOnceOnPage(Sound):
    """As if earlier pages had left too little memory: a new process reads the page."""

    def fail(self, image: PageImage) -> None:
        mark = Path(f"{image.path}.died")
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGSEGV)


class DiesOnEveryPage(Sound):
    def read(self, image: PageImage) -> Lines:
        os._exit(3)


class HangsOnPage(Sound):
    def fail(self, image: PageImage) -> None:
        time.sleep(600)


class ExhaustsMemoryOnPage(Sound):
    def fail(self, image: PageImage) -> None:
        np.ones(2**31, dtype=np.uint8)


class PrintsText(Sound):
    def read(self, image: PageImage) -> Lines:
        print("noise", flush=True)
        sys.stdout.write('{"lines": []}\n')
        return super().read(image)


class RejectsPage(Sound):
    def fail(self, image: PageImage) -> None:
        raise EngineError("no answer from the service; try again")


class RaisesDefect(Sound):
    def fail(self, image: PageImage) -> None:
        raise ZeroDivisionError("a defect in the engine")
