"""The stage breaker opens early, allows one canary, and does not count against documents."""

from docpipe_assets.operations.breaker import (
    RUN_CANCELED,
    RUN_RECALLED,
    Action,
    Attempt,
    Breakers,
    Purpose,
    Reset,
    fold,
)
from docpipe_assets_tests.operations.breaker.histories import (
    KEY,
    SETTINGS,
    after,
    decision_for,
    failed,
    folded,
)


def outage(count: int, error: str = "ENGINE_FAILED", start: float = 0) -> list[Attempt]:
    return [failed(error, start + n, key=f"b/{n}.pdf") for n in range(count)]


def test_a_stage_breaker_opens_at_the_fifth_identical_failure() -> None:
    four = folded(*outage(4))
    assert not four.open_stages
    assert not fold(four, [failed("ENGINE_FAILED", 9, key="b/0.pdf")], SETTINGS).open_stages, (
        "a fifth document"
    )
    breaker = folded(*outage(5)).open_stages[0]
    assert (breaker.stage, breaker.family, breaker.since) == ("ocr_text", "ENGINE_FAILED", after(4))
    assert (
        breaker.reason
        == "5 documents failed with ENGINE_FAILED, in 5 of the latest 5 attempts that reached it"
    )


def test_an_unavailable_store_is_one_outage_whatever_its_errors() -> None:
    errors = ["THROTTLED", "TRANSFER_CUT", "STORE_UNAVAILABLE", "ACCESS_DENIED", "THROTTLED"]
    events = [failed(error, n, key=f"b/{n}.pdf", stage="raw_pdf") for n, error in enumerate(errors)]
    assert [one.family for one in folded(*events).open_stages] == ["STORE"]


def test_rare_old_or_document_failures_do_not_open_a_stage_breaker() -> None:
    good = [failed(None, n + 0.5, key=f"g/{n}.pdf") for n in range(20)]
    elsewhere = [failed("NO_PAGES", n + 0.5, key=f"g/{n}.pdf", stage="raw_pdf") for n in range(20)]
    assert not folded(
        *good, *(failed("ENGINE_FAILED", 2 * n, key=f"b/{n}.pdf") for n in range(8))
    ).open_stages
    assert not folded(*(failed("ENGINE_FAILED", 200 * n, key=f"b/{n}.pdf") for n in range(20))).open_stages
    assert not folded(*(failed("NO_PAGES", n, key=f"b/{n}.pdf") for n in range(50))).open_stages
    assert folded(*elsewhere, *outage(5)).open_stages, "failures before the stage say nothing about it"


def test_hundreds_of_earlier_successes_do_not_hide_an_outage() -> None:
    good = [failed(None, -600 + n, key=f"g/{n}.pdf") for n in range(600)]
    assert folded(*good, *outage(10)).open_stages


def test_while_a_stage_is_paused_all_wait_then_request_the_same_canary() -> None:
    breakers = folded(*outage(5))
    waits = decision_for(breakers, 60)
    assert (waits.action, waits.not_before) == (Action.WAIT, after(4 + 120))
    assert "ocr_text is paused" in waits.reason
    canaries = [decision_for(breakers, 125, key=key) for key in (KEY, "b/0.pdf")]
    assert {one.purpose for one in canaries} == {Purpose.CANARY}
    assert len({one.run_key for one in canaries}) == 1
    assert len({one.attempt_name for one in canaries}) == 2


def canary_run(breakers: Breakers, error: str | None, seconds: float, stage: str = "ocr_text") -> Breakers:
    name = breakers.open_stages[0].canary
    event = failed(error, seconds, key=f"c/{seconds}.pdf", stage=stage, canary=name)
    return fold(breakers, [event], SETTINGS)


def test_a_canary_closes_or_reopens_the_breaker_or_is_inconclusive() -> None:
    opened = folded(*outage(5))
    closed = canary_run(opened, None, 130)
    assert not closed.open_stages
    assert decision_for(closed, 131, key="b/0.pdf").action is Action.REQUEST, "no back-off after the outage"
    reopened = canary_run(opened, "ENGINE_FAILED", 130).open_stages[0]
    assert (reopened.cool_down_seconds, reopened.next_canary_at) == (240, after(130 + 240))
    nothing = canary_run(opened, "NO_PAGES", 130, stage="raw_pdf")
    assert nothing.open_stages[0].next_canary_at == opened.open_stages[0].next_canary_at
    assert decision_for(nothing, 131).canary != decision_for(opened, 131).canary
    canceled = canary_run(opened, RUN_CANCELED, 130)
    assert canceled.open_stages
    assert decision_for(canceled, 131).canary != decision_for(opened, 131).canary


def test_runs_in_flight_when_a_stage_fails_neither_end_nor_extend_a_pause() -> None:
    opened = folded(*outage(5))
    stragglers = [failed(None, 50), failed("ENGINE_FAILED", 60, key="b/y.pdf")]
    later = fold(opened, stragglers, SETTINGS).open_stages[0]
    assert later.next_canary_at == opened.open_stages[0].next_canary_at


def test_a_stage_that_fails_again_at_once_is_paused_for_longer() -> None:
    again = fold(canary_run(folded(*outage(5)), None, 130), outage(5, start=140), SETTINGS)
    assert again.open_stages[0].cool_down_seconds == 240


def test_a_reset_closes_a_stage_breaker_and_is_its_reason() -> None:
    reset = Reset(after(10), "the model is installed", by="Ada", stage="ocr_text")
    breakers = fold(folded(*outage(5)), [reset], SETTINGS)
    breaker = breakers.stages["ocr_text", "ENGINE_FAILED"]
    assert (breaker.state_at(after(10)), breaker.reason) == ("closed", "reset by Ada: the model is installed")
    assert decision_for(breakers, 11, key="b/1.pdf").action is Action.REQUEST


def test_a_dequeued_run_does_not_count_as_an_attempt() -> None:
    breakers = fold(folded(*outage(5)), [failed(RUN_RECALLED, 6, stage=None, started_at=None)], SETTINGS)
    breaker = breakers.documents[KEY]
    assert (breaker.attempts, breaker.failures) == (0, 0)
    assert decision_for(breakers, 7).action is Action.WAIT
    assert decision_for(canary_run(breakers, None, 130), 131).action is Action.REQUEST


def test_failures_that_opened_a_stage_breaker_do_not_reopen_it() -> None:
    closed = canary_run(folded(*outage(5)), None, 130)
    assert not fold(closed, [failed("ENGINE_FAILED", 131, key="b/late.pdf")], SETTINGS).open_stages
