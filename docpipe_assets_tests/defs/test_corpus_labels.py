"""The Bates labels recorded for a document reach the batch report through Dagster's records."""

from typing import Any

import dagster as dg

from docpipe_assets.bates.findings import BatesFault, BatesFinding, BatesRange, BatesSummary
from docpipe_assets.defs.corpus import all_documents
from docpipe_assets.operations.batch_report import label_findings
from docpipe_assets.operations.ledger import Entry, Ledger, State
from docpipe_assets.runtime.summaries import BATES


def record(instance: dg.DagsterInstance, asset: str, document: str, **metadata: Any) -> None:
    recorded = {"version": f"of {document}", "pages": 3, **metadata}
    instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=document, metadata=recorded))


def test_recorded_labels_yield_findings_in_and_between_documents() -> None:
    gap = BatesFinding(BatesFault.GAP, "WOMBAT 000003 (1 page) is not there")
    summaries = {
        "b/x.pdf": BatesSummary(3, ranges=(BatesRange("WOMBAT", 6, 1, 4),), findings=(gap,)),
        "b/y.pdf": BatesSummary(3, repaired="2", ranges=(BatesRange("WOMBAT", 6, 4, 6),)),
    }
    with dg.DagsterInstance.ephemeral() as instance:
        for document, summary in summaries.items():
            record(instance, "raw_pdf", document)
            labels = dg.MetadataValue.json(summary.as_json())
            record(instance, "ocr_text", document, pages_ocr=3, **{BATES: labels})
        record(instance, "raw_pdf", "b/z.pdf")
        read = all_documents(instance)
    assert {document: one.bates for document, one in read.items()} == {**summaries, "b/z.pdf": None}
    ledger = Ledger(tuple(Entry(document, State.SUCCEEDED) for document in read), 0)
    assert [(one.document, one.fault) for one in label_findings(ledger, read)] == [
        ("b/x.pdf", BatesFault.GAP),
        ("", BatesFault.OVERLAP),
    ]
