"""Parses untrusted bytes in capped child processes, so that a crash does not affect the worker."""

from docpipe_assets.sandbox.limits import Limits, Usage
from docpipe_assets.sandbox.parent import Sandbox
from docpipe_assets.sandbox.wire import JSON

__all__ = ["JSON", "Limits", "Sandbox", "Usage"]
