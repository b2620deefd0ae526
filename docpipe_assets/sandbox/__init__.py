"""Parsing of outside bytes in capped child processes, which die instead of the worker."""

from docpipe_assets.sandbox.limits import Limits, Usage
from docpipe_assets.sandbox.parent import Sandbox
from docpipe_assets.sandbox.wire import JSON

__all__ = ["JSON", "Limits", "Sandbox", "Usage"]
