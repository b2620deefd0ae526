"""OCR readings of a page: their measurements, the better of two, and the words that OCR adds to a
text layer.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from docpipe_assets.model import Box, OtherReading
from docpipe_assets.protocols import Lines, PlacedWord
from docpipe_assets.text.text_layer import UNREAD_INCHES, leaves_lines, word_measures

OVERLAP = 0.3
"""Minimum share of a word's area that words of the layer cover; both are then the same word."""
WIDEST_CHARACTER = 1.2
"""In heights of the word box; letter-spaced text has 0.8."""
MIN_LETTER_MARGIN = 0.05
OTHER_TEXT_CHARACTERS = 20_000


class Reading(NamedTuple):
    engine: str
    lines: Lines
    signals: Mapping[str, float]
    """``words``, ``characters``, ``confidence``, those of ``word_measures``, and the ink measurements."""


def reading(engine: str, lines: Lines, ink: Mapping[str, float]) -> Reading:
    words = [word for line in lines for word in line]
    return Reading(
        engine,
        lines,
        {
            "words": float(len(words)),
            "characters": float(sum(len(word.text) for word in words)),
            "confidence": mean_confidence((len(word.text), word.confidence) for word in words),
            **word_measures([word.text for word in words]),
            **ink,
        },
    )


def mean_confidence(words: Iterable[tuple[int, float]]) -> float:
    """Mean over words, weighted by their length, which comes first; 1 for a page without words."""
    found = list(words)
    characters = sum(length for length, _ in found)
    if not characters:
        return 1.0
    return round(sum(confidence * length for length, confidence in found) / characters, 4)


def is_filled(word: PlacedWord) -> bool:
    """Whether a word has enough characters for its box.

    For a script that it does not support, a recognizer returns one letter per line: the box is that of the
    line and must not count as read.
    """
    width, height = word.box.right - word.box.left, word.box.bottom - word.box.top
    return width <= WIDEST_CHARACTER * height * max(len(word.text), 1)


def reason_for_second_engine(read: Reading, confidence_below: float) -> str | None:
    """The reason why a second engine should read the page as well, or None."""
    signals = read.signals
    if signals["confidence"] < confidence_below:
        return f"confidence {signals['confidence']:.2f} is below {confidence_below:g}"
    if leaves_lines(signals):
        return f'{signals["unread_line_inches"]:.0f}" of lines are left unread'
    return None


def better(first: Reading, second: Reading) -> tuple[Reading, str]:
    """The selected reading and the rule that selected it; in doubt the first.

    Confidences of different engines are not comparable, and nonsense covers ink too: the first criterion is
    the amount of text in dictionary words.
    """
    worth, other_worth = _letters_in_words(first), _letters_in_words(second)
    if abs(worth - other_worth) > MIN_LETTER_MARGIN * max(abs(worth), abs(other_worth)):
        chosen = first if worth > other_worth else second
        return chosen, (
            f"{chosen.engine} has more letters in dictionary words than in others: "
            f"{max(worth, other_worth):+,.0f}, not {min(worth, other_worth):+,.0f}"
        )
    left, other_left = (r.signals.get("unread_line_inches", 0.0) for r in (first, second))
    if abs(left - other_left) >= UNREAD_INCHES and min(left, other_left) < 0.5 * max(left, other_left):
        chosen = second if other_left < left else first
        least, most = min(left, other_left), max(left, other_left)
        return chosen, f'{chosen.engine} leaves {least:.0f}" of lines, not {most:.0f}"'
    sure, other_sure = (r.signals["confidence"] if r.signals["words"] else 0.0 for r in (first, second))
    if other_sure > sure:
        return second, f"{second.engine} is surer: {other_sure:.2f}, not {sure:.2f}"
    return first, f"{first.engine} came first, and {second.engine} is no better"


def _letters_in_words(read: Reading) -> float:
    """Number of characters in dictionary words minus those in others; 0 if there are too few to decide."""
    share = read.signals.get("dictionary_share")
    return 0.0 if share is None else read.signals["characters"] * (2 * share - 1)


def other_reading(read: Reading, reason: str) -> OtherReading:
    """The stored part of the rejected reading."""
    text = "\n".join(" ".join(word.text for word in line) for line in read.lines)
    return OtherReading(
        engine=read.engine,
        confidence=read.signals["confidence"],
        text=text[:OTHER_TEXT_CHARACTERS],
        reason=reason,
    )


def to_add(layer: Lines, read: Lines) -> Lines:
    """The lines of a reading without the words that the layer already has, and without stray marks."""
    known = sorted((word.box for line in layer for word in line), key=_top)
    tallest = max((box.bottom - box.top for box in known), default=0.0)
    added = []
    for line in read:
        kept = tuple(word for word in line if not _is_known(word.box, known, tallest))
        if any(character.isalnum() for word in kept for character in word.text):
            added.append(kept)
    return tuple(added)


def _is_known(box: Box, known: Sequence[Box], tallest: float) -> bool:
    """Whether boxes, sorted by top and none higher than ``tallest``, cover enough of a box."""
    area = max((box.right - box.left) * (box.bottom - box.top), 1e-6)
    first = bisect_left(known, box.top - tallest, key=_top)
    last = bisect_left(known, box.bottom, key=_top)
    common = 0.0
    for other in known[first:last]:
        width = min(box.right, other.right) - max(box.left, other.left)
        height = min(box.bottom, other.bottom) - max(box.top, other.top)
        if width > 0 and height > 0:
            common += width * height
    return common >= OVERLAP * area


def _top(box: Box) -> float:
    return box.top
