"""Builders of short histories, and the decision that intake requests."""

from datetime import UTC, datetime, timedelta

from docpipe_assets.operations.breaker import Attempt, Breakers, Decision, Event, decide, fold
from docpipe_assets.settings import Settings

DAY = 24 * 3600.0
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SETTINGS = Settings()
KEY = "b/x.pdf"


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def failed(error: str | None, seconds: float = 0, key: str = KEY, **more: object) -> Attempt:
    facts: dict[str, object] = {
        "run_id": f"run-{key}-{seconds}",
        "stage": "ocr_text",
        "version": "v1",
        "code_version": "c1",
        "lane": "standard",
        "started_at": after(seconds - 1),
    }
    facts |= more
    return Attempt(key=key, ended_at=after(seconds), error=error, **facts)  # type: ignore[arg-type]  # fields


def folded(*events: Event) -> Breakers:
    return fold(Breakers(), events, SETTINGS)


def decision_for(
    breakers: Breakers, seconds: float, *, key: str = KEY, version: str = "v1", code: str = "c1"
) -> Decision:
    breaker = breakers.documents.get(key)
    return decide(
        key,
        version,
        breaker=breaker if breaker and breaker.matches_version(version) else None,
        breakers=breakers,
        lane="standard",
        now=after(seconds),
        code_versions={"ocr_text": code},
        settings=SETTINGS,
    )
