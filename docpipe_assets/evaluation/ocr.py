"""Evaluates OCR engines on pages of known text, rendered and read as in the pipeline."""

import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from docpipe_assets.engines.ocr_pool import OcrLimits, OcrPool, empty_page
from docpipe_assets.errors import ConfigurationError, DocumentError, ResourceError
from docpipe_assets.evaluation.text_score import TextScore, score
from docpipe_assets.model import PAGE_SEPARATOR
from docpipe_assets.protocols import PageImage
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.runtime.meter import PeakMemory, process_tree
from docpipe_assets.settings import Settings

IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
_DPI_OF_AN_IMAGE_WITHOUT = 300.0
_SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Pair:
    """A document and the texts of its pages."""

    name: str
    """Path below the given folder."""
    document: Path
    texts: tuple[str, ...]

    @property
    def kind(self) -> str:
        """The folder of the document; results are summarized by folder."""
        return Path(self.name).parent.as_posix() if "/" in self.name else "pages"


@dataclass(frozen=True)
class PageResult:
    """The result of an engine on one page."""

    engine: str
    kind: str
    document: str
    page: int
    score: TextScore
    cpu_seconds: float
    peak_bytes: int
    """Peak memory of the processes that read it, sampled, without the renderer and this process."""
    text: str
    error: str | None = None
    """Error code if the page could not be read; it then counts as a page without text."""

    def as_json(self) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "kind": self.kind,
            "document": self.document,
            "page": self.page,
            **rates(self.score),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "peak_bytes": self.peak_bytes,
            "error": self.error,
            "counts": asdict(self.score),
            "text": self.text,
        }


@dataclass(frozen=True)
class Summary:
    """The result of an engine on the pages of a folder: summed counts, CPU seconds per page, the largest
    peak.
    """

    kind: str
    engine: str
    pages: int
    score: TextScore
    cpu_seconds: float
    peak_bytes: int
    failed: int


def rates(of: TextScore) -> dict[str, float]:
    return {
        "cer": round(of.character_error_rate, 5),
        "wer": round(of.word_error_rate, 5),
        "word_f1": round(of.word_f1, 5),
        "order_free_f1": round(of.order_free_f1, 5),
    }


def find_pairs(folder: Path) -> list[Pair]:
    """The PDFs and page images below a folder, each with its text in a ``.txt`` file of the same name.

    The texts of several pages are separated by form feeds. Raises ConfigurationError if there is no document,
    or if the text of one is missing or empty.
    """
    documents = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".pdf", *IMAGES) and p.is_file())
    if not documents:
        raise ConfigurationError(f"{folder}: contains no PDF and no page image ({', '.join(IMAGES)})")
    pairs = []
    for document in documents:
        name = document.relative_to(folder).as_posix()
        truth = document.with_suffix(".txt")
        if not truth.is_file():
            raise ConfigurationError(
                f"{name}: its text is missing; write the text of its pages to {truth.name}"
            )
        text = truth.read_text("utf-8")
        if not text.strip():
            raise ConfigurationError(
                f"{name}: its text {truth.name} is empty; write the text of the page, or remove the page"
            )
        pairs.append(Pair(name, document, tuple(text.removesuffix(PAGE_SEPARATOR).split(PAGE_SEPARATOR))))
    return pairs


def evaluate(pairs: Sequence[Pair], engines: Sequence[str], settings: Settings) -> Iterator[PageResult]:
    """Read every page with every engine, one process each; models are loaded before the first page.

    Raises ConfigurationError if an engine is not installed, or if a document has another number of pages than
    texts.
    """
    pipeline = DocumentPipeline(settings)
    limits = OcrLimits(1, settings.ocr_memory_bytes, settings.page_cpu_seconds * 10)
    pools = {name: OcrPool(name, limits) for name in engines}
    try:
        for pool in pools.values():
            _load(pool, pipeline)
        for pair in pairs:
            with _as_pdf(pair.document, pipeline) as pdf:
                pages = pipeline.reader.inspect(pdf, settings.max_pages).pages
                if pages != len(pair.texts):
                    raise ConfigurationError(
                        f"{pair.name}: {pages} pages, {len(pair.texts)} texts; separate them with form feeds"
                    )
                for page, truth in enumerate(pair.texts, start=1):
                    with pipeline.reader.render(pdf, page, settings.ocr_dpi) as image:
                        for engine, pool in pools.items():
                            text, code, peak = _read(pool, engine, image)
                            yield PageResult(
                                engine=engine.rpartition(":")[2],
                                kind=pair.kind,
                                document=pair.name,
                                page=page,
                                score=score(text, truth),
                                cpu_seconds=pool.pop_cpu_seconds(),
                                peak_bytes=peak,
                                text=text,
                                error=code,
                            )
    finally:
        for pool in pools.values():
            pool.close()
        pipeline.close()


def summaries(results: Sequence[PageResult]) -> list[Summary]:
    """By folder and engine; and, if there are several folders, over all of them under the name ``all``."""
    kinds = list(dict.fromkeys(result.kind for result in results))
    engines = list(dict.fromkeys(result.engine for result in results))
    groups = [(kind, [r for r in results if r.kind == kind]) for kind in kinds]
    if len(kinds) > 1:
        groups.append(("all", list(results)))
    return [
        _summary(kind, engine, [r for r in group if r.engine == engine])
        for kind, group in groups
        for engine in engines
    ]


def _summary(kind: str, engine: str, results: Sequence[PageResult]) -> Summary:
    return Summary(
        kind=kind,
        engine=engine,
        pages=len(results),
        score=sum((r.score for r in results), TextScore()),
        cpu_seconds=sum(r.cpu_seconds for r in results) / max(len(results), 1),
        peak_bytes=max((r.peak_bytes for r in results), default=0),
        failed=sum(r.error is not None for r in results),
    )


def _load(pool: OcrPool, pipeline: DocumentPipeline) -> None:
    """Let the engine read an empty page, so that the loading of models is not measured."""
    with pipeline.scratch.folder() as folder:
        pool.read(empty_page(folder, 300.0))
        pool.pop_cpu_seconds()


def _read(pool: OcrPool, engine: str, image: PageImage) -> tuple[str, str | None, int]:
    """The text, the error code if there was an error, and the peak memory in bytes."""
    text, code = "", None
    peak = PeakMemory(lambda: _running(engine), _SAMPLE_SECONDS)
    peak.sample()
    with peak:
        try:
            text = "\n".join(" ".join(word.text for word in line) for line in pool.read(image))
        except (DocumentError, ResourceError) as error:
            code = error.full_code
    return text, code, peak.bytes


def _running(engine: str) -> Iterator[int]:
    """The processes of an engine and their descendants."""
    mark = f"ocr_process\0{engine}\0".encode()
    readers = [pid for pid in process_tree(os.getpid()) if mark in _command(pid)]
    return chain.from_iterable(map(process_tree, readers))


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it ended meanwhile
        return b""


@contextmanager
def _as_pdf(document: Path, pipeline: DocumentPipeline) -> Iterator[Path]:
    """The document itself, or a PDF with its images as pages, pixel for pixel."""
    if document.suffix.lower() == ".pdf":
        yield document
        return
    with pipeline.scratch.folder() as folder:
        pdf = folder / "images.pdf"
        pdf.write_bytes(_pdf_of_images(document))
        yield pdf


def _pdf_of_images(path: Path) -> bytes:
    from PIL import Image, ImageSequence, UnidentifiedImageError

    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    kids = []
    try:
        with Image.open(path) as image:
            for frame in ImageSequence.Iterator(image):
                dpi_x, dpi_y = frame.info.get("dpi") or (_DPI_OF_AN_IMAGE_WITHOUT,) * 2
                width, height = frame.width * 72 / float(dpi_x), frame.height * 72 / float(dpi_y)
                number = len(objects) + 1
                pixels = zlib.compress(frame.convert("L").tobytes(), 1)
                drawing = b"q %.3f 0 0 %.3f 0 0 cm /I Do Q" % (width, height)
                objects += [
                    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.3f %.3f] /Contents %d 0 R"
                    b" /Resources << /XObject << /I %d 0 R >> >> >>"
                    % (width, height, number + 1, number + 2),
                    b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing),
                    b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray"
                    b" /BitsPerComponent 8 /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream"
                    % (frame.width, frame.height, len(pixels), pixels),
                ]
                kids.append(b"%d 0 R" % number)
    except (UnidentifiedImageError, OSError) as exc:
        raise ConfigurationError(f"{path.name} is not a readable image: {exc}") from exc
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    written, starts = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        starts.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    return (
        written
        + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\n"
        % (
            len(objects) + 1,
            table,
            len(objects) + 1,
        )
        + b"startxref\n%d\n%%%%EOF\n" % len(written)
    )
