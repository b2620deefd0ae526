"""Unusual but valid S3 keys are processed by intake, Dagster, all stages and the lake like any others.

The bucket is moto's, because a file system can't store these keys; the lake is a folder, to show that their
artifacts fit there as well.
"""

from collections.abc import Iterator

import dagster as dg
import pytest
from typer.testing import CliRunner

from docpipe_assets.cli import app
from docpipe_assets.cli.breakers_table import breaker_details
from docpipe_assets.defs.assets import DOCUMENT_ASSETS
from docpipe_assets.defs.io_managers import LakeIOManager
from docpipe_assets.defs.jobs import process_document, reset_breakers
from docpipe_assets.defs.partitions import documents
from docpipe_assets.defs.sensors import intake_sensor
from docpipe_assets.errors import ConfigurationError
from docpipe_assets.identity import partition_key
from docpipe_assets.instance.records.history import read_ledger
from docpipe_assets.instance.records.interventions import read_interventions, reset
from docpipe_assets.instance.records.names import BREAKER, PROCESS_DOCUMENT
from docpipe_assets.instance.records.recovery import withdraw
from docpipe_assets.model import RawPdfs, Relationships
from docpipe_assets.operations.ledger import State
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.sample import write_text_pdfs
from docpipe_assets.settings import read_settings
from docpipe_assets.storage.s3 import S3Store, s3_client
from docpipe_assets_tests.storage.servers import KEY_ID, SECRET, moto_server

GOOD = [
    "/x.pdf",
    "batch/nul\x00.pdf",
    "batch/50%20off.pdf",
    "batch/" + "y" * 1014 + ".pdf",
    "c, d//../[x]*\x9f.pdf",
]
EMPTY = "batch/100%25.pdf"
ITS_LOOKALIKE = "batch/100%.pdf"
"""Looks like the partition key of the first, but is the key of the second."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("odd")
    for name in ("home", "lake"):
        (folder / name).mkdir()
    with pytest.MonkeyPatch.context() as patch, moto_server() as bucket:
        patch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        patch.setenv("DAGSTER_HOME", str(folder / "home"))
        patch.setenv("DOCPIPE_DATA_DIR", str(folder / "data"))
        patch.setenv("DOCPIPE_INTAKE_URL", "s3://intake")
        patch.setenv("DOCPIPE_LAKE_URL", (folder / "lake").as_uri())
        patch.setenv("DOCPIPE_S3_ENDPOINT_URL", bucket)
        patch.setenv("DOCPIPE_NER_ENGINES", '["patterns"]')
        s3_client(bucket, "us-east-1").create_bucket(Bucket="intake")
        yield


@pytest.fixture(scope="module")
def instance(environment: None) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as made:
        yield made


@pytest.fixture(scope="module")
def pipeline(
    environment: None, instance: dg.DagsterInstance, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DocumentPipeline]:
    """The pipeline after one tick of intake and the runs that it requested."""
    settings = read_settings()
    made = DocumentPipeline(settings)
    folder = tmp_path_factory.mktemp("letters")
    (letter,) = write_text_pdfs(folder, 1)
    empty = folder / "empty.pdf"
    empty.write_bytes(b"")
    for key in [*GOOD, EMPTY, ITS_LOOKALIKE]:
        S3Store("intake", endpoint_url=settings.s3_endpoint_url).put(key, letter if key in GOOD else empty)
    resources = {"pipeline": made, "lake": LakeIOManager(made)}
    definitions = dg.Definitions(assets=DOCUMENT_ASSETS, jobs=[process_document], resources=resources)
    job = definitions.resolve_job_def(PROCESS_DOCUMENT)
    with dg.build_sensor_context(instance=instance, resources={"pipeline": made}) as context:
        result = intake_sensor(settings)(context)
    assert isinstance(result, dg.SensorResult)
    for added in result.dynamic_partitions_requests or []:
        instance.add_dynamic_partitions(documents.name or "", list(added.partition_keys))
    for request in result.run_requests or []:
        job.execute_in_process(
            instance=instance,
            partition_key=request.partition_key,
            tags=dict(request.tags),
            raise_on_error=False,
        )
    yield made
    made.close()


def test_unusual_keys_are_processed_like_any_others(
    instance: dg.DagsterInstance, pipeline: DocumentPipeline
) -> None:
    states = {entry.document: entry.state for entry in read_ledger(instance, pipeline).entries}
    quarantined = dict.fromkeys([EMPTY, ITS_LOOKALIKE], State.QUARANTINED)
    assert states == dict.fromkeys(GOOD, State.SUCCEEDED) | quarantined


@pytest.mark.parametrize("key", GOOD, ids=range(len(GOOD)))
def test_each_has_its_own_artifacts_and_keeps_its_parts(pipeline: DocumentPipeline, key: str) -> None:
    (raw,) = pipeline.load(RawPdfs, key)
    assert raw.document == key
    assert {row.document for row in pipeline.load(Relationships, key)} == {key}
    with pipeline.lake.parts(RawPdfs.asset, key).fetch(raw.pdf) as path:
        assert path.stat().st_size == raw.size_bytes


@pytest.mark.parametrize("key", GOOD, ids=range(len(GOOD)))
def test_show_accepts_the_key_and_the_partition_key(pipeline: DocumentPipeline, key: str) -> None:
    for name in {key, partition_key(key)} - {"batch/nul\x00.pdf"}:  # program arguments can't contain NUL
        shown = CliRunner().invoke(app, ["show", name])
        assert shown.exit_code == 0, shown.output
        assert "succeeded" in shown.output
        assert not set(shown.output) & {"\x00", "\x9f"}, "no control characters for a terminal"


def test_a_reset_and_a_withdrawal_apply_to_the_named_document(
    instance: dg.DagsterInstance, pipeline: DocumentPipeline
) -> None:
    assert reset(instance, documents=[EMPTY], stage=None, reason="checked") == [EMPTY]
    withdraw(instance, pipeline, EMPTY, reason="privileged", is_withdrawn=True)
    interventions = list(read_interventions(instance, BREAKER))
    assert [(one.action, one.key) for one in interventions] == [
        ("reset", partition_key(EMPTY)),
        ("withdrawn", partition_key(EMPTY)),
    ]
    assert "quarantined" in str(breaker_details(instance, pipeline, ITS_LOOKALIKE))


def test_a_name_that_is_not_a_document_is_rejected(
    instance: dg.DagsterInstance, pipeline: DocumentPipeline
) -> None:
    for name in ("batch/x.pfd", "batch/%FF.pdf"):
        with pytest.raises(ConfigurationError, match="no such document"):
            reset(instance, documents=[GOOD[0], name], stage=None, reason="checked")
        config = {"ops": {"reset": {"config": {"reason": "checked", "documents": [GOOD[0], name]}}}}
        job = reset_breakers.execute_in_process(run_config=config, instance=instance, raise_on_error=False)
        assert not job.success
    assert partition_key(GOOD[0]) not in {one.key for one in read_interventions(instance, BREAKER)}, (
        "all keys or none"
    )
