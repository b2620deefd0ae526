"""The error tree: every class defines its reaction, and every recorded code resolves to its class."""

import pytest

from docpipe_assets import errors
from docpipe_assets.errors import (
    Breaker,
    CpuTimeout,
    Crashed,
    DocpipeError,
    DocumentError,
    InternalError,
    NoPages,
    ResourceError,
    error_class,
)

LEAVES = [
    thing
    for thing in vars(errors).values()
    if isinstance(thing, type) and issubclass(thing, DocpipeError) and "code" in vars(thing)
]


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_a_code_resolves_to_its_class(kind: type[DocpipeError]) -> None:
    assert error_class(kind("x").full_code) is kind


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_every_class_has_advice(kind: type[DocpipeError]) -> None:
    assert len(kind.advice) > 20


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_an_error_that_quarantines_is_never_retryable(kind: type[DocpipeError]) -> None:
    assert not (kind.quarantines and kind.is_retryable)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    for kind in LEAVES:
        assert kind.__name__ in (errors.__doc__ or "")
        assert kind.code in (errors.__doc__ or "")


def test_an_error_can_be_given_its_context() -> None:
    error = Crashed("died", 11).with_context("batch/x.pdf")
    assert (str(error), error.full_code) == ("batch/x.pdf: died", "CRASHED:SIGSEGV")


def test_reactions_follow_the_kind_of_failure() -> None:
    assert issubclass(NoPages, DocumentError)
    assert NoPages.quarantines
    assert issubclass(CpuTimeout, ResourceError)
    assert CpuTimeout.next_lane == "large"
    assert error_class("CPU_TIMEOUT_PAGE") is CpuTimeout
    assert error_class("never heard of") is InternalError
    assert errors.AccessDenied.counts_for is Breaker.STAGE
