"""Jobs: what a sensor or a person launches for a document."""

import dagster as dg

from docpipe_assets.defs.assets import DOCUMENT_ASSETS

PROCESS_DOCUMENT = "process_document"

process_document = dg.define_asset_job(
    PROCESS_DOCUMENT,
    selection=dg.AssetSelection.assets(*DOCUMENT_ASSETS),
    description="All stages of one document, in one run. What is unchanged is left as it is.",
)
