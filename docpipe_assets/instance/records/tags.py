"""The run tags of docpipe."""

from collections.abc import Mapping

PARENT_RUN = "dagster/parent_run_id"
PARTITION = "dagster/partition"
QUEUE = "dagster-celery/queue"
PRIORITY = "dagster/priority"
RUN_KEY = "dagster/run_key"

BATCH = "docpipe/batch"
LANE = "docpipe/lane"
VERSION = "docpipe/version"
REQUEST = "docpipe/request"
ATTEMPT = "docpipe/attempt"
PURPOSE = "docpipe/purpose"
CANARY = "docpipe/canary"
CODE = "docpipe/code_version"
ERROR = "docpipe/error"
STAGE = "docpipe/failed_stage"
MESSAGE = "docpipe/message"
FAILED_PAGES = "docpipe/failed_pages"

OF_ONE_ATTEMPT = (REQUEST, VERSION, ATTEMPT, PURPOSE, CANARY, CODE, ERROR, STAGE, MESSAGE, FAILED_PAGES)
"""Tags that describe one run only. Dagster copies them to a re-execution, where they must not count; tags
can't be removed, so they are set to "" there."""


def is_automatic(tags: Mapping[str, str]) -> bool:
    """False for a run that a person or a backfill launched, including a re-execution of an automatic run."""
    return bool(tags.get(REQUEST)) and PARENT_RUN not in tags
