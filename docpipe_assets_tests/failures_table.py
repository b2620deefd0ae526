"""Writes the tables of docs/failures.md from the error classes and from what the fault suite asserts.

python -m docpipe_assets_tests.failures_table
"""

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from docpipe_assets import errors
from docpipe_assets.errors import Breaker, DocpipeError, error_class
from docpipe_assets.operations.breaker import (
    RUN_CANCELED,
    RUN_HANDED_BACK,
    RUN_RECALLED,
    WORKER_LOST,
    Attempt,
    Breakers,
    Reaction,
    advice_on,
    fold,
    reaction_to,
)
from docpipe_assets.operations.breaker.reactions import next_lane, stage_family
from docpipe_assets.operations.intake import Failures, sighting_of
from docpipe_assets.operations.ledger import Progress, RunSummary, take_stock
from docpipe_assets.protocols import StoredObject
from docpipe_assets.sandbox import Limits
from docpipe_assets.settings import Settings
from docpipe_assets_tests.sandbox.conftest import ROOMY
from docpipe_assets_tests.sandbox.test_faults import OUTCOMES

PAGE = Path(__file__).parent.parent / "docs" / "failures.md"

_WHEN = {
    "EMPTY_FILE": "the object holds no bytes",
    "NOT_A_PDF": "the bytes are those of something else, whatever the key says",
    "UNREADABLE_PDF": "neither engine can open it, nor repair it",
    "PASSWORD_REQUIRED": "it opens with a password only",
    "UNSUPPORTED_ENCRYPTION": "encrypted in a way that no engine knows",
    "NO_PAGES": "it opens, and no page can be found in it",
    "BAD_PAGE_TREE": "it claims pages that are not there",
    "TOO_MANY_PAGES": "more pages than `DOCPIPE_MAX_PAGES`",
    "ALL_PAGES_FAILED": "not one page could be read",
    "CRASHED": "the parser died by a signal; the code names it, as in `CRASHED:SIGSEGV`",
    "MEMORY_LIMIT": "the parser asked for more memory than `DOCPIPE_SANDBOX_MEMORY_BYTES`",
    "CPU_TIMEOUT_DOCUMENT": "the CPU budget of a call is spent; `CPU_TIMEOUT_PAGE` for that of a page",
    "WALL_TIMEOUT": "the parser hangs without using the CPU",
    "DISK_LIMIT": "the parser wrote more than it may, or the disk is full",
    "OUTPUT_TOO_LARGE": "the parser returned more than a document can hold",
    "OBJECT_GONE": "the key was deleted between listing and reading",
    "OBJECT_CHANGED": "the key was overwritten while it was read",
    "TRANSFER_CUT": "fewer or other bytes arrived than were announced",
    "ACCESS_DENIED": "the store refuses the credentials or the action",
    "THROTTLED": "the store asks for fewer requests",
    "STORE_UNAVAILABLE": "the store does not answer, or answers with an error of its own",
    "ARTIFACT_MISSING": "an upstream asset was never made, or was deleted",
    "ARTIFACT_DAMAGED": "an upstream artifact is not whole, or not of the version it says",
    "ENGINE_FAILED": "an OCR or NER engine broke, whatever the document",
    "CONFIGURATION": "a setting can't be right: no such bucket, no such engine",
    "INTERNAL_ERROR": "a defect in docpipe",
    WORKER_LOST: "the run ended without a word: its worker was killed, or its host is gone",
    RUN_CANCELED: "a person canceled the run",
    RUN_RECALLED: "taken out of the queue, before it started, because a stage was paused",
    RUN_HANDED_BACK: "its worker was told to end before the document was done, by a deployment for one",
}
_ATTEMPTS = 6
_ARGUMENT_CHARACTERS = 40
_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
_FOUND = StoredObject("batch/document.pdf", 1000, "etag", _NOON - timedelta(days=1))
_SEEN = sighting_of(_FOUND)


def codes() -> list[str]:
    """Of every class in the tree, in its order, and of what only a run can say."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    own = [
        str(vars(kind)["code"]) for kind in kinds if issubclass(kind, DocpipeError) and "code" in vars(kind)
    ]
    return [*own, WORKER_LOST, RUN_CANCELED, RUN_RECALLED, RUN_HANDED_BACK]


def outcomes_table() -> str:
    head = (
        "| code | when | tried again | lane of the next attempt | breaker | state in the ledger | advice |\n"
        "|---|---|---|---|---|---|---|"
    )
    rows = (
        f"| `{code}` | {_WHEN[code]} | {_retries(code)} | {next_lane(code) or 'by size'} | {_breakers(code)} "
        f"| {_states(code)} | {advice_on(code)} |"
        for code in codes()
    )
    return "\n".join([head, *rows])


def faults_table() -> str:
    rows = ["| the call | limit | items before its end | outcome |", "|---|---|---|---|"]
    for function, arguments, limits, items, code in OUTCOMES:
        came = "some" if items is None else items
        rows.append(f"| {_spoken(function, arguments)} | {_limit(limits)} | {came} | `{code}` |")
    return "\n".join(rows)


TABLES = {"outcomes": outcomes_table, "faults": faults_table}


def with_tables(page: str) -> str:
    """The page with each table as it should be, and the words around them as they are.

    Raises ValueError when a table's place is not marked.
    """
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: generated -->\n", f"<!-- {name}: end -->\n"
        before, found_begin, rest = page.partition(begin)
        _, found_end, after = rest.partition(end)
        if not (found_begin and found_end):
            raise ValueError(f"{PAGE.name} has no place for the table {name}; write {begin}{end}into it")
        page = f"{before}{begin}{table()}\n{end}{after}"
    return page


def _retries(code: str) -> str:
    reaction = reaction_to(code)
    in_run = "in the run, then " if _kind(code) and error_class(code).is_retryable else ""
    by_intake = {
        Reaction.QUARANTINE: "no",
        Reaction.HOLD: "no",
        Reaction.ESCALATE: "once",
        Reaction.REMAKE: "once, all stages",
        Reaction.RETRY: "by intake, with growing pauses",
        Reaction.RETRY_WITH_STAGE: "by intake, with growing pauses",
        Reaction.REQUEUE: "at once, not an attempt",
    }
    return in_run + by_intake[reaction]


def _breakers(code: str) -> str:
    """Those that a failure is counted by."""
    charged = fold(Breakers(), [_failure(code, 1, "standard")], Settings()).documents[_SEEN.key].failures
    counted = {Breaker.DOCUMENT: charged > 0, Breaker.STAGE: stage_family(code) is not None}
    return ", ".join(breaker.value for breaker, is_counted in counted.items() if is_counted) or "none"


def _kind(code: str) -> bool:
    """Whether a class stands behind the code."""
    return code not in (WORKER_LOST, RUN_CANCELED, RUN_RECALLED, RUN_HANDED_BACK)


def _states(code: str) -> str:
    """The ledger's own answer after one failure, two, three..., each in the lane that was asked for."""
    spans = [(state, len(list(same))) for state, same in groupby(_states_after_each(code))]
    texts, failures = [], 0
    for state, count in spans:
        texts.append(state if not failures else f"{state} after {failures + 1} failures")
        failures += count
    return ", ".join(texts)


def _states_after_each(code: str) -> Iterator[str]:
    settings, breakers, lane = Settings(), Breakers(), "standard"
    for number in range(1, _ATTEMPTS + 1):
        attempt = _failure(code, number, lane)
        breakers = fold(breakers, [attempt], settings)
        summary = RunSummary(Progress.ENDED_BADLY, _SEEN.version, code, stage=attempt.stage)
        ledger = take_stock(
            [_FOUND],
            registered=[_SEEN.key],
            runs={_SEEN.key: summary},
            finished=[],
            pages={},
            unseen_before=_NOON,
            failures=Failures(breakers, attempt.at + timedelta(seconds=1), settings, requested=()),
        )
        yield ledger.entries[0].state.value
        lane = breakers.documents[_SEEN.key].lane or lane


def _failure(code: str, number: int, lane: str) -> Attempt:
    at = _NOON + timedelta(days=number)
    return Attempt(_SEEN.key, f"run-{number}", at, code, "ocr_text", _SEEN.version, lane=lane, started_at=at)


def _spoken(function: str, arguments: Mapping[str, object]) -> str:
    named = ", ".join(f"{name.replace('_', ' ')} {_short(value)}" for name, value in arguments.items())
    return function.replace("_", " ") + (f" ({named})" if named else "")


def _short(value: object) -> str:
    text = ascii(value).strip("'")
    return text if len(text) <= _ARGUMENT_CHARACTERS else f"{text[:8]}… of {len(text):,}"


def _limit(limits: Limits) -> str:
    """What is tighter than usual."""
    usual, chosen = dataclasses.asdict(ROOMY), dataclasses.asdict(limits)
    return ", ".join(
        f"{name.replace('_', ' ')}: {value:,}" for name, value in chosen.items() if value != usual[name]
    )


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
