"""A kernel-enforced memory limit for a group of processes (cgroup v1 or v2), if this process may set one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

_ROOT = Path("/sys/fs/cgroup")


class MemoryGroup:
    """Processes with a common memory limit; the page cache counts, but is reclaimed."""

    def __init__(self, folder: Path, is_version_2: bool) -> None:
        self._folder = folder
        self._is_version_2 = is_version_2

    def limit(self, size_bytes: int) -> None:
        name = "memory.max" if self._is_version_2 else "memory.limit_in_bytes"
        (self._folder / name).write_text(str(size_bytes))

    def add(self, process: int) -> None:
        """Counts memory that it and its children allocate from now on."""
        (self._folder / "cgroup.procs").write_text(str(process))

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Processes started in the block belong to the group; this process only while the block runs."""
        before = self._folder.parent
        self.add(os.getpid())
        try:
            yield
        finally:
            (before / "cgroup.procs").write_text(str(os.getpid()))

    @property
    def kills(self) -> int:
        """The number of processes that the kernel has killed because they were out of memory."""
        name = "memory.events" if self._is_version_2 else "memory.oom_control"
        for line in (self._folder / name).read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
        return 0

    @property
    def processes(self) -> list[int]:
        return [int(pid) for pid in (self._folder / "cgroup.procs").read_text().split()]


def reason_for_none() -> str | None:
    """The reason why no group can be created; None if one can."""
    try:
        with memory_group():
            return None
    except OSError as error:
        return f"no memory limit of the kernel can be set here: {error}"


@contextmanager
def memory_group() -> Iterator[MemoryGroup]:
    """A new group below that of this process. Raises OSError if that is not allowed."""
    own, is_version_2 = _own_group()
    folder = own / f"docpipe-{uuid4().hex[:8]}"
    folder.mkdir()
    try:
        group = MemoryGroup(folder, is_version_2)
        group.limit(2**40)
        yield group
    finally:
        with suppress(OSError):  # a process is still running
            folder.rmdir()


def _own_group() -> tuple[Path, bool]:
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return _ROOT / "memory" / path.strip("/"), False
    path = next(line.split(":", 2)[2] for line in lines if line.startswith("0::"))
    return _ROOT / path.strip("/"), True
