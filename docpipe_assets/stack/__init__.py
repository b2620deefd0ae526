"""The local stack: the services that production runs on, from Python packages, under one folder."""

from docpipe_assets.stack.endpoints import Endpoints, running_environment
from docpipe_assets.stack.parts import StackError
from docpipe_assets.stack.running import FailedService, RunningService
from docpipe_assets.stack.supervisor import Stack
from docpipe_assets.stack.workspace import ensure_dagster_home, write_dagster_home

__all__ = [
    "Endpoints",
    "FailedService",
    "RunningService",
    "Stack",
    "StackError",
    "ensure_dagster_home",
    "running_environment",
    "write_dagster_home",
]
