"""The lanes that documents go in: each a queue with its own concurrency and budget."""

from typing import Final

STANDARD: Final = "standard"
LARGE: Final = "large"
"""For large documents, and for those that were too much for a standard budget."""
LANES: Final = (STANDARD, LARGE)
