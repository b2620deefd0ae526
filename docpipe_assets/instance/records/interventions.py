"""Records interventions as observations of an asset, and reads them back.

Observations are part of Dagster's event log: they survive every rebuild of the lake, and nothing changes
them. Wiping the asset in Dagster's UI deletes them.
"""

import getpass
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

import dagster as dg

from docpipe_assets.errors import ConfigurationError
from docpipe_assets.identity import candidate_documents, partition_key
from docpipe_assets.instance.records.events import event_records
from docpipe_assets.instance.records.names import BATCH_PRIORITY, BREAKER, DOCUMENTS
from docpipe_assets.operations.interventions import (
    PRIORITY,
    REINSTATED,
    RESET,
    WITHDRAWN,
    Intervention,
    priorities,
)
from docpipe_assets.pipeline import PIPELINE
from docpipe_assets.settings import Priority

_ACTION_OF: Mapping[dg.AssetKey, str] = {BATCH_PRIORITY: PRIORITY}
"""The action of observations that do not name one: release 0.2 recorded priorities without it."""


def record(
    instance: dg.DagsterInstance,
    asset: dg.AssetKey,
    action: str,
    *,
    reason: str = "",
    document: str | None = None,
    **subject: str,
) -> None:
    """Append an intervention to an asset's events. ``document`` is an S3 key."""
    by = getpass.getuser()
    text = ", ".join([f"{action} by {by}", *(f"{name} {value}" for name, value in subject.items())])
    instance.report_runless_asset_event(
        dg.AssetObservation(
            asset_key=asset,
            partition=partition_key(document) if document is not None else None,
            description=f"{text}: {reason}" if reason else text,
            metadata={**subject, "action": action, "reason": reason, "by": by},
        )
    )


def read_interventions(
    instance: dg.DagsterInstance, asset: dg.AssetKey, after: int = 0
) -> Iterator[Intervention]:
    """The interventions that were recorded on an asset after the one with this number, oldest first."""
    filters = dg.AssetRecordsFilter(asset_key=asset, after_storage_id=after or None)
    for one in event_records(instance.fetch_observations, filters, ascending=True):
        if one.asset_observation is not None:
            yield _intervention(one.storage_id, one.timestamp, one.asset_observation)


def _intervention(number: int, timestamp: float, observed: dg.AssetObservation) -> Intervention:
    subject = {name: str(value.value) for name, value in observed.metadata.items()}
    return Intervention(
        number,
        datetime.fromtimestamp(timestamp, UTC),
        subject.pop("by", None),
        subject.pop("action", _ACTION_OF.get(observed.asset_key, "")),
        subject.pop("reason", ""),
        observed.partition,
        subject,
    )


def registered_document(instance: dg.DagsterInstance, name: str) -> str:
    """The S3 key of a registered document that is named by its S3 key or its partition key.

    Raises ConfigurationError for an unknown document: a mistyped name must not silently succeed.
    """
    for document in candidate_documents(name):
        if instance.has_dynamic_partition(DOCUMENTS, partition_key(document)):
            return document
    raise ConfigurationError(f"{name}: no such document; docpipe status lists all documents")


def reset(
    instance: dg.DagsterInstance, *, documents: Iterable[str], stage: str | None, reason: str
) -> list[str]:
    """Record that the cause of failures is fixed; intake continues at its next tick.

    Returns the names of what was reset. Raises ConfigurationError for an unknown stage or document, before
    anything is recorded.
    """
    named = [registered_document(instance, name) for name in documents]
    if stage is not None and stage not in PIPELINE.assets:
        raise ConfigurationError(f"{stage!r} is not a stage; the stages are {', '.join(PIPELINE.assets)}")
    for document in named:
        record(instance, BREAKER, RESET, reason=reason, document=document)
    if stage is None:
        return named
    record(instance, BREAKER, RESET, reason=reason, stage=stage)
    return [*named, stage]


def record_withdrawal(
    instance: dg.DagsterInstance, document: str, *, reason: str, is_withdrawn: bool
) -> None:
    """Record that a document leaves the matter, or that it returns. ``document`` is an S3 key."""
    action = WITHDRAWN if is_withdrawn else REINSTATED
    record(instance, BREAKER, action, reason=reason, document=document)


def record_priority(instance: dg.DagsterInstance, batch: str, priority: Priority) -> None:
    record(instance, BATCH_PRIORITY, PRIORITY, batch=batch, priority=priority)


def read_priorities(instance: dg.DagsterInstance) -> dict[str, Priority]:
    """The latest recorded priority of each batch."""
    return priorities(read_interventions(instance, BATCH_PRIORITY))
