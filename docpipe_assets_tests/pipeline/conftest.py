"""The real local stack, shared by all tests that damage nothing: S3, PostgreSQL, broker, workers,
UI, daemon.
"""

from collections.abc import Iterator

import pytest

from docpipe_assets.stack import Stack
from docpipe_assets_tests.pipeline.site import Site, open_site


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("stack")
    with open_site(Stack(folder, workers=2, environment={"DOCPIPE_INTAKE_SECONDS": "2"})) as running:
        yield running
