"""Which definitions the stack serves: read from workspace.yaml, and written as one shared code server.

Webserver and daemon would each start a code server of their own for a Python module: twice the
memory and twice the import. `dagster dev` solves it in the same way.
"""

from dataclasses import dataclass
from pathlib import Path

import yaml  # type: ignore[import-untyped]  # has no stubs

from docpipe_assets.stack.parts import HOST, StackError


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
