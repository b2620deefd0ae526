"""Circuit breakers: decide the next attempt from the history of runs and resets (pure functions)."""

from docpipe_assets.operations.breaker.decision import Action, Decision, Purpose, decide, request_name
from docpipe_assets.operations.breaker.document import BreakerStatus, DocumentBreaker
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
    "BreakerStatus",
    "Breakers",
    "Decision",
    "DocumentBreaker",
    "Event",
    "Purpose",
    "Reaction",
    "Reset",
    "StageBreaker",
    "advice_on",
    "decide",
    "fold",
    "reaction_to",
    "request_name",
]
