"""The stack's workspace.yaml and dagster.yaml, made from those at the top of the checkout.

The definitions are served by one code server: webserver and daemon would each start one of their
own for a Python module, twice the memory and twice the import. `dagster dev` does the same.
"""

from dataclasses import dataclass
from pathlib import Path

import yaml  # type: ignore[import-untyped]  # has no stubs

from docpipe_assets.stack.parts import HOST, StackError

_RUNS_AT_HAND = 2
"""Wait at the broker for a free worker, so that none idles until Dagster looks at its queue again."""


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
            raise StackError(f"{path} is missing; start the stack from a checkout of docpipe") from exc
        except (yaml.YAMLError, KeyError, TypeError, ValueError) as exc:
            raise StackError(f"{path}: expected one python_module below load_from") from exc
        if isinstance(module, str):
            return cls(module, module)
        return cls(module["module_name"], module.get("location_name", module["module_name"]))

    def write_for_server(self, path: Path, port: int) -> None:
        server = {"host": HOST, "port": port, "location_name": self.location_name}
        path.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}))


def copy_instance_configuration(source: Path, dagster_home: Path, workers: int) -> None:
    """Copies dagster.yaml, and lets as many runs begin as this stack has workers for."""
    try:
        configuration = yaml.safe_load(source.read_text())
    except FileNotFoundError as exc:
        raise StackError(f"{source} is missing; start the stack from a checkout of docpipe") from exc
    queue = configuration["run_coordinator"]["config"]
    queue["max_concurrent_runs"] = max(queue["max_concurrent_runs"], workers + _RUNS_AT_HAND)
    (dagster_home / "dagster.yaml").write_text(yaml.safe_dump(configuration, sort_keys=False))
