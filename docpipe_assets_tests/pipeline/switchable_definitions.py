"""The definitions for Dagster, with a PDF reader that can be broken, and that fails on some documents."""

import os
import time
from functools import cached_property, lru_cache

from docpipe_assets.definitions import build_definitions
from docpipe_assets.lanes import CORPUS
from docpipe_assets.protocols import PdfReader, Source
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.settings import Settings, read_settings
from docpipe_assets_tests.pipeline.switchable_engines import SwitchableReader, fault, with_faults


class SwitchablePipeline(DocumentPipeline):
    @property
    def intake(self) -> Source:
        """A corpus run waits while ``slow``."""
        while self.lane == CORPUS and fault() == "slow":
            time.sleep(0.2)
        return super().intake

    @cached_property
    def reader(self) -> PdfReader:
        return SwitchableReader(with_faults(self._run), self.scratch)


@lru_cache(maxsize=1)
def _pipeline_of_settings(process: int) -> SwitchablePipeline:
    return SwitchablePipeline(read_settings())


def open_pipeline(_: Settings) -> DocumentPipeline:
    """The document pipeline of this process; a forked worker creates its own."""
    return _pipeline_of_settings(os.getpid())


defs = build_definitions(read_settings(), open_pipeline)
