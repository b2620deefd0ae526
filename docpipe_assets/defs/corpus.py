"""Corpus assets: what is said of all documents together."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from docpipe_assets.bates.findings import BatesSummary
from docpipe_assets.identity import document_of
from docpipe_assets.instance.records.history import read_ledger
from docpipe_assets.model import PageTexts, RawPdfs, TextMethod
from docpipe_assets.operations.batch_report import (
    BatchReport,
    ReadDocument,
    batches_table,
    bates_table,
    duplicates_table,
    open_table,
    report_on,
)
from docpipe_assets.operations.ledger import State
from docpipe_assets.runtime.document_pipeline import Workbench
from docpipe_assets.runtime.summaries import BATES, FLAGGED_PAGES

_RECORDS_AT_ONCE = 1000
_ASSET = "batch_report"
UNACCOUNTED_CHECK = dg.AssetCheckSpec(
    "unaccounted_is_zero",
    asset=_ASSET,
    blocking=True,
    description=(
        "Every document in the bucket or in Dagster is in exactly one state, and every page of a finished "
        "document was read, blank or is named as failed. When this fails something was lost: the report "
        "names it."
    ),
)


@dg.asset(group_name="corpus", kinds={"s3"}, check_specs=[UNACCOUNTED_CHECK])
def batch_report(
    context: dg.AssetExecutionContext, bench: dg.ResourceParam[Workbench]
) -> Iterator[dg.MaterializeResult[Any]]:
    """The ledger: how many documents are in which state, batch by batch, and what to do about the rest.

    Materialize it whenever you want to know; it reads the bucket's listing and Dagster's records, and
    touches no document. One report covers all batches, without partitions: reading the records costs
    the same for one as for all, a document outside every expected batch must show too, and the plots of
    its metadata over time are the history of the whole. `discovered` is the sum of all states;
    `unaccounted` has to be 0. `bates` names what to look at in the Bates labels: gaps, numbers that are
    there twice, missing stamps. The JSON in the lake lists every document.
    """
    report = report_on(read_ledger(context.instance, bench), dict(read_documents(context.instance)))
    url = _keep(bench, report)
    yield dg.MaterializeResult(
        metadata=_described(report, url),
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


def read_documents(instance: dg.DagsterInstance) -> Iterator[tuple[str, ReadDocument]]:
    """Version and pages of every document, as its newest materializations tell."""
    texts = dict(_newest(instance, PageTexts.asset))
    for key, opened in _newest(instance, RawPdfs.asset):
        read = texts.get(key)
        yield (
            document_of(key),
            ReadDocument(
                version=str(opened["version"]),
                pages=int(opened["pages"]),
                read_version=str(read["version"]) if read else None,
                pages_by_method=(
                    {m.value: int(read.get(f"pages_{m.value}", 0)) for m in TextMethod} if read else None
                ),
                bates=BatesSummary.from_json(read[BATES]) if read and BATES in read else None,
                pages_flagged=int(read.get(FLAGGED_PAGES, 0)) if read else 0,
            ),
        )


def _newest(instance: dg.DagsterInstance, asset: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The metadata of each partition's newest materialization, in bulk."""
    seen: set[str] = set()
    cursor: str | None = None
    while True:
        found = instance.fetch_materializations(dg.AssetKey(asset), limit=_RECORDS_AT_ONCE, cursor=cursor)
        for record in found.records:
            made = record.asset_materialization
            if made and made.partition and made.partition not in seen and "pages" in made.metadata:
                seen.add(made.partition)
                yield made.partition, {name: value.value for name, value in made.metadata.items()}
        cursor = found.cursor
        if not found.has_more:
            return


def _keep(bench: Workbench, report: BatchReport) -> str:
    """Write the JSON under the time it was made at; what earlier reports said stays to be compared."""
    made_at = datetime.now(UTC)
    key = f"{_ASSET}/{made_at:%Y-%m-%dT%H-%M-%S-%fZ}.json"
    with bench.scratch.folder() as folder:
        path = folder / "report.json"
        with path.open("w", encoding="utf-8") as sink:
            json.dump(
                {"made_at": made_at.isoformat(), **report.as_json()}, sink, ensure_ascii=False, indent=1
            )
        bench.lake.store.put(key, path)
    return f"{bench.lake.store.url}/{key}"


def _described(report: BatchReport, url: str) -> dict[str, Any]:
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
        "not_done": dg.MetadataValue.md(open_table(report)),
        "duplicates": dg.MetadataValue.md(duplicates_table(report)),
        "bates": dg.MetadataValue.md(bates_table(report)),
        "artifact": dg.MetadataValue.url(url),
    }


def _unaccounted(report: BatchReport) -> list[str]:
    lost = [entry.document for entry in report.ledger.entries if entry.state is State.UNACCOUNTED]
    return [*lost, *report.pageless]
