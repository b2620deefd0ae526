"""Turns docpipe's errors into Dagster failures that obey the reaction of their class."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg

from docpipe_assets.defs import tags
from docpipe_assets.errors import DocpipeError, InternalError

_MESSAGE_CHARACTERS = 500
"""Postgres indexes the values of tags, and refuses to index long ones."""

TRANSIENT_RETRIES = dg.RetryPolicy(
    max_retries=3, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)
"""For classes with ``is_retryable``; every other failure forbids its own retries."""


@dataclass(frozen=True)
class Step:
    """What is being done, for whom, and by which code."""

    instance: dg.DagsterInstance
    run_id: str
    document: str
    asset: str
    code_version: str


@contextmanager
def reported(step: Step) -> Iterator[None]:
    """Raise ``dg.Failure`` with the message, code and advice, and note the code on the run."""
    try:
        yield
    except DocpipeError as error:
        raise _failure(error, step) from error
    except Exception as error:  # a defect: it gets the class and the report that every failure has
        wrapped = InternalError(f"{step.document}: {type(error).__name__} in {step.asset}: {error}")
        raise _failure(wrapped, step) from error


def _failure(error: DocpipeError, step: Step) -> dg.Failure:
    document = step.document
    message = error.message if document in error.message else f"{document}: {error.message}"
    # Ledger and breakers read these from the run, without going through its events.
    step.instance.add_run_tags(
        step.run_id,
        {
            tags.ERROR: error.full_code,
            tags.STAGE: step.asset,
            tags.CODE: step.code_version,
            tags.MESSAGE: message[:_MESSAGE_CHARACTERS],
        },
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
