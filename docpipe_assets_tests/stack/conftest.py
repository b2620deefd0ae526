from collections.abc import Iterator
from pathlib import Path

import pytest

from docpipe_assets.stack import Stack
from docpipe_assets_tests.stack.graphql import Graphql

WORKSPACE = Path(__file__).parent / "workspace.yaml"


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The complete stack with the tiny definitions, shared: a test that kills a service restarts it."""
    with Stack(tmp_path_factory.mktemp("stack"), workspace=WORKSPACE) as started:
        yield started


@pytest.fixture(scope="package")
def graphql(stack: Stack) -> Graphql:
    return Graphql(stack.endpoints.webserver_url)
