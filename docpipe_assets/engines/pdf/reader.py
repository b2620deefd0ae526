"""The PdfReader: routes each call to the best library for it, in a capped child process.

If that library fails, hangs or dies, another one is tried once, and reading continues after a page that both
fail on.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn, Protocol

from docpipe_assets.errors import (
    BadPageTree,
    CpuTimeout,
    DocpipeError,
    DocumentError,
    InternalError,
    MemoryLimit,
    NotAPdf,
    PasswordRequired,
    ResourceError,
    TooManyPages,
    UnsupportedEncryption,
)
from docpipe_assets.model import Box, Page
from docpipe_assets.protocols import PageContent, PageImage, PdfFacts, PdfPart, PlacedWord, Scratch

_PACKAGE = "docpipe_assets.engines.pdf"
PRELOAD = (f"{_PACKAGE}.pymupdf:warm_up", f"{_PACKAGE}.pdfium", f"{_PACKAGE}.qpdf", f"{_PACKAGE}.ink")
"""Modules that the sandbox imports once, before it forks a child per call."""

_IMAGE_BYTES_MAX = 30 * 1024 * 1024
"""Maximum image size for PDFium. A colour page at 300 dpi, 25 MB, is rendered by PDFium; a grey one at 600
dpi by MuPDF, which renders it with the same CPU in half of the 116 MB that PDFium needs."""
_FAILED_PAGES_MAX = 5
"""Number of failed pages of one part after which the survey gives up on the rest of the part."""


class Runner(Protocol):
    """Runs a generator function, named ``module:function``, in a capped child process.

    ``by_page``: each yielded value is a page and is limited to the CPU budget of a page.
    """

    def __call__(
        self,
        function: str,
        arguments: Mapping[str, Any],
        folder: Path | None = None,
        *,
        by_page: bool = False,
    ) -> Iterator[Any]: ...


class IsolatedPdfReader:
    """PyMuPDF, PDFium and qpdf behind one protocol; none of them is loaded in this process."""

    def __init__(self, run: Runner, scratch: Scratch) -> None:
        self._run = run
        self._scratch = scratch
        self.version = ", ".join(f"{name} {version(name)}" for name in ("pymupdf", "pypdfium2", "pikepdf"))

    def inspect(self, pdf: Path, max_pages: int) -> PdfFacts:
        try:
            return self._inspect("pymupdf", pdf, max_pages)
        except (NotAPdf, PasswordRequired, TooManyPages):
            raise
        except (DocumentError, ResourceError) as error:
            try:
                return self._inspect("pdfium", pdf, max_pages)
            except (PasswordRequired, UnsupportedEncryption, TooManyPages):
                raise
            except (DocumentError, ResourceError) as second:
                _raise_combined(error, second)

    def survey(self, pdf: Path, pages: int) -> Iterator[Page]:
        first, failed = 1, 0
        while first <= pages:
            try:
                for found in self._page_by_page("survey", pdf, first):
                    yield Page.model_validate(found)
                    first += 1
                if first <= pages:
                    raise BadPageTree(f"page {first} can't be found in a part of {pages} pages")
            except (DocumentError, ResourceError) as error:
                failed += 1
                last = first if failed < _FAILED_PAGES_MAX else pages
                for number in range(first, last + 1):
                    yield _unreadable(number, error.full_code)
                first = last + 1

    def split(
        self, pdf: Path, pages: int, pages_per_part: int, bytes_per_part: int, *, is_damaged: bool = False
    ) -> Iterator[PdfPart]:
        with self._scratch.folder() as folder:
            failure: DocumentError | ResourceError | None = None
            for path, missing, is_pruned in self._sources(pdf, pages, is_damaged, folder):
                last = 0
                try:
                    for part in self._split(path, pages, pages_per_part, bytes_per_part, is_pruned):
                        last = part.last_page
                        here = (page for page in missing if part.first_page <= page <= last)
                        yield part._replace(missing=tuple(here))
                    return
                except (DocumentError, ResourceError) as error:
                    if last > 0:  # some parts are stored already, and another source may be split differently
                        raise
                    failure = failure or error
            raise failure or BadPageTree(f"claims {pages:,} pages, none of which can be loaded")

    def read(self, pdf: Path, first: int = 1) -> Iterator[PageContent]:
        for found in self._page_by_page("read", pdf, first):
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
            arguments = {"path": str(pdf), "page": page, "dpi": dpi, "target": str(target)}
            found = self._rendered(arguments, folder)
            width, height = int(found["width"]), int(found["height"])
            if target.stat().st_size != width * height:
                raise InternalError(f"page {page}: the rendered image is not {width} x {height} pixels")
            yield PageImage(target, width, height, float(found["dpi"]))

    def ink(self, image: PageImage, boxes: Sequence[Box]) -> Mapping[str, float]:
        arguments = {
            "path": str(image.path),
            "width": image.width,
            "height": image.height,
            "dpi": image.dpi,
            "boxes": [list(box) for box in boxes],
        }
        found = self._single_value("ink:around_words", arguments, by_page=True)
        return {name: float(value) for name, value in found.items()}

    def _rendered(self, arguments: Mapping[str, Any], folder: Path) -> Any:
        """By PDFium, or by MuPDF if that fails: it decompresses an image only to its rendered size."""

        def render(library: str, **limits: int | None) -> Any:
            return self._single_value(f"{library}:render", {**arguments, **limits}, folder, by_page=True)

        try:
            return render("pdfium", image_bytes_max=_IMAGE_BYTES_MAX)
        except (DocumentError, ResourceError) as error:
            try:
                return render("pymupdf")
            except (DocumentError, ResourceError) as second:
                if not isinstance(error, MemoryLimit):
                    _raise_combined(error, second)
        return render("pdfium", image_bytes_max=None)

    def _inspect(self, library: str, pdf: Path, max_pages: int) -> PdfFacts:
        found = self._single_value(f"{library}:inspect", {"path": str(pdf), "max_pages": max_pages})
        return PdfFacts(**{**found, "warnings": tuple(found["warnings"])})

    def _page_by_page(self, function: str, pdf: Path, first: int) -> Iterator[Mapping[str, Any]]:
        """The result of MuPDF for each page, or of PDFium if MuPDF fails; raises if both fail."""
        began = 0
        while began < first:
            began = first
            try:
                arguments = {"path": str(pdf), "first": first}
                for found in self._run(f"{_PACKAGE}.pymupdf:{function}", arguments, by_page=True):
                    if _is_empty_after_errors(found):
                        found = self._retry_with_pdfium(pdf, found)
                    first += 1
                    yield found
                return
            except (DocumentError, ResourceError) as error:
                is_slow_page = isinstance(error, CpuTimeout) and error.is_page
                if first > began and not is_slow_page:
                    continue  # earlier pages may be the cause: retry in a new process
                try:
                    found = self._single_value(
                        f"pdfium:{function}", {"path": str(pdf), "page": first}, by_page=True
                    )
                except (DocumentError, ResourceError) as second:
                    _raise_combined(error, second)
                first += 1
                yield found

    def _retry_with_pdfium(self, pdf: Path, found: Mapping[str, Any]) -> Mapping[str, Any]:
        """The PDFium result for a page on which MuPDF found damage and no text."""
        try:
            other = self._single_value("pdfium:read", {"path": str(pdf), "page": found["page"]}, by_page=True)
        except MemoryLimit:  # with more memory there may be text
            raise
        except (DocumentError, ResourceError):
            return found
        return other if other["lines"] else found

    def _sources(
        self, pdf: Path, pages: int, is_damaged: bool, folder: Path
    ) -> Iterator[tuple[Path, list[int], bool]]:
        """The files to split, in the order in which they are tried: the path, the pages that are missing from
        it, and whether parts are pruned of unused resources.

        To find the used resources, qpdf decompresses the contents of the pages, which a decompression bomb
        prevents.
        """
        if not is_damaged:
            yield pdf, [], True
            yield pdf, [], False
        incomplete: list[tuple[int, Path, list[int]]] = []
        memory_error: MemoryLimit | None = None
        for number, function in enumerate(("pymupdf:copy", "pdfium:rebuild", "pymupdf:rebuild")):
            target = folder / f"{number}.pdf"
            arguments = {"path": str(pdf), "pages": pages, "target": str(target)}
            try:
                missing = list(map(int, self._single_value(function, arguments, folder)))
            except MemoryLimit as error:
                memory_error = error
                continue
            except (DocumentError, ResourceError):
                continue
            if not missing:
                yield target, missing, True
            elif len(missing) < pages:
                incomplete.append((len(missing), target, missing))
        if is_damaged:  # qpdf repairs too, and is rejected if it finds another number of pages
            yield pdf, [], True
        if memory_error is not None:  # with more memory no page may be missing
            raise memory_error
        for _, target, missing in sorted(incomplete):
            yield target, missing, True

    def _split(
        self, pdf: Path, pages: int, pages_per_part: int, bytes_per_part: int, is_pruned: bool
    ) -> Iterator[PdfPart]:
        """By qpdf, or by PDFium if the document has too many objects for qpdf's memory."""
        arguments = {
            "path": str(pdf),
            "pages": pages,
            "pages_per_part": pages_per_part,
            "bytes_per_part": bytes_per_part,
            "is_pruned": is_pruned,
        }
        is_begun = False
        try:
            for part in self._split_by("qpdf", arguments):
                is_begun = True
                yield part
        except MemoryLimit:
            if is_begun:
                raise
            yield from self._split_by("pdfium", arguments)

    def _split_by(self, library: str, arguments: Mapping[str, Any]) -> Iterator[PdfPart]:
        with self._scratch.folder() as folder:
            arguments = {**arguments, "folder": str(folder)}
            for part in self._run(f"{_PACKAGE}.{library}:split", arguments, folder):
                path = Path(part["path"])
                if not path.resolve().is_relative_to(folder.resolve()):
                    raise InternalError(f"{path}: a part outside its folder; report this document")
                yield PdfPart(int(part["first_page"]), int(part["last_page"]), path)
                path.unlink(missing_ok=True)

    def _single_value(
        self,
        function: str,
        arguments: Mapping[str, Any],
        folder: Path | None = None,
        *,
        by_page: bool = False,
    ) -> Any:
        values = list(self._run(f"{_PACKAGE}.{function}", arguments, folder, by_page=by_page))
        if len(values) != 1:
            raise InternalError(f"{function} returned {len(values)} values instead of one")
        return values[0]


def _raise_combined(first: DocpipeError, second: DocpipeError) -> NoReturn:
    """Raise the failure that represents those of both engines.

    If the document is the cause for the first engine, but the second one runs out of memory, it is not proven
    that the document is the cause.
    """
    if isinstance(first, DocumentError) and isinstance(second, MemoryLimit):
        raise second from first
    raise first from second


def _is_empty_after_errors(found: Mapping[str, Any]) -> bool:
    signals = found.get("signals", {})
    return bool(signals.get("characters") == 0 and signals["parser_warnings"] > 0)


def _unreadable(page: int, code: str) -> Page:
    return Page(
        page=page,
        width_points=0,
        height_points=0,
        rotation_degrees=0,
        text_characters=0,
        image_cover=0,
        failure=code,
    )
