"""A sandbox for the faults, and a check for leftovers of a call."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from docpipe_assets.sandbox import JSON, Limits, Sandbox

FAULTS = "docpipe_assets_tests.sandbox.faults"
ROOMY = Limits(
    cpu_seconds=20, wall_seconds=60, memory_bytes=256 * 2**20, file_bytes=64 * 2**20, output_bytes=2**20
)


def call(sandbox: Sandbox, function: str, limits: Limits = ROOMY, /, **arguments: JSON) -> list[JSON]:
    return list(sandbox.stream(f"{FAULTS}:{function}", arguments, limits))


def inspect_child(sandbox: Sandbox) -> dict[str, JSON]:
    (seen,) = call(sandbox, "inspects_itself")
    assert isinstance(seen, dict)
    return seen


def session_of(zygote: int) -> set[int]:
    """The live processes of a zygote's session, itself included."""
    members = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[3]) == zygote and fields[0] != "Z":
                members.add(int(entry.name))
    return members


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def sandbox(scratch: Path) -> Iterator[Sandbox]:
    with Sandbox(preload=[FAULTS], scratch=scratch) as opened:
        yield opened
    assert list(scratch.iterdir()) == []


@pytest.fixture
def nothing_left(sandbox: Sandbox, scratch: Path) -> Iterator[None]:
    """After the test, only the zygote runs, and no file is left in the scratch folder."""
    yield
    zygote = inspect_child(sandbox)["parent"]
    assert isinstance(zygote, int)
    assert session_of(zygote) == {zygote}
    (owned,) = scratch.iterdir()
    assert os.listdir(owned) == []
