"""Breakers: what the history of runs and resets says about the next attempt (pure)."""

from docpipe_assets.operations.breaker.decision import Action, Decision, Purpose, decide, request_name
from docpipe_assets.operations.breaker.document import DocumentBreaker, Standing
from docpipe_assets.operations.breaker.events import Attempt, Event, Reset
from docpipe_assets.operations.breaker.reactions import (
    RUN_CANCELED,
    RUN_HANDED_BACK,
    RUN_RECALLED,
    WORKER_LOST,
    Reaction,
    advice_on,
    reaction_to,
)
from docpipe_assets.operations.breaker.stage import StageBreaker
from docpipe_assets.operations.breaker.state import Breakers, fold

__all__ = [
    "RUN_CANCELED",
    "RUN_HANDED_BACK",
    "RUN_RECALLED",
    "WORKER_LOST",
    "Action",
    "Attempt",
    "Breakers",
    "Decision",
    "DocumentBreaker",
    "Event",
    "Purpose",
    "Reaction",
    "Reset",
    "StageBreaker",
    "Standing",
    "advice_on",
    "decide",
    "fold",
    "reaction_to",
    "request_name",
]
