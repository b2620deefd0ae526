"""Of two readings the better one is used, with the rule recorded; text layer words take
precedence over OCR.
"""

import pytest

from docpipe_assets.model import Box
from docpipe_assets.protocols import Lines, PlacedWord
from docpipe_assets.text.ocr_readings import (
    Reading,
    better,
    other_reading,
    reading,
    reason_for_second_engine,
    to_add,
)

PROSE = "the court finds that the shipment was late and that payment was due on delivery"
NONSENSE = "qxv wjk zzpf kkl vvq xxw jjq pqz qqk xjv wqq zxk"
GARBLED = "tbe covrt fmds tbat tbc sbiprnent vvas 1ate anb tbat payrnent vvas bue"


def lines(text: str, confidence: float = 0.9, top: float = 100) -> Lines:
    line = tuple(
        PlacedWord(word, Box(40.0 * n, top, 40.0 * n + 36, top + 10), confidence)
        for n, word in enumerate(text.split())
    )
    return (line,) if line else ()


def read(engine: str, text: str, confidence: float = 0.9, left: float = 0.0) -> Reading:
    return reading(engine, lines(text, confidence), {"unread_line_inches": left, "line_inches": 100.0})


@pytest.mark.parametrize(
    ("first", "second", "chosen", "rule"),
    [
        (read("a", PROSE, left=30), read("b", PROSE, 0.5, left=2), "b", 'b leaves 2" of lines, not 30"'),
        (read("a", PROSE, 0.5, left=2), read("b", PROSE, left=30), "a", 'a leaves 2" of lines, not 30"'),
        (read("a", PROSE, left=5), read("b", PROSE, 0.95, left=4), "b", "surer"),
        (read("a", GARBLED), read("b", PROSE, 0.5), "b", "letters in dictionary words"),
        (read("a", PROSE, 0.5), read("b", GARBLED), "a", "letters in dictionary words"),
        (read("a", PROSE, 0.5), read("b", "12 04"), "a", "letters in dictionary words"),
        (read("a", ""), read("b", PROSE, 0.5), "b", "letters in dictionary words"),
        (read("a", "12 04", 0.6), read("b", "12 04", 0.7), "b", "b is surer: 0.70, not 0.60"),
        (read("a", PROSE), read("b", PROSE), "a", "b is no better"),
        (read("a", PROSE, left=30), read("b", f"{PROSE} {PROSE}", 0.5), "b", "letters in dictionary words"),
        (read("a", "12 04", left=30), read("b", NONSENSE, left=0), "a", "letters in dictionary words"),
        (read("a", "12 04", 0.2), read("b", ""), "a", "b is no better"),
    ],
)
def test_the_better_of_two_readings_is_used(first: Reading, second: Reading, chosen: str, rule: str) -> None:
    taken, why = better(first, second)
    assert taken.engine == chosen
    assert rule in why


def test_a_second_engine_is_used_only_for_a_reason() -> None:
    assert reason_for_second_engine(read("a", PROSE, 0.9), 0.85) is None
    assert reason_for_second_engine(read("a", PROSE, 0.8), 0.85) == "confidence 0.80 is below 0.85"
    assert "left unread" in str(reason_for_second_engine(read("a", PROSE, 0.9, left=12), 0.85))
    assert reason_for_second_engine(read("a", ""), 0.85) is None


def test_the_text_kept_of_the_other_reading_is_bounded() -> None:
    kept = other_reading(read("a", "word " * 50_000), "a rule")
    assert len(kept.text) == 20_000
    assert (kept.engine, kept.reason) == ("a", "a rule")


def test_only_words_where_the_layer_has_none_are_added() -> None:
    layer = lines("HARBOR 000123", top=700)
    seen = (*lines(PROSE, top=100), *lines("HARB0R O00123 CONFIDENTIAL", top=702))
    added = to_add(layer, seen)
    assert [[word.text for word in line] for line in added] == [PROSE.split(), ["CONFIDENTIAL"]]


def test_stray_marks_are_not_added() -> None:
    assert to_add((), (*lines("| -- ."), *lines("a", top=50))) == lines("a", top=50)
