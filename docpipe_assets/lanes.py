"""The lanes: each is a queue with its own concurrency and budget."""

from typing import Final

STANDARD: Final = "standard"
LARGE: Final = "large"
"""For large documents, and for documents that exceeded the standard budget."""
LANES: Final = (STANDARD, LARGE)
CORPUS: Final = "corpus"
"""For assets over all documents. Not one of ``LANES``: it takes no document's slot."""
