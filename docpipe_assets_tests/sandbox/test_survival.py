"""No process or folder outlives its owner: killed workers, killed zygotes, forks, leftover folders."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from docpipe_assets.errors import EngineError
from docpipe_assets.sandbox import Sandbox
from docpipe_assets.sandbox.folders import claim_folder, remove_tree, sweep_folders
from docpipe_assets_tests.sandbox.conftest import FAULTS, ROOMY, call, inspect_child, is_running, session_of

_PROLOGUE = """
import json, os, sys, time
from pathlib import Path
from docpipe_assets.sandbox import Sandbox
from docpipe_assets_tests.sandbox.conftest import FAULTS, ROOMY, call, inspect_child
scratch = Path(sys.argv[1])
sandbox = Sandbox(preload=[FAULTS], scratch=scratch)
"""


def _script(body: str, scratch: Path) -> list[str]:
    return [sys.executable, "-c", _PROLOGUE + textwrap.dedent(body), str(scratch)]


def _eventually(claim: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("fault", ["hangs_in_sleep", "hangs_in_c_on_item"])
def test_killed_worker_leaves_no_process_and_no_folder(tmp_path: Path, fault: str) -> None:
    body = f"""
        arguments = {{"item": 2}} if "{fault}" == "hangs_in_c_on_item" else {{}}
        items = sandbox.stream(FAULTS + ":{fault}", arguments, ROOMY)
        next(items)
        print(inspect_child(sandbox)["parent"], flush=True)
        next(items)
    """
    with subprocess.Popen(_script(body, tmp_path), stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        zygote = int(worker.stdout.readline())
        members = session_of(zygote)
        assert len(members) == 2
        worker.kill()
    assert _eventually(lambda: not any(is_running(pid) for pid in members))
    assert _eventually(lambda: list(tmp_path.iterdir()) == [])


def test_zygote_ends_though_a_fork_of_the_worker_keeps_its_socket_open(tmp_path: Path) -> None:
    body = """
        zygote = inspect_child(sandbox)["parent"]
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        print(zygote, flush=True)
        time.sleep(30)
    """
    with subprocess.Popen(
        _script(body, tmp_path), stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as worker:
        assert worker.stdout is not None
        zygote = int(worker.stdout.readline())
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        try:
            assert _eventually(lambda: not is_running(zygote))
        finally:
            os.killpg(worker.pid, signal.SIGKILL)


def test_killed_zygote_is_a_typed_error_and_is_replaced(tmp_path: Path) -> None:
    with Sandbox(preload=[FAULTS], scratch=tmp_path) as sandbox:
        before = call(sandbox, "counts", items=5)
        zygote = inspect_child(sandbox)["parent"]
        assert isinstance(zygote, int)
        items = sandbox.stream(f"{FAULTS}:hangs_in_sleep", {}, ROOMY)
        next(items)
        members = session_of(zygote)
        os.kill(zygote, signal.SIGKILL)
        with pytest.raises(EngineError, match="try again"):
            next(items)
        assert _eventually(lambda: not any(is_running(pid) for pid in members))
        assert call(sandbox, "counts", items=5) == before
        assert inspect_child(sandbox)["parent"] != zygote
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


def test_zygote_killed_between_calls_is_not_noticed(tmp_path: Path) -> None:
    with Sandbox(preload=[FAULTS], scratch=tmp_path) as sandbox:
        zygote = inspect_child(sandbox)["parent"]
        assert isinstance(zygote, int)
        os.kill(zygote, signal.SIGKILL)
        assert _eventually(lambda: not is_running(zygote))
        assert len(call(sandbox, "counts", items=5)) == 5


def test_closing_ends_a_call_in_progress(tmp_path: Path) -> None:
    sandbox = Sandbox(preload=[FAULTS], scratch=tmp_path)
    items = sandbox.stream(f"{FAULTS}:hangs_in_sleep", {}, ROOMY)
    next(items)
    sandbox.close()
    with pytest.raises(EngineError, match="closed during the call"):
        next(items)
    assert list(tmp_path.iterdir()) == []


def test_no_process_is_started_before_the_first_call(tmp_path: Path) -> None:
    with Sandbox(preload=[FAULTS], scratch=tmp_path):
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("start", ["os.fork", "daemon"])
def test_forked_worker_has_its_own_zygote(tmp_path: Path, start: str) -> None:
    body = f"""
        import multiprocessing
        def work():
            counted, parent = call(sandbox, "counts", items=3), inspect_child(sandbox)["parent"]
            print(json.dumps([counted, parent]), flush=True)
            sandbox.close()
        call(sandbox, "counts", items=3)
        if "{start}" == "daemon":
            child = multiprocessing.get_context("fork").Process(target=work, daemon=True)
            child.start()
            child.join()
        elif os.fork() == 0:
            work()
            os._exit(0)
        else:
            os.wait()
        counted, parent = call(sandbox, "counts", items=3), inspect_child(sandbox)["parent"]
        print(json.dumps([counted, parent]), flush=True)
        sandbox.close()
    """
    done = subprocess.run(_script(body, tmp_path), capture_output=True, text=True, timeout=60, check=True)
    (forked, forked_zygote), (own, own_zygote) = map(json.loads, done.stdout.splitlines())
    assert forked == own
    assert forked_zygote != own_zygote
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_fork_that_drops_a_running_call_does_not_end_it(tmp_path: Path) -> None:
    body = """
        items = sandbox.stream(FAULTS + ":counts", {"items": 500}, ROOMY)
        next(items)
        if os.fork() == 0:
            items.close()
            os._exit(0)
        os.wait()
        print(len(list(items)))
        sandbox.close()
    """
    done = subprocess.run(_script(body, tmp_path), capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "499\n"


def test_worker_that_exits_normally_leaves_nothing(tmp_path: Path) -> None:
    body = 'print(inspect_child(sandbox)["parent"])'
    done = subprocess.run(_script(body, tmp_path), capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    assert _eventually(lambda: not is_running(int(done.stdout)))
    assert list(tmp_path.iterdir()) == []


def test_only_leftover_folders_are_removed_at_the_start(tmp_path: Path) -> None:
    dead, lock = claim_folder(tmp_path, "pdf")
    (dead / "1").mkdir()
    (dead / "1" / "page.png").touch()
    os.close(lock)
    living, living_lock = claim_folder(tmp_path, "pdf")
    stranger = tmp_path / "somebody-elses"
    stranger.mkdir()
    Sandbox(scratch=tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([living, stranger])
    os.close(living_lock)
    assert sweep_folders(tmp_path) == [living]


def test_descendants_outside_the_childs_group_are_found_and_killed(tmp_path: Path) -> None:
    body = """
        from docpipe_assets.sandbox import confinement, zygote
        confinement.adopt_orphans()
        ready, started = os.pipe()
        pid = os.fork()
        if pid == 0:
            if os.fork() == 0:
                os.setsid()
                os.write(started, str(os.getpid()).encode())
                time.sleep(60)
            os._exit(0)
        grandchild = os.read(ready, 20)
        os.waitpid(pid, 0)
        zygote.reap_orphans(set())
        print(grandchild.decode(), zygote.child_processes())
    """
    done = subprocess.run(_script(body, tmp_path), capture_output=True, text=True, timeout=60, check=True)
    grandchild, left = done.stdout.split()
    assert left == "set()"
    assert not is_running(int(grandchild))


def test_scratch_that_cannot_be_created_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        Sandbox(preload=[FAULTS], scratch=tmp_path / "file" / "scratch") as sandbox,
        pytest.raises(EngineError, match=r"check .*file/scratch"),
    ):
        call(sandbox, "counts", items=1)


def test_symbolic_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(kept)
    remove_tree(folder)
    assert not folder.exists()
    assert (kept / "file").exists()
