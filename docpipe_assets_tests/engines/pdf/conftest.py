"""The PDF reader with real child processes and limits."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from docpipe_assets.engines.pdf.reader import PRELOAD, IsolatedPdfReader, Runner
from docpipe_assets.sandbox import Limits, Sandbox
from docpipe_assets.storage.scratch import ScratchFolder

PAGE_CPU_SECONDS = 2.0
CALL_CPU_SECONDS = 10.0


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(preload=PRELOAD, scratch=tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def run(sandbox: Sandbox) -> Runner:
    def in_child(
        function: str, arguments: Mapping[str, Any], folder: Path | None = None, *, by_page: bool = False
    ) -> Iterator[Any]:
        limits = Limits(
            cpu_seconds=CALL_CPU_SECONDS,
            wall_seconds=60,
            memory_bytes=2**30,
            file_bytes=2**28,
            output_bytes=2**28,
            step_cpu_seconds=PAGE_CPU_SECONDS if by_page else None,
        )
        return sandbox.stream(function, arguments, limits, folder=folder)

    return in_child


@pytest.fixture
def reader(run: Runner, tmp_path: Path) -> IsolatedPdfReader:
    return IsolatedPdfReader(run, ScratchFolder(tmp_path / "scratch"))


@pytest.fixture
def written(tmp_path: Path) -> Callable[[bytes], Path]:
    """Writes a file and returns its path."""

    def write(data: bytes) -> Path:
        path = tmp_path / "document.pdf"
        path.write_bytes(data)
        return path

    return write
