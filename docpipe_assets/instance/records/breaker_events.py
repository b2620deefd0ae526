"""Breaker changes as materializations of the asset ``breaker``, for display only.

The partition page of Dagster's UI shows materializations, but not observations.
"""

from datetime import datetime
from typing import Any

import dagster as dg

from docpipe_assets.instance.records.names import BREAKER
from docpipe_assets.operations.breaker import BreakerStatus, DocumentBreaker, StageBreaker, advice_on


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


def _clock(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _without_empty(metadata: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in metadata.items() if value is not None}
