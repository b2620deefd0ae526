"""Moved to ``docpipe_assets.instance.storage``; for a dagster.yaml written by 0.2, until 0.4."""

from docpipe_assets.instance.storage import InstanceStorage

__all__ = ["InstanceStorage"]
