"""Every fault has a typed outcome, and does not affect the next call in the same sandbox."""

import dataclasses
import resource
import signal
from pathlib import Path

import pytest

from docpipe_assets.errors import Crashed, DocpipeError, InternalError, MemoryLimit, PasswordRequired
from docpipe_assets.sandbox import JSON, Limits, Sandbox
from docpipe_assets_tests.sandbox.conftest import FAULTS, ROOMY, call, inspect_child

MEBIBYTE = 2**20
SHORT = dataclasses.replace(ROOMY, cpu_seconds=1.0)
PAGED = dataclasses.replace(ROOMY, step_cpu_seconds=0.5)
HASTY = dataclasses.replace(ROOMY, wall_seconds=1.0)
SMALL_FILES = dataclasses.replace(ROOMY, file_bytes=4 * MEBIBYTE)

# function, arguments, limits, items before the end, code
OUTCOMES: list[tuple[str, dict[str, JSON], Limits, int | None, str]] = [
    ("crashes_on_item", {"item": 4, "signal_name": "SIGSEGV"}, ROOMY, 3, "CRASHED:SIGSEGV"),
    ("crashes_on_item", {"item": 2, "signal_name": "SIGBUS"}, ROOMY, 1, "CRASHED:SIGBUS"),
    ("crashes_on_item", {"item": 1, "signal_name": "SIGABRT"}, ROOMY, 0, "CRASHED:SIGABRT"),
    ("crashes_on_item", {"item": 1, "signal_name": "SIGKILL"}, ROOMY, 0, "CRASHED:SIGKILL"),
    ("reads_null", {}, ROOMY, 0, "CRASHED:SIGSEGV"),
    ("exits", {"status": 0}, ROOMY, 1, "CRASHED:SIGABRT"),
    ("exits", {"status": 3}, ROOMY, 1, "CRASHED:SIGABRT"),
    ("hangs_in_sleep", {}, HASTY, 1, "WALL_TIMEOUT"),
    ("hangs_in_c_on_item", {"item": 3}, SHORT, 2, "CPU_TIMEOUT_DOCUMENT"),
    ("hangs_in_c_on_item", {"item": 3}, PAGED, 2, "CPU_TIMEOUT_PAGE"),
    ("disarms_its_timer_and_spins", {}, SHORT, 1, "CPU_TIMEOUT_DOCUMENT"),
    ("exhausts_memory", {}, ROOMY, 1, "MEMORY_LIMIT"),
    ("exhausts_memory_with_small_objects", {}, ROOMY, 1, "MEMORY_LIMIT"),
    ("requests_huge_memory", {}, ROOMY, 0, "MEMORY_LIMIT"),
    ("crashes_when_memory_is_refused", {}, ROOMY, 0, "MEMORY_LIMIT"),
    ("continues_without_a_large_block", {"mebibytes": 250}, ROOMY, 0, "MEMORY_LIMIT"),
    ("continues_without_small_blocks", {}, ROOMY, 0, "MEMORY_LIMIT"),
    ("exceeds_memory_briefly", {"mebibytes": 300}, ROOMY, 0, "MEMORY_LIMIT"),
    ("aborts_like_cpp", {}, ROOMY, 0, "MEMORY_LIMIT"),
    ("wraps_a_failed_allocation", {}, ROOMY, 0, "MEMORY_LIMIT"),
    ("writes_a_huge_file", {}, SMALL_FILES, 1, "DISK_LIMIT"),
    ("writes_many_files", {}, SMALL_FILES, 1, "DISK_LIMIT"),
    ("floods_output", {}, ROOMY, None, "OUTPUT_TOO_LARGE"),
    ("floods_small_items", {}, ROOMY, None, "OUTPUT_TOO_LARGE"),
    ("yields_one_large_item", {"characters": 2 * MEBIBYTE}, ROOMY, 0, "OUTPUT_TOO_LARGE"),
    ("closes_its_pipe", {}, ROOMY, 1, "CRASHED:SIGKILL"),
    ("sends", {"data": "garbage garbage"}, ROOMY, 0, "CRASHED:SIGKILL"),
    ("sends", {"data": "i\xff\xff\xff\xff"}, ROOMY, 0, "CRASHED:SIGKILL"),
    ("sends", {"data": "i\0\0\0\5[[[[["}, ROOMY, 0, "CRASHED:SIGKILL"),
    ("sends", {"data": "e\0\0\0\2{}"}, ROOMY, 0, "INTERNAL_ERROR"),
    ("sends", {"data": "x" * 1000, "times": 100_000}, ROOMY, 0, "CRASHED:SIGKILL"),
    ("raises_plain", {}, ROOMY, 1, "INTERNAL_ERROR"),
    ("raises_typed", {}, ROOMY, 1, "PASSWORD_REQUIRED"),
    ("raises_crashed", {}, ROOMY, 0, "CRASHED:SIGBUS"),
    ("raises_not_a_number", {}, ROOMY, 0, "INTERNAL_ERROR"),
]


def _name(value: object) -> str:
    return value if isinstance(value, str) else ""


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(("function", "arguments", "limits", "items", "code"), OUTCOMES, ids=_name)
def test_fault_has_its_code_and_does_not_affect_the_next_call(
    sandbox: Sandbox, function: str, arguments: dict[str, JSON], limits: Limits, items: int | None, code: str
) -> None:
    before = call(sandbox, "counts", items=5)
    received: list[JSON] = []
    with pytest.raises(DocpipeError) as caught:
        received.extend(sandbox.stream(f"{FAULTS}:{function}", arguments, limits))
    assert caught.value.full_code == code
    if items is not None:
        assert len(received) == items
    assert call(sandbox, "counts", items=5) == before


def test_call_can_allocate_memory_up_to_its_limit(sandbox: Sandbox) -> None:
    assert call(sandbox, "exceeds_memory_briefly", mebibytes=200) == ["all of it"]
    assert call(sandbox, "continues_without_a_large_block", mebibytes=200) == ["image"]


def test_exceeding_the_limit_of_the_worker_itself_is_detected(tmp_path: Path) -> None:
    """A child can't exceed the limit of its worker; a failed allocation must be detected there too."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with Sandbox(preload=[FAULTS], scratch=tmp_path) as sandbox:
        zygote = inspect_child(sandbox)["parent"]
        assert isinstance(zygote, int)
        resource.prlimit(zygote, resource.RLIMIT_DATA, (200 * MEBIBYTE, 200 * MEBIBYTE))
        assert call(sandbox, "exceeds_memory_briefly", mebibytes=100) == ["all of it"]
        for function, arguments in (
            ("exceeds_memory_briefly", {"mebibytes": 180}),
            ("continues_without_a_large_block", {"mebibytes": 180}),
            ("continues_without_small_blocks", {}),
        ):
            with pytest.raises(MemoryLimit):
                call(sandbox, function, **arguments)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_limit_below_the_memory_of_the_libraries_is_reported(sandbox: Sandbox) -> None:
    with pytest.raises(MemoryLimit, match="the libraries alone need"):
        call(sandbox, "counts", dataclasses.replace(ROOMY, memory_bytes=2**20), items=1)


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("bombs_forks", {}),
        ("leaves_a_grandchild", {}),
        ("starts_a_program", {}),
        ("opens_a_socket", {}),
        ("kills", {"pid": 1}),
        ("maps_shared_memory", {}),
    ],
)
def test_forbidden_action_is_denied(sandbox: Sandbox, function: str, arguments: dict[str, JSON]) -> None:
    if "seccomp" not in sandbox.confinement:
        pytest.skip("this kernel has no system call filter")
    with pytest.raises(InternalError, match=r"PermissionError|BlockingIOError"):
        list(sandbox.stream(f"{FAULTS}:{function}", arguments, ROOMY))
    assert len(call(sandbox, "counts", items=3)) == 3


def test_a_typed_error_keeps_class_message_and_attributes_not_reaction(sandbox: Sandbox) -> None:
    with pytest.raises(PasswordRequired, match=r"^a\.pdf: needs a password") as caught:
        call(sandbox, "raises_typed")
    assert vars(caught.value)["page"] == 7
    assert caught.value.is_retryable is False
    assert "raises_typed" in caught.value.__notes__[0]


def test_typed_error_with_constructor_arguments_arrives_intact(sandbox: Sandbox) -> None:
    with pytest.raises(Crashed, match="the second engine died too") as caught:
        call(sandbox, "raises_crashed")
    assert caught.value.signal_number == signal.SIGBUS


def test_plain_exception_becomes_internal_error_with_its_traceback(sandbox: Sandbox) -> None:
    with pytest.raises(InternalError, match=r"in raises_plain[\s\S]*ZeroDivisionError: by nothing"):
        call(sandbox, "raises_plain")


def test_crash_names_function_and_item(sandbox: Sandbox) -> None:
    with pytest.raises(Crashed, match=r"faults:crashes_on_item, item 4: .*SIGSEGV"):
        call(sandbox, "crashes_on_item", item=4, signal_name="SIGSEGV")


def test_each_step_has_its_complete_cpu_limit(sandbox: Sandbox) -> None:
    limits = dataclasses.replace(ROOMY, step_cpu_seconds=0.4)
    assert call(sandbox, "spins_a_little", limits, items=4, step_seconds=0.2) == [1, 2, 3, 4]


def test_unknown_function_is_an_internal_error(sandbox: Sandbox) -> None:
    with pytest.raises(InternalError, match="no_such_fault"):
        call(sandbox, "no_such_fault")
