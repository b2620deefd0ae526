"""Users see the correct content in Dagster's UI, in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import dagster as dg
import pytest

from docpipe_assets.operations.ledger import State
from docpipe_assets.sample import write_text_pdfs
from docpipe_assets_tests.pipeline.chromium import open_page
from docpipe_assets_tests.pipeline.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.needs("chromium"),
    pytest.mark.timeout(900),
]
DOCUMENT = "browser/O'Néill, exhibit #4 (100% final).pdf"
KEY = "browser/O'Néill%2C exhibit #4 (100%25 final).pdf"


@pytest.fixture(scope="module")
def page(site: Site) -> "Iterator[Page]":
    with open_page() as page:
        yield page


@pytest.fixture(scope="module")
def document(site: Site, tmp_path_factory: pytest.TempPathFactory) -> str:
    (path,) = write_text_pdfs(tmp_path_factory.mktemp("browser"), 1)
    site.put(DOCUMENT, path)
    assert site.settled("browser", 1).entries[0].state is State.SUCCEEDED
    return DOCUMENT


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("screenshots")


def test_the_asset_graph_shows_the_seven_stages(site: Site, page: "Page", document: str, shots: Path) -> None:
    page.goto(f"{site.stack.endpoints.webserver_url}/locations/docpipe/asset-groups/document")
    for name in ("raw_pdf", "page_splits", "ocr_text", "chunks", "mentions", "canonical_entities"):
        page.get_by_text(name, exact=True).first.wait_for()
    page.get_by_text("relationships", exact=True).first.wait_for()
    page.screenshot(path=shots / "graph.png")


def test_a_document_shows_the_facts_for_the_person_on_call(
    site: Site, page: "Page", document: str, shots: Path
) -> None:
    page.goto(f"{site.stack.endpoints.webserver_url}/assets/mentions?view=partitions&partition={quote(KEY)}")
    page.get_by_text("dagster/row_count").wait_for()
    shown = page.inner_text("body")
    for name in ("document", "version", "pages", "bytes", "wall_seconds", "peak_rss_bytes", "artifact"):
        assert name in shown
    assert f"s3://lake/mentions/{KEY}.jsonl.zst" in shown
    page.screenshot(path=shots / "document.png")


def test_materializing_one_partition_from_the_ui_succeeds(
    site: Site, page: "Page", document: str, shots: Path
) -> None:
    page.goto(f"{site.stack.endpoints.webserver_url}/assets/raw_pdf?view=partitions&partition={quote(KEY)}")
    page.get_by_text("dagster/row_count").wait_for()
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_role("dialog").get_by_text(KEY).first.wait_for(state="attached")
    page.screenshot(path=shots / "dialog.png")
    page.get_by_role("button", name="Launch 1 run").click()
    runs = site.wait_for(
        lambda: site.runs_of(KEY),
        lambda found: len(found) == 2 and found[0].is_finished,
        "the run that was launched in the UI",
    )
    assert runs[0].status is dg.DagsterRunStatus.SUCCESS
    page.goto(f"{site.stack.endpoints.webserver_url}/runs/{runs[0].run_id}")
    page.get_by_text("Success").first.wait_for()
    page.screenshot(path=shots / "run.png")
    assert site.entry(document).state is State.SUCCEEDED
