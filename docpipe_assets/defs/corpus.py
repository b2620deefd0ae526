"""Corpus assets: assets over all documents."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from docpipe_assets.bates.findings import BatesSummary
from docpipe_assets.identity import document_of, partition_key
from docpipe_assets.instance.records.changes import changed_since
from docpipe_assets.instance.records.events import event_records
from docpipe_assets.instance.records.history import read_ledger
from docpipe_assets.instance.records.names import asset_key
from docpipe_assets.model import PageTexts, RawPdfs, TextMethod
from docpipe_assets.model.corpus import BatchReportRows, DocumentPages
from docpipe_assets.operations.batch_report import (
    BatchReport,
    ReadDocument,
    batches_table,
    bates_table,
    duplicates_table,
    report_on,
    unfinished_table,
)
from docpipe_assets.operations.ledger import State
from docpipe_assets.pipeline import BATCH_REPORT, CorpusStage, Stream
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.runtime.summaries import BATES, FLAGGED_PAGES
from docpipe_assets.storage.corpus import Updated

_RECORDS_AT_ONCE = 1000
UNACCOUNTED_CHECK = dg.AssetCheckSpec(
    "unaccounted_is_zero",
    asset=BATCH_REPORT.asset,
    blocking=True,
    description=(
        "Every document in the bucket or in Dagster is in exactly one state, and every page of a finished "
        "document was read, is blank, or is listed as failed. If this check fails, documents were not "
        "registered in time (is the daemon running?) or results are missing; the report lists them."
    ),
)


def corpus_asset(
    stage: CorpusStage, *, kinds: set[str], check_specs: Sequence[dg.AssetCheckSpec] = ()
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """The decorator of a corpus asset: group, lineage and code version come from its ``CorpusStage``."""
    return dg.asset(
        name=stage.asset,
        deps=[asset_key(stream) for stream in stage.inputs],
        group_name="corpus",
        kinds=kinds,
        code_version=stage.version,
        check_specs=check_specs,
    )


@corpus_asset(BATCH_REPORT, kinds={"s3"}, check_specs=[UNACCOUNTED_CHECK])
def batch_report(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[DocumentPipeline]
) -> Iterator[dg.MaterializeResult[Any]]:
    """The ledger: the number of documents in each state by batch, with advice for unfinished documents.

    Materialize it at any time; it reads the bucket listing and Dagster's records and does not process
    documents. One unpartitioned report covers all batches: reading the records costs the same for one
    batch as for all, documents outside the expected batches must appear too, and the plots of its metadata
    show the history of the whole matter. `discovered` is the sum of all states; `unaccounted` has to be 0.
    `bates` lists findings on Bates labels: gaps, duplicate numbers, missing stamps. The JSON in the lake
    lists every document.
    """
    documents: dict[str, ReadDocument] = {}
    update: dict[str, int] = {}

    def count_pages() -> dict[str, int]:
        updated = _update_rows(context.instance, pipeline)
        update.update(documents_read=updated.changed_documents, shards_written=updated.written_shards)
        documents.update(
            (row.document, _read_document(row)) for row in pipeline.lake.corpus(BatchReportRows).rows()
        )
        return {partition_key(document): read.pages for document, read in documents.items()}

    report = report_on(read_ledger(context.instance, pipeline, count_pages=count_pages), documents)
    url = _write_json(pipeline, report)
    yield dg.MaterializeResult(
        metadata=_metadata(report, url) | update,
        check_results=[
            dg.AssetCheckResult(
                check_name=UNACCOUNTED_CHECK.name,
                passed=report.unaccounted == 0,
                severity=dg.AssetCheckSeverity.ERROR,
                metadata={
                    "documents": report.ledger.count(State.UNACCOUNTED),
                    "documents_without_pages": len(report.pageless),
                    "pages": report.pages.unaccounted,
                    "named": dg.MetadataValue.json(_unaccounted(report)[:100]),
                },
            )
        ],
    )


CORPUS_ASSETS = (batch_report,)


def _update_rows(instance: dg.DagsterInstance, pipeline: DocumentPipeline) -> Updated:
    """Apply the changes since the previous report, or rebuild if there is none by this code version."""
    corpus = pipeline.lake.corpus(BatchReportRows)
    changes = changed_since(
        instance,
        BATCH_REPORT.inputs,
        corpus.cursor(BATCH_REPORT.version),
        lateness=timedelta(seconds=pipeline.settings.event_lateness_seconds),
    )
    return corpus.update(
        read_documents(instance, changes.keys),
        cursor=changes.cursor,
        code_version=BATCH_REPORT.version,
        is_rebuild=changes.is_full_listing,
    )


def read_documents(
    instance: dg.DagsterInstance, keys: Collection[str]
) -> Iterator[tuple[str, DocumentPages | None]]:
    """Version and pages of these documents, from their latest materializations."""
    named = sorted(keys)
    for start in range(0, len(named), _RECORDS_AT_ONCE):
        some = named[start : start + _RECORDS_AT_ONCE]
        raw_pdfs = dict(_newest(instance, RawPdfs, some))
        texts = dict(_newest(instance, PageTexts, some))
        for key in some:
            yield document_of(key), _row(key, raw_pdfs[key], texts.get(key)) if key in raw_pdfs else None


def all_documents(instance: dg.DagsterInstance) -> dict[str, ReadDocument]:
    """Version and pages of all documents, from Dagster's records without the corpus artifact."""
    keys = instance.get_materialized_partitions(asset_key(RawPdfs))
    return {
        document: _read_document(row) for document, row in read_documents(instance, keys) if row is not None
    }


def _row(
    key: str, raw_pdf_metadata: Mapping[str, Any], text_metadata: Mapping[str, Any] | None
) -> DocumentPages:
    text = text_metadata or {}
    return DocumentPages(
        document=document_of(key),
        version=str(raw_pdf_metadata["version"]),
        made_from=" ".join(
            str(one["fingerprint"]) for one in (raw_pdf_metadata, text) if "fingerprint" in one
        ),
        pages=int(raw_pdf_metadata["pages"]),
        read_version=str(text["version"]) if text else None,
        pages_by_method={m.value: int(text.get(f"pages_{m.value}", 0)) for m in TextMethod} if text else None,
        pages_flagged=int(text.get(FLAGGED_PAGES, 0)) if text else 0,
        bates=text.get(BATES) if text else None,
    )


def _read_document(row: DocumentPages) -> ReadDocument:
    bates = BatesSummary.from_json(row.bates) if row.bates is not None else None
    return ReadDocument(
        row.version, row.pages, row.read_version, row.pages_by_method, bates, row.pages_flagged
    )


def _newest(
    instance: dg.DagsterInstance, stream: Stream, keys: Sequence[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The metadata of each partition's latest materialization, read in bulk."""
    filters = dg.AssetRecordsFilter(asset_key=asset_key(stream), asset_partitions=list(keys))
    seen: set[str] = set()
    for record in event_records(instance.fetch_materializations, filters):
        made = record.asset_materialization
        if made and made.partition and made.partition not in seen and "pages" in made.metadata:
            seen.add(made.partition)
            yield made.partition, {name: value.value for name, value in made.metadata.items()}


def _write_json(pipeline: DocumentPipeline, report: BatchReport) -> str:
    """Write the JSON under the time of the report; earlier reports are kept for comparison."""
    made_at = datetime.now(UTC)
    key = f"{BATCH_REPORT.asset}/{made_at:%Y-%m-%dT%H-%M-%S-%fZ}.json"
    with pipeline.scratch.folder() as folder:
        path = folder / "report.json"
        with path.open("w", encoding="utf-8") as sink:
            json.dump(
                {"made_at": made_at.isoformat(), **report.as_json()}, sink, ensure_ascii=False, indent=1
            )
        pipeline.lake.store.put(key, path)
    return f"{pipeline.lake.store.url}/{key}"


def _metadata(report: BatchReport, url: str) -> dict[str, Any]:
    ledger, pages = report.ledger, report.pages
    return {
        "discovered": ledger.discovered,
        **{state.value: ledger.count(state) for state in State},
        "not_documents": ledger.not_documents,
        "pages_discovered": pages.discovered,
        "pages_text_layer": pages.text_layer,
        "pages_ocr": pages.ocr,
        "pages_both": pages.both,
        "pages_blank": pages.blank,
        "pages_failed": pages.failed,
        "pages_in_open_documents": pages.in_open_documents,
        "pages_unaccounted": pages.unaccounted,
        "pages_flagged": pages.flagged,
        "groups_of_duplicates": len(report.duplicates),
        "bates_findings": len(report.bates),
        "batches": dg.MetadataValue.md(batches_table(report)),
        "not_done": dg.MetadataValue.md(unfinished_table(report)),
        "duplicates": dg.MetadataValue.md(duplicates_table(report)),
        "bates": dg.MetadataValue.md(bates_table(report)),
        "artifact": dg.MetadataValue.url(url),
    }


def _unaccounted(report: BatchReport) -> list[str]:
    lost = [entry.document for entry in report.ledger.entries if entry.state is State.UNACCOUNTED]
    return [*lost, *report.pageless]
