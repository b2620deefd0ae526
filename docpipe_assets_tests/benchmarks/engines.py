"""An OCR engine that takes no time and counts its pages."""

import os
from pathlib import Path

from docpipe_assets.protocols import PageImage, PlacedWord
from docpipe_assets_tests.hostile.engines import FastOcr

COUNT = "BENCHMARK_PAGE_COUNT"
"""Environment variable with the path of a file that grows by a byte for each page."""


class CountingOcr(FastOcr):
    def read(self, image: PageImage) -> tuple[tuple[PlacedWord, ...], ...]:
        with Path(os.environ[COUNT]).open("ab") as file:
            file.write(b".")
        return super().read(image)
