"""Turns docpipe's errors into Dagster failures that obey the reaction of their class."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from docpipe_assets.defs import tags
from docpipe_assets.errors import DocpipeError, InternalError

TRANSIENT_RETRIES = dg.RetryPolicy(
    max_retries=3, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)
"""For classes with ``is_retryable``; every other failure forbids its own retries."""


@contextmanager
def reported(instance: dg.DagsterInstance, run_id: str, document: str, asset: str) -> Iterator[None]:
    """Raise ``dg.Failure`` with the message, code and advice, and note the code on the run."""
    try:
        yield
    except DocpipeError as error:
        raise _failure(error, instance, run_id, document, asset) from error
    except Exception as error:  # a defect: it gets the class and the report that every failure has
        wrapped = InternalError(f"{document}: {type(error).__name__} in {asset}: {error}")
        raise _failure(wrapped, instance, run_id, document, asset) from error


def _failure(
    error: DocpipeError, instance: dg.DagsterInstance, run_id: str, document: str, asset: str
) -> dg.Failure:
    message = error.message if document in error.message else f"{document}: {error.message}"
    # The ledger reads code, stage and message from the run, without going through its events.
    instance.add_run_tags(
        run_id,
        {tags.ERROR: error.full_code, tags.STAGE: asset, tags.MESSAGE: message[:1000]},
    )
    return dg.Failure(
        description=f"{error.full_code}: {message}",
        metadata={
            "code": error.full_code,
            "document": document,
            "advice": error.advice,
            "is_retryable": error.is_retryable,
            "quarantines": error.quarantines,
        },
        allow_retries=error.is_retryable,
    )
