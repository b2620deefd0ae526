"""What OCR made of a page: its measures, the better of two readings, and what one adds to a text layer."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from docpipe_assets.model import Box, OtherReading
from docpipe_assets.protocols import PlacedWord
from docpipe_assets.rules.text_layer import UNREAD_INCHES, leaves_lines, word_measures

Lines: TypeAlias = tuple[tuple[PlacedWord, ...], ...]

OVERLAP = 0.3
"""Of a word's area under a word of the layer: then both are the same word."""
WIDEST_CHARACTER = 1.2
"""In heights of the word's box; letters that are spaced wide for emphasis take 0.8."""
MORE_WORDS = 0.05
OTHER_TEXT_CHARACTERS = 20_000


class Reading(NamedTuple):
    engine: str
    lines: Lines
    signals: Mapping[str, float]
    """``words``, ``confidence``, those of ``word_measures``, and what its boxes leave of the ink."""


def reading(engine: str, lines: Lines, ink: Mapping[str, float]) -> Reading:
    words = [word for line in lines for word in line]
    return Reading(
        engine,
        lines,
        {
            "words": float(len(words)),
            "confidence": confidence(words),
            **word_measures([word.text for word in words]),
            **ink,
        },
    )


def confidence(words: Sequence[PlacedWord]) -> float:
    """The mean over words by their length; 1 where there are none."""
    characters = sum(len(word.text) for word in words)
    if not characters:
        return 1.0
    return round(sum(word.confidence * len(word.text) for word in words) / characters, 4)


def is_filled(word: PlacedWord) -> bool:
    """Whether a word has characters enough for its box.

    Of a script that it does not know, a recogniser makes one letter a line: the box is that of the line, and
    must not pass for read.
    """
    width, height = word.box.right - word.box.left, word.box.bottom - word.box.top
    return width <= WIDEST_CHARACTER * height * max(len(word.text), 1)


def reason_to_ask_another(read: Reading, confidence_below: float) -> str | None:
    """Why a second engine should read the page as well, if it should."""
    signals = read.signals
    if signals["confidence"] < confidence_below:
        return f"confidence {signals['confidence']:.2f} is below {confidence_below:g}"
    if leaves_lines(signals):
        return f'{signals["unread_line_inches"]:.0f}" of lines are left unread'
    return None


def better(first: Reading, second: Reading) -> tuple[Reading, str]:
    """The reading to take, and by which rule.

    Confidences of different engines can't be compared closely: one that leaves much less ink, then one that
    has more words of a language is better; only then the one that is surer. In doubt it is the first.
    """
    left, other_left = (r.signals.get("unread_line_inches", 0.0) for r in (first, second))
    if abs(left - other_left) >= UNREAD_INCHES and min(left, other_left) < 0.5 * max(left, other_left):
        chosen = second if other_left < left else first
        return (
            chosen,
            f'{chosen.engine} leaves {min(left, other_left):.0f}" of lines, not {max(left, other_left):.0f}"',
        )
    share, other_share = (r.signals.get("dictionary_share") for r in (first, second))
    if (share is None) != (other_share is None):
        chosen = first if other_share is None else second
        return chosen, f"only {chosen.engine} reads enough words to tell"
    if share is not None and other_share is not None and abs(share - other_share) >= MORE_WORDS:
        chosen = first if share > other_share else second
        most, least = max(share, other_share), min(share, other_share)
        return chosen, f"{most:.0%} of the words of {chosen.engine} are in a dictionary, not {least:.0%}"
    sure, other_sure = (r.signals["confidence"] if r.signals["words"] else 0.0 for r in (first, second))
    if other_sure > sure:
        return second, f"{second.engine} is surer: {other_sure:.2f}, not {sure:.2f}"
    return first, f"{first.engine} came first, and {second.engine} is no better"


def other_reading(read: Reading, reason: str) -> OtherReading:
    """What is kept of the reading that was not taken."""
    text = "\n".join(" ".join(word.text for word in line) for line in read.lines)
    return OtherReading(
        engine=read.engine,
        confidence=read.signals["confidence"],
        text=text[:OTHER_TEXT_CHARACTERS],
        reason=reason,
    )


def to_add(layer: Lines, read: Lines) -> Lines:
    """The lines of a reading without the words that the layer has as well, and without stray marks."""
    known = sorted((word.box for line in layer for word in line), key=lambda box: box.top)
    added = []
    for line in read:
        kept = tuple(word for word in line if not _is_known(word.box, known))
        if any(character.isalnum() for word in kept for character in word.text):
            added.append(kept)
    return tuple(added)


def _is_known(box: Box, known: Sequence[Box]) -> bool:
    area = max((box.right - box.left) * (box.bottom - box.top), 1e-6)
    common = 0.0
    for other in known:
        if other.top >= box.bottom:
            break
        width = min(box.right, other.right) - max(box.left, other.left)
        height = min(box.bottom, other.bottom) - max(box.top, other.top)
        if width > 0 and height > 0:
            common += width * height
    return common >= OVERLAP * area
