"""Records withdrawals, after a check against the ledger."""

import dagster as dg

from docpipe_assets.errors import ConfigurationError
from docpipe_assets.instance.records.history import find_entry
from docpipe_assets.instance.records.interventions import record_withdrawal
from docpipe_assets.runtime.document_pipeline import DocumentPipeline


def withdraw(
    instance: dg.DagsterInstance,
    pipeline: DocumentPipeline,
    document: str,
    *,
    reason: str,
    is_withdrawn: bool,
) -> None:
    """Record a withdrawal or its undo. Raises ConfigurationError for an unknown document."""
    found = find_entry(instance, pipeline, document)
    if found is None:
        raise ConfigurationError(f"{document}: no such document; docpipe status lists all documents")
    record_withdrawal(instance, found.document, reason=reason, is_withdrawn=is_withdrawn)
