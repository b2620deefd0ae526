"""The assets: seven stages of a document, each a call to its stage and nothing else.

The inputs of an asset are streams that the IO manager loads by the document's identity, and its
output is a stream that the IO manager keeps. A stream that was made from the same inputs, code and
settings is left as it is and reported as "unchanged". There is no other path: the sensor, a
backfill, the "Materialize" button and ``docpipe run`` all come through here or through the same
workbench.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import dagster as dg

from docpipe_assets.defs.checks import DOCUMENT_CHECK, document_check
from docpipe_assets.defs.partitions import documents
from docpipe_assets.identity import document_of
from docpipe_assets.instance.records.failures import Step, reported
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
from docpipe_assets.runtime.document_pipeline import Workbench

S = TypeVar("S", bound=Records[Any])

GROUP = "document"


def versioned(stream: S) -> dg.Output[S]:
    """The fingerprint is the data version: what was made from equal inputs is shown as equal."""
    return dg.Output(stream, data_version=dg.DataVersion(stream.fingerprint))


def step_of(context: dg.AssetExecutionContext, bench: Workbench) -> Step:
    document, asset = document_of(context.partition_key), context.asset_key.to_user_string()
    code_version = bench.code_versions[asset]
    return Step(context.instance, context.run.run_id, document, asset, code_version, context.retry_number)


def document_asset(
    stage: Stage, *, kinds: set[str], check_specs: Sequence[dg.AssetCheckSpec] = ()
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """What all seven have in common."""
    return dg.asset(
        partitions_def=documents,
        group_name=GROUP,
        io_manager_key="lake",
        kinds=kinds,
        code_version=stage.version,
        check_specs=check_specs,
    )


@document_asset(PIPELINE[RawPdfs], kinds={"s3", "pdf"})
def raw_pdf(context: dg.AssetExecutionContext, bench: dg.ResourceParam[Workbench]) -> dg.Output[RawPdfs]:
    """The document as it arrived: fetched, verified by length, ETag and SHA-256, opened, and pinned.

    Fails for good, and without retries, when the object is not a usable PDF: EMPTY_FILE, NOT_A_PDF,
    UNREADABLE_PDF, PASSWORD_REQUIRED, NO_PAGES, TOO_MANY_PAGES. The failure says what to do; upload a
    good copy under the same key and it is processed by itself. Look at `is_repaired` and `warnings` when
    pages seem to be missing later.
    """
    document = document_of(context.partition_key)
    with reported(step_of(context, bench)):
        return versioned(bench.raw_pdf(document))


@document_asset(PIPELINE[PageSplits], kinds={"pdf"})
def page_splits(
    context: dg.AssetExecutionContext, bench: dg.ResourceParam[Workbench], raw_pdf: RawPdfs
) -> dg.Output[PageSplits]:
    """The document cut into part PDFs of a few pages, and what is known of every page.

    Later stages fetch one part at a time, so their memory does not depend on the document's size.
    """
    with reported(step_of(context, bench)):
        return versioned(bench.page_splits(document_of(context.partition_key), raw_pdf))


@document_asset(PIPELINE[PageTexts], kinds={"pdf", "ocr"})
def ocr_text(
    context: dg.AssetExecutionContext, bench: dg.ResourceParam[Workbench], page_splits: PageSplits
) -> dg.Output[PageTexts]:
    """The text of every page, from its text layer or by OCR, with the reason, confidence and word boxes.

    A page that can't be read does not fail the document: it is counted in `pages_failed` and its row
    says why. One on which text may have been left unread, or in a script that can't be read, is counted in
    `pages_flagged`. ENGINE_FAILED means that the OCR engine is broken on the worker, whatever the document.
    """
    with reported(step_of(context, bench)):
        return versioned(bench.ocr_text(document_of(context.partition_key), page_splits))


@document_asset(PIPELINE[Chunks], kinds={"text"})
def chunks(
    context: dg.AssetExecutionContext, bench: dg.ResourceParam[Workbench], ocr_text: PageTexts
) -> dg.Output[Chunks]:
    """The text in windows of whole sentences, with exact offsets into the document and its pages."""
    with reported(step_of(context, bench)):
        return versioned(bench.chunks(document_of(context.partition_key), ocr_text))


@document_asset(PIPELINE[Mentions], kinds={"text", "ner"})
def mentions(
    context: dg.AssetExecutionContext,
    bench: dg.ResourceParam[Workbench],
    chunks: Chunks,
    ocr_text: PageTexts,
) -> dg.Output[Mentions]:
    """Names, dates, amounts, citations and numbers, each with its quote and its place on the page."""
    with reported(step_of(context, bench)):
        return versioned(bench.mentions(document_of(context.partition_key), chunks, ocr_text))


@document_asset(PIPELINE[CanonicalEntities], kinds={"ner"})
def canonical_entities(
    context: dg.AssetExecutionContext, bench: dg.ResourceParam[Workbench], mentions: Mentions
) -> dg.Output[CanonicalEntities]:
    """Who and what the document names: its mentions resolved within it, each form with the reason."""
    with reported(step_of(context, bench)):
        return versioned(bench.canonical_entities(document_of(context.partition_key), mentions))


@document_asset(PIPELINE[Relationships], kinds={"graph"}, check_specs=[DOCUMENT_CHECK])
def relationships(
    context: dg.AssetExecutionContext,
    bench: dg.ResourceParam[Workbench],
    canonical_entities: CanonicalEntities,
    mentions: Mentions,
    chunks: Chunks,
    ocr_text: PageTexts,
) -> Iterator[dg.Output[Relationships] | dg.AssetCheckResult]:
    """How the document's parts and entities stand to each other, each with the quote that it rests on.

    The last stage: a document whose relationships are materialized is done. Its check tells whether
    all that was made of the document can be relied upon.
    """
    document = document_of(context.partition_key)
    step = step_of(context, bench)
    with reported(step):
        made = versioned(bench.relationships(document, canonical_entities, mentions, chunks, ocr_text))
    yield made
    # By now the relationships are in the lake, where the check reads them.
    with reported(step):
        checked = document_check(bench, document, ocr_text, chunks, mentions, canonical_entities)
    yield checked


DOCUMENT_ASSETS = (raw_pdf, page_splits, ocr_text, chunks, mentions, canonical_entities, relationships)
