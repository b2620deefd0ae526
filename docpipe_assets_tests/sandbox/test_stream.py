"""The guarantees for callers and functions of the sandbox."""

import dataclasses
import os
import stat
import threading
import time
from pathlib import Path

import pytest

from docpipe_assets.errors import EngineError, InternalError
from docpipe_assets.sandbox import JSON, Sandbox
from docpipe_assets_tests.sandbox.conftest import FAULTS, ROOMY, call, inspect_child, is_running, session_of

pytestmark = pytest.mark.usefixtures("nothing_left")


def test_values_arrive_as_they_were_sent(sandbox: Sandbox) -> None:
    assert call(sandbox, "counts", items=2) == [
        {"page": 1, "text": "ä\ud800 ", "box": [0.5, None, True]},
        {"page": 2, "text": "ä\ud800 ä\ud800 ", "box": [0.5, None, True]},
    ]


def test_child_inherits_nothing_from_the_worker(sandbox: Sandbox, scratch: Path) -> None:
    seen = inspect_child(sandbox)
    folder = seen["folder"]
    assert seen["environment"] == {
        "TMPDIR": folder,
        "OMP_NUM_THREADS": "1",
        "OMP_THREAD_LIMIT": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    assert str(folder).startswith(str(scratch))
    assert seen["descriptors"] == [0, 1, 2, 3]
    assert seen["group"] == seen["pid"]
    assert seen["threads"] == 1
    assert seen["modules"] == []


def test_function_that_works_ahead_blocks_until_it_is_read(sandbox: Sandbox, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    items = sandbox.stream(
        f"{FAULTS}:reports_pid_then_works_on", {"marks": str(marks)}, ROOMY, folder=tmp_path
    )
    next(items)
    next(items)
    progress = _steady_text(marks)
    # Five 50 kB items exceed the capacity of a pipe.
    assert int(progress) < 5
    for _ in range(5):
        next(items)
    assert int(_steady_text(marks)) > int(progress)
    items.close()  # type: ignore[attr-defined]  # a generator


def test_time_of_the_caller_between_items_does_not_count(sandbox: Sandbox) -> None:
    limits = dataclasses.replace(ROOMY, wall_seconds=0.5)
    items = sandbox.stream(f"{FAULTS}:counts", {"items": 5}, limits)
    next(items)
    time.sleep(0.7)
    assert len(list(items)) == 4


def test_abandoned_iterator_kills_the_child(sandbox: Sandbox, tmp_path: Path) -> None:
    arguments: dict[str, JSON] = {"marks": str(tmp_path / "marks")}
    items = sandbox.stream(f"{FAULTS}:reports_pid_then_works_on", arguments, ROOMY, folder=tmp_path)
    pid = next(items)
    assert isinstance(pid, int)
    assert is_running(pid)
    del items
    assert not is_running(pid)


def test_stream_that_is_never_read_starts_nothing(sandbox: Sandbox) -> None:
    zygote = inspect_child(sandbox)["parent"]
    assert isinstance(zygote, int)
    items = sandbox.stream(f"{FAULTS}:counts", {"items": 5}, ROOMY)
    assert session_of(zygote) == {zygote}
    del items


def test_files_left_in_the_callers_folder_are_kept_and_private(sandbox: Sandbox, tmp_path: Path) -> None:
    list(sandbox.stream(f"{FAULTS}:leaves_files", {"names": ["a", "b"]}, ROOMY, folder=tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_child_writes_nowhere_but_in_its_folders(sandbox: Sandbox, tmp_path: Path) -> None:
    if "landlock" not in sandbox.confinement:
        pytest.skip("this kernel has no Landlock")
    with pytest.raises(InternalError, match="Permission denied"):
        call(sandbox, "writes_outside", place=str(tmp_path / "escaped"))
    assert list(tmp_path.iterdir()) == []


def test_folders_that_resist_removal_are_removed(sandbox: Sandbox) -> None:
    (folder,) = call(sandbox, "leaves_folders_that_resist_removal")
    assert not os.path.exists(str(folder))
    assert os.path.isdir("/proc")


def test_output_on_standard_streams_has_no_effect(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    assert call(sandbox, "writes_to_standard_streams") == ["done"]
    assert capfd.readouterr() == ("", "")


def test_overlapping_calls_do_not_mix(sandbox: Sandbox) -> None:
    first = sandbox.stream(f"{FAULTS}:counts", {"items": 50}, ROOMY)
    second = sandbox.stream(f"{FAULTS}:counts", {"items": 50}, ROOMY)
    pairs = list(zip(first, second, strict=True))
    assert len(pairs) == 50
    assert all(one == other for one, other in pairs)


def test_threads_use_separate_sandboxes(tmp_path: Path) -> None:
    results: list[list[JSON]] = []

    def work() -> None:
        with Sandbox(preload=[FAULTS], scratch=tmp_path) as own:
            for _ in range(5):
                results.append(call(own, "counts", items=20))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 10
    assert all(result == results[0] for result in results)
    assert list(tmp_path.iterdir()) == []


def test_usage_contains_cpu_and_peak_memory(tmp_path: Path) -> None:
    with Sandbox(preload=[FAULTS], scratch=tmp_path) as own:
        call(own, "spins_a_little", items=1, step_seconds=0.3)
        assert 0.3 <= own.last_usage.child_cpu_seconds < 0.6
        assert 2**20 < own.last_usage.peak_rss_bytes < 200 * 2**20
        call(own, "counts", items=1)
        assert own.last_usage.child_cpu_seconds < 0.2
        assert own.usage.calls == 2
        assert own.usage.child_cpu_seconds > 0.3


def test_only_the_preloaded_module_is_loaded(tmp_path: Path) -> None:
    with Sandbox(preload=[FAULTS, "wave"], scratch=tmp_path) as own:
        assert inspect_child(own)["modules"] == ["wave"]


def test_failed_preload_names_the_module_and_the_cause(tmp_path: Path) -> None:
    with (
        Sandbox(preload=["no_such_parser"], scratch=tmp_path) as own,
        pytest.raises(EngineError, match="no_such_parser"),
    ):
        call(own, "counts", items=1)
    assert list(tmp_path.iterdir()) == []


def test_preload_that_starts_threads_is_rejected(tmp_path: Path) -> None:
    with (
        Sandbox(preload=[f"{FAULTS}:start_a_thread"], scratch=tmp_path) as own,
        pytest.raises(EngineError, match="left 2 threads running"),
    ):
        call(own, "counts", items=1)


def test_cost_per_call_is_shown(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    calls, worker, children = 50, time.process_time(), sandbox.usage.child_cpu_seconds
    for _ in range(calls):
        call(sandbox, "counts", items=5)
    with capsys.disabled():
        in_worker = (time.process_time() - worker) / calls * 1000
        in_child = (sandbox.usage.child_cpu_seconds - children) / calls * 1000
        print(f"\nsandbox: {in_worker:.1f} ms CPU per call in the worker, {in_child:.1f} ms in the child")


def _steady_text(path: Path) -> str:
    """The file's text once it has stopped changing for a while."""
    text = ""
    while not text or text != path.read_text():
        text = path.read_text()
        time.sleep(0.2)
    return text
