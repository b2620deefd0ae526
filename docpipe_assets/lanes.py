"""The lanes: each is a queue with its own concurrency and budget.

``LANES`` are those of documents."""

from typing import Final

STANDARD: Final = "standard"
LARGE: Final = "large"
"""For large documents, and for documents that exceeded the standard budget."""
LANES: Final = (STANDARD, LARGE)
CORPUS: Final = "corpus"
"""For runs of corpus assets. Not one of ``LANES``: these runs do not use the slots of documents, unless no
worker serves this lane."""
