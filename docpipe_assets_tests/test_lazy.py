"""A lazily created object is created once, with any interleaving of threads, and complete when visible."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from docpipe_assets.lazy import lazy, once
from docpipe_assets_tests.storage.servers import KEY_ID, SECRET, rclone_server

T = TypeVar("T")
THREADS = 8
FIRST_RUNS = 5


class Slow:
    made = 0

    @lazy
    def engine(self) -> object:
        """An engine."""
        type(self).made += 1
        time.sleep(0.05)
        return object()

    @lazy
    def twice(self) -> tuple[object, object]:
        return self.engine, self.engine

    @lazy
    def broken(self) -> object:
        raise ValueError("not yet")


def concurrently(call: Callable[[], T]) -> list[T]:
    together = threading.Barrier(THREADS)

    def wait_and_call() -> T:
        together.wait()
        return call()

    with ThreadPoolExecutor(THREADS) as pool:
        return [future.result() for future in [pool.submit(wait_and_call) for _ in range(THREADS)]]


def test_concurrent_first_accesses_get_one_value() -> None:
    one, before = Slow(), Slow.made
    assert len(set(map(id, concurrently(lambda: one.engine)))) == 1
    assert Slow.made == before + 1


def test_each_instance_has_its_own_value_which_may_use_others() -> None:
    first, second = Slow(), Slow()
    assert first.twice[0] is first.twice[1] is first.engine is not second.engine
    assert Slow.engine.__doc__ == "An engine."


def test_a_value_that_could_not_be_created_is_retried() -> None:
    one = Slow()
    for _ in range(2):
        with pytest.raises(ValueError, match="not yet"):
            assert one.broken


def test_a_function_is_called_once_for_each_combination_of_arguments() -> None:
    seen: list[tuple[str, int]] = []

    @once
    def made(name: str, size: int = 1) -> object:
        seen.append((name, size))
        time.sleep(0.05)
        return object()

    assert len(set(map(id, concurrently(lambda: made("a"))))) == 1
    assert made("a") is not made("b")
    assert made("a", size=2) is made("a", size=2)
    assert seen == [("a", 1), ("b", 1), ("a", 2)]


_FIRST_TOUCH = """
import gc, sys, threading
from concurrent.futures import ThreadPoolExecutor
from docpipe_assets.errors import ObjectGone
from docpipe_assets.settings import Settings
from docpipe_assets.runtime.document_pipeline import DocumentPipeline

gc.disable()  # a client that was made and dropped stays to be counted
sys.setswitchinterval(1e-6)  # threads take turns as often as they can
settings = Settings(s3_endpoint_url=sys.argv[1], intake_url="s3://intake", lake_url="s3://lake")
pipeline, together = DocumentPipeline(settings), threading.Barrier(8)

def touch(number):
    together.wait()
    try:
        (pipeline.intake if number % 2 else pipeline.lake.store).head("nothing.pdf")
    except ObjectGone:
        return "gone"

with ThreadPoolExecutor(8) as pool:
    assert list(pool.map(touch, range(8))) == ["gone"] * 8

from botocore.client import BaseClient
clients = [found for found in gc.get_objects() if issubclass(type(found), BaseClient)]  # no weak proxies
assert len(clients) == 2, clients
"""


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("buckets")
    for name in ("intake", "lake"):
        (folder / name).mkdir()
    with rclone_server(folder) as url:
        yield url


@pytest.mark.parametrize("number", range(FIRST_RUNS))
def test_eight_threads_of_a_new_process_open_each_store_once(
    endpoint: str, number: int, tmp_path: Path
) -> None:
    environment = {
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "DOCPIPE_DATA_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", _FIRST_TOUCH, endpoint],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
