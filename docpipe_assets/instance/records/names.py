"""Names in Dagster's records: the job, the partition set, the assets."""

from typing import Final

from dagster import AssetKey

from docpipe_assets.pipeline import Stream

PROCESS_DOCUMENT: Final = "process_document"
DOCUMENTS: Final = "documents"
"""The set of dynamic partitions."""
BREAKER: Final = AssetKey("breaker")
BATCH_PRIORITY: Final = AssetKey("batch_priority")


def asset_key(asset: str | Stream) -> AssetKey:
    return AssetKey(asset if isinstance(asset, str) else asset.asset)
