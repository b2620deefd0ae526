"""The PdfReader: sends each call to the library that does it best, in a capped child process."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from docpipe_assets.errors import InternalError
from docpipe_assets.model import Box, Page
from docpipe_assets.protocols import PageContent, PageImage, PdfFacts, PdfPart, PlacedWord, Scratch

_PACKAGE = "docpipe_assets.engines.pdf"
PRELOAD = (f"{_PACKAGE}.pymupdf", f"{_PACKAGE}.pdfium", f"{_PACKAGE}.qpdf", "numpy")
"""What the sandbox imports once, before it forks a child for each call."""


class Runner(Protocol):
    """Runs a generator function, named ``module:function``, in a capped child process."""

    def __call__(
        self, function: str, arguments: Mapping[str, Any], folder: Path | None = None
    ) -> Iterator[Any]: ...


class IsolatedPdfReader:
    """PyMuPDF, PDFium and qpdf behind one protocol; nothing of them is loaded in this process."""

    def __init__(self, run: Runner, scratch: Scratch) -> None:
        self._run = run
        self._scratch = scratch
        self.version = ", ".join(f"{name} {version(name)}" for name in ("pymupdf", "pypdfium2", "pikepdf"))

    def inspect(self, pdf: Path, max_pages: int) -> PdfFacts:
        found = self._only("pymupdf:inspect", path=str(pdf), max_pages=max_pages)
        return PdfFacts(**{**found, "warnings": tuple(found["warnings"])})

    def survey(self, pdf: Path) -> Iterator[Page]:
        for page in self._run(f"{_PACKAGE}.pymupdf:survey", {"path": str(pdf)}):
            yield Page.model_validate(page)

    @contextmanager
    def repaired(self, pdf: Path) -> Iterator[Path]:
        with self._scratch.folder() as folder:
            target = folder / "repaired.pdf"
            self._only("pymupdf:repair", folder, path=str(pdf), target=str(target))
            yield target

    def split(self, pdf: Path, pages: int, pages_per_part: int, bytes_per_part: int) -> Iterator[PdfPart]:
        with self._scratch.folder() as folder:
            arguments = {
                "path": str(pdf),
                "pages": pages,
                "pages_per_part": pages_per_part,
                "bytes_per_part": bytes_per_part,
                "folder": str(folder),
            }
            for part in self._run(f"{_PACKAGE}.qpdf:split", arguments, folder):
                path = Path(part["path"])
                if path.parent != folder:
                    raise InternalError(f"{path}: a part outside its folder; report this document")
                yield PdfPart(int(part["first_page"]), int(part["last_page"]), path)
                path.unlink(missing_ok=True)

    def read(self, pdf: Path, first: int = 1) -> Iterator[PageContent]:
        for found in self._run(f"{_PACKAGE}.pymupdf:read", {"path": str(pdf), "first": first}):
            yield PageContent(
                page=found["page"],
                width_points=found["width_points"],
                height_points=found["height_points"],
                lines=tuple(
                    tuple(PlacedWord(text, Box(*box), confidence) for text, box, confidence in line)
                    for line in found["lines"]
                ),
                signals={name: float(value) for name, value in found["signals"].items()},
            )

    @contextmanager
    def render(self, pdf: Path, page: int, dpi: float) -> Iterator[PageImage]:
        with self._scratch.folder() as folder:
            target = folder / "page.grey"
            found = self._only("pdfium:render", folder, path=str(pdf), page=page, dpi=dpi, target=str(target))
            width, height = int(found["width"]), int(found["height"])
            if target.stat().st_size != width * height:
                raise InternalError(f"page {page}: the rendered image is not {width} x {height} pixels")
            yield PageImage(target, width, height, float(found["dpi"]))

    def _only(self, function: str, folder: Path | None = None, /, **arguments: Any) -> Any:
        values = list(self._run(f"{_PACKAGE}.{function}", arguments, folder))
        if len(values) != 1:
            raise InternalError(f"{function} gave {len(values)} values where one was due")
        return values[0]
