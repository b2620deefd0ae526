"""Events of the assets ``breaker`` and ``batch_priority``: breaker changes and decisions of people.

Decisions of people are observations, which the fold reads. Breaker changes are materializations for display
only: the partition page of Dagster's UI shows materializations, but not observations.
"""

import getpass
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import dagster as dg

from docpipe_assets.errors import ConfigurationError
from docpipe_assets.identity import candidate_documents, partition_key
from docpipe_assets.instance.records.names import BATCH_PRIORITY, BREAKER, DOCUMENTS
from docpipe_assets.operations.breaker import BreakerStatus, DocumentBreaker, Reset, StageBreaker, advice_on
from docpipe_assets.pipeline import PIPELINE
from docpipe_assets.settings import Priority

_BATCH = 1000


@dataclass(frozen=True)
class Withdrawal:
    """A person withdrew a document from the matter, or reinstated it."""

    key: str
    is_withdrawn: bool
    at: datetime


def registered_document(instance: dg.DagsterInstance, name: str) -> str:
    """The S3 key of a registered document that is named by its S3 key or its partition key.

    Raises ConfigurationError for an unknown document: a mistyped name must not silently succeed.
    """
    for document in candidate_documents(name):
        if instance.has_dynamic_partition(DOCUMENTS, partition_key(document)):
            return document
    raise ConfigurationError(f"{name}: no such document; docpipe status lists all documents")


def reset(instance: dg.DagsterInstance, *, documents: Iterable[str], stage: str | None, reason: str) -> int:
    """Record resets and return their number. Raises ConfigurationError for an unknown stage or document."""
    if stage is not None and stage not in PIPELINE.assets:
        raise ConfigurationError(f"{stage!r} is not a stage; the stages are {', '.join(PIPELINE.assets)}")
    named = [registered_document(instance, name) for name in documents]
    for document in named:
        record_reset(instance, reason=reason, document=document)
    if stage is not None:
        record_reset(instance, reason=reason, stage=stage)
    return len(named) + (stage is not None)


def record_reset(
    instance: dg.DagsterInstance, *, reason: str, document: str | None = None, stage: str | None = None
) -> None:
    """Record that the cause of failures is fixed; intake continues at its next tick.

    ``document`` is an S3 key.
    """
    _record(instance, document, {"action": "reset", "reason": reason, **({"stage": stage} if stage else {})})


def record_withdrawal(
    instance: dg.DagsterInstance, document: str, *, reason: str, is_withdrawn: bool
) -> None:
    action = "withdrawn" if is_withdrawn else "reinstated"
    _record(instance, document, {"action": action, "reason": reason})


def record_priority(instance: dg.DagsterInstance, batch: str, priority: Priority) -> None:
    by = getpass.getuser()
    instance.report_runless_asset_event(
        dg.AssetObservation(
            asset_key=BATCH_PRIORITY,
            description=f"{batch}: {priority}, by {by}",
            metadata={"batch": batch, "priority": priority, "by": by},
        )
    )


def read_priorities(instance: dg.DagsterInstance) -> dict[str, Priority]:
    """The latest recorded priority of each batch."""
    priorities: dict[str, Priority] = {}
    for _, _, _, metadata in _observations(instance, BATCH_PRIORITY):
        priorities[metadata["batch"]] = cast(Priority, metadata["priority"])
    return priorities


def document_state(one: DocumentBreaker, now: datetime) -> dg.AssetMaterialization:
    """The materialization that reports the state of a document's breaker."""
    state = one.state_at(now)
    reason = one.error + (f" in {one.stage}" if one.stage else "")
    if one.status is BreakerStatus.RELEASED:
        reason = f"reset by {one.reset_by or 'unknown'}: {one.reset_reason}"
    return dg.AssetMaterialization(
        asset_key=BREAKER,
        partition=one.key,
        description=f"{state}: {reason}",
        metadata=_without_empty(
            {
                "state": state,
                "reason": reason,
                "error": one.error,
                "stage": one.stage,
                "failures": one.failures,
                "attempts": one.attempts,
                "since": _clock(one.since),
                "next_attempt": _clock(one.next_at) if one.next_at else "none",
                "advice": advice_on(one.error),
                "run": dg.MetadataValue.dagster_run(one.run_id),
            }
        ),
    )


def closed_state(key: str) -> dg.AssetMaterialization:
    reason = "the latest attempt succeeded"
    return dg.AssetMaterialization(
        asset_key=BREAKER,
        partition=key,
        description=f"closed: {reason}",
        metadata={"state": "closed", "reason": reason, "next_attempt": "none"},
    )


def stage_state(one: StageBreaker, now: datetime) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        asset_key=BREAKER,
        description=f"{one.stage} {one.state_at(now)}: {one.reason}",
        metadata=_without_empty(
            {
                "stage": one.stage,
                "state": one.state_at(now),
                "reason": one.reason,
                "documents": one.documents,
                "since": _clock(one.since),
                "next_canary": _clock(one.next_canary_at) if one.next_canary_at else None,
            }
        ),
    )


def read_interventions(
    instance: dg.DagsterInstance, after_storage_id: int = 0
) -> tuple[list[Reset], list[Withdrawal], int]:
    """The resets and withdrawals after an observation, oldest first, and the ID of the latest observation."""
    resets: list[Reset] = []
    withdrawals: list[Withdrawal] = []
    newest = after_storage_id
    for storage_id, at, key, metadata in _observations(instance, BREAKER, after_storage_id):
        newest = max(newest, storage_id)
        match metadata.get("action"):
            case "reset":
                stage = metadata.get("stage")
                resets.append(Reset(at, metadata.get("reason", ""), metadata.get("by"), key, stage))
            case "withdrawn" | "reinstated" as action if key is not None:
                withdrawals.append(Withdrawal(key, action == "withdrawn", at))
    return resets, withdrawals, newest


def withdrawn_after(before: Iterable[str], withdrawals: Sequence[Withdrawal]) -> set[str]:
    """The withdrawn partition keys after these decisions."""
    withdrawn = set(before)
    for one in withdrawals:
        (withdrawn.add if one.is_withdrawn else withdrawn.discard)(one.key)
    return withdrawn


def _observations(
    instance: dg.DagsterInstance, asset_key: dg.AssetKey, after_storage_id: int = 0
) -> Iterator[tuple[int, datetime, str | None, dict[str, str]]]:
    filters = dg.AssetRecordsFilter(asset_key=asset_key, after_storage_id=after_storage_id or None)
    cursor: str | None = None
    while True:
        found = instance.fetch_observations(filters, limit=_BATCH, cursor=cursor, ascending=True)
        for record in found.records:
            seen = record.asset_observation
            if seen is not None:
                metadata = {name: str(value.value) for name, value in seen.metadata.items()}
                yield (
                    record.storage_id,
                    datetime.fromtimestamp(record.timestamp, UTC),
                    seen.partition,
                    metadata,
                )
        cursor = found.cursor
        if not found.has_more:
            return


def _record(instance: dg.DagsterInstance, document: str | None, metadata: dict[str, Any]) -> None:
    key = partition_key(document) if document is not None else None
    by = getpass.getuser()
    instance.report_runless_asset_event(
        dg.AssetObservation(
            asset_key=BREAKER,
            partition=key,
            description=f"{metadata['action']} by {by}: {metadata['reason']}",
            metadata={**metadata, "by": by},
        )
    )


def _clock(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _without_empty(metadata: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in metadata.items() if value is not None}
