"""The contents of docs and deploy/ are valid: variables, commands, options and budgets exist."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

import docpipe_assets
from docpipe_assets.cli import app
from docpipe_assets.errors import ConfigurationError
from docpipe_assets.instance.worker import REQUEUE_SECONDS
from docpipe_assets.settings import Settings
from docpipe_assets.stack import ensure_dagster_home, write_dagster_home
from docpipe_assets.stack.dagster_parts import CodeServer, Daemon, Webserver
from docpipe_assets.stack.endpoints import ensure_endpoints
from docpipe_assets.stack.workspace import Workspace

TOP = Path(docpipe_assets.__file__).parent.parent
DEPLOY = TOP / "deploy"
PAGES = [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]
FILES = [*PAGES, *sorted(path for path in DEPLOY.rglob("*") if path.is_file())]
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
LANE_MEGABYTES = {"standard": 512, "large": 2048, "corpus": 512}
WORKER_MEGABYTES = 256


def commands() -> Iterator[tuple[str, list[str]]]:
    """The place and the words of every command of docpipe or Dagster."""
    for page in PAGES:
        for block in re.findall(r"^```\n(.*?)^```", page.read_text(), re.S | re.M):
            for line in block.replace("\\\n", " ").splitlines():
                yield page.name, shlex.split(line, comments=True)
    for unit in UNITS:
        for line in re.findall(r"^ExecStart=(.*)$", unit.read_text(), re.M):
            yield unit.name, shlex.split(line.replace("${SLOTS}", "2").replace("%i", "standard"))
    for place, container in containers():
        yield place, container["command"]
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    for line in re.findall(r"^RUN (docpipe .*)$", dockerfile, re.M):
        yield "Dockerfile", shlex.split(re.sub(r"\$\{\w*SLOTS\}", "2", line))


def containers() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        for manifest in yaml.safe_load_all(path.read_text()):
            pod = manifest["spec"].get("template", {}).get("spec", {})
            for container in pod.get("containers", []):
                yield path.name, {**container, "pod": pod}
    for path in sorted((DEPLOY / "ecs").glob("*.json")):
        task = json.loads(path.read_text())
        for container in task["containerDefinitions"]:
            yield path.name, {**container, "task": task}


def programs(name: str) -> list[tuple[str, list[str]]]:
    """The commands that run a program, with only its arguments."""
    found = []
    for place, words in commands():
        at = [
            number
            for number, word in enumerate(words)
            if word.endswith(f"/bin/{name}") or (number == 0 and word == name)
        ]
        if at:
            found.append((place, words[at[0] + 1 :]))
    return found


def worker_options(words: list[str]) -> dict[str, Any]:
    root: Any = typer.main.get_command(app)
    return dict(root.commands["worker"].make_context("worker", words).params)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TOP)))
def test_every_variable_that_is_named_is_a_setting(path: Path) -> None:
    named = set(re.findall(r"\bDOCPIPE_[A-Z0-9_]+\b", path.read_text()))
    assert named <= {f"DOCPIPE_{field.upper()}" for field in Settings.model_fields}


@pytest.mark.parametrize(
    ("place", "words"), programs("docpipe"), ids=lambda value: value if isinstance(value, str) else value[0]
)
def test_every_docpipe_command_accepts_its_options(
    place: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "/var/lib/docpipe/dagster")  # as the Dockerfile does
    command: Any = typer.main.get_command(app)
    name, rest = "docpipe", list(words)
    while hasattr(command, "commands"):
        name = rest.pop(0)
        assert name in command.commands, f"{place}: docpipe has no command {name}"
        command = command.commands[name]
    command.make_context(name, rest)


def test_dagsters_programs_accept_the_options_of_the_local_stack(tmp_path: Path) -> None:
    endpoints = ensure_endpoints(tmp_path)
    workspace = Workspace("docpipe_assets.definitions", "docpipe")
    parts = (CodeServer(endpoints, workspace), Daemon(endpoints, tmp_path), Webserver(endpoints, tmp_path))
    tried: dict[str, set[str]] = {}
    for part in parts:
        program, *arguments = part.command().arguments
        tried.setdefault(Path(program).name, set()).update(word.partition("=")[0] for word in arguments)
    tried["dagster"] |= {"instance", "migrate"}  # the stack's schema
    for program, options in tried.items():
        used = programs(program)
        assert len(used) >= 3, program
        for place, words in used:
            assert {word.partition("=")[0] for word in words} <= options, f"{place}: {program} {words}"


def test_workers_have_the_memory_and_the_time_that_they_need() -> None:
    seen = set()
    for place, container in containers():
        if container["command"][:2] != ["docpipe", "worker"]:
            continue
        options = worker_options(container["command"][2:])
        (lane,) = options["lane"]
        each = LANE_MEGABYTES[lane]
        needed = WORKER_MEGABYTES + options["concurrency"] * each
        if "pod" in container:
            memory = container["resources"]
            assert memory["requests"]["memory"] == memory["limits"]["memory"] == f"{needed}Mi"
            patience = container["pod"]["terminationGracePeriodSeconds"]
            (scratch,) = container["volumeMounts"]
            assert Path(scratch["mountPath"]) == Settings(data_dir=Path("/var/lib/docpipe")).scratch_dir
        else:
            assert int(container["task"]["memory"]) >= needed
            patience = container["stopTimeout"]
            assert patience <= 120, "ECS allows no more"
        assert patience >= options["grace_seconds"] + REQUEUE_SECONDS
        seen.add((place, lane))
    assert {lane for _, lane in seen} == LANE_MEGABYTES.keys()
    assert len(seen) == 6


def test_a_units_memory_fits_its_slots() -> None:
    worker = (DEPLOY / "systemd" / "docpipe-worker@.service").read_text()
    sizes = {
        lane: (DEPLOY / "systemd" / f"docpipe-worker@{lane}.service.d" / "size.conf").read_text()
        for lane in ("large", "corpus")
    }
    for lane, text in {"standard": worker, **sizes}.items():
        each = LANE_MEGABYTES[lane]
        slots = int(re.findall(r"^Environment=SLOTS=(\d+)$", text, re.M)[0])
        assert re.findall(r"^MemoryMax=(\d+)M$", text, re.M) == [str(WORKER_MEGABYTES + slots * each)]
    assert "KillMode=mixed" in worker, "otherwise systemd interrupts runs that the worker has to finish"
    (stop_seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", worker, re.M)
    (grace_seconds,) = re.findall(r"--grace-seconds (\d+)", worker)
    assert int(stop_seconds) >= int(grace_seconds) + REQUEUE_SECONDS


@pytest.mark.needs("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_accepts_the_unit(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text().replace("/opt/docpipe/bin/", f"{Path(sys.executable).parent}/")
    # It requires the user and the files to exist.
    text = re.sub(r"^(User|EnvironmentFile)=.*\n", "", text, flags=re.M)
    copy = tmp_path / unit.name.replace("@", "@standard")
    copy.write_text(text)
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False
    )
    about_ours = [line for line in verified.stderr.splitlines() if copy.name in line]
    assert about_ours == []


def test_a_home_of_a_deployment_has_its_slots_and_its_code_server(tmp_path: Path) -> None:
    write_dagster_home(tmp_path / "home", slots=12, large_slots=3, code_server="code.internal:4000")
    queue = yaml.safe_load((tmp_path / "home" / "dagster.yaml").read_text())["run_coordinator"]["config"]
    assert queue["max_concurrent_runs"] == 15
    limits = [(one["key"], one["value"], one["limit"]) for one in queue["tag_concurrency_limits"]]
    assert limits == [
        ("docpipe/lane", "large", 3),
        ("docpipe/lane", "corpus", 1),
        ("dagster/partition", {"applyLimitPerUniqueValue": True}, 1),
    ]
    workspace = yaml.safe_load((tmp_path / "home" / "workspace.yaml").read_text())
    assert workspace["load_from"] == [
        {"grpc_server": {"host": "code.internal", "location_name": "docpipe", "port": 4000}}
    ]
    with pytest.raises(ConfigurationError, match="HOST:PORT"):
        write_dagster_home(tmp_path, slots=1, large_slots=1, code_server="code.internal")


def test_a_worker_on_a_bare_machine_creates_its_own_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    home = ensure_dagster_home(tmp_path)
    assert "InstanceStorage" in (home / "dagster.yaml").read_text()
    assert ensure_dagster_home(tmp_path / "elsewhere") == home, "it is set from now on"


def test_a_home_that_would_keep_records_locally_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"contains no dagster\.yaml"):
        ensure_dagster_home(tmp_path)
