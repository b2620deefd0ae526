"""The document pipeline of this process, kept warm between documents."""

import os
from functools import lru_cache
from threading import Lock

from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.settings import Settings

_SHARED_LOCK = Lock()


@lru_cache(maxsize=4)
def _pipeline_of(process: int, settings_json: str) -> DocumentPipeline:
    return DocumentPipeline(Settings.model_validate_json(settings_json))


def shared_pipeline(settings: Settings) -> DocumentPipeline:
    """The document pipeline of this process, reused between documents; a forked child creates its own."""
    with _SHARED_LOCK:  # sensors of one code server run in several threads
        return _pipeline_of(os.getpid(), settings.model_dump_json(exclude={"postgres_url", "broker_url"}))
