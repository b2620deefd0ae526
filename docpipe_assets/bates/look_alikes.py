"""Matches an expected Bates stamp although OCR confused letters and digits, or lost characters."""

import re
from collections.abc import Iterable
from typing import TypeAlias

from docpipe_assets.bates.stamps import Texts, stripped
from docpipe_assets.model import Box, Stamp

_LOOK_ALIKES = str.maketrans("OQDIL|SBZG", "0001115826")
_NOT_IN_LABELS = re.compile(r"[^0-9A-Z]+")
_MAX_LABEL_WORDS = 8
"""Maximum number of words into which a label may be split."""
_MIN_MISREAD_PREFIX = 4
"""Minimum length of a prefix in which one letter may be misread."""

FoldedTexts: TypeAlias = list[tuple[str, str, Box]]
"""Adjacent words: folded text, original text, box."""


def bare(text: str) -> str:
    """The letters and digits of a text, in capitals."""
    return _NOT_IN_LABELS.sub("", text.upper())


def folded(text: str) -> str:
    """The letters and digits of a text, with look-alike characters replaced by one representative."""
    return _NOT_IN_LABELS.sub("", text.upper().translate(_LOOK_ALIKES))


def folded_texts(pieces: Iterable[Texts]) -> list[FoldedTexts]:
    """Text fragments, prepared for matching stamps."""
    return [[(folded(text), text, box) for text, box in piece] for piece in pieces]


def found_as(expected: Stamp, texts: list[FoldedTexts], *, is_ocr: bool) -> Stamp | None:
    """The expected stamp, if a text fragment matches it."""
    wanted = folded(expected.label)
    prefix = folded(expected.prefix)
    for piece in texts:
        for first in range(len(piece)):
            joined = ""
            for last in range(first, min(first + _MAX_LABEL_WORDS, len(piece))):
                joined += piece[last][0]
                if joined == wanted or (is_ocr and _differs_in_prefix(joined, wanted, len(prefix))):
                    parts = piece[first : last + 1]
                    read = " ".join(stripped(text) for _, text, _ in parts)
                    box = Box.around(box for *_, box in parts)
                    is_repaired = read.upper() != expected.label
                    return expected.model_copy(update={"box": box, "read_as": read if is_repaired else None})
                if len(joined) > len(wanted):
                    break
    return None


def _differs_in_prefix(read: str, wanted: str, prefix_length: int) -> bool:
    """Whether the number is equal, and a sufficiently long prefix differs by one missing, added or replaced
    letter.
    """
    prefix, number = wanted[:prefix_length], wanted[prefix_length:]
    if prefix_length < _MIN_MISREAD_PREFIX or not read.endswith(number):
        return False
    one = read[: len(read) - len(number)]
    if abs(len(one) - len(prefix)) > 1:
        return False
    same = next((n for n, (a, b) in enumerate(zip(one, prefix, strict=False)) if a != b), None)
    at = min(len(one), len(prefix)) if same is None else same
    return prefix[at + 1 :] in (one[at + 1 :], one[at:]) or prefix[at:] == one[at + 1 :]
