"""Generated hostile and damaged PDFs, and the acceptable outcomes of each in the pipeline."""

from docpipe_assets_tests.hostile.kinds import Kind
from docpipe_assets_tests.hostile.written import all_kinds, write_hostile

__all__ = ["Kind", "all_kinds", "write_hostile"]
