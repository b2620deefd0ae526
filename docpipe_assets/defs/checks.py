"""Asset checks: the audit of a document, reported with its last asset.

One check per document and not one per question, because every check costs three of about sixty events per
run. It is evaluated in the step of ``relationships``, after these are in the lake, so it also runs again
whenever a person materializes that asset, unchanged or not.
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
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.runtime.summaries import BATES
from docpipe_assets.text.page_ranges import ranges

with warnings.catch_warnings():
    # The check belongs to one document; partitioned checks are still a preview feature of Dagster.
    warnings.simplefilter("ignore", dg.PreviewWarning)
    DOCUMENT_CHECK = dg.AssetCheckSpec(
        "evidence",
        asset=Relationships.asset,
        partitions_def=documents,
        description=(
            "Error: a page is not accounted for, a quote differs from the text at its place, or an end of a "
            "relationship does not exist; materialize the assets of the document again. Warning: the "
            "document is partial (the failed pages are listed with their codes), was repaired, has pages "
            "that were read incompletely or with low OCR confidence, or has Bates labels that are missing, "
            "duplicated, out of sequence or different from its name; check these pages before relying on "
            "them."
        ),
    )


def document_check(
    pipeline: DocumentPipeline,
    document: str,
    pages: PageTexts,
    chunks: Chunks,
    mentions: Mentions,
    entities: CanonicalEntities,
) -> dg.AssetCheckResult:
    """The audit of the artifacts in the lake; an artifact that can't be read completely is a finding too.

    Raises the error of the store if it does not respond.
    """
    found, labels = Audit(), BatesSummary()
    try:
        raw_pdf: RawPdf = next(iter(pipeline.load(RawPdfs, document)))
        found = audit(
            raw_pdf,
            pages=pages.view_as(PageProse),
            chunks=chunks,
            mentions=mentions,
            entities=entities,
            relationships=pipeline.load(Relationships, document),
        )
        header = pipeline.lake.header(PageTexts, document)
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
    """Faults first; the all-clear text is left out if there are label findings."""
    bates = "; ".join(f"Bates: {one.what}" for one in labels.findings[:3])
    if not bates:
        return str(found)
    return f"{found}; {bates}" if found.faults or found.remarks else bates


def _described(document: str, found: Audit, labels: BatesSummary) -> dict[str, Any]:
    """Metadata of the check; zero and empty values are left out, except the main counts."""
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
