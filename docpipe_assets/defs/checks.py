"""Asset checks: the audit of a document, reported with the asset that finishes it.

One check a document and not one for each question: every check costs three events of some sixty a
run. It is evaluated in the step that makes ``relationships``, after these are in the lake, so that
it is also made anew whenever a person materializes that asset, unchanged or not.
"""

import warnings
from typing import Any

import dagster as dg

from docpipe_assets.bates.findings import BatesSummary
from docpipe_assets.defs.partitions import documents
from docpipe_assets.errors import ArtifactError
from docpipe_assets.model import (
    CanonicalEntities,
    Chunks,
    Mentions,
    PageProse,
    PageTexts,
    RawPdf,
    RawPdfs,
    Relationships,
)
from docpipe_assets.operations.audit import Audit, Fault, audit
from docpipe_assets.runtime.document_pipeline import Workbench
from docpipe_assets.runtime.summaries import BATES
from docpipe_assets.text.page_ranges import ranges

with warnings.catch_warnings():
    # The check belongs to one document; Dagster still calls checks with partitions a preview.
    warnings.simplefilter("ignore", dg.PreviewWarning)
    DOCUMENT_CHECK = dg.AssetCheckSpec(
        "evidence",
        asset=Relationships.asset,
        partitions_def=documents,
        description=(
            "Error: a page is not accounted for, a quote does not stand where its place says, or an end of "
            "a relationship does not exist; materialize the document's assets again. Warning: the document "
            "is partial (its failed pages and their codes are named), was repaired, has pages that were not "
            "read whole or that OCR was unsure of, or has Bates labels that are missing, doubled, out of "
            "step or not as it is named; look at these pages before relying on them."
        ),
    )


def document_check(
    bench: Workbench,
    document: str,
    pages: PageTexts,
    chunks: Chunks,
    mentions: Mentions,
    entities: CanonicalEntities,
) -> dg.AssetCheckResult:
    """The audit of what is in the lake now; an artifact that can't be read to its end is a finding too.

    Raises what a store raises when it does not answer.
    """
    found, labels = Audit(), BatesSummary()
    try:
        raw_pdf: RawPdf = next(iter(bench.load(RawPdfs, document)))
        found = audit(
            raw_pdf,
            pages=pages.seen_as(PageProse),
            chunks=chunks,
            mentions=mentions,
            entities=entities,
            relationships=bench.load(Relationships, document),
        )
        header = bench.lake.header(PageTexts, document)
        if header is not None and BATES in header.notes:
            labels = BatesSummary.from_json(header.notes[BATES])
    except ArtifactError as error:
        found.note(Fault.ARTIFACT, error.message)
    return dg.AssetCheckResult(
        check_name=DOCUMENT_CHECK.name,
        passed=found.is_sound and not found.remarks and not labels.findings,
        severity=dg.AssetCheckSeverity.WARN if found.is_sound else dg.AssetCheckSeverity.ERROR,
        description=_said(found, labels),
        metadata=_described(document, found, labels),
    )


def _said(found: Audit, labels: BatesSummary) -> str:
    """Faults first; a document of which nothing is to be said but its labels is not praised."""
    bates = "; ".join(f"Bates: {one.what}" for one in labels.findings[:3])
    if not bates:
        return str(found)
    return f"{found}; {bates}" if found.faults or found.remarks else bates


def _described(document: str, found: Audit, labels: BatesSummary) -> dict[str, Any]:
    """What is nought or empty is left out, save the counts that a person looks for."""
    failed = {code: ranges(pages) for code, pages in sorted(found.failed_pages.items())}
    unsure = [
        f"{page} ({confidence:.2f})"
        for page, confidence in sorted(found.unsure_pages.items(), key=lambda item: item[1])[:40]
    ]
    described: dict[str, Any] = {
        "document": document,
        "pages": found.pages,
        "pages_accounted_for": found.pages_read,
        "quotes": found.quotes,
        "relationships": found.relationships,
    }
    remarks: dict[str, Any] = {
        "faults": sum(found.faults.values()),
        "first_faults": "\n".join(found.examples),
        "failed_pages": failed,
        "flagged_pages": {flag.value: ranges(pages) for flag, pages in found.flagged_pages.items()},
        "unsure_pages": ", ".join(unsure),
        "ungrounded": found.ungrounded,
        "is_repaired": found.is_repaired,
        "has_owner_password": found.is_encrypted,
        "warnings": "\n".join(found.warnings[:20]),
        "bates": "; ".join(map(str, labels.ranges[:20])),
        "bates_findings": "\n".join(f"{one.fault}: {one.what}" for one in labels.findings),
        "bates_repaired": labels.repaired,
    }
    return described | {name: value for name, value in remarks.items() if value}
