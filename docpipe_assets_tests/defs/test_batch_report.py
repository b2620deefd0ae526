"""The batch report reads only the documents that changed, and reports the same as a rebuild."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from docpipe_assets.defs.corpus import batch_report
from docpipe_assets.model.corpus import BatchReportRows
from docpipe_assets.sample import write_text_pdfs
from docpipe_assets_tests.releases.site import BUCKETS, SmallSite, small_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SmallSite]:
    for name in (*BUCKETS, "dagster"):
        (tmp_path / name).mkdir()
    with small_site(
        tmp_path, tmp_path / "dagster", tmp_path / "data", DOCPIPE_EVENT_LATENESS_SECONDS="0"
    ) as made:
        yield made


def process(site: SmallSite, folder: Path, *names: str) -> None:
    for name, path in zip(names, write_text_pdfs(folder, len(names)), strict=True):
        site.pipeline.intake.put(name, path)  # type: ignore[attr-defined]  # an S3 store
    for request in site.tick().run_requests or []:
        site.run(request)


def report(site: SmallSite) -> tuple[tuple[object, object], dict[str, Any]]:
    """How many documents were read and how many shards were written, and the JSON of the report."""
    result = dg.materialize([batch_report], instance=site.instance, resources={"pipeline": site.pipeline})
    (made,) = result.asset_materializations_for_node("batch_report")
    url = str(made.metadata["artifact"].value)
    with site.pipeline.lake.store.open(url.removeprefix(f"{site.pipeline.lake.store.url}/")) as source:
        content = json.loads(source.read())
    content.pop("made_at")
    counts = made.metadata["documents_read"].value, made.metadata["shards_written"].value
    return counts, content


def test_the_second_report_reads_only_what_changed(site: SmallSite, tmp_path: Path) -> None:
    process(site, tmp_path / "first", "a/1.pdf", "a/2.pdf", "b/1.pdf")
    counts, first = report(site)
    assert counts == (3, 2)
    counts, second = report(site)
    assert counts == (0, 0)
    assert second == first
    process(site, tmp_path / "second", "b/2.pdf")
    counts, third = report(site)
    assert counts == (1, 1)
    manifest_url = site.pipeline.lake.corpus(BatchReportRows).url
    site.pipeline.lake.store.delete(manifest_url.removeprefix(f"{site.pipeline.lake.store.url}/"))
    counts, rebuilt = report(site)
    assert counts == (4, 2)
    assert rebuilt == third
