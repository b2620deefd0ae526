"""Moved to ``docpipe_assets.instance.coordinator``; for a dagster.yaml written by 0.2, until 0.4."""

from docpipe_assets.instance.coordinator import DocumentRunCoordinator

__all__ = ["DocumentRunCoordinator"]
