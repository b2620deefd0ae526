"""Interventions fold into what applies now, whatever else was recorded between them."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from docpipe_assets.operations.interventions import (
    PRIORITY,
    REINSTATED,
    RESET,
    WITHDRAWN,
    Intervention,
    priorities,
    resets,
    withdrawn,
)

AT = datetime(2026, 11, 28, tzinfo=UTC)


def decision(number: int, action: str, key: str | None = None, **subject: str) -> Intervention:
    return Intervention(number, AT, "ann", action, "checked", key, subject)


def test_the_latest_decision_about_a_document_applies() -> None:
    found = [
        decision(1, WITHDRAWN, "b/a.pdf"),
        decision(2, WITHDRAWN, "b/b.pdf"),
        decision(3, REINSTATED, "b/a.pdf"),
    ]
    assert withdrawn((), found) == {"b/b.pdf"}
    assert withdrawn({"b/a.pdf"}, found[1:2]) == {"b/a.pdf", "b/b.pdf"}


def test_a_reset_concerns_a_document_or_a_stage() -> None:
    (document, stage) = resets([decision(1, RESET, "b/a.pdf"), decision(2, RESET, stage="ocr_text")])
    assert (document.key, document.stage, document.by) == ("b/a.pdf", None, "ann")
    assert (stage.key, stage.stage, stage.reason) == (None, "ocr_text", "checked")


def test_the_latest_priority_of_a_batch_applies() -> None:
    found = [
        decision(1, PRIORITY, batch="a", priority="high"),
        decision(2, PRIORITY, batch="b", priority="low"),
        decision(3, PRIORITY, batch="a", priority="low"),
    ]
    assert priorities(found) == {"a": "low", "b": "low"}


@given(
    st.lists(st.tuples(st.sampled_from([WITHDRAWN, REINSTATED, RESET, "same"]), st.sampled_from("abc"))),
    st.data(),
)
def test_reading_in_pieces_gives_the_same_result(made: list[tuple[str, str]], data: st.DataObject) -> None:
    found = [decision(number, action, key) for number, (action, key) in enumerate(made)]
    cut = data.draw(st.integers(0, len(found)))
    assert withdrawn(withdrawn((), found[:cut]), found[cut:]) == withdrawn((), found)
