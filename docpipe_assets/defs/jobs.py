"""Jobs that a sensor or a person launches."""

import dagster as dg
from pydantic import Field

from docpipe_assets.defs.assets import DOCUMENT_ASSETS
from docpipe_assets.errors import ConfigurationError
from docpipe_assets.instance.records import interventions
from docpipe_assets.instance.records.names import PROCESS_DOCUMENT

_SHOWN = 10
"""Maximum number of documents that a message lists."""

process_document = dg.define_asset_job(
    PROCESS_DOCUMENT,
    selection=dg.AssetSelection.assets(*DOCUMENT_ASSETS),
    description="All stages of one document, in one run. Unchanged assets are not rewritten.",
)


class ResetBreakers(dg.Config):
    """The breakers to reset, and the reason, which is recorded."""

    reason: str
    documents: list[str] = Field(default_factory=list)
    """S3 keys below the intake prefix, or partition keys."""
    stage: str = ""
    """Name of an asset whose stage breaker is open."""


@dg.op
def reset(context: dg.OpExecutionContext, config: ResetBreakers) -> None:
    if not config.reason.strip() or not (config.documents or config.stage):
        raise dg.Failure("set documents or stage, and reason", allow_retries=False)
    try:
        named = interventions.reset(
            context.instance, documents=config.documents, stage=config.stage or None, reason=config.reason
        )
    except ConfigurationError as error:
        raise dg.Failure(error.message, allow_retries=False) from error
    shown = ", ".join([*named[:_SHOWN], *(["..."] if len(named) > _SHOWN else [])])
    context.log.info(f"Reset {shown}; intake requests the due documents at its next tick")


@dg.job(
    description=(
        "Resets the breakers of held or quarantined documents, or of a paused stage, after the cause is "
        "fixed. The reset is recorded on the `breaker` asset with its reason; intake requests the documents "
        "at its next tick. Nothing is deleted, and finished stages are not repeated."
    ),
)
def reset_breakers() -> None:
    reset()
