"""The document breaker: each failure has its reaction, and no attempt is made that can't succeed."""

from functools import partial

import pytest

from docpipe_assets.operations.breaker import (
    RUN_CANCELED,
    RUN_HANDED_BACK,
    RUN_RECALLED,
    WORKER_LOST,
    Action,
    Breakers,
    Purpose,
    Reaction,
    Reset,
    advice_on,
    fold,
    reaction_to,
)
from docpipe_assets.operations.breaker.reactions import pause_seconds
from docpipe_assets_tests.operations.breaker.histories import (
    DAY,
    KEY,
    NOON,
    SETTINGS,
    after,
    decision_for,
    failed,
    folded,
)


@pytest.mark.parametrize(
    ("error", "reaction", "action_a_day_later"),
    [
        ("EMPTY_FILE", Reaction.QUARANTINE, Action.QUARANTINED),
        ("PASSWORD_REQUIRED", Reaction.QUARANTINE, Action.QUARANTINED),
        ("CRASHED:SIGSEGV", Reaction.QUARANTINE, Action.QUARANTINED),
        ("MEMORY_LIMIT", Reaction.ESCALATE, Action.REQUEST),
        ("CPU_TIMEOUT_PAGE", Reaction.ESCALATE, Action.REQUEST),
        ("OBJECT_CHANGED", Reaction.RETRY, Action.REQUEST),
        ("OBJECT_GONE", Reaction.RETRY, Action.REQUEST),
        (WORKER_LOST, Reaction.RETRY, Action.REQUEST),
        ("THROTTLED", Reaction.RETRY_WITH_STAGE, Action.REQUEST),
        ("STORE_UNAVAILABLE", Reaction.RETRY_WITH_STAGE, Action.REQUEST),
        ("ACCESS_DENIED", Reaction.RETRY_WITH_STAGE, Action.REQUEST),
        ("ENGINE_FAILED", Reaction.RETRY_WITH_STAGE, Action.REQUEST),
        ("CONFIGURATION", Reaction.RETRY_WITH_STAGE, Action.REQUEST),
        ("ARTIFACT_DAMAGED", Reaction.REBUILD, Action.REQUEST),
        ("INTERNAL_ERROR", Reaction.HOLD, Action.HELD),
        ("NEVER_HEARD_OF", Reaction.HOLD, Action.HELD),
        (RUN_CANCELED, Reaction.HOLD, Action.HELD),
        (RUN_RECALLED, Reaction.REQUEUE, Action.REQUEST),
        (RUN_HANDED_BACK, Reaction.REQUEUE, Action.REQUEST),
    ],
)
def test_each_failure_has_its_reaction(error: str, reaction: Reaction, action_a_day_later: Action) -> None:
    assert reaction_to(error) is reaction
    assert decision_for(folded(failed(error)), DAY).action is action_a_day_later
    assert len(advice_on(error)) > 20


def test_a_success_closes_the_breaker_and_clears_its_history() -> None:
    assert folded(failed("WORKER_LOST"), failed(None, 60)).documents == {}


def test_retry_delays_increase_until_the_breaker_opens_then_probes_follow() -> None:
    breakers, now, pauses, states = Breakers(), 0.0, [], []
    for _ in range(9):
        breakers = fold(breakers, [failed(WORKER_LOST, now, stage=None)], SETTINGS)
        breaker = breakers.documents[KEY]
        assert breaker.next_at is not None
        states.append(breaker.state_at(after(now)))
        pauses.append((breaker.next_at - after(now)).total_seconds())
        just_before = decision_for(breakers, now + pauses[-1] - 1)
        assert just_before.action is (Action.HELD if states[-1] == "open" else Action.WAIT)
        assert just_before.not_before == breaker.next_at
        now += pauses[-1]
        decision = decision_for(breakers, now)
        assert decision.action is Action.REQUEST
        assert decision.purpose is (Purpose.PROBE if states[-1] == "open" else Purpose.RETRY)
    assert states == ["closed"] * 2 + ["open"] * 7
    whole = [30, 60, 900, 1800, 3600, 7200, 14400, 21600, 21600]
    assert all(0.75 * top <= pause <= top for pause, top in zip(pauses, whole, strict=True))
    assert breakers.documents[KEY].state_at(after(now)) == "half_open"
    assert fold(breakers, [failed(None, now + 5)], SETTINGS).documents == {}


def test_an_exceeded_budget_escalates_once_to_the_large_lane_then_holds() -> None:
    breakers = folded(failed("MEMORY_LIMIT"))
    decision = decision_for(breakers, 0)
    assert (decision.action, decision.purpose, decision.lane) == (Action.REQUEST, Purpose.ESCALATION, "large")
    lost_on_the_way = fold(breakers, [failed(WORKER_LOST, 100, lane="large", stage=None)], SETTINGS)
    assert decision_for(lost_on_the_way, DAY).lane == "large"
    breakers = fold(lost_on_the_way, [failed("MEMORY_LIMIT", 200, lane="large")], SETTINGS)
    decision = decision_for(breakers, DAY)
    assert (decision.action, decision.not_before, decision.failures) == (Action.HELD, None, 3)
    assert "also in the large lane" in decision.reason


def test_a_damaged_artifact_is_rebuilt_once() -> None:
    once = folded(failed("ARTIFACT_DAMAGED"))
    assert decision_for(once, 60).purpose is Purpose.RETRY
    assert decision_for(fold(once, [failed("ARTIFACT_MISSING", 60)], SETTINGS), DAY).action is Action.HELD


@pytest.mark.parametrize("error", ["PASSWORD_REQUIRED", "INTERNAL_ERROR"])
def test_new_bytes_new_code_and_a_reset_each_release_a_document(error: str) -> None:
    breakers = folded(failed(error))
    assert decision_for(breakers, DAY, version="v2").purpose is Purpose.FIRST
    assert decision_for(breakers, DAY, code="c2").purpose is Purpose.NEW_CODE
    reset = fold(breakers, [Reset(after(100), "a good copy was found", by="Ada", key=KEY)], SETTINGS)
    decision = decision_for(reset, 100)
    assert (decision.action, decision.purpose) == (Action.REQUEST, Purpose.AFTER_RESET)
    assert decision.reason == "reset by Ada: a good copy was found"
    again = fold(reset, [failed(error, 200)], SETTINGS)
    assert decision_for(again, DAY).action is not Action.REQUEST
    assert decision_for(again, DAY).failures == 1


def test_new_code_of_another_stage_releases_no_document() -> None:
    breakers = folded(failed("PASSWORD_REQUIRED", stage="raw_pdf"))
    assert decision_for(breakers, DAY, code="c2").action is Action.QUARANTINED


def test_a_canceled_run_is_not_requested_again_by_new_code() -> None:
    assert decision_for(folded(failed(RUN_CANCELED, stage=None)), DAY, code="c2").action is Action.HELD


def test_requests_become_rarer_while_a_worker_runs_the_old_code() -> None:
    """The sensor's machine was updated, but the worker's was not."""
    breakers, now = Breakers(), 0.0
    attempts = 0
    while now < DAY:
        attempts += 1
        breakers = fold(breakers, [failed("NO_PAGES", now)], SETTINGS)
        now = (
            decision_for(breakers, now, code="c2").not_before or after(now + 1)
        ).timestamp() - NOON.timestamp()
    assert attempts < 40


def test_a_failure_elsewhere_with_new_code_starts_a_new_count() -> None:
    breakers = folded(
        failed("NO_PAGES", stage="raw_pdf", code_version="old"),
        failed("MEMORY_LIMIT", 100, code_version="c1"),
    )
    assert decision_for(breakers, 100).purpose is Purpose.ESCALATION
    assert breakers.documents[KEY].failures == 1


def test_a_failed_manual_run_neither_counts_nor_bypasses_a_quarantine() -> None:
    by_hand = partial(failed, is_automatic=False, version=None, code_version=None, lane=None)
    three = folded(*(by_hand(WORKER_LOST, n, stage=None) for n in range(3)))
    breaker = three.documents[KEY]
    assert (breaker.attempts, breaker.failures, breaker.state_at(NOON)) == (3, 0, "closed")
    quarantined = folded(failed("NO_PAGES"), by_hand("THROTTLED", 50))
    assert decision_for(quarantined, DAY).action is Action.QUARANTINED
    assert quarantined.documents[KEY].attempts == 2
    assert fold(quarantined, [by_hand(None, 60)], SETTINGS).documents == {}


def test_a_stage_failure_is_retried_and_never_counted() -> None:
    breakers = folded(*(failed("THROTTLED", 4000 * n) for n in range(20)))
    breaker = breakers.documents[KEY]
    assert (breaker.failures, breaker.attempts, breaker.state_at(NOON)) == (0, 20, "closed")
    assert decision_for(breakers, 4000 * 20).action is Action.REQUEST


def test_each_attempt_has_one_run_key_whoever_requests_it() -> None:
    breakers = folded(failed("OBJECT_CHANGED"))
    assert decision_for(breakers, 500) == decision_for(breakers, 500)
    after_it = fold(breakers, [failed("OBJECT_CHANGED", 600)], SETTINGS)
    reset = fold(after_it, [Reset(after(700), "checked", key=KEY)], SETTINGS)
    names = {decision_for(state, DAY).attempt_name for state in (Breakers(), breakers, after_it)}
    assert len(names) == 3
    assert decision_for(reset, DAY).attempt_name in names, (
        "a reset does not double a retry that was requested already"
    )


def test_delays_are_the_same_everywhere_and_spread_over_documents() -> None:
    pauses = {pause_seconds(f"b/{n}.pdf", 1, first_seconds=100, max_seconds=1000) for n in range(50)}
    assert len(pauses) == 50
    assert min(pauses) >= 75
    assert max(pauses) <= 100
    assert pause_seconds("b/x.pdf", 10_000, first_seconds=100, max_seconds=1000) <= 1000
