"""The graph is stated once: everything derived from it follows if an eighth asset is added anywhere."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from docpipe_assets.defs.assets import DOCUMENT_ASSETS, document_asset, step_of, versioned
from docpipe_assets.defs.io_managers import LakeIOManager
from docpipe_assets.defs.partitions import documents
from docpipe_assets.defs.sensors import intake_sensor
from docpipe_assets.identity import document_of, fingerprint
from docpipe_assets.instance.records.failures import as_dagster_failure
from docpipe_assets.instance.records.history import read_ledger
from docpipe_assets.instance.records.names import PROCESS_DOCUMENT
from docpipe_assets.model import Chunks, PageSplits, PageTexts, Record, Records
from docpipe_assets.operations.breaker import Breakers, fold
from docpipe_assets.operations.ledger import State
from docpipe_assets.pipeline import PIPELINE, Pipeline, Stage
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.sample import write_text_pdfs
from docpipe_assets.settings import Settings
from docpipe_assets.storage.file import LocalFiles
from docpipe_assets_tests.operations.breaker.histories import SETTINGS, failed

DOCUMENT = "b/good.pdf"


class Outline(Record):
    document: str
    version: str
    pages: int


class Outlines(Records[Outline]):
    asset = "outline"
    record = Outline


LEAF = Stage(Outlines, version="1", inputs=(PageSplits,), failure_settings=("max_pages",))
WITH_LEAF = Pipeline([*PIPELINE, LEAF])
MIDDLE = Stage(Outlines, version="1", inputs=(PageTexts,))
WITH_MIDDLE = Pipeline(
    [
        *(
            Stage(one.stream, one.version, (*one.inputs, Outlines)) if one.stream is Chunks else one
            for one in PIPELINE
        ),
        MIDDLE,
    ]
)


class WithOutline(DocumentPipeline):
    graph = WITH_LEAF

    def outline(self, document: str, page_splits: PageSplits) -> Outlines:
        def read() -> Iterator[Outline]:
            splits = list(page_splits)
            yield Outline(
                document=document, version=splits[0].version, pages=sum(len(one.pages) for one in splits)
            )

        return Outlines(WITH_LEAF.fingerprint(Outlines, {}, [page_splits]), read)


@document_asset(LEAF, kinds={"pdf"})
def outline(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[DocumentPipeline], page_splits: PageSplits
) -> dg.Output[Outlines]:
    """A leaf next to the text."""
    assert isinstance(pipeline, WithOutline)
    with as_dagster_failure(step_of(context, pipeline)):
        return versioned(pipeline.outline(document_of(context.partition_key), page_splits))


class Site:
    """Dagster in this process, with seven and with eight assets."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.settings = Settings(data_dir=folder / "data")
        (file,) = write_text_pdfs(folder, 1)
        self.source = LocalFiles({DOCUMENT: file})

    def run(self, pipeline: DocumentPipeline, assets: list[dg.AssetsDefinition]) -> dg.ExecuteInProcessResult:
        job = dg.define_asset_job(PROCESS_DOCUMENT, selection=dg.AssetSelection.assets(*assets))
        resources = {"pipeline": pipeline, "lake": LakeIOManager(pipeline)}
        made = dg.Definitions(assets=assets, jobs=[job], resources=resources)
        with dg.build_sensor_context(instance=self.instance, resources={"pipeline": pipeline}) as context:
            ticked = intake_sensor(self.settings)(context)
        assert isinstance(ticked, dg.SensorResult)
        for added in ticked.dynamic_partitions_requests or []:
            self.instance.add_dynamic_partitions(documents.name or "", list(added.partition_keys))
        tags = dict(ticked.run_requests[0].tags) if ticked.run_requests else {}
        return made.resolve_job_def(PROCESS_DOCUMENT).execute_in_process(
            instance=self.instance, partition_key=DOCUMENT, tags=tags
        )

    def state(self, pipeline: DocumentPipeline) -> State:
        (entry,) = read_ledger(self.instance, pipeline).entries
        return entry.state


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Site(tmp_path, instance)


def test_the_asset_functions_match_the_graph() -> None:
    assert tuple(asset.key.to_user_string() for asset in DOCUMENT_ASSETS) == PIPELINE.assets
    for asset in DOCUMENT_ASSETS:
        stage = PIPELINE[asset.key.to_user_string()]
        assert asset.code_versions_by_key[asset.key] == stage.version
        assert {key.to_user_string() for key in asset.asset_deps[asset.key]} == {
            one.asset for one in stage.inputs
        }


def test_a_leaf_and_a_middle_stage_are_ordered_by_their_inputs() -> None:
    assert WITH_LEAF.assets == (*PIPELINE.assets, "outline")
    assert WITH_LEAF.leaves() == PIPELINE.leaves() | {"outline"}
    assert WITH_LEAF.leaves(PIPELINE.assets) == PIPELINE.leaves()
    assert WITH_MIDDLE.assets.index("outline") == WITH_MIDDLE.assets.index("chunks") - 1
    assert WITH_MIDDLE.leaves() == PIPELINE.leaves()


def test_a_rebuilt_asset_makes_only_its_own_branch_stale() -> None:
    assert WITH_LEAF.is_stale("outline", {"page_splits"})
    assert not WITH_LEAF.is_stale("outline", {"ocr_text", "chunks"})
    assert not WITH_LEAF.is_stale("chunks", {"outline"})
    assert WITH_MIDDLE.is_stale("chunks", {"outline"})


def test_a_failure_affects_only_its_own_branch() -> None:
    assert WITH_LEAF.has_passed("outline", "page_splits")
    assert not WITH_LEAF.has_reached("outline", "ocr_text")
    assert WITH_MIDDLE.has_passed("mentions", "outline")


def test_a_breaker_counts_the_new_stage_and_closes_by_later_stages() -> None:
    outage = [failed("ENGINE_FAILED", n, key=f"b/{n}.pdf", stage="outline") for n in range(5)]
    for graph in (WITH_LEAF, WITH_MIDDLE):
        opened = fold(Breakers(graph=graph), outage, SETTINGS)
        assert [one.stage for one in opened.open_stages] == ["outline"]
        canary = opened.open_stages[0].canary
        behind = fold(opened, [failed("NO_PAGES", 130, stage="mentions", canary=canary)], SETTINGS)
        assert [one.stage for one in behind.open_stages] == ([] if graph is WITH_MIDDLE else ["outline"])
        kept = Breakers.from_json(opened.as_json(SETTINGS), SETTINGS, graph)
        assert kept is not None
        assert kept.open_stages == opened.open_stages


def test_fingerprints_equal_those_of_the_previous_release() -> None:
    pages = PageTexts("made", lambda: iter(()))
    settings = {"token_limit": 400, "overlap_tokens": 50}
    assert PIPELINE.fingerprint(Chunks, settings, [pages]) == fingerprint("chunks", "3", settings, ["made"])


def test_an_undeclared_dependency_is_a_defect() -> None:
    pages = PageTexts("made", lambda: iter(()))
    with pytest.raises(ValueError, match="expected"):
        PIPELINE.fingerprint(Chunks, {"model": "1"}, [pages])
    with pytest.raises(ValueError, match="expected"):
        PIPELINE.fingerprint(Chunks, {}, [])


@pytest.mark.parametrize(
    "stages",
    [
        [*PIPELINE, Stage(Chunks, "1")],
        [one for one in PIPELINE if one.stream is not PageSplits],
        [Stage(Outlines, "1", inputs=(Outlines,))],
    ],
    ids=["an asset twice", "a missing input", "a cycle"],
)
def test_an_invalid_graph_is_rejected(stages: list[Stage]) -> None:
    with pytest.raises(ValueError, match=r"asset|input"):
        Pipeline(stages)


def test_local_processing_and_code_versions_follow(tmp_path: Path) -> None:
    (file,) = write_text_pdfs(tmp_path, 1)
    pipeline = WithOutline(Settings(data_dir=tmp_path / "data"), intake=LocalFiles({DOCUMENT: file}))
    try:
        assert [saved.header.asset for saved in pipeline.process(DOCUMENT)] == list(WITH_LEAF.assets)
        assert [saved.is_unchanged for saved in pipeline.process(DOCUMENT)] == [True] * len(WITH_LEAF.assets)
        assert pipeline.code_versions.keys() == set(WITH_LEAF.assets)
    finally:
        pipeline.close()


def test_older_documents_stay_done_and_a_new_run_needs_the_new_leaf(site: Site) -> None:
    seven = DocumentPipeline(site.settings, intake=site.source)
    eight = WithOutline(site.settings, intake=site.source)
    try:
        assert site.run(seven, list(DOCUMENT_ASSETS)).success
        assert site.state(seven) is State.SUCCEEDED
        assert site.state(eight) is State.SUCCEEDED, "not lost because there is an additional asset"
        assert site.run(eight, [*DOCUMENT_ASSETS, outline]).success
        assert site.state(eight) is State.SUCCEEDED
        site.instance.wipe_assets([dg.AssetKey("outline")])
        assert site.state(eight) is State.UNACCOUNTED, "the run succeeded, but its leaf does not exist"
    finally:
        seven.close()
        eight.close()
