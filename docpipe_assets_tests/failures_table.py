"""Writes the tables of docs/failures.md from the error classes and the assertions of the fault suite.

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
from docpipe_assets.operations.intake import RetryContext, listed_document
from docpipe_assets.operations.ledger import Progress, RunSummary, build_ledger
from docpipe_assets.protocols import StoredObject
from docpipe_assets.sandbox import Limits
from docpipe_assets.settings import Settings
from docpipe_assets_tests.sandbox.conftest import ROOMY
from docpipe_assets_tests.sandbox.test_faults import OUTCOMES

PAGE = Path(__file__).parent.parent / "docs" / "failures.md"

_WHEN = {
    "EMPTY_FILE": "the object is empty (0 bytes)",
    "NOT_A_PDF": "the content is of another type, regardless of the key's suffix",
    "UNREADABLE_PDF": "neither engine can open or repair the file",
    "PASSWORD_REQUIRED": "the file requires a password to open",
    "UNSUPPORTED_ENCRYPTION": "no engine supports the file's encryption",
    "NO_PAGES": "the file opens but contains no pages",
    "BAD_PAGE_TREE": "the page tree declares pages that do not exist",
    "TOO_MANY_PAGES": "the file has more pages than `DOCPIPE_MAX_PAGES`",
    "ALL_PAGES_FAILED": "no page could be read",
    "CRASHED": "a signal terminated the parser; the code includes it, as in `CRASHED:SIGSEGV`",
    "MEMORY_LIMIT": "the parser exceeded `DOCPIPE_SANDBOX_MEMORY_BYTES`",
    "CPU_TIMEOUT_DOCUMENT": "a call exceeded its CPU time limit; `CPU_TIMEOUT_PAGE` is the same for one page",
    "WALL_TIMEOUT": "the parser stopped responding without using CPU time",
    "DISK_LIMIT": "the parser exceeded its disk quota, or the disk is full",
    "OUTPUT_TOO_LARGE": "the parser returned more data than any document can contain",
    "OBJECT_GONE": "the object was deleted after it was listed and before it was read",
    "OBJECT_CHANGED": "the object was overwritten while it was being read",
    "TRANSFER_CUT": "the transfer was incomplete or its checksum did not match",
    "ACCESS_DENIED": "the store rejects the credentials or the action",
    "THROTTLED": "the store limits the request rate",
    "STORE_UNAVAILABLE": "the store does not respond, or responds with a server error",
    "ARTIFACT_MISSING": "an upstream artifact was never written, or was deleted",
    "ARTIFACT_DAMAGED": "an upstream artifact is incomplete, or not of the version that its header states",
    "ENGINE_FAILED": "an OCR or NER engine failed, regardless of the document",
    "CONFIGURATION": "a setting is invalid, for example a bucket or an engine that does not exist",
    "INTERNAL_ERROR": "a defect in docpipe",
    WORKER_LOST: "the run ended without an error: its worker was killed or its host was lost",
    RUN_CANCELED: "a user canceled the run",
    RUN_RECALLED: "the run was removed from the queue before it started, because a stage was paused",
    RUN_HANDED_BACK: "the worker received SIGTERM before the document was finished, as in a deployment",
}
_ATTEMPTS = 6
_ARGUMENT_CHARACTERS = 40
_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
_FOUND = StoredObject("batch/document.pdf", 1000, "etag", _NOON - timedelta(days=1))
_SEEN = listed_document(_FOUND)


def codes() -> list[str]:
    """The codes of all error classes, in the order of their definition, then those which only a run can
    report.
    """
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    own = [
        str(vars(kind)["code"]) for kind in kinds if issubclass(kind, DocpipeError) and "code" in vars(kind)
    ]
    return [*own, WORKER_LOST, RUN_CANCELED, RUN_RECALLED, RUN_HANDED_BACK]


def outcomes_table() -> str:
    head = (
        "| code | cause | retried | lane of the next attempt | breaker | state in the ledger | advice |\n"
        "|---|---|---|---|---|---|---|"
    )
    rows = (
        f"| `{code}` | {_WHEN[code]} | {_retries(code)} | {next_lane(code) or 'by size'} | {_breakers(code)} "
        f"| {_states(code)} | {advice_on(code)} |"
        for code in codes()
    )
    return "\n".join([head, *rows])


def faults_table() -> str:
    rows = ["| call | limit | items received first | outcome |", "|---|---|---|---|"]
    for function, arguments, limits, items, code in OUTCOMES:
        came = "some" if items is None else items
        rows.append(f"| {_spoken(function, arguments)} | {_limit(limits)} | {came} | `{code}` |")
    return "\n".join(rows)


TABLES = {"outcomes": outcomes_table, "faults": faults_table}


def with_tables(page: str) -> str:
    """Replaces the generated tables of the page and keeps the rest.

    Raises ValueError when a marker is missing.
    """
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: generated -->\n", f"<!-- {name}: end -->\n"
        before, found_begin, rest = page.partition(begin)
        _, found_end, after = rest.partition(end)
        if not (found_begin and found_end):
            raise ValueError(f"{PAGE.name} has no markers for the table {name}; add {begin}{end}")
        page = f"{before}{begin}{table()}\n{end}{after}"
    return page


def _retries(code: str) -> str:
    reaction = reaction_to(code)
    in_run = "in the run, then " if _kind(code) and error_class(code).is_retryable else ""
    by_intake = {
        Reaction.QUARANTINE: "no",
        Reaction.HOLD: "no",
        Reaction.ESCALATE: "once",
        Reaction.REBUILD: "once, from the first stage",
        Reaction.RETRY: "by intake, with increasing delays",
        Reaction.RETRY_WITH_STAGE: "by intake, with increasing delays",
        Reaction.REQUEUE: "immediately; not counted as an attempt",
    }
    return in_run + by_intake[reaction]


def _breakers(code: str) -> str:
    """The breakers that count a failure."""
    charged = fold(Breakers(), [_failure(code, 1, "standard")], Settings()).documents[_SEEN.key].failures
    counted = {Breaker.DOCUMENT: charged > 0, Breaker.STAGE: stage_family(code) is not None}
    return ", ".join(breaker.value for breaker, is_counted in counted.items() if is_counted) or "none"


def _kind(code: str) -> bool:
    """Whether an error class has this code."""
    return code not in (WORKER_LOST, RUN_CANCELED, RUN_RECALLED, RUN_HANDED_BACK)


def _states(code: str) -> str:
    """The ledger's state after each of several successive failures, each in the lane that was requested."""
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
        summary = RunSummary(Progress.FAILED, _SEEN.version, code, stage=attempt.stage)
        ledger = build_ledger(
            [_FOUND],
            registered=[_SEEN.key],
            runs={_SEEN.key: summary},
            finished=[],
            pages={},
            missed_before=_NOON,
            retries=RetryContext(breakers, attempt.at + timedelta(seconds=1), settings, existing_attempts=()),
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
    """The limits that differ from the suite's defaults."""
    usual, chosen = dataclasses.asdict(ROOMY), dataclasses.asdict(limits)
    return ", ".join(
        f"{name.replace('_', ' ')}: {value:,}" for name, value in chosen.items() if value != usual[name]
    )


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
