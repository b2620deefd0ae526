"""The Dagster code location: all assets, jobs, sensors and resources."""

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
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.runtime.shared import shared_pipeline
from docpipe_assets.settings import Settings, read_settings


def build_definitions(
    settings: Settings, open_pipeline: Callable[[Settings], DocumentPipeline] = shared_pipeline
) -> dg.Definitions:
    """The definitions for these settings. Stores and engines are created when a run first uses them."""

    @dg.resource(
        description="The document pipeline: stages bound to the worker's settings, stores and engines."
    )
    def pipeline(context: dg.InitResourceContext) -> DocumentPipeline:
        made = open_pipeline(settings)
        # A worker process executes one run at a time.
        made.lane = context.run.tags.get(tags.LANE, STANDARD) if context.run else STANDARD
        return made

    @dg.io_manager(
        required_resource_keys={"pipeline"}, description="Reads and writes typed artifacts in the lake."
    )
    def lake(context: dg.InitResourceContext) -> LakeIOManager:
        return LakeIOManager(context.resources.pipeline)

    return dg.Definitions(
        assets=[*DOCUMENT_ASSETS, *CORPUS_ASSETS, breaker, batch_priority],
        jobs=[process_document, reset_breakers],
        sensors=[intake_sensor(settings)],
        resources={"pipeline": pipeline, "lake": lake},
        # The default executor would start one process per step: six times the cost of a small document.
        executor=dg.in_process_executor,
    )


defs = build_definitions(read_settings())
