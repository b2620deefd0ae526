"""Jobs: what a sensor or a person launches for a document."""

import dagster as dg
from pydantic import Field

from docpipe_assets.defs.assets import DOCUMENT_ASSETS
from docpipe_assets.errors import ConfigurationError
from docpipe_assets.instance.records.interventions import record_reset, registered_document
from docpipe_assets.instance.records.names import PROCESS_DOCUMENT

_SHOWN = 10
"""Documents that a message names."""

process_document = dg.define_asset_job(
    PROCESS_DOCUMENT,
    selection=dg.AssetSelection.assets(*DOCUMENT_ASSETS),
    description="All stages of one document, in one run. What is unchanged is left as it is.",
)


class ResetBreakers(dg.Config):
    """Which breakers, and why: the reason is kept with the reset."""

    reason: str
    documents: list[str] = Field(default_factory=list)
    """S3 keys below the intake prefix, or partition keys."""
    stage: str = ""
    """The name of an asset whose stage breaker is open."""


@dg.op
def reset(context: dg.OpExecutionContext, config: ResetBreakers) -> None:
    if not config.reason.strip() or not (config.documents or config.stage):
        raise dg.Failure("name documents or a stage, and give a reason", allow_retries=False)
    try:
        named = [registered_document(context.instance, name) for name in config.documents]
    except ConfigurationError as error:
        raise dg.Failure(error.message, allow_retries=False) from error
    for document in named:
        record_reset(context.instance, reason=config.reason, document=document)
    if config.stage:
        record_reset(context.instance, reason=config.reason, stage=config.stage)
    shown = ", ".join(
        [*named[:_SHOWN], *(["..."] if len(named) > _SHOWN else []), *filter(None, [config.stage])]
    )
    context.log.info(f"reset {shown}; intake goes on with what is due at its next look")


@dg.job(
    description=(
        "Says that an obstacle is gone: for documents that are held or quarantined, or for a stage that is "
        "paused. Recorded on the `breaker` asset with the reason; intake requests the documents at its next "
        "look. Nothing is deleted, and what is finished is left as it is."
    ),
)
def reset_breakers() -> None:
    reset()
