"""Every release can read the data of earlier ones: artifacts, run records, and the cursor of the sensor."""

import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pytest
import zstandard

from docpipe_assets.instance.records.history import read_ledger
from docpipe_assets.instance.records.interventions import read_interventions
from docpipe_assets.instance.records.names import BREAKER
from docpipe_assets.model import Mentions, PageTexts
from docpipe_assets.operations.interventions import resets, withdrawn
from docpipe_assets.pipeline import PIPELINE
from docpipe_assets_tests.releases.record import BATCH, FOLDER, SCANNED
from docpipe_assets_tests.releases.site import BUCKETS, SmallSite, small_site

RELEASES = sorted(path.parent.name for path in FOLDER.glob("*/release.json"))


@dataclass(frozen=True)
class Release:
    site: SmallSite
    known: dict[str, Any]

    @property
    def documents(self) -> dict[str, dict[str, Any]]:
        return dict(self.known["documents"])


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """A deployment on a copy of the data of the release."""
    kept, folder = FOLDER / request.param, tmp_path_factory.mktemp("release")
    known = json.loads((kept / "release.json").read_text())
    for bucket in BUCKETS:
        shutil.copytree(kept / bucket, folder / "buckets" / bucket)
    for document, facts in known["documents"].items():
        # The time of an object belongs to its version, and a checkout does not preserve it.
        os.utime(folder / "buckets" / "intake" / document, (facts["modified"],) * 2)
    with (
        zstandard.open(kept / "dagster-home.tar.zst", "rb") as packed,
        tarfile.open(fileobj=packed, mode="r|") as archive,
    ):
        archive.extractall(folder, filter="data")
    with small_site(folder / "buckets", folder / "dagster-home", folder / "data") as site:
        yield Release(site, known)


def test_this_release_is_recorded() -> None:
    assert version("docpipe-assets") in RELEASES, "python -m docpipe_assets_tests.releases.record"


def test_every_artifact_is_read_with_the_current_models(release: Release) -> None:
    for document, facts in release.documents.items():
        for stream in PIPELINE.streams:
            if artifact := facts["artifacts"].get(stream.asset):
                rows = release.site.pipeline.load(stream, document)
                assert (rows.fingerprint, len(list(rows))) == (artifact["fingerprint"], artifact["rows"])


def test_text_and_quotes_are_those_of_the_pages(release: Release) -> None:
    (page,) = release.site.pipeline.load(PageTexts, f"{BATCH}/scan.pdf")
    assert page.text == SCANNED
    for mention in release.site.pipeline.load(Mentions, f"{BATCH}/scan.pdf"):
        assert page.text[mention.place.start : mention.place.end] == mention.quote


def test_the_ledger_is_the_same(release: Release) -> None:
    ledger = read_ledger(release.site.instance, release.site.pipeline)
    found = {entry.document: (entry.state.value, entry.error) for entry in ledger.entries}
    assert found == {name: (facts["state"], facts["error"]) for name, facts in release.documents.items()}


def test_decisions_of_users_are_preserved(release: Release) -> None:
    interventions = list(read_interventions(release.site.instance, BREAKER))
    assert [(one.key, one.reason) for one in resets(interventions)] == [
        (f"{BATCH}/empty.pdf", "the source was checked")
    ]
    assert withdrawn((), interventions) == {f"{BATCH}/privileged.pdf"}


@pytest.mark.parametrize("with_cursor", [True, False])
def test_intake_continues_and_requests_no_finished_document_again(
    release: Release, with_cursor: bool
) -> None:
    requested = release.site.tick(release.known["cursor"] if with_cursor else None).run_requests or []
    # Newer code may retry failed documents.
    assert {request.partition_key for request in requested} <= {f"{BATCH}/empty.pdf"}
