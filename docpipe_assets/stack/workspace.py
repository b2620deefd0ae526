"""workspace.yaml and dagster.yaml of a deployment, generated from those that docpipe ships.

One code server serves the definitions: with a Python module in the workspace, webserver and daemon would each
start one of their own, with twice the memory and import time. `dagster dev` does the same.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import yaml

import docpipe_assets
from docpipe_assets.errors import ConfigurationError
from docpipe_assets.lanes import LARGE
from docpipe_assets.stack.parts import HOST, StackError

_PACKAGE = Path(docpipe_assets.__file__).parent

_HOME = "DAGSTER_HOME"
_PREFETCHED_RUNS = 2
"""Number of runs that wait at the broker for a free worker, so that no worker idles until Dagster's next
dequeue."""
_CORPUS_RUNS = 1
"""Limit of the corpus lane in dagster.yaml, whose runs must not use the slots of documents."""


@dataclass(frozen=True)
class Workspace:
    module_name: str
    location_name: str

    @classmethod
    def read(cls, path: Path) -> "Workspace":
        try:
            entries = yaml.safe_load(path.read_text())["load_from"]
            [entry] = entries
            module = entry["python_module"]
        except FileNotFoundError as exc:
            raise StackError(f"{path} is missing; install docpipe, or run it from a checkout") from exc
        except (yaml.YAMLError, KeyError, TypeError, ValueError) as exc:
            raise StackError(f"{path}: expected one python_module below load_from") from exc
        if isinstance(module, str):
            return cls(module, module)
        return cls(module["module_name"], module.get("location_name", module["module_name"]))

    def write_for_server(self, path: Path, port: int, host: str = HOST) -> None:
        server = {"host": host, "port": port, "location_name": self.location_name}
        path.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}))


def packaged_file(name: str) -> Path:
    """A configuration file of docpipe: inside an installed package, or at the top of a checkout."""
    inside = _PACKAGE / name
    return inside if inside.exists() else _PACKAGE.parent / name


def copy_instance_configuration(source: Path, dagster_home: Path, workers: int, large: int = 1) -> None:
    """Copy dagster.yaml with limits for this number of workers, ``large`` of them in the large lane."""
    try:
        configuration = yaml.safe_load(source.read_text())
    except FileNotFoundError as exc:
        raise StackError(f"{source} is missing; install docpipe, or run it from a checkout") from exc
    queue = configuration["run_coordinator"]["config"]
    queue["max_concurrent_runs"] = max(
        queue["max_concurrent_runs"], workers + _PREFETCHED_RUNS + _CORPUS_RUNS
    )
    for limit in queue["tag_concurrency_limits"]:
        if limit["value"] == LARGE:
            limit["limit"] = large
    (dagster_home / "dagster.yaml").write_text(yaml.safe_dump(configuration, sort_keys=False))


def write_dagster_home(home: Path, *, slots: int, large_slots: int, code_server: str) -> None:
    """Write dagster.yaml and workspace.yaml of a deployment, for its daemon and its webserver.

    ``slots`` is the total over all workers, ``code_server`` is HOST:PORT.
    """
    host, colon, port = code_server.rpartition(":")
    if not (colon and host and port.isdigit()):
        raise ConfigurationError(f"--code-server {code_server}: use HOST:PORT")
    home.mkdir(parents=True, exist_ok=True)
    copy_instance_configuration(packaged_file("dagster.yaml"), home, slots, large_slots)
    workspace = Workspace.read(packaged_file("workspace.yaml"))
    workspace.write_for_server(home / "workspace.yaml", int(port), host)


def ensure_dagster_home(data_dir: Path) -> Path:
    """Set and return the DAGSTER_HOME of this process: the configured one, else one within ``data_dir``.

    A worker needs the classes that dagster.yaml configures and none of its limits, which belong to the
    daemon. Raises ConfigurationError for a home without a dagster.yaml, because Dagster would silently store
    its records in files there.
    """
    chosen = os.environ.get(_HOME)
    home = Path(chosen) if chosen else data_dir.absolute() / "dagster"
    if not (home / "dagster.yaml").exists():
        if chosen:
            raise ConfigurationError(f"{_HOME}={home} contains no dagster.yaml; docpipe configure writes one")
        home.mkdir(parents=True, exist_ok=True)
        copy_instance_configuration(packaged_file("dagster.yaml"), home, workers=0)
    os.environ[_HOME] = str(home)
    return home
