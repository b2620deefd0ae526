"""The real local stack, once for all pipeline tests: S3 server, Postgres, broker, workers, UI, daemon."""

from collections.abc import Iterator

import dagster as dg
import pytest

from docpipe_assets.settings import read_settings
from docpipe_assets.stack import Stack
from docpipe_assets.workbench import Workbench, open_store
from docpipe_assets_tests.pipeline.site import Site


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with (
        Stack(folder, workers=2, environment={"DOCPIPE_INTAKE_SECONDS": "2"}) as running,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in running.environment.items():
            environment.setenv(name, value)
        yield running


@pytest.fixture(scope="session")
def site(stack: Stack) -> Iterator[Site]:
    settings = read_settings()
    with dg.DagsterInstance.get() as instance:
        yield Site(stack, instance, Workbench(settings), open_store(settings.intake, settings))
