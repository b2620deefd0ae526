"""What a person decides about a document is checked against the ledger, and recorded."""

import dagster as dg

from docpipe_assets.errors import ConfigurationError
from docpipe_assets.instance.records.history import find_entry
from docpipe_assets.instance.records.interventions import record_withdrawal
from docpipe_assets.runtime.document_pipeline import Workbench


def withdraw(
    instance: dg.DagsterInstance, bench: Workbench, document: str, *, reason: str, is_withdrawn: bool
) -> None:
    """Record it. Raises ConfigurationError for a document that is not there."""
    found = find_entry(instance, bench, document)
    if found is None:
        raise ConfigurationError(f"{document}: no such document; docpipe status lists them all")
    record_withdrawal(instance, found.document, reason=reason, is_withdrawn=is_withdrawn)
