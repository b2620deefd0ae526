"""The score of a text states the amount of errors, and how much of it is due to order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe_assets.evaluation.text_score import TextScore, score

TRUTH = "The clerk filed the motion\non the third of May."
LEFT = ["The shipment had arrived", "in March, as the ledger", "of the port shows."]
RIGHT = ["Payment was demanded in", "April, and refused by the", "bank without a reason."]


def test_a_text_that_was_read_correctly_has_no_errors() -> None:
    found = score(TRUTH, TRUTH)
    assert (found.character_error_rate, found.word_error_rate) == (0.0, 0.0)
    assert (found.word_f1, found.order_free_f1) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("found", "edits", "word_edits"),
    [
        ("The clerk filed the motion on the third of May.", 0, 0),  # different line ends are not errors
        ("The clerk filed the motion on the third of  May.", 0, 0),
        ("The clerk filed the rnotion\non the third of May.", 2, 1),
        ("The clerkfiled the motion\non the third of May.", 1, 2),
        ("the clerk filed the motion\non the third of May.", 1, 1),
        ("The clerk filed the motion", 21, 5),
        ("", 47, 10),
    ],
)
def test_edits_are_counted(found: str, edits: int, word_edits: int) -> None:
    scored = score(found, TRUTH)
    assert (scored.character_edits, scored.word_edits) == (edits, word_edits)
    assert scored.character_error_rate == edits / 47


def test_typographic_marks_equal_their_plain_forms() -> None:
    assert score("“It’s due” – now", '"It\'s due" - now').character_edits == 0


def test_columns_read_across_have_all_their_words_and_characters() -> None:
    across = "\n".join(f"{a} {b}" for a, b in zip(LEFT, RIGHT, strict=True))
    found = score(across, "\n".join([*LEFT, *RIGHT]))
    assert found.character_error_rate > 0.4
    assert found.word_f1 == 1.0
    assert found.order_free_f1 == 1.0


def test_missing_text_is_an_error_in_any_order() -> None:
    found = score("\n".join([*RIGHT, *LEFT[:2]]), "\n".join([*LEFT, *RIGHT]))
    assert 0.9 < found.order_free_f1 < 0.95
    assert 0.9 < found.word_f1 < 0.95


def test_scores_of_pages_add_up_by_their_length() -> None:
    total = score("a", "abcd") + score("x" * 16, "x" * 16)
    assert total.character_error_rate == 3 / 20
    assert TextScore().character_error_rate == 0.0


def test_text_found_on_an_empty_page_is_entirely_wrong() -> None:
    assert score("specks", "").character_error_rate == 1.0
    assert score("", "").word_f1 == 1.0


@given(st.text("ab c\n", max_size=60), st.text("ab c\n", max_size=60))
def test_scores_are_between_zero_and_one(found: str, truth: str) -> None:
    scored = score(found, truth)
    assert 0.0 <= scored.word_f1 <= 1.0
    assert 0.0 <= scored.order_free_f1 <= 1.0
    assert scored.character_edits <= scored.characters + len(found)
