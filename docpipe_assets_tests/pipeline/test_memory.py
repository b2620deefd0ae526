"""The memory contract: a run stays within its budget regardless of the document size, and records
its usage.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from docpipe_assets.model import PageTexts
from docpipe_assets.operations.ledger import State
from docpipe_assets.pipeline import PIPELINE
from docpipe_assets.settings import Settings
from docpipe_assets_tests.benchmarks.documents import scan_text, write_scan
from docpipe_assets_tests.cgroup import memory_group, reason_for_none
from docpipe_assets_tests.confined import confined_site, recorded_peaks, runners
from docpipe_assets_tests.pipeline.site import Site

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.timeout(900),
]

BUDGET_BYTES = Settings.model_fields["run_memory_bytes"].default
MEGABYTES_PER_PAGE = 11
ENVIRONMENT = {"DOCPIPE_INTAKE_SECONDS": "2"}


@contextmanager
def limited_site(folder: Path) -> Iterator[Site]:
    """A stack on which a run, with all its processes, can't use more memory than its budget.

    If the kernel allows no memory groups, the private data of each process is limited to the budget.
    """
    if reason_for_none():
        with confined_site(folder, None, ENVIRONMENT, 400) as site:
            for process in runners(site.stack):
                resource.prlimit(process, resource.RLIMIT_DATA, (BUDGET_BYTES, BUDGET_BYTES))
            yield site
        return
    with memory_group() as group, confined_site(folder, group, ENVIRONMENT, 400) as site:
        group.limit(BUDGET_BYTES)
        yield site
        assert group.kills == 0


@pytest.mark.parametrize("pages", [1, pytest.param(6, marks=pytest.mark.long)])
def test_a_scan_is_processed_within_the_budget_of_a_run(tmp_path: Path, pages: int) -> None:
    scan = tmp_path / "scan.pdf"
    write_scan(scan, pages, MEGABYTES_PER_PAGE * pages)
    assert scan.stat().st_size > 10_000_000 * pages
    with limited_site(tmp_path / "stack") as site:
        site.put("b/scan.pdf", scan)
        (entry,) = site.settled("b", 1).entries
        assert (entry.state, entry.pages) == (State.SUCCEEDED, pages)
        text = "".join(page.text for page in site.pipeline.load(PageTexts, "b/scan.pdf"))
        peaks = recorded_peaks(site, "b/scan.pdf")
    assert set(peaks) == {stream.asset for stream in PIPELINE.streams}
    print({asset: f"{peak // 2**20} MB" for asset, peak in peaks.items()})
    assert all(0 < peak <= BUDGET_BYTES for peak in peaks.values())
    assert len(set(text.split()) & set(scan_text(1).split())) > 20, "it was read completely"
