"""Engines whose failure mode is set by a file, so that a test can break and repair them."""

import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from docpipe_assets.engines.pdf.reader import IsolatedPdfReader, Runner
from docpipe_assets.errors import EngineError
from docpipe_assets.model import Box, EntityType, FoundName
from docpipe_assets.protocols import NameContext, PageImage, PdfPart, PlacedWord
from docpipe_assets_tests.pipeline.documents import CRASHES, DEFECT_IN_SPLITTING, HANGS

_FAULTS: Mapping[bytes, tuple[str, Mapping[str, Any]]] = {
    CRASHES: ("crashes_on_item", {"item": 1, "signal_name": "SIGSEGV"}),
    HANGS: ("hangs_in_c_on_item", {"item": 1}),
}
_ENDING_BYTES = 100


def fault() -> str:
    """The content of the file ``fault`` in the stack's folder; ``well`` if there is none."""
    path = Path(os.environ["DAGSTER_HOME"]).parent / "fault"
    return path.read_text() if path.exists() else "well"


class SwitchableOcr:
    """Rejects every page while ``broken``, has a defect while ``defective``; otherwise reads one word."""

    name = "switchable"
    version = "1"

    def read(self, image: PageImage) -> tuple[tuple[PlacedWord, ...], ...]:
        if fault() == "broken":
            raise EngineError("the engine rejects every page; repair it")
        if fault() == "defective":
            raise ValueError("a defect in the engine")
        return ((PlacedWord("scanned", Box(10, 10, 90, 30), 0.9),),)


class SwitchableNer:
    """Finds the word "Invoice"; on invoices it has a defect while ``defective``, and kills its
    process like the kernel's OOM killer while ``deadly``.
    """

    name = "switchable"
    version = "1"

    def find(self, text: str, context: NameContext) -> Iterator[FoundName]:
        start = text.lower().find("invoice")
        if start < 0:
            return
        if fault() == "defective":
            raise ValueError("a defect in the engine")
        if fault() == "deadly":
            os.kill(os.getpid(), signal.SIGKILL)
        yield FoundName(start, start + len("invoice"), EntityType.ORGANISATION, 1.0, self.name)


class SwitchableReader(IsolatedPdfReader):
    """Fails to split some documents while ``defective``."""

    def split(
        self, pdf: Path, pages: int, pages_per_part: int, bytes_per_part: int, *, is_damaged: bool = False
    ) -> Iterator[PdfPart]:
        if fault() == "defective" and _ending_of(pdf).endswith(DEFECT_IN_SPLITTING):
            raise ValueError("a defect in the reader")
        yield from super().split(pdf, pages, pages_per_part, bytes_per_part, is_damaged=is_damaged)


def with_faults(run: Runner) -> Runner:
    """Runs functions in the sandbox; for some documents, one that crashes or hangs replaces the parser's."""

    def run_or_fail(
        function: str, arguments: Mapping[str, Any], folder: Path | None = None, *, by_page: bool = False
    ) -> Iterator[Any]:
        ending = _ending_of(Path(arguments["path"]))
        for mark, (fault, instead) in _FAULTS.items():
            if ending.endswith(mark):
                function, arguments = f"docpipe_assets_tests.sandbox.faults:{fault}", instead
        return run(function, arguments, folder, by_page=by_page)

    return run_or_fail


def _ending_of(path: Path) -> bytes:
    with path.open("rb") as source:
        source.seek(max(0, path.stat().st_size - _ENDING_BYTES))
        return source.read()
