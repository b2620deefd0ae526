"""The fold: every process derives the same state, regardless of how the history was divided."""

import time
from collections.abc import Mapping
from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from docpipe_assets.operations.breaker import (
    RUN_CANCELED,
    RUN_HANDED_BACK,
    RUN_RECALLED,
    WORKER_LOST,
    Action,
    Attempt,
    Breakers,
    Event,
    Reset,
    fold,
)
from docpipe_assets.settings import Settings
from docpipe_assets_tests.operations.breaker.histories import (
    DAY,
    SETTINGS,
    after,
    decision_for,
    failed,
    folded,
)

ERRORS = [None, "NO_PAGES", "MEMORY_LIMIT", "THROTTLED", "ENGINE_FAILED", "INTERNAL_ERROR", WORKER_LOST]
ERRORS += ["ARTIFACT_DAMAGED", RUN_CANCELED, RUN_RECALLED, RUN_HANDED_BACK, "CRASHED:SIGBUS"]
CANARIES = [None, *(f"canary.ocr_text.ENGINE_FAILED.20261123T12000{n}.1" for n in range(3))]


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Events of a few documents within a short time, so that breakers open, close and interact."""
    events: list[Event] = []
    for number in range(draw(st.integers(0, 40))):
        at = after(draw(st.integers(0, 900)))
        if draw(st.integers(0, 9)) == 0:
            subject: Mapping[str, str] = draw(st.sampled_from([{"key": "b/1.pdf"}, {"stage": "ocr_text"}]))
            events.append(Reset(at, "checked", **subject))
            continue
        events.append(
            Attempt(
                key=f"b/{draw(st.integers(0, 7))}.pdf",
                run_id=f"{number:04d}",
                ended_at=at,
                error=draw(st.sampled_from(ERRORS)),
                stage=draw(st.sampled_from(["raw_pdf", "ocr_text", None])),
                version=draw(st.sampled_from(["v1", "v2", None])),
                code_version=draw(st.sampled_from(["c1", "c2", None])),
                lane=draw(st.sampled_from(["standard", "large", None])),
                is_automatic=draw(st.booleans()),
                started_at=at - timedelta(seconds=draw(st.integers(0, 200))),
                canary=draw(st.sampled_from(CANARIES)),
            )
        )
    return events


@given(histories(), st.randoms(use_true_random=False))
def test_order_within_a_batch_does_not_matter(history: list[Event], random: Random) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)
    assert folded(*shuffled) == folded(*history)


@given(histories(), st.lists(st.integers(0, 40)), st.integers(0, 40))
def test_batches_repeats_and_a_restart_between_any_two_change_nothing(
    history: list[Event], cuts: list[int], repeats: int
) -> None:
    history.sort(key=lambda event: event.order)
    breakers, start = Breakers(), 0
    for end in [*sorted(cuts), len(history)]:
        breakers = fold(breakers, history[max(0, start - repeats) : end], SETTINGS)
        restored = Breakers.from_json(breakers.as_json(SETTINGS), SETTINGS)
        assert restored == breakers
        start = max(start, end)
    assert breakers == folded(*history)


@given(histories(), st.integers(0, 299))
def test_late_events_are_folded_in_chronological_order(history: list[Event], late_seconds: int) -> None:
    history.sort(key=lambda event: event.order)
    late = {id(event) for event in history[::3]}
    delay = timedelta(seconds=late_seconds)
    delivered = sorted(
        history, key=lambda one: (one.at + (delay if id(one) in late else timedelta()), one.order)
    )
    breakers = Breakers()
    for event in delivered:
        breakers = fold(breakers, [event], SETTINGS)
    assert breakers == folded(*history)


@given(histories())
def test_only_documents_whose_newest_attempt_failed_are_kept(history: list[Event]) -> None:
    attempts = sorted((e for e in history if isinstance(e, Attempt)), key=lambda event: event.order)
    newest = {attempt.key: attempt for attempt in attempts}
    assert set(folded(*history).documents) == {key for key, one in newest.items() if one.error}


@given(histories(), st.integers(0, 10_000))
def test_every_decision_has_a_readable_reason(history: list[Event], seconds: int) -> None:
    breakers = folded(*history)
    for key in breakers.documents:
        decision = decision_for(breakers, seconds, key=key)
        assert decision.reason
        assert (decision.action is Action.WAIT) <= (decision.not_before is not None)
        if decision.not_before is not None:
            assert decision.not_before > after(seconds)


def test_a_state_folded_with_other_settings_is_not_reused() -> None:
    text = folded(failed("THROTTLED")).as_json(SETTINGS)
    assert Breakers.from_json(text, Settings(breaker_failures=9)) is None


def test_twenty_six_thousand_failures_are_folded_in_bulk() -> None:
    errors = ["NO_PAGES", "MEMORY_LIMIT", "THROTTLED", WORKER_LOST, "INTERNAL_ERROR", "ENGINE_FAILED"]
    history = [
        failed(
            errors[n % 6],
            n / 4,
            key=f"acuity/production {n:06d}.pdf",
            run_id=f"{n:08d}-0000-4000-8000-0123456789ab",
        )
        for n in range(26_000)
    ]
    started = time.process_time()
    at_once = folded(*history)
    once_seconds = time.process_time() - started
    started = time.process_time()
    breakers = Breakers()
    for start in range(0, len(history), 1000):
        breakers = fold(breakers, history[start : start + 1000], SETTINGS)
    batch_seconds = time.process_time() - started
    started = time.process_time()
    text = breakers.as_json(SETTINGS)
    restored = Breakers.from_json(text, SETTINGS)
    json_seconds = time.process_time() - started
    assert len(at_once.documents) == 26_000
    assert at_once == breakers == restored
    print(
        f"26,000 failures: {once_seconds:.2f} CPU s at once, {batch_seconds:.2f} in 26 batches; "
        f"to JSON and back {json_seconds:.2f}, {len(text) / 2**20:.1f} MiB"
    )


def test_a_repeated_old_failure_does_not_undo_a_success() -> None:
    old = failed(WORKER_LOST)
    breakers = fold(folded(old, failed(None, 60)), [failed("NO_PAGES", DAY, key="b/y.pdf")], SETTINGS)
    assert fold(breakers, [old], SETTINGS) == breakers
    assert set(breakers.documents) == {"b/y.pdf"}
