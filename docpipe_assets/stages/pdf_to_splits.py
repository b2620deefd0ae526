"""Raw PDF -> page splits: split the document into ranges of pages that are processed one at a time."""

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
    can_escalate: bool = False,
) -> PageSplits:
    """``source`` stores the pinned document, ``parts`` receives the part PDFs.

    Every page has a record; a page that can't be read has a ``failure``. A page that exceeds the memory
    budget raises MemoryLimit if another attempt would have a larger one.
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
                    if can_escalate:
                        _raise_if_out_of_memory(split)
                    yield split
            except (DocumentError, ResourceError) as error:
                raise error.with_context(raw.document) from error

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
    """The properties of each page, under its page number in the document."""
    for page in reader.survey(part.path, part.last_page - part.first_page + 1):
        number = part.first_page + page.page - 1
        failure = UnreadablePdf.code if number in part.missing else page.failure
        yield page.model_copy(update={"page": number, "failure": failure})


def _raise_if_out_of_memory(split: PageSplit) -> None:
    failed = [page.page for page in split.pages if page.failure == MemoryLimit.code]
    if failed:
        raise MemoryLimit(f"page {failed[0]} needs more memory than the budget allows")
