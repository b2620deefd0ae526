"""Raw PDF -> page splits: cut the document into windows of pages that are worked on one at a time."""

from collections.abc import Iterator

from docpipe_assets.errors import DocumentError, MemoryLimit, ResourceError, UnreadablePdf
from docpipe_assets.model import Page, PageSplit, PageSplits, RawPdf, RawPdfs
from docpipe_assets.pipeline import PIPELINE
from docpipe_assets.protocols import PartStore, PdfPart, PdfReader


def pdf_to_splits(
    raw_pdf: RawPdfs,
    *,
    reader: PdfReader,
    source: PartStore,
    parts: PartStore,
    pages_per_part: int,
    bytes_per_part: int,
    has_larger_budget: bool = False,
) -> PageSplits:
    """``source`` holds the pinned document, ``parts`` takes the part PDFs.

    Every page has its record, also one that can't be read: that one has a ``failure``. A page for which
    the memory does not suffice raises MemoryLimit while another attempt would have more.
    """
    settings = {
        "pages_per_part": pages_per_part,
        "bytes_per_part": bytes_per_part,
        "reader": reader.version,
    }
    made_from = PIPELINE.fingerprint(PageSplits, settings, [raw_pdf])

    def read() -> Iterator[PageSplit]:
        for raw in raw_pdf:
            try:
                for split in _split(raw, reader, source, parts, pages_per_part, bytes_per_part):
                    if has_larger_budget:
                        _refuse_for_want_of_memory(split)
                    yield split
            except (DocumentError, ResourceError) as error:
                raise error.about(raw.document) from error

    return PageSplits(made_from, read)


def _split(
    raw: RawPdf,
    reader: PdfReader,
    source: PartStore,
    parts: PartStore,
    pages_per_part: int,
    bytes_per_part: int,
) -> Iterator[PageSplit]:
    with source.fetch(raw.pdf) as path:
        cut = reader.split(path, raw.pages, pages_per_part, bytes_per_part, is_damaged=raw.is_repaired)
        for number, part in enumerate(cut, start=1):
            yield PageSplit(
                document=raw.document,
                version=raw.version,
                split=number,
                first_page=part.first_page,
                last_page=part.last_page,
                part=parts.keep(f"{part.first_page:06d}-{part.last_page:06d}.pdf", part.path),
                pages=tuple(_survey(part, reader)),
            )


def _survey(part: PdfPart, reader: PdfReader) -> Iterator[Page]:
    """What is known of each page, under its number in the document."""
    for page in reader.survey(part.path, part.last_page - part.first_page + 1):
        number = part.first_page + page.page - 1
        failure = UnreadablePdf.code if number in part.missing else page.failure
        yield page.model_copy(update={"page": number, "failure": failure})


def _refuse_for_want_of_memory(split: PageSplit) -> None:
    wanting = [page.page for page in split.pages if page.failure == MemoryLimit.code]
    if wanting:
        raise MemoryLimit(f"page {wanting[0]} wants more memory than there is")
