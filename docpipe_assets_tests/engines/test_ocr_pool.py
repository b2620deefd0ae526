"""OCR runs in separate processes: any failure is attributed to its page, and the next page is read."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from docpipe_assets.engines.ocr_pool import OcrLimits, OcrPool
from docpipe_assets.errors import (
    ConfigurationError,
    Crashed,
    DocpipeError,
    EngineError,
    InternalError,
    MemoryLimit,
    WallTimeout,
)
from docpipe_assets.protocols import PageImage
from docpipe_assets.runtime.meter import process_tree
from docpipe_assets_tests.engines.faulty_ocr import FATAL_SHADE

LIMITS = OcrLimits(processes=1, memory_bytes=2**30, wall_seconds=60)
Page = Callable[[int], PageImage]


@pytest.fixture
def page(tmp_path: Path) -> Page:
    def write(shade: int) -> PageImage:
        path = tmp_path / f"{shade}.grey"
        path.write_bytes(bytes([shade]) * 64)
        return PageImage(path, 8, 8, 300.0)

    return write


def pool_of(engine: str, limits: OcrLimits = LIMITS) -> OcrPool:
    return OcrPool(f"docpipe_assets_tests.engines.faulty_ocr:{engine}", limits)


def read(pool: OcrPool, image: PageImage) -> tuple[str, int]:
    """The text that was read, and the process that read it."""
    ((shade, process),) = pool.read(image)
    assert (shade.box, shade.confidence) == ((0.5, 1, 2.25, 3), 0.875)
    return shade.text, int(process.text)


def ocr_processes() -> set[int]:
    """The OCR processes of this process; other tests may have left sandboxes."""
    return {
        pid
        for pid in process_tree(os.getpid())
        if b"engines.ocr_process" in Path(f"/proc/{pid}/cmdline").read_bytes()
    }


@pytest.fixture
def pool(request: pytest.FixtureRequest) -> Iterator[OcrPool]:
    made = pool_of(request.param)
    yield made
    made.close()


@pytest.mark.parametrize("pool", ["Sound", "PrintsText"], indirect=True)
def test_pages_are_read_in_one_separate_process(pool: OcrPool, page: Page) -> None:
    first, second = read(pool, page(1)), read(pool, page(2))
    assert (first[0], second[0]) == ("shade-1", "shade-2")
    assert first[1] == second[1] != os.getpid()
    assert pool.pop_cpu_seconds() > 0
    assert pool.pop_cpu_seconds() == 0


@pytest.mark.parametrize(
    ("pool", "error", "says"),
    [
        ("DiesOnPage", Crashed, r"crashed on a page image of 8 x 8 pixels \(SIGSEGV\)"),
        ("IsKilledOnPage", MemoryLimit, "was killed while reading a page image"),
        ("ExhaustsMemoryOnPage", MemoryLimit, "out of memory"),
        ("RejectsPage", EngineError, "no answer from the service"),
        ("RaisesDefect", InternalError, "ZeroDivisionError in the OCR engine .*: a defect"),
    ],
    indirect=["pool"],
)
def test_a_fatal_page_is_an_error_and_the_next_page_is_read(
    pool: OcrPool, page: Page, error: type[DocpipeError], says: str
) -> None:
    assert read(pool, page(1))[0] == "shade-1"
    with pytest.raises(error, match=says) as caught:
        pool.read(page(FATAL_SHADE))
    assert type(caught.value) is error
    assert read(pool, page(2))[0] == "shade-2"


@pytest.mark.parametrize("pool", ["DiesOnceOnPage"], indirect=True)
def test_a_page_at_which_an_old_process_died_is_read_by_a_new_one(pool: OcrPool, page: Page) -> None:
    before = read(pool, page(1))[1]
    text, after = read(pool, page(FATAL_SHADE))
    assert text == f"shade-{FATAL_SHADE}"
    assert after != before


@pytest.mark.parametrize("pool", ["DiesOnEveryPage"], indirect=True)
def test_an_engine_that_dies_at_every_page_fails_as_an_engine(pool: OcrPool, page: Page) -> None:
    with pytest.raises(EngineError, match=r"crashes on every page \(exit status 3\)"):
        pool.read(page(1))


def test_a_page_that_never_ends_times_out(page: Page) -> None:
    pool = pool_of("HangsOnPage", OcrLimits(processes=1, memory_bytes=2**30, wall_seconds=3))
    with pytest.raises(WallTimeout, match="longer than 3 seconds"):
        pool.read(page(FATAL_SHADE))
    assert not ocr_processes(), "the hanging process has ended"
    pool.limit(LIMITS)  # starting a process may take three seconds on a busy machine
    assert read(pool, page(1))[0] == "shade-1"
    pool.close()


def test_pages_are_read_by_the_maximum_number_of_processes(page: Page) -> None:
    pool = pool_of("Sound", OcrLimits(processes=2, memory_bytes=2**30, wall_seconds=60))
    images = [page(shade) for shade in range(1, 9)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda image: read(pool, image), images))
    assert [text for text, _ in found] == [f"shade-{shade}" for shade in range(1, 9)]
    assert len({process for _, process in found}) == 2
    pool.limit(LIMITS)
    assert len({read(pool, image)[1] for image in images}) == 1
    pool.close()
    assert not ocr_processes()


def test_a_lower_memory_limit_of_the_worker_applies_to_its_engines(tmp_path: Path) -> None:
    """A service manager or a shell may set one (LimitDATA, ulimit -d)."""
    (tmp_path / "page").write_bytes(bytes([FATAL_SHADE]) * 64)
    code = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from docpipe_assets.protocols import PageImage\n"
        "from docpipe_assets_tests.engines.test_ocr_pool import LIMITS, pool_of\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (LIMITS.memory_bytes // 2, LIMITS.memory_bytes // 2))\n"
        "pool = pool_of('Sound')\n"
        "print(pool.read(PageImage(Path(sys.argv[1]), 8, 8, 300.0))[0][0].text)\n"
        "pool.close()"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "page")], capture_output=True, text=True, timeout=120
    )
    assert found.stdout.split() == [f"shade-{FATAL_SHADE}"], found.stderr


def test_a_nonexistent_engine_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="clairvoyance"):
        OcrPool("clairvoyance", LIMITS)


def test_a_killed_worker_leaves_no_process_behind(tmp_path: Path) -> None:
    """Not even while a page is read."""
    (tmp_path / "page").write_bytes(bytes([FATAL_SHADE]) * 64)
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from docpipe_assets.protocols import PageImage\n"
        "from docpipe_assets_tests.engines.test_ocr_pool import pool_of\n"
        "pool_of('HangsOnPage').read(PageImage(Path(sys.argv[1]), 8, 8, 300.0))"
    )
    worker = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "page")])
    deadline = time.monotonic() + 60
    while len(family := list(process_tree(worker.pid))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(family) == 2
    time.sleep(1)  # it has started to read
    worker.kill()
    worker.wait()
    while Path(f"/proc/{family[1]}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{family[1]}").exists()
