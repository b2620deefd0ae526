"""Raw PDF -> page splits: cut the document into windows of pages that are worked on one at a time."""

from collections.abc import Iterator
from contextlib import nullcontext

from docpipe_assets.errors import BadPageTree, DocumentError, ResourceError
from docpipe_assets.identity import fingerprint
from docpipe_assets.model import Page, PageSplit, PageSplits, RawPdf, RawPdfs
from docpipe_assets.protocols import PartStore, PdfPart, PdfReader

VERSION = "1"


def pdf_to_splits(
    raw_pdf: RawPdfs,
    *,
    reader: PdfReader,
    source: PartStore,
    parts: PartStore,
    pages_per_part: int,
    bytes_per_part: int,
) -> PageSplits:
    """``source`` holds the pinned document, ``parts`` takes the part PDFs.

    Raises BadPageTree when the parts hold other pages than the document claims.
    """
    settings = {
        "pages_per_part": pages_per_part,
        "bytes_per_part": bytes_per_part,
        "reader": reader.version,
    }
    made_from = fingerprint(PageSplits.asset, VERSION, settings, [raw_pdf.fingerprint])

    def read() -> Iterator[PageSplit]:
        for raw in raw_pdf:
            try:
                yield from _split(raw, reader, source, parts, pages_per_part, bytes_per_part)
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
    with (
        source.fetch(raw.pdf) as fetched,
        # qpdf and PDFium refuse what MuPDF had to repair, so they are given the repaired file.
        reader.repaired(fetched) if raw.is_repaired else nullcontext(fetched) as path,
    ):
        cut = reader.split(path, raw.pages, pages_per_part, bytes_per_part)
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
    number = part.first_page - 1
    for page in reader.survey(part.path):
        number += 1
        yield page.model_copy(update={"page": number})
    if number != part.last_page:
        raise BadPageTree(
            f"pages {part.first_page} to {part.last_page} were cut out, but page {number} is the last "
            "that can be read there; compare the page count with the source"
        )
