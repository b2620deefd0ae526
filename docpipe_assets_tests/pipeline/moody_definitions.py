"""What Dagster loads, with a PDF reader that can be broken, and that some documents break."""

import os
from functools import cached_property, lru_cache

from docpipe_assets.definitions import build_definitions
from docpipe_assets.protocols import PdfReader
from docpipe_assets.runtime.document_pipeline import Workbench
from docpipe_assets.settings import Settings, read_settings
from docpipe_assets_tests.pipeline.moods import MoodyReader, with_faults


class MoodyBench(Workbench):
    @cached_property
    def reader(self) -> PdfReader:
        return MoodyReader(with_faults(self._run), self.scratch)


@lru_cache(maxsize=1)
def _bench_of(process: int) -> MoodyBench:
    return MoodyBench(read_settings())


def open_bench(_: Settings) -> Workbench:
    """The workbench of this process; a forked worker makes its own."""
    return _bench_of(os.getpid())


defs = build_definitions(read_settings(), open_bench)
