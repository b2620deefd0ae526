"""The tags that docpipe puts on runs."""

from docpipe_assets.identity import file_name_of

PARTITION = "dagster/partition"
QUEUE = "dagster-celery/queue"

BATCH = "docpipe/batch"
LANE = "docpipe/lane"
VERSION = "docpipe/version"
REQUEST = "docpipe/request"
ERROR = "docpipe/error"
STAGE = "docpipe/failed_stage"
MESSAGE = "docpipe/message"
FAILED_PAGES = "docpipe/failed_pages"


def request_of(document: str, version: str) -> str:
    """Names one version of one document; a run that carries it was requested for that version."""
    return f"{file_name_of(document)}.{version}"
