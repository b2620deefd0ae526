"""Converts docpipe errors to Dagster failures with the reaction of their class."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import dagster as dg

from docpipe_assets.errors import DocpipeError, InternalError
from docpipe_assets.instance.records import tags

_MESSAGE_CHARACTERS = 500
"""Maximum length of a tag value; Postgres indexes tag values and rejects long ones."""

_RETRIES: Final = dg.RetryPolicy(
    max_retries=3, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)
"""Retry policy for classes with ``is_retryable``. No asset has it: Dagster would apply it to interruptions as
well, and a run that a person canceled would continue."""


@dataclass(frozen=True)
class Step:
    """The step in progress: document, asset, code version, and the number of retries within this run."""

    instance: dg.DagsterInstance
    run_id: str
    document: str
    asset: str
    code_version: str
    retries: int

    def retry(self) -> dg.RetryRequested:
        """The exception that makes Dagster retry the step, or fail it with its cause after the last retry."""
        return dg.RetryRequested(_RETRIES.max_retries, _RETRIES.calculate_delay(self.retries + 1))


@contextmanager
def as_dagster_failure(step: Step) -> Iterator[None]:
    """Raise ``dg.Failure`` with message, code and advice, and record the code in the tags of the run.

    If the class is retryable, ``dg.RetryRequested`` is raised, caused by the failure.
    """
    try:
        yield
    except DocpipeError as error:
        failure = _failure(error, step)
        if error.is_retryable:
            failure.__cause__ = error
            raise step.retry() from failure
        raise failure from error
    except Exception as error:  # a defect: it gets a class and is reported like every failure
        wrapped = InternalError(f"{step.document}: {type(error).__name__} in {step.asset}: {error}")
        raise _failure(wrapped, step) from error


@contextmanager
def retry_on_instance_outage(step: Step) -> Iterator[None]:
    """For calls of Dagster's own storage: an outage of it is not a failure of the stage; the step
    is retried.
    """
    try:
        yield
    except Exception as error:
        raise step.retry() from error


def _failure(error: DocpipeError, step: Step) -> dg.Failure:
    document = step.document
    message = error.message if document in error.message else f"{document}: {error.message}"
    # The ledger and the breakers read these from the run without reading its events.
    recorded = {
        tags.ERROR: error.full_code,
        tags.STAGE: step.asset,
        tags.CODE: step.code_version,
        tags.MESSAGE: message[:_MESSAGE_CHARACTERS],
    }
    with retry_on_instance_outage(step):
        step.instance.add_run_tags(step.run_id, recorded)
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
