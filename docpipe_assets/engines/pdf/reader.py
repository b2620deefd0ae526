"""The PdfReader: sends each call to the library that does it best, in a capped child process.

Where that library fails, hangs or dies, another one gets one try, and work goes on behind a page
that defeats both.
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
"""What the sandbox imports once, before it forks a child for each call."""

_IMAGE_BYTES_MAX = 30 * 1024 * 1024
"""A page at 300 dpi in colour, 25 MB, is PDFium's. One at 600 dpi in grey is MuPDF's, which shows it for the
same CPU in half of the 116 MB that PDFium takes."""
_FAILED_PAGES_MAX = 5
"""So many pages of one part may defeat the survey at full price; the rest of the part is given up."""


class Runner(Protocol):
    """Runs a generator function, named ``module:function``, in a capped child process.

    ``by_page``: each value it gives is a page, and may use up the CPU budget of a page only.
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
    """PyMuPDF, PDFium and qpdf behind one protocol; nothing of them is loaded in this process."""

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
                _raise_of(error, second)

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
                    if last > 0:  # some parts are kept already, and another source might be cut elsewhere
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
        found = self._only("ink:around_words", arguments, by_page=True)
        return {name: float(value) for name, value in found.items()}

    def _rendered(self, arguments: Mapping[str, Any], folder: Path) -> Any:
        """By PDFium, or where that fails by MuPDF, which unpacks an image no larger than it is shown."""

        def render(library: str, **limits: int | None) -> Any:
            return self._only(f"{library}:render", {**arguments, **limits}, folder, by_page=True)

        try:
            return render("pdfium", image_bytes_max=_IMAGE_BYTES_MAX)
        except (DocumentError, ResourceError) as error:
            try:
                return render("pymupdf")
            except (DocumentError, ResourceError) as second:
                if not isinstance(error, MemoryLimit):
                    _raise_of(error, second)
        return render("pdfium", image_bytes_max=None)

    def _inspect(self, library: str, pdf: Path, max_pages: int) -> PdfFacts:
        found = self._only(f"{library}:inspect", {"path": str(pdf), "max_pages": max_pages})
        return PdfFacts(**{**found, "warnings": tuple(found["warnings"])})

    def _page_by_page(self, function: str, pdf: Path, first: int) -> Iterator[Mapping[str, Any]]:
        """What MuPDF finds on each page, or PDFium where MuPDF fails; raises where both do."""
        began = 0
        while began < first:
            began = first
            try:
                arguments = {"path": str(pdf), "first": first}
                for found in self._run(f"{_PACKAGE}.pymupdf:{function}", arguments, by_page=True):
                    if _is_empty_by_fault(found):
                        found = self._second_look(pdf, found)
                    first += 1
                    yield found
                return
            except (DocumentError, ResourceError) as error:
                is_slow_page = isinstance(error, CpuTimeout) and error.is_page
                if first > began and not is_slow_page:
                    continue  # the pages before it may be to blame: once more, in a fresh process
                try:
                    found = self._only(f"pdfium:{function}", {"path": str(pdf), "page": first}, by_page=True)
                except (DocumentError, ResourceError) as second:
                    _raise_of(error, second)
                first += 1
                yield found

    def _second_look(self, pdf: Path, found: Mapping[str, Any]) -> Mapping[str, Any]:
        """What PDFium reads on a page on which MuPDF met with damage and found nothing."""
        try:
            other = self._only("pdfium:read", {"path": str(pdf), "page": found["page"]}, by_page=True)
        except MemoryLimit:  # with more of it there may be something to read
            raise
        except (DocumentError, ResourceError):
            return found
        return other if other["lines"] else found

    def _sources(
        self, pdf: Path, pages: int, is_damaged: bool, folder: Path
    ) -> Iterator[tuple[Path, list[int], bool]]:
        """What to cut, the next one where cutting fails: the file, its pages that are empty for want of
        the real ones, and whether parts are freed from resources that they do not use.

        To see which are used, qpdf unpacks the pages' contents; a decompression bomb forbids that.
        """
        if not is_damaged:
            yield pdf, [], True
            yield pdf, [], False
        incomplete: list[tuple[int, Path, list[int]]] = []
        short_of_memory: MemoryLimit | None = None
        for number, function in enumerate(("pymupdf:copy", "pdfium:rebuild", "pymupdf:rebuild")):
            target = folder / f"{number}.pdf"
            arguments = {"path": str(pdf), "pages": pages, "target": str(target)}
            try:
                missing = list(map(int, self._only(function, arguments, folder)))
            except MemoryLimit as error:
                short_of_memory = error
                continue
            except (DocumentError, ResourceError):
                continue
            if not missing:
                yield target, missing, True
            elif len(missing) < pages:
                incomplete.append((len(missing), target, missing))
        if is_damaged:  # qpdf repairs, too, and is refused if it finds another number of pages
            yield pdf, [], True
        if short_of_memory is not None:  # with more of it no page might be missing
            raise short_of_memory
        for _, target, missing in sorted(incomplete):
            yield target, missing, True

    def _split(
        self, pdf: Path, pages: int, pages_per_part: int, bytes_per_part: int, is_pruned: bool
    ) -> Iterator[PdfPart]:
        """By qpdf, or by PDFium where qpdf has no memory for a document's objects."""
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

    def _only(
        self,
        function: str,
        arguments: Mapping[str, Any],
        folder: Path | None = None,
        *,
        by_page: bool = False,
    ) -> Any:
        values = list(self._run(f"{_PACKAGE}.{function}", arguments, folder, by_page=by_page))
        if len(values) != 1:
            raise InternalError(f"{function} gave {len(values)} values where one was due")
        return values[0]


def _raise_of(first: DocpipeError, second: DocpipeError) -> NoReturn:
    """The failure that both engines' come to.

    What is the document's fault to the first engine, and too large for the second one's memory, is not
    proven to be the document's fault.
    """
    if isinstance(first, DocumentError) and isinstance(second, MemoryLimit):
        raise second from first
    raise first from second


def _is_empty_by_fault(found: Mapping[str, Any]) -> bool:
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
