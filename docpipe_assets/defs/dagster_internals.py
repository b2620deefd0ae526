"""Moved to ``docpipe_assets.instance.dagster_internals``; for a dagster.yaml written by 0.2, until 0.4."""

from docpipe_assets.instance.dagster_internals import NoOpComputeLogManager

__all__ = ["NoOpComputeLogManager"]
