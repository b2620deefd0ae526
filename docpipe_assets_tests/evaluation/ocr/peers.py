"""Other programs with the protocol of docpipe's engines, to be evaluated in the same run."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

from docpipe_assets.errors import ConfigurationError, EngineError
from docpipe_assets.model import Box
from docpipe_assets.protocols import PageImage, PlacedWord


class OcrMyPdf:
    """OCRmyPDF as its manual recommends for scans: pages rotated and deskewed, one process.

    Its output is a text file, so words have no boxes.
    """

    name = "ocrmypdf"
    version = "of the system"

    def read(self, image: PageImage) -> tuple[tuple[PlacedWord, ...], ...]:
        program = shutil.which("ocrmypdf")
        if program is None:
            raise ConfigurationError("ocrmypdf is not installed; install it (Debian: ocrmypdf)")
        with tempfile.TemporaryDirectory() as name:
            page, text = Path(name, "page.png"), Path(name, "page.txt")
            pixels = Image.frombytes("L", (image.width, image.height), image.path.read_bytes())
            pixels.save(page, dpi=(image.dpi, image.dpi), compress_level=1)
            options = ("--jobs", "1", "--rotate-pages", "--deskew", "--output-type", "pdf", "--optimize", "0")
            ended = subprocess.run(
                [program, *options, "--sidecar", text, page, Path(name, "page.pdf")],
                # It has its own Python interpreter, which must not find our packages.
                env={"PATH": os.defpath, "OMP_THREAD_LIMIT": "1", "LC_ALL": "C.UTF-8"},
                capture_output=True,
                check=False,
            )
            if ended.returncode != 0:
                raise EngineError(f"ocrmypdf ended with {ended.returncode}: {ended.stderr[-300:]!r}")
            lines = text.read_text("utf-8").replace("\f", "\n").splitlines()
        whole = Box(0, 0, image.width, image.height)
        return tuple(
            tuple(PlacedWord(word, whole) for word in line.split()) for line in lines if line.strip()
        )
