"""A production of PDFs in a real bucket becomes relationships, and every file is accounted for."""

import subprocess
import sys
from pathlib import Path

import boto3
import dagster as dg
import duckdb
import pytest

from docpipe_assets.defs.assets import DOCUMENT_ASSETS, raw_pdf
from docpipe_assets.defs.partitions import documents
from docpipe_assets.defs.sensors import intake_sensor
from docpipe_assets.errors import ConfigurationError, error_class
from docpipe_assets.identity import partition_key
from docpipe_assets.model import Mentions, PageTexts, Relationships
from docpipe_assets.operations.ledger import State
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.sample import expected, write_production, write_text_pdfs
from docpipe_assets.settings import read_settings
from docpipe_assets_tests.pipeline.site import Site

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.timeout(900),
]

BATCH = "sample"
LONG_PAGES = 300
"""The exhibit that takes as long as all others."""


@pytest.fixture(scope="module")
def production(site: Site, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int | str]:
    """The sample production, uploaded with a plain S3 client and processed; returns its ground truth."""
    folder = tmp_path_factory.mktemp("production")
    client = boto3.client("s3", endpoint_url=site.stack.endpoints.s3_endpoint_url, region_name="us-east-1")
    truth = {f"{BATCH}/{name}": value for name, value in expected().items() if value != LONG_PAGES}
    for path in write_production(folder):
        if expected().get(path.name) != LONG_PAGES:
            client.upload_file(str(path), "intake", f"{BATCH}/{path.name}")
    site.settled(BATCH, len(truth))
    return truth


def good(truth: dict[str, int | str]) -> list[str]:
    return [document for document, value in truth.items() if isinstance(value, int)]


def bad(truth: dict[str, int | str]) -> dict[str, str]:
    return {document: value for document, value in truth.items() if isinstance(value, str)}


def test_every_file_is_accounted_for(site: Site, production: dict[str, int | str]) -> None:
    ledger = site.ledger(BATCH)
    assert {entry.document for entry in ledger.entries} == set(production)
    assert ledger.count(State.UNACCOUNTED) == 0
    assert ledger.count(State.SUCCEEDED) == len(good(production))
    assert ledger.count(State.QUARANTINED) == len(bad(production))
    assert ledger.not_documents == 1, "the load note"


def test_all_good_documents_have_all_seven_assets(site: Site, production: dict[str, int | str]) -> None:
    keys = {partition_key(document) for document in good(production)}
    for asset in DOCUMENT_ASSETS:
        assert site.instance.get_materialized_partitions(asset.key) & keys == keys


def test_pages_are_counted_correctly(site: Site, production: dict[str, int | str]) -> None:
    pages = {entry.document: entry.pages for entry in site.ledger(BATCH).entries}
    assert {document: pages[document] for document in good(production)} == {
        document: production[document] for document in good(production)
    }


def test_every_bad_document_is_a_failed_partition_with_a_reason(
    site: Site, production: dict[str, int | str]
) -> None:
    keys = [partition_key(document) for document in bad(production)]
    statuses = site.instance.get_status_by_partition(raw_pdf.key, keys, documents) or {}
    assert {str(status) for status in statuses.values()} == {"AssetPartitionStatus.FAILED"}
    for document, code in bad(production).items():
        (run,) = site.runs_of(partition_key(document))
        assert run.status is dg.DagsterRunStatus.FAILURE
        events = site.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
        (failure,) = [event.dagster_event.step_failure_data for event in events if event.dagster_event]
        details = failure.user_failure_data
        assert details is not None
        assert details.description is not None
        assert code in details.description
        assert document in details.description
        assert details.metadata["advice"].value == error_class(code).advice


def test_every_quote_is_at_its_place(site: Site, production: dict[str, int | str]) -> None:
    mentions = relationships = 0
    for document in good(production):
        pages = list(site.pipeline.load(PageTexts, document))
        text = "\f".join(page.text for page in pages)
        assert [page.page for page in pages] == list(range(1, len(pages) + 1))
        for mention in site.pipeline.load(Mentions, document):
            assert text[mention.place.start : mention.place.end] == mention.quote
            assert mention.is_grounded
            assert mention.place.boxes
            mentions += 1
        for edge in site.pipeline.load(Relationships, document):
            if edge.quote is not None and edge.place is not None:
                assert text[edge.place.start : edge.place.end] == edge.quote
                relationships += 1
    assert mentions > 500
    assert relationships > 100


def test_names_of_the_case_are_found_in_born_digital_and_scanned_pages(
    site: Site, production: dict[str, int | str]
) -> None:
    methods = {
        page.method.value for document in good(production) for page in site.pipeline.load(PageTexts, document)
    }
    assert {"text_layer", "ocr"} <= methods


def test_duckdb_lists_mentions_directly_from_the_bucket(site: Site, production: dict[str, int | str]) -> None:
    endpoints = site.stack.endpoints
    connection = duckdb.connect()
    lake = site.stack.folder / "s3" / "lake"
    # DuckDB's S3 extension is a download, so the folder that the server serves is queried.
    rows = connection.sql(
        f"SELECT document, place.page, quote FROM '{lake}/mentions/{BATCH}/*.jsonl.zst' WHERE type = 'person'"
    ).fetchall()
    assert endpoints.s3_endpoint_url
    assert len({document for document, _, _ in rows}) >= 10


def test_an_unchanged_document_is_skipped_quickly(site: Site, production: dict[str, int | str]) -> None:
    assert_skipped(site, max(good(production), key=lambda document: int(production[document])))


@pytest.mark.long
def test_three_hundred_pages_are_processed_then_skipped_as_quickly(site: Site, tmp_path: Path) -> None:
    name = next(name for name, pages in expected().items() if pages == LONG_PAGES)
    (path,) = [path for path in write_production(tmp_path) if path.name == name]
    site.put(f"long/{name}", path)
    (entry,) = site.settled("long", 1).entries
    assert (entry.state, entry.pages) == (State.SUCCEEDED, LONG_PAGES)
    assert_skipped(site, f"long/{name}")


def assert_skipped(site: Site, document: str) -> None:
    run = launch(site, document)
    assert run.status is dg.DagsterRunStatus.SUCCESS
    made = materializations(site, run)
    assert {name: metadata["unchanged"].value for name, metadata in made.items()} == dict.fromkeys(
        (asset.key.to_user_string() for asset in DOCUMENT_ASSETS), True
    )
    # CPU time, which does not depend on other load. Loading an engine alone takes longer.
    assert sum(float(str(metadata["cpu_seconds"].value)) for metadata in made.values()) < 2


def test_a_new_key_is_processed_and_an_overwritten_one_again(site: Site, tmp_path: Path) -> None:
    first, second = write_text_pdfs(tmp_path, 2)
    document = "live/letter.pdf"
    site.put(document, first)
    assert site.settled("live", 1).entries[0].state is State.SUCCEEDED
    before = site.pipeline.lake.header(PageTexts, document)
    site.put(document, second)
    site.wait_for(
        lambda: len(site.runs_of(document)), lambda runs: runs == 2, "a run for the overwritten document"
    )
    assert site.settled("live", 1).entries[0].state is State.SUCCEEDED
    after = site.pipeline.lake.header(PageTexts, document)
    assert before is not None
    assert after is not None
    assert before.version != after.version
    site.wait_for_ticks()
    assert len(site.runs_of(document)) == 2, "unchanged documents are skipped"


def test_a_deleted_key_is_withdrawn_not_lost(site: Site, tmp_path: Path) -> None:
    (path,) = write_text_pdfs(tmp_path, 1)
    site.put("gone/letter.pdf", path)
    site.settled("gone", 1)
    site.intake.delete("gone/letter.pdf")
    assert site.entry("gone/letter.pdf").state is State.WITHDRAWN


def test_a_bucket_that_cannot_be_listed_makes_the_tick_fail_visibly(site: Site) -> None:
    settings = read_settings().model_copy(update={"intake_url": "s3://no-such-bucket"})
    pipeline = DocumentPipeline(settings)
    with (
        dg.build_sensor_context(instance=site.instance, resources={"pipeline": pipeline}) as context,
        pytest.raises(ConfigurationError, match="no such bucket"),
    ):
        intake_sensor(settings)(context)


def test_status_has_machine_readable_output(site: Site, production: dict[str, int | str]) -> None:
    import json

    command = [sys.executable, "-m", "docpipe_assets", "status", "--batch", BATCH, "--json"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert found["discovered"] == len(production)
    assert found["unaccounted"] == 0
    assert {entry["document"] for entry in found["documents"]} == set(production)


def launch(site: Site, document: str) -> dg.DagsterRun:
    """Materialize all assets of a document like the UI does, and wait for the end."""
    from docpipe_assets_tests.pipeline.ui_api import materialize

    run_id = materialize(site, document)
    ended = site.wait_for(
        lambda: site.instance.get_run_by_id(run_id),
        lambda run: run is not None and run.is_finished,
        f"the run of {document}",
    )
    assert ended is not None
    return ended


def materializations(site: Site, run: dg.DagsterRun) -> dict[str, dict[str, dg.MetadataValue]]:
    events = site.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    made = [event.asset_materialization for event in events]
    return {one.asset_key.to_user_string(): dict(one.metadata) for one in made if one}
