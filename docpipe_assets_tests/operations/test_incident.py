"""Whole incidents: whatever dies and whatever breaks, each document ends in one state that is right."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docpipe_assets.operations.breaker import WORKER_LOST, Purpose
from docpipe_assets.operations.ledger import State
from docpipe_assets.settings import Settings
from docpipe_assets_tests.operations.plant import Fate, Nature, Plant, Run, always, at_first, plant_of, well

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


def the_batch(**more: object) -> Plant:
    natures: dict[str, Nature] = dict.fromkeys([*GOOD, *DUPLICATES, LARGE], well)
    natures |= {key: always(error, "raw_pdf") for key, error in PERMANENT.items()}
    natures[HANGING] = always("CPU_TIMEOUT_DOCUMENT", "page_splits")
    # Two of the good ones do not get through at once.
    natures["b/good 3.pdf"] = at_first(2, "STORE_UNAVAILABLE", "raw_pdf")
    natures["b/good 4.pdf"] = at_first(2, WORKER_LOST, "")
    return plant_of(natures, {LARGE: 600 * 1024 * 1024}, **more)


def assert_all_accounted_for(plant: Plant) -> None:
    ledger = plant.ledger()
    states = {entry.document: entry.state for entry in ledger.entries}
    assert ledger.discovered == len(plant.bucket) == 20
    well_ended = {*GOOD, *DUPLICATES, LARGE}
    assert {document for document, state in states.items() if state is State.SUCCEEDED} == well_ended
    assert {document for document, state in states.items() if state is State.QUARANTINED} == set(PERMANENT)
    assert states[HANGING] is State.HELD
    assert ledger.is_settled


def assert_each_was_tried_as_often_as_is_right(plant: Plant) -> None:
    names = [run.request.name for run in plant.runs if run.request is not None]
    assert len(names) == len(set(names)), "an attempt was requested twice"
    spent = plant.spent()
    assert {key: spent[key] for key in PERMANENT} == dict.fromkeys(PERMANENT, 1)
    assert spent[HANGING] == 2
    assert spent["b/good 3.pdf"] == spent["b/good 4.pdf"] == 3
    others = {*GOOD, *DUPLICATES, LARGE} - {"b/good 3.pdf", "b/good 4.pdf"}
    assert {key: spent[key] for key in others} == dict.fromkeys(others, 1)
    lanes = {(run.key, run.lane) for run in plant.runs}
    assert {key for key, lane in lanes if lane == "large"} == {LARGE, HANGING}


def test_the_incident_killed_after_seven_registrations_and_before_the_first_request() -> None:
    plant = the_batch()
    plant.tick(dies_after=7)
    assert (len(plant.partitions), len(plant.runs)) == (7, 0)
    plant.tick(dies_after=13)
    assert (len(plant.partitions), len(plant.runs)) == (20, 0)
    assert plant.ledger().count(State.QUEUED) == 20
    plant.run_for(minutes=30)
    assert_all_accounted_for(plant)
    assert_each_was_tried_as_often_as_is_right(plant)


kills = st.lists(
    st.tuples(st.integers(0, 45), st.integers(1, 25), st.integers(1, 25), st.integers(0, 40)), max_size=12
)


Kills = list[tuple[int, int, int, int]]
EXAMPLES = settings.default.max_examples // 2
"""Of the profile's: an incident takes a third of a second."""


@settings(max_examples=EXAMPLES, deadline=None)
@given(kills, st.integers(1, 4))
def test_the_incident_killed_anywhere(kills: Kills, workers: int) -> None:
    plant = the_batch(workers=workers)
    for dies_after, key_budget, run_budget, seconds in kills:
        plant.tick(dies_after, keys=key_budget, runs=run_budget)
        plant.work(seconds)
        ledger = plant.ledger()
        assert ledger.discovered == 20
        assert ledger.count(State.UNACCOUNTED) == 0
    plant.resume_after = ""
    plant.run_for(minutes=30)
    assert_all_accounted_for(plant)
    assert_each_was_tried_as_often_as_is_right(plant)


@settings(max_examples=EXAMPLES, deadline=None)
@given(kills)
def test_two_daemons_at_once_spend_no_attempt_twice(kills: Kills) -> None:
    plant = the_batch()
    for _, key_budget, run_budget, seconds in kills:
        plant.fold()
        plans = [plant.look(key_budget, run_budget), plant.look()]
        for made in plans:
            plant.partitions.update(made.register)
        for made in plans:
            for request in made.requests:
                plant.request(request)
        plant.work(seconds)
    plant.run_for(minutes=30)
    assert_all_accounted_for(plant)
    assert_each_was_tried_as_often_as_is_right(plant)


def test_a_new_version_and_new_code_and_a_reset_each_bring_one_more_attempt() -> None:
    plant = the_batch()
    plant.run_for(minutes=30)
    plant.code_version = "2"
    plant.run_for(minutes=30)
    spent = plant.spent()
    assert {key: spent[key] for key in PERMANENT} == dict.fromkeys(PERMANENT, 2)
    plant.reset(key="b/encrypted.pdf")
    plant.run_for(minutes=30)
    assert plant.spent()["b/encrypted.pdf"] == 3
    plant.reset(key=HANGING)
    plant.natures = {**plant.natures, HANGING: well}
    plant.run_for(minutes=30)
    assert plant.ledger().count(State.HELD) == 0
    assert plant.runs[-1].lane == "large", "what failed in the standard lane is not sent there again"


class EngineDown:
    """Every document that comes to a stage fails there until ``repaired``."""

    def __init__(self, error: str = "ENGINE_FAILED", stage: str = "ocr_text") -> None:
        self.fate = (error, stage)
        self.repaired = False

    def __call__(self, plant: Plant, run: Run) -> Fate:
        return None if self.repaired else self.fate


FIVE_HUNDRED: dict[str, Nature] = dict.fromkeys((f"b/{number:03d}.pdf" for number in range(500)), well)


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
def test_an_outage_costs_few_attempts_and_charges_nobody(
    error: str, stage: str, goes_well_first_minutes: float, documents: int
) -> None:
    outage = EngineDown(error, stage)
    the_documents = dict(list(FIVE_HUNDRED.items())[:documents])
    plant = plant_of(the_documents, settings=Settings(intake_max_queued=documents))
    plant.run_for(goes_well_first_minutes)
    finished_before = len(plant.spent())
    plant.outage = outage
    plant.run_for(minutes=20)
    assert len(plant.breakers.open_stages) == 1
    failed = {run.key for run in plant.runs if run.started_at and run.fate}
    print(f"{error} after {finished_before} good ones: {len(failed)} documents spent an attempt")
    assert len(failed) < 30
    assert plant.ledger().count(State.QUEUED) == documents - plant.ledger().count(State.SUCCEEDED)
    # A worker may be lost by a document's fault; that it was not is known from the fifth or tenth on.
    charged = [one.failures for one in plant.breakers.documents.values() if one.failures]
    assert charged == ([1] * len(charged) if error == WORKER_LOST else [])
    assert len(charged) < 10
    outage.repaired = True
    plant.run_for(minutes=25)
    assert plant.ledger().count(State.SUCCEEDED) == documents
    assert not plant.breakers.documents
    assert not plant.breakers.open_stages


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_a_short_queue_alone_keeps_an_outage_cheap(workers: int) -> None:
    plant = plant_of(FIVE_HUNDRED, recalls=False, workers=workers)
    plant.outage = EngineDown()
    plant.run_for(minutes=20)
    assert len(plant.spent()) < 30


def test_an_outage_ends_with_one_canary_and_a_document_that_never_got_there_is_no_proof() -> None:
    outage = EngineDown()
    natures = dict(FIVE_HUNDRED)
    natures |= dict.fromkeys(
        (f"b/{number:03d}.pdf" for number in range(0, 500, 3)), always("NO_PAGES", "raw_pdf")
    )
    plant = plant_of(natures)
    plant.outage = lambda plant, run: None if plant.natures[run.key] is not well else outage(plant, run)
    plant.run_for(minutes=20)
    assert plant.breakers.open_stages
    outage.repaired = True
    plant.run_for(minutes=25)
    canaries = [run for run in plant.runs if run.request and run.request.purpose is Purpose.CANARY]
    assert Counter(run.fate is None for run in canaries)[True] == 1
    # Canaries never overlap.
    ends = [(run.started_at, run.ended_at) for run in canaries]
    assert all(end <= start for (_, end), (start, _) in pairwise(ends))  # type: ignore[operator]
    ledger = plant.ledger()
    assert (ledger.count(State.QUARANTINED), ledger.count(State.SUCCEEDED)) == (167, 333)
    assert all(plant.spent()[key] == 1 for key, nature in natures.items() if nature is not well)


def test_a_person_who_brings_a_document_past_the_stage_ends_the_pause() -> None:
    outage = EngineDown()
    plant = plant_of(FIVE_HUNDRED)
    plant.outage = outage
    plant.run_for(minutes=5)
    assert plant.breakers.open_stages
    outage.repaired = True
    plant.launch_as_a_person("b/400.pdf")
    plant.work(10)
    plant.fold()
    assert not plant.breakers.open_stages


def test_a_reset_of_the_stage_ends_the_pause() -> None:
    outage = EngineDown()
    plant = plant_of(FIVE_HUNDRED)
    plant.outage = outage
    plant.run_for(minutes=5)
    outage.repaired = True
    plant.reset(stage="ocr_text")
    plant.run_for(minutes=10)
    assert plant.ledger().count(State.SUCCEEDED) == 500


def test_a_document_that_kills_its_worker_again_and_again_is_probed_ever_more_rarely() -> None:
    plant = plant_of({"b/killer.pdf": always(WORKER_LOST, ""), "b/good.pdf": well})
    plant.run_for(minutes=24 * 60, tick_seconds=30)
    assert 3 < plant.spent()["b/killer.pdf"] <= 12
    ledger = plant.ledger()
    held = next(entry for entry in ledger.entries if entry.document == "b/killer.pdf")
    assert held.state is State.HELD
    assert held.next_attempt_at is not None
    assert held.next_attempt_at > plant.now
    assert "WORKER_LOST" in (held.reason or "")
