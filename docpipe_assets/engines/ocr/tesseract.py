"""Reads page images with the Tesseract program, if it is installed."""

import csv
import os
import shutil
import subprocess

from docpipe_assets.errors import ConfigurationError, EngineError, WallTimeout
from docpipe_assets.identity import digest
from docpipe_assets.lazy import lazy
from docpipe_assets.model import Box
from docpipe_assets.protocols import Line, PageImage, PlacedWord

CODE_VERSION = "1"
WORD_LEVEL = "5"
TIMEOUT_SECONDS = 300.0


class Tesseract:
    """The ``tesseract`` command with its English model; lines are in Tesseract's own order.

    Raises ConfigurationError at first use if the program or its model is missing.
    """

    name = "tesseract"

    def __init__(self, language: str = "eng") -> None:
        self._language = language

    @lazy
    def version(self) -> str:
        answer = self._run("--version").decode(errors="replace")
        return f"{answer.splitlines()[0]} {self._language} {digest([CODE_VERSION])[:8]}"

    @lazy
    def _program(self) -> str:
        program = shutil.which("tesseract")
        if program is None:
            raise ConfigurationError(
                "OCR engine tesseract: the program tesseract is not installed; install it "
                "(Debian: tesseract-ocr and tesseract-ocr-eng) or set DOCPIPE_OCR_ENGINE=rapidocr"
            )
        return program

    def read(self, image: PageImage) -> tuple[Line, ...]:
        pixels = image.path.read_bytes()
        if len(pixels) != image.width * image.height:
            raise EngineError(
                f"page image {image.path.name}: {len(pixels)} bytes, not {image.width} x {image.height}; "
                "the output of the renderer is truncated, check the free space in DOCPIPE_DATA_DIR"
            )
        # Portable graymap: a header line, then the unmodified pixels.
        header = f"P5 {image.width} {image.height} 255\n".encode()
        arguments = (
            "stdin",
            "stdout",
            "-l",
            self._language,
            "--dpi",
            str(round(image.dpi)),
            "--psm",
            "3",
            "tsv",
        )
        table = self._run(*arguments, page=header + pixels).decode("utf-8", "replace")
        lines: dict[tuple[str, ...], list[PlacedWord]] = {}
        for row in csv.DictReader(table.split("\n"), delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["level"] == WORD_LEVEL and row["text"].strip():
                key = (row["block_num"], row["par_num"], row["line_num"])
                lines.setdefault(key, []).append(_word(row))
        return tuple(tuple(line) for line in lines.values())

    def _run(self, *arguments: str, page: bytes = b"") -> bytes:
        # With more threads it uses ten times the CPU if other processes share the machine.
        environment = {"PATH": os.defpath, "OMP_THREAD_LIMIT": "1", "LC_ALL": "C.UTF-8"}
        try:
            ended = subprocess.run(
                [self._program, *arguments],
                input=page,
                capture_output=True,
                env=environment,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            raise WallTimeout(f"tesseract took longer than {TIMEOUT_SECONDS:.0f} s for one page") from exc
        except OSError as exc:
            raise EngineError(f"tesseract can't be started: {exc}; check {self._program}") from exc
        if ended.returncode != 0:
            message = ended.stderr.decode(errors="replace").strip()[-300:]
            if "language" in message or "traineddata" in message:
                raise ConfigurationError(
                    f"OCR engine tesseract: no model for the language {self._language}; install "
                    f"tesseract-ocr-{self._language} ({message})"
                )
            raise EngineError(f"tesseract exited with status {ended.returncode}: {message}")
        return ended.stdout


def _word(row: dict[str, str]) -> PlacedWord:
    left, top = float(row["left"]), float(row["top"])
    box = Box(left, top, left + float(row["width"]), top + float(row["height"]))
    return PlacedWord(row["text"].strip(), box, max(0.0, float(row["conf"])) / 100)
