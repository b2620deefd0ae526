"""An OCR engine whose health is set by a file, so that a test can break it and repair it."""

import os
from pathlib import Path

from docpipe_assets.errors import EngineError
from docpipe_assets.model import Box
from docpipe_assets.protocols import PageImage, PlacedWord


class MoodyOcr:
    """Refuses every page while the file says ``broken``; otherwise reads one word."""

    name = "moody"
    version = "1"

    def read(self, image: PageImage) -> tuple[tuple[PlacedWord, ...], ...]:
        mood = Path(os.environ["DAGSTER_HOME"]).parent / "mood"
        if mood.exists() and mood.read_text() == "broken":
            raise EngineError("the engine refuses every page; repair it")
        return ((PlacedWord("scanned", Box(10, 10, 90, 30), 0.9),),)
