"""Prevents the process that installs it from reading an S3 body or a large file completely into memory.

    python -m docpipe_assets_tests.reading_guard DOCUMENT

processes a document through all stages, with the guard also installed in the sandbox and with the stores of
the settings, and prints its observations. Files in Python's own folders or in those of the package, such as
models, are exempt.
"""

import builtins
import io
import json
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import docpipe_assets

MOST_BYTES = 2_000_000
"""Maximum size of one read; smaller files and bodies may be read without a size."""

_FREE = tuple(
    str(Path(folder).resolve())
    for folder in (sysconfig.get_path("purelib"), sysconfig.get_path("stdlib"), *docpipe_assets.__path__)
)
_open = io.open
seen = {"bodies": 0, "body_bytes": 0, "files": 0}


class ReadWhole(AssertionError):
    """A caller reads more of a document at once than is allowed."""


class _GuardedFile(io.BufferedReader):
    def read(self, size: int | None = -1, /) -> bytes:
        seen["files"] += 1
        _check(size, Path(str(self.name)).stat().st_size, str(self.name))
        return super().read(size)


def install() -> None:
    from botocore.response import StreamingBody

    read = StreamingBody.read

    def guarded_read(self: Any, amt: int | None = None) -> bytes:
        _check(amt, int(self._content_length), "an S3 body")
        block: bytes = read(self, amt)
        seen["bodies"] += 1
        seen["body_bytes"] += len(block)
        return block

    StreamingBody.read = guarded_read  # type: ignore[method-assign]  # this is what the guard is
    io.open = builtins.open = cast(Any, _guarded_open)  # pathlib uses the first, all other callers the second


def read_whole(path: str) -> Iterator[int]:
    """The forbidden call, for a test in the sandbox."""
    yield len(Path(path).read_bytes())


def _guarded_open(file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **options: Any) -> Any:
    is_plain = (
        mode in ("rb", "br") and buffering != 0 and not isinstance(file, int) and "opener" not in options
    )
    if is_plain and not str(Path(file).resolve()).startswith((*_FREE, "/proc/", "/sys/")):
        return _GuardedFile(io.FileIO(file, "rb"))
    return _open(file, mode, buffering, *rest, **options)


def _check(size: int | None, there: int, what: str) -> None:
    requested = there if size is None or size < 0 else min(size, there)
    if requested > MOST_BYTES:
        raise ReadWhole(f"{requested:,} bytes of {what} are read in one call")


def main() -> None:
    install()
    from docpipe_assets.engines.pdf.reader import PRELOAD
    from docpipe_assets.runtime.document_pipeline import DocumentPipeline
    from docpipe_assets.sandbox import Sandbox
    from docpipe_assets.settings import read_settings

    settings = read_settings()
    pipeline = DocumentPipeline(settings)
    pipeline.sandbox = Sandbox(preload=(f"{__spec__.name}:install", *PRELOAD), scratch=settings.scratch_dir)
    try:
        made = {saved.header.asset: saved.header.rows for saved in pipeline.process(sys.argv[1])}
    finally:
        pipeline.close()
    print(json.dumps({"made": made, **seen}))


if __name__ == "__main__":
    main()
