"""The document pipeline of this process, kept warm between documents."""

import os
from functools import lru_cache
from threading import Lock

from docpipe_assets.runtime.document_pipeline import Workbench
from docpipe_assets.settings import Settings

_SHARING = Lock()


@lru_cache(maxsize=4)
def _workbench_of(process: int, settings_json: str) -> Workbench:
    return Workbench(Settings.model_validate_json(settings_json))


def shared_workbench(settings: Settings) -> Workbench:
    """The workbench of this process, kept warm between documents; a forked child makes its own."""
    with _SHARING:  # sensors of one code server run in several threads
        return _workbench_of(os.getpid(), settings.model_dump_json(exclude={"postgres_url", "broker_url"}))
