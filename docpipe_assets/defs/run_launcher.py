"""Moved to ``docpipe_assets.instance.launcher``; for a dagster.yaml written by 0.2, until 0.4."""

from docpipe_assets.instance.launcher import DocumentRunLauncher

__all__ = ["DocumentRunLauncher"]
