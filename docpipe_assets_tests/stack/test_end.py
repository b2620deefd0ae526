"""How a stack ends: normally, by a signal, by SIGKILL, or because it failed to start."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from docpipe_assets.stack import Stack, StackError, launch, running_environment
from docpipe_assets.stack.process import stop_leftovers
from docpipe_assets_tests.stack.conftest import WORKSPACE

pytestmark = pytest.mark.pipeline

_RUNS_A_STACK = """
import sys
from pathlib import Path
from docpipe_assets.stack import Stack
with Stack(Path(sys.argv[1]), workers=1, webserver=False, daemon=False, workspace=Path(sys.argv[2])) as stack:
    print("ready", flush=True)
    stack.run()
"""


def processes_of(folder: Path) -> list[str]:
    """Every running process that refers to the folder, regardless of its parent."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            traces = [*process.cmdline(), process.cwd(), *process.environ().values()]
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if any(str(folder) in trace for trace in traces):
            found.append(f"{process.pid} {process.cmdline()}")
    return found


def assert_all_ended(folder: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (alive := processes_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert alive == []


@contextmanager
def stack_process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", _RUNS_A_STACK, str(folder), str(WORKSPACE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def test_no_process_outlives_a_stack_but_its_data_do(tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    with stack_process(folder) as killed:
        assert len(processes_of(folder)) > 10
        (folder / "s3" / "intake" / "a.pdf").write_bytes(b"%PDF-")
        killed.kill()
        killed.wait()
        assert_all_ended(folder, 15)
    assert running_environment(folder) is None

    known = json.loads((folder / "endpoints.json").read_text())
    with stack_process(folder) as terminated:
        assert json.loads((folder / "endpoints.json").read_text()) == known
        terminated.terminate()
        assert terminated.wait(30) == 128 + signal.SIGTERM
        assert processes_of(folder) == []

    with Stack(folder, workers=0, webserver=False, daemon=False) as stack:
        assert (stack.folder / "s3" / "intake" / "a.pdf").exists()
        assert set(stack.names) == {"s3", "postgres", "broker"}
    assert processes_of(folder) == []


def test_leftover_processes_are_ended_but_no_process_with_a_reused_id(tmp_path: Path) -> None:
    leftover, stranger = (subprocess.Popen(["sleep", "60"], start_new_session=True) for _ in range(2))
    try:
        born = psutil.Process(leftover.pid).create_time()
        records = {"s3": [leftover.pid, born], "broker": [stranger.pid, born - 3600]}
        (tmp_path / "processes.json").write_text(json.dumps(records))
        assert stop_leftovers(tmp_path) == [f"s3 (process {leftover.pid})"]
        assert not psutil.pid_exists(leftover.pid)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_service_of_a_background_stack_stops_on_sigint() -> None:
    # A shell starts such a program with SIGINT ignored, and its children inherit this.
    program = [sys.executable, "-c", "import signal; print('ready', flush=True); signal.pause()"]
    shim = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), str(int(signal.SIGTERM)), "-"]
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        part = subprocess.Popen([*shim, *program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)
    with part:
        try:
            assert part.stdout is not None
            assert part.stdout.readline() == "ready\n"
            part.send_signal(signal.SIGINT)
            _, errors = part.communicate(timeout=30)
            assert "KeyboardInterrupt" in errors
        finally:
            part.kill()


def test_definitions_that_fail_to_load_are_reported_with_the_log(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text("load_from: [{python_module: docpipe_assets_tests.stack.no_such_module}]")
    stack = Stack(tmp_path / "stack", workers=0, workspace=workspace)
    with pytest.raises(StackError, match=r"code-server exited with status 1(.|\n)*no_such_module"):
        stack.start()
    assert processes_of(tmp_path / "stack") == []
