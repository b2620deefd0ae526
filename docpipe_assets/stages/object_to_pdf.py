"""S3 object -> raw PDF: fetch one version of a document, verify it, open it, and pin its bytes."""

from collections.abc import Iterator

from docpipe_assets.errors import DocumentError, EmptyFile, ResourceError
from docpipe_assets.identity import object_version
from docpipe_assets.model import RawPdf, RawPdfs
from docpipe_assets.pipeline import PIPELINE
from docpipe_assets.protocols import PartStore, PdfReader, Scratch, Source, StoredObject


def object_to_pdf(
    document: str,
    *,
    intake: Source,
    reader: PdfReader,
    parts: PartStore,
    scratch: Scratch,
    max_pages: int,
) -> RawPdfs:
    """Sends HEAD at once; downloads when the stream is iterated.

    Raises ObjectGone, ObjectChanged if it is replaced during the download, TransferCut if fewer bytes arrive
    than the listed size, and the ``DocumentError`` that applies to its content.
    """
    found = intake.head(document)
    made_from = PIPELINE.fingerprint(
        RawPdfs,
        {"reader": reader.version},
        [document, object_version(found.size_bytes, found.etag, found.version_id)],
    )

    def read() -> Iterator[RawPdf]:
        yield _fetch(found, intake, reader, parts, scratch, max_pages)

    return RawPdfs(made_from, read)


def _fetch(
    found: StoredObject, intake: Source, reader: PdfReader, parts: PartStore, scratch: Scratch, max_pages: int
) -> RawPdf:
    document = found.key
    if found.size_bytes == 0:
        raise EmptyFile(f"{document}: 0 bytes. {EmptyFile.advice}")
    with scratch.folder() as folder:
        path = folder / "document.pdf"
        sha256 = intake.fetch(document, path, found.size_bytes, found.etag)
        try:
            facts = reader.inspect(path, max_pages)
        except (DocumentError, ResourceError) as error:
            raise error.with_context(f"{document} ({found.size_bytes:,} bytes)") from error
        pinned = parts.keep("document.pdf", path, sha256)
    return RawPdf(
        document=document,
        version=sha256,
        size_bytes=found.size_bytes,
        etag=found.etag,
        last_modified=found.last_modified,
        pdf=pinned,
        pages=facts.pages,
        is_encrypted=facts.is_encrypted,
        is_repaired=facts.is_repaired,
        warnings=facts.warnings,
        pdf_version=facts.pdf_version,
        producer=facts.producer,
        title=facts.title,
    )
