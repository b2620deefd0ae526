"""A small deployment with a real S3 server and Dagster's SQLite storage, in one process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from docpipe_assets.defs.assets import DOCUMENT_ASSETS
from docpipe_assets.defs.io_managers import LakeIOManager
from docpipe_assets.defs.jobs import process_document
from docpipe_assets.defs.partitions import documents
from docpipe_assets.defs.sensors import intake_sensor
from docpipe_assets.instance.records.names import PROCESS_DOCUMENT
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.settings import read_settings
from docpipe_assets_tests.storage.servers import KEY_ID, SECRET, rclone_server

BUCKETS = ("intake", "lake")


@dataclass(frozen=True)
class SmallSite:
    instance: dg.DagsterInstance
    pipeline: DocumentPipeline

    def tick(self, cursor: str | None = None) -> dg.SensorResult:
        """One tick of intake; partitions are registered, but requested runs are not started."""
        resources = {"pipeline": self.pipeline}
        with dg.build_sensor_context(instance=self.instance, cursor=cursor, resources=resources) as context:
            result = intake_sensor(self.pipeline.settings)(context)
        assert isinstance(result, dg.SensorResult)
        for added in result.dynamic_partitions_requests or []:
            self.instance.add_dynamic_partitions(documents.name or "", list(added.partition_keys))
        return result

    def run(self, request: dg.RunRequest) -> None:
        resources = {"pipeline": self.pipeline, "lake": LakeIOManager(self.pipeline)}
        definitions = dg.Definitions(assets=DOCUMENT_ASSETS, jobs=[process_document], resources=resources)
        definitions.resolve_job_def(PROCESS_DOCUMENT).execute_in_process(
            instance=self.instance,
            partition_key=request.partition_key,
            tags=dict(request.tags),
            raise_on_error=False,
        )


@contextmanager
def small_site(buckets: Path, dagster_home: Path, data_dir: Path, **settings: str) -> Iterator[SmallSite]:
    """``buckets`` contains the folders that are served as the buckets of intake and lake.

    ``settings`` are environment variables.
    """
    with pytest.MonkeyPatch.context() as environment, rclone_server(buckets) as endpoint:
        for name in [name for name in os.environ if name.startswith("DOCPIPE_")]:
            environment.delenv(name)
        for name, value in {
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "DAGSTER_HOME": str(dagster_home),
            "DOCPIPE_DATA_DIR": str(data_dir),
            "DOCPIPE_INTAKE_URL": "s3://intake",
            "DOCPIPE_LAKE_URL": "s3://lake",
            "DOCPIPE_S3_ENDPOINT_URL": endpoint,
            "DOCPIPE_INTAKE_SETTLE_SECONDS": "0",
            **settings,
        }.items():
            environment.setenv(name, value)
        pipeline = DocumentPipeline(read_settings())
        try:
            with dg.DagsterInstance.get() as instance:
                yield SmallSite(instance, pipeline)
        finally:
            pipeline.close()
