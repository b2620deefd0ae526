"""Finds an expected Bates stamp where OCR took letters for digits, digits for letters, or lost some."""

import re
from collections.abc import Iterable
from typing import TypeAlias

from docpipe_assets.bates.stamps import Texts, stripped
from docpipe_assets.model import Box, Stamp

_LOOK_ALIKES = str.maketrans("OQDIL|SBZG", "0001115826")
_NOT_IN_LABELS = re.compile(r"[^0-9A-Z]+")
_PIECE_MOST = 8
"""Words that a label may have been torn into."""
_MISREAD_PREFIX = 4
"""Letters that a prefix has at least when one of them may have been misread."""

FoldedTexts: TypeAlias = list[tuple[str, str, Box]]
"""Words beside each other: folded, as they are, and where."""


def bare(text: str) -> str:
    """The letters and digits of a text, in capitals."""
    return _NOT_IN_LABELS.sub("", text.upper())


def folded(text: str) -> str:
    """A text with all that looks alike made equal, and nothing but letters and digits in it."""
    return _NOT_IN_LABELS.sub("", text.upper().translate(_LOOK_ALIKES))


def folded_texts(pieces: Iterable[Texts]) -> list[FoldedTexts]:
    """Pieces of text, to look for stamps in them."""
    return [[(folded(text), text, box) for text, box in piece] for piece in pieces]


def found_as(expected: Stamp, texts: list[FoldedTexts], *, is_ocr: bool) -> Stamp | None:
    """The expected stamp where a piece of text reads like it."""
    wanted = folded(expected.label)
    prefix = folded(expected.prefix)
    for piece in texts:
        for first in range(len(piece)):
            joined = ""
            for last in range(first, min(first + _PIECE_MOST, len(piece))):
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
    """Whether the number is the same, and of a long enough prefix one letter is missing, added or another."""
    prefix, number = wanted[:prefix_length], wanted[prefix_length:]
    if prefix_length < _MISREAD_PREFIX or not read.endswith(number):
        return False
    one = read[: len(read) - len(number)]
    if abs(len(one) - len(prefix)) > 1:
        return False
    same = next((n for n, (a, b) in enumerate(zip(one, prefix, strict=False)) if a != b), None)
    at = min(len(one), len(prefix)) if same is None else same
    return prefix[at + 1 :] in (one[at + 1 :], one[at:]) or prefix[at:] == one[at + 1 :]
