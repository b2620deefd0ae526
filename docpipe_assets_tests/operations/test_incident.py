"""Complete incidents: whatever fails, each document ends in exactly one correct state."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docpipe_assets.operations.breaker import WORKER_LOST, Purpose
from docpipe_assets.operations.ledger import State
from docpipe_assets.settings import Settings
from docpipe_assets_tests.operations.simulated_platform import (
    Behaviour,
    Ending,
    Run,
    SimulatedPlatform,
    always_fails,
    fails_at_first,
    platform_of,
    succeeds,
)

PERMANENT = {
    "b/encrypted.pdf": "PASSWORD_REQUIRED",
    "b/truncated.pdf": "UNREADABLE_PDF",
    "b/zero-byte.pdf": "EMPTY_FILE",
    "b/page.html.pdf": "NOT_A_PDF",
    "b/zero-page.pdf": "NO_PAGES",
    "b/crashing.pdf": "CRASHED:SIGSEGV",
}
HANGING, LARGE = "b/hanging.pdf", "b/large.pdf"
GOOD = [f"b/good {number}.pdf" for number in range(10)]
DUPLICATES = ["b/copy 1.pdf", "b/copy 2.pdf"]


def the_batch(**more: object) -> SimulatedPlatform:
    behaviours: dict[str, Behaviour] = dict.fromkeys([*GOOD, *DUPLICATES, LARGE], succeeds)
    behaviours |= {key: always_fails(error, "raw_pdf") for key, error in PERMANENT.items()}
    behaviours[HANGING] = always_fails("CPU_TIMEOUT_DOCUMENT", "page_splits")
    # Two of the valid documents need several attempts.
    behaviours["b/good 3.pdf"] = fails_at_first(2, "STORE_UNAVAILABLE", "raw_pdf")
    behaviours["b/good 4.pdf"] = fails_at_first(2, WORKER_LOST, "")
    return platform_of(behaviours, {LARGE: 600 * 1024 * 1024}, **more)


def assert_all_accounted_for(platform: SimulatedPlatform) -> None:
    ledger = platform.ledger()
    states = {entry.document: entry.state for entry in ledger.entries}
    assert ledger.discovered == len(platform.bucket) == 20
    well_ended = {*GOOD, *DUPLICATES, LARGE}
    assert {document for document, state in states.items() if state is State.SUCCEEDED} == well_ended
    assert {document for document, state in states.items() if state is State.QUARANTINED} == set(PERMANENT)
    assert states[HANGING] is State.HELD
    assert ledger.is_settled


def assert_each_had_the_correct_number_of_attempts(platform: SimulatedPlatform) -> None:
    names = [run.request.name for run in platform.runs if run.request is not None]
    assert len(names) == len(set(names)), "an attempt was requested twice"
    spent = platform.spent()
    assert {key: spent[key] for key in PERMANENT} == dict.fromkeys(PERMANENT, 1)
    assert spent[HANGING] == 2
    assert spent["b/good 3.pdf"] == spent["b/good 4.pdf"] == 3
    others = {*GOOD, *DUPLICATES, LARGE} - {"b/good 3.pdf", "b/good 4.pdf"}
    assert {key: spent[key] for key in others} == dict.fromkeys(others, 1)
    lanes = {(run.key, run.lane) for run in platform.runs}
    assert {key for key, lane in lanes if lane == "large"} == {LARGE, HANGING}


def test_the_incident_with_a_kill_between_registrations_and_requests() -> None:
    platform = the_batch()
    platform.tick(dies_after=7)
    assert (len(platform.partitions), len(platform.runs)) == (7, 0)
    platform.tick(dies_after=13)
    assert (len(platform.partitions), len(platform.runs)) == (20, 0)
    assert platform.ledger().count(State.QUEUED) == 20
    platform.run_for(minutes=30)
    assert_all_accounted_for(platform)
    assert_each_had_the_correct_number_of_attempts(platform)


kills = st.lists(
    st.tuples(st.integers(0, 45), st.integers(1, 25), st.integers(1, 25), st.integers(0, 40)), max_size=12
)


Kills = list[tuple[int, int, int, int]]
EXAMPLES = settings().max_examples // 2
"""Fraction of the profile's examples: an incident takes a third of a second."""


@settings(max_examples=EXAMPLES, deadline=None)
@given(kills, st.integers(1, 4))
def test_the_incident_with_a_kill_at_any_step(kills: Kills, workers: int) -> None:
    platform = the_batch(workers=workers)
    for dies_after, key_budget, run_budget, seconds in kills:
        platform.tick(dies_after, keys=key_budget, runs=run_budget)
        platform.work(seconds)
        ledger = platform.ledger()
        assert ledger.discovered == 20
        assert ledger.count(State.UNACCOUNTED) == 0
    platform.resume_after = ""
    platform.run_for(minutes=30)
    assert_all_accounted_for(platform)
    assert_each_had_the_correct_number_of_attempts(platform)


@settings(max_examples=EXAMPLES, deadline=None)
@given(kills)
def test_two_daemons_at_once_spend_no_attempt_twice(kills: Kills) -> None:
    platform = the_batch()
    for _, key_budget, run_budget, seconds in kills:
        platform.fold()
        plans = [platform.plan_tick(key_budget, run_budget), platform.plan_tick()]
        for made in plans:
            platform.partitions.update(made.register)
        for made in plans:
            for request in made.requests:
                platform.request(request)
        platform.work(seconds)
    platform.run_for(minutes=30)
    assert_all_accounted_for(platform)
    assert_each_had_the_correct_number_of_attempts(platform)


def test_a_new_version_new_code_and_a_reset_each_allow_one_more_attempt() -> None:
    platform = the_batch()
    platform.run_for(minutes=30)
    platform.code_version = "2"
    platform.run_for(minutes=30)
    spent = platform.spent()
    assert {key: spent[key] for key in PERMANENT} == dict.fromkeys(PERMANENT, 2)
    platform.reset(key="b/encrypted.pdf")
    platform.run_for(minutes=30)
    assert platform.spent()["b/encrypted.pdf"] == 3
    platform.reset(key=HANGING)
    platform.behaviours = {**platform.behaviours, HANGING: succeeds}
    platform.run_for(minutes=30)
    assert platform.ledger().count(State.HELD) == 0
    assert platform.runs[-1].lane == "large", "the document does not return to the standard lane"


class StageOutage:
    """Every document that reaches a stage fails there until ``repaired``."""

    def __init__(self, error: str = "ENGINE_FAILED", stage: str = "ocr_text") -> None:
        self.ending = (error, stage)
        self.repaired = False

    def __call__(self, platform: SimulatedPlatform, run: Run) -> Ending:
        return None if self.repaired else self.ending


FIVE_HUNDRED: dict[str, Behaviour] = dict.fromkeys((f"b/{number:03d}.pdf" for number in range(500)), succeeds)


@pytest.mark.parametrize(
    ("documents", "goes_well_first_minutes"),
    [
        (100, 0.5),
        pytest.param(500, 0, marks=pytest.mark.long),
        pytest.param(500, 1, marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize(
    ("error", "stage"),
    [
        ("ENGINE_FAILED", "ocr_text"),
        ("ACCESS_DENIED", "raw_pdf"),
        ("CONFIGURATION", "mentions"),
        (WORKER_LOST, ""),
    ],
)
def test_an_outage_costs_few_attempts_and_counts_against_no_document(
    error: str, stage: str, goes_well_first_minutes: float, documents: int
) -> None:
    outage = StageOutage(error, stage)
    the_documents = dict(list(FIVE_HUNDRED.items())[:documents])
    platform = platform_of(the_documents, settings=Settings(intake_max_queued=documents))
    platform.run_for(goes_well_first_minutes)
    finished_before = len(platform.spent())
    platform.outage = outage
    platform.run_for(minutes=20)
    assert len(platform.breakers.open_stages) == 1
    failed = {run.key for run in platform.runs if run.started_at and run.ending}
    print(f"{error} after {finished_before} good ones: {len(failed)} documents spent an attempt")
    assert len(failed) < 30
    assert platform.ledger().count(State.QUEUED) == documents - platform.ledger().count(State.SUCCEEDED)
    # A document may cause the loss of its worker; only the fifth or tenth shows that the stage did.
    charged = [one.failures for one in platform.breakers.documents.values() if one.failures]
    assert charged == ([1] * len(charged) if error == WORKER_LOST else [])
    assert len(charged) < 10
    outage.repaired = True
    platform.run_for(minutes=25)
    assert platform.ledger().count(State.SUCCEEDED) == documents
    assert not platform.breakers.documents
    assert not platform.breakers.open_stages


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_a_short_queue_alone_limits_the_cost_of_an_outage(workers: int) -> None:
    platform = platform_of(FIVE_HUNDRED, dequeues=False, workers=workers)
    platform.outage = StageOutage()
    platform.run_for(minutes=20)
    assert len(platform.spent()) < 30


def test_an_outage_ends_with_one_canary_that_reached_the_stage() -> None:
    outage = StageOutage()
    behaviours = dict(FIVE_HUNDRED)
    behaviours |= dict.fromkeys(
        (f"b/{number:03d}.pdf" for number in range(0, 500, 3)), always_fails("NO_PAGES", "raw_pdf")
    )
    platform = platform_of(behaviours)
    platform.outage = lambda platform, run: (
        None if platform.behaviours[run.key] is not succeeds else outage(platform, run)
    )
    platform.run_for(minutes=20)
    assert platform.breakers.open_stages
    outage.repaired = True
    platform.run_for(minutes=25)
    canaries = [run for run in platform.runs if run.request and run.request.purpose is Purpose.CANARY]
    assert Counter(run.ending is None for run in canaries)[True] == 1
    # Canary runs never overlap.
    for earlier, later in pairwise(canaries):
        assert earlier.ended_at is not None
        assert later.started_at is not None
        assert earlier.ended_at <= later.started_at
    ledger = platform.ledger()
    assert (ledger.count(State.QUARANTINED), ledger.count(State.SUCCEEDED)) == (167, 333)
    assert all(
        platform.spent()[key] == 1 for key, behaviour in behaviours.items() if behaviour is not succeeds
    )


def test_a_manual_run_that_passes_the_stage_ends_the_pause() -> None:
    outage = StageOutage()
    platform = platform_of(FIVE_HUNDRED)
    platform.outage = outage
    platform.run_for(minutes=5)
    assert platform.breakers.open_stages
    outage.repaired = True
    platform.launch_manually("b/400.pdf")
    platform.work(10)
    platform.fold()
    assert not platform.breakers.open_stages


def test_a_reset_of_the_stage_ends_the_pause() -> None:
    outage = StageOutage()
    platform = platform_of(FIVE_HUNDRED)
    platform.outage = outage
    platform.run_for(minutes=5)
    outage.repaired = True
    platform.reset(stage="ocr_text")
    platform.run_for(minutes=10)
    assert platform.ledger().count(State.SUCCEEDED) == 500


def test_a_document_that_kills_its_worker_is_probed_less_and_less_often() -> None:
    platform = platform_of({"b/killer.pdf": always_fails(WORKER_LOST, ""), "b/good.pdf": succeeds})
    platform.run_for(minutes=24 * 60, tick_seconds=30)
    assert 3 < platform.spent()["b/killer.pdf"] <= 12
    ledger = platform.ledger()
    held = next(entry for entry in ledger.entries if entry.document == "b/killer.pdf")
    assert held.state is State.HELD
    assert held.next_attempt_at is not None
    assert held.next_attempt_at > platform.now
    assert "WORKER_LOST" in (held.reason or "")
