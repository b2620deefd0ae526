"""Turns docpipe's errors into Dagster failures that obey the reaction of their class."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import dagster as dg

from docpipe_assets.errors import DocpipeError, InternalError
from docpipe_assets.instance.records import tags

_MESSAGE_CHARACTERS = 500
"""Postgres indexes the values of tags, and refuses to index long ones."""

_RETRIES: Final = dg.RetryPolicy(
    max_retries=3, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)
"""For classes with ``is_retryable``. No asset carries it: Dagster would follow it for an interruption as
well, and a run that a person canceled would go on."""


@dataclass(frozen=True)
class Step:
    """What is being done, for whom, by which code, and how often it was tried in this run before."""

    instance: dg.DagsterInstance
    run_id: str
    document: str
    asset: str
    code_version: str
    retries: int

    def retry(self) -> dg.RetryRequested:
        """What makes Dagster try the step again, or fail it with the cause when that was the last time."""
        return dg.RetryRequested(_RETRIES.max_retries, _RETRIES.calculate_delay(self.retries + 1))


@contextmanager
def reported(step: Step) -> Iterator[None]:
    """Raise ``dg.Failure`` with the message, code and advice, and note the code on the run.

    When the reaction of the class is to try again, ``dg.RetryRequested`` is raised, caused by the failure.
    """
    try:
        yield
    except DocpipeError as error:
        failure = _failure(error, step)
        if error.is_retryable:
            failure.__cause__ = error
            raise step.retry() from failure
        raise failure from error
    except Exception as error:  # a defect: it gets the class and the report that every failure has
        wrapped = InternalError(f"{step.document}: {type(error).__name__} in {step.asset}: {error}")
        raise _failure(wrapped, step) from error


@contextmanager
def outlasted(step: Step) -> Iterator[None]:
    """For what asks Dagster's own storage: its outages are no failures of the stage, which is tried again."""
    try:
        yield
    except Exception as error:
        raise step.retry() from error


def _failure(error: DocpipeError, step: Step) -> dg.Failure:
    document = step.document
    message = error.message if document in error.message else f"{document}: {error.message}"
    # Ledger and breakers read these from the run, without going through its events.
    noted = {
        tags.ERROR: error.full_code,
        tags.STAGE: step.asset,
        tags.CODE: step.code_version,
        tags.MESSAGE: message[:_MESSAGE_CHARACTERS],
    }
    with outlasted(step):
        step.instance.add_run_tags(step.run_id, noted)
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
