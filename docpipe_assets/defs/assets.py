"""The document assets: one per stage, each a call of its stage function.

The inputs of an asset are streams that the IO manager loads by document; its output is a stream that the IO
manager saves. A stream that was made from the same inputs, code and settings is reported as "unchanged" and
not written. The sensor, a backfill, the "Materialize" button and ``docpipe run`` all use these assets or the
same document pipeline.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import dagster as dg

from docpipe_assets.defs.checks import DOCUMENT_CHECK, document_check
from docpipe_assets.defs.partitions import documents
from docpipe_assets.identity import document_of
from docpipe_assets.instance.records.failures import Step, as_dagster_failure
from docpipe_assets.model import (
    CanonicalEntities,
    Chunks,
    Mentions,
    PageSplits,
    PageTexts,
    RawPdfs,
    Records,
    Relationships,
)
from docpipe_assets.pipeline import PIPELINE, Stage
from docpipe_assets.runtime.document_pipeline import DocumentPipeline

S = TypeVar("S", bound=Records[Any])

GROUP = "document"


def versioned(stream: S) -> dg.Output[S]:
    """Use the fingerprint as data version: outputs of equal inputs have equal data versions."""
    return dg.Output(stream, data_version=dg.DataVersion(stream.fingerprint))


def step_of(context: dg.AssetExecutionContext, pipeline: DocumentPipeline) -> Step:
    document, asset = document_of(context.partition_key), context.asset_key.to_user_string()
    code_version = pipeline.code_versions[asset]
    return Step(context.instance, context.run.run_id, document, asset, code_version, context.retry_number)


def document_asset(
    stage: Stage, *, kinds: set[str], check_specs: Sequence[dg.AssetCheckSpec] = ()
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Common configuration of every document asset."""
    return dg.asset(
        partitions_def=documents,
        group_name=GROUP,
        io_manager_key="lake",
        kinds=kinds,
        code_version=stage.version,
        check_specs=check_specs,
    )


@document_asset(PIPELINE[RawPdfs], kinds={"s3", "pdf"})
def raw_pdf(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[DocumentPipeline]
) -> dg.Output[RawPdfs]:
    """The document as received: fetched, verified by length and ETag, hashed, opened, and pinned.

    Fails permanently, without retries, if the object is not a usable PDF: EMPTY_FILE, NOT_A_PDF,
    UNREADABLE_PDF, PASSWORD_REQUIRED, NO_PAGES, TOO_MANY_PAGES and others. The failure contains
    advice; upload an intact copy under the same key, and it is processed automatically. Check `is_repaired`
    and `warnings` if pages seem to be missing later.
    """
    document = document_of(context.partition_key)
    # Creating a stream can fail too: it reads engine versions for the fingerprint and, here, sends a HEAD
    # request. The IO manager translates the errors of the iteration.
    with as_dagster_failure(step_of(context, pipeline)):
        return versioned(pipeline.raw_pdf(document))


@document_asset(PIPELINE[PageSplits], kinds={"pdf"})
def page_splits(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[DocumentPipeline], raw_pdf: RawPdfs
) -> dg.Output[PageSplits]:
    """The document split into part PDFs of a few pages, with the properties of every page.

    Later stages fetch one part at a time, so their memory does not depend on the size of the document.
    """
    with as_dagster_failure(step_of(context, pipeline)):
        return versioned(pipeline.page_splits(document_of(context.partition_key), raw_pdf))


@document_asset(PIPELINE[PageTexts], kinds={"pdf", "ocr"})
def ocr_text(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[DocumentPipeline], page_splits: PageSplits
) -> dg.Output[PageTexts]:
    """The text of every page, from its text layer or by OCR, with the reason, confidence and word boxes.

    A page that can't be read does not fail the document: it is counted in `pages_failed` and its row
    contains the error code. A page that may have unread text, or is in an unsupported script, is counted
    in `pages_flagged`. ENGINE_FAILED means that the OCR engine on the worker is broken, regardless of the
    document.
    """
    with as_dagster_failure(step_of(context, pipeline)):
        return versioned(pipeline.ocr_text(document_of(context.partition_key), page_splits))


@document_asset(PIPELINE[Chunks], kinds={"text"})
def chunks(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[DocumentPipeline], ocr_text: PageTexts
) -> dg.Output[Chunks]:
    """The text in chunks of whole sentences, with exact offsets into the document and its pages."""
    with as_dagster_failure(step_of(context, pipeline)):
        return versioned(pipeline.chunks(document_of(context.partition_key), ocr_text))


@document_asset(PIPELINE[Mentions], kinds={"text", "ner"})
def mentions(
    context: dg.AssetExecutionContext,
    pipeline: dg.ResourceParam[DocumentPipeline],
    chunks: Chunks,
    ocr_text: PageTexts,
) -> dg.Output[Mentions]:
    """Names, dates, amounts, citations and numbers, each with its quote and its place on the page."""
    with as_dagster_failure(step_of(context, pipeline)):
        return versioned(pipeline.mentions(document_of(context.partition_key), chunks, ocr_text))


@document_asset(PIPELINE[CanonicalEntities], kinds={"ner"})
def canonical_entities(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[DocumentPipeline], mentions: Mentions
) -> dg.Output[CanonicalEntities]:
    """The entities of the document: its mentions resolved within it, each name form with the reason."""
    with as_dagster_failure(step_of(context, pipeline)):
        return versioned(pipeline.canonical_entities(document_of(context.partition_key), mentions))


@document_asset(PIPELINE[Relationships], kinds={"graph"}, check_specs=[DOCUMENT_CHECK])
def relationships(
    context: dg.AssetExecutionContext,
    pipeline: dg.ResourceParam[DocumentPipeline],
    canonical_entities: CanonicalEntities,
    mentions: Mentions,
    chunks: Chunks,
    ocr_text: PageTexts,
) -> Iterator[dg.Output[Relationships] | dg.AssetCheckResult]:
    """The relationships between the entities and elements of the document, each with its supporting quote.

    The last stage: a document whose relationships are materialized is finished. Its check verifies all
    artifacts of the document.
    """
    document = document_of(context.partition_key)
    step = step_of(context, pipeline)
    with as_dagster_failure(step):
        made = versioned(pipeline.relationships(document, canonical_entities, mentions, chunks, ocr_text))
    yield made
    # Dagster passes an output to the IO manager when it is yielded, so the relationships are now in the lake,
    # where the check reads them.
    with as_dagster_failure(step):
        checked = document_check(pipeline, document, ocr_text, chunks, mentions, canonical_entities)
    yield checked


DOCUMENT_ASSETS = (raw_pdf, page_splits, ocr_text, chunks, mentions, canonical_entities, relationships)
