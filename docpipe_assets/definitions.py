"""All the wiring: what Dagster loads."""

from collections.abc import Callable

import dagster as dg

from docpipe_assets.defs.assets import DOCUMENT_ASSETS
from docpipe_assets.defs.corpus import CORPUS_ASSETS
from docpipe_assets.defs.io_managers import LakeIOManager
from docpipe_assets.defs.jobs import process_document, reset_breakers
from docpipe_assets.defs.operations import batch_priority, breaker
from docpipe_assets.defs.sensors import intake_sensor
from docpipe_assets.instance.records import tags
from docpipe_assets.lanes import STANDARD
from docpipe_assets.runtime.document_pipeline import Workbench
from docpipe_assets.runtime.shared import shared_workbench
from docpipe_assets.settings import Settings, read_settings


def build_definitions(
    settings: Settings, open_bench: Callable[[Settings], Workbench] = shared_workbench
) -> dg.Definitions:
    """The definitions for these settings. Stores and engines are made when a run first asks for them."""

    @dg.resource(description="Stages bound to the settings, stores and engines of the worker.")
    def bench(context: dg.InitResourceContext) -> Workbench:
        made = open_bench(settings)
        # A worker process does one run at a time.
        made.lane = context.run.tags.get(tags.LANE, STANDARD) if context.run else STANDARD
        return made

    @dg.io_manager(required_resource_keys={"bench"}, description="Typed artifacts in the lake.")
    def lake(context: dg.InitResourceContext) -> LakeIOManager:
        return LakeIOManager(context.resources.bench)

    return dg.Definitions(
        assets=[*DOCUMENT_ASSETS, *CORPUS_ASSETS, breaker, batch_priority],
        jobs=[process_document, reset_breakers],
        sensors=[intake_sensor(settings)],
        resources={"bench": bench, "lake": lake},
        # The default executor would start a process a step: six times the cost of a small document.
        executor=dg.in_process_executor,
    )


defs = build_definitions(read_settings())
