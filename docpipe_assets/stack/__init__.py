"""The local stack: what production runs on, from Python packages, under one folder."""

from docpipe_assets.stack.endpoints import Endpoints, running_environment
from docpipe_assets.stack.parts import StackError
from docpipe_assets.stack.running import DeadPart, RunningPart
from docpipe_assets.stack.supervisor import Stack
from docpipe_assets.stack.workspace import settle_dagster_home, write_dagster_home

__all__ = [
    "DeadPart",
    "Endpoints",
    "RunningPart",
    "Stack",
    "StackError",
    "running_environment",
    "settle_dagster_home",
    "write_dagster_home",
]
