"""Assembles the words of a page to its text, with the span of each word; for text layers and OCR.

Control characters and lone surrogates are removed from each word and the rest is converted to Unicode NFC
before offsets are computed, so that the span of a word is exactly that word.

A word that was hyphenated at the end of a line is joined: its first part keeps its box and loses its hyphen,
the second part follows without a space and keeps its own box. The rest of the next line follows. Whether the
hyphen belongs to a division or to a compound is decided by another occurrence on the page, else by the
dictionary; in doubt it is kept.
"""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from docpipe_assets.model import Box, Word
from docpipe_assets.protocols import Lines, PlacedWord
from docpipe_assets.text.paragraphs import paragraph_starts
from docpipe_assets.text.text_layer import is_word

FREQUENT_ZIPF = 3.0
"""Frequency of once in a million words: minimum for joining two parts that are words themselves."""

_SOFT_HYPHEN = "\N{SOFT HYPHEN}"
_HYPHENS = f"-‐{_SOFT_HYPHEN}"
_DIVIDED = re.compile(rf"(?P<before>\W*)(?P<stem>[^\W\d_]{{2,}})[{_HYPHENS}]")
_REST = re.compile(r"(?P<tail>[^\W\d_]{2,})(?:['’][^\W\d_]{1,2})?[^\w\s-]*")
_NUMBER = re.compile(r"\d{1,2}")
_EDGES = re.compile(r"^\W+|\W+$")
_COMPOUNDS = frozenset(["up", "out", "off", "down"])
"""As second parts these form nouns that are written with or without a hyphen."""
_SOLID = frozenset(["without", "throughout"])


class _Part(NamedTuple):
    """The printed text of a word, or of its part in one line."""

    text: str
    word: PlacedWord
    adjoins: bool = False
    """It continues the part before it."""
    begins: bool = False
    """It is the first of a paragraph."""


def assemble(lines: Lines) -> tuple[str, tuple[Word, ...], tuple[int, ...]]:
    """The text of a page, with lines joined by newlines and words by spaces; the span of each word; and the
    offsets at which paragraphs begin.
    """
    pieces: list[str] = []
    words: list[Word] = []
    paragraphs: list[int] = []
    offset = 0
    for line in _joined(lines):
        glue = "\n" if words else ""
        for text, word, adjoins, begins in line:
            glue = "" if adjoins else glue
            offset += len(glue)
            end = offset + len(text)
            if begins:
                paragraphs.append(offset)
            words.append(Word(start=offset, end=end, box=_rounded(word.box), confidence=_share(word)))
            pieces += [glue, text]
            offset, glue = end, " "
    return "".join(pieces), tuple(words), tuple(paragraphs)


def _joined(lines: Lines) -> list[list[_Part]]:
    """The words of each line; the second part of a hyphenated word is moved to the first part."""
    kept = [[_Part(text, word) for word in line if (text := _printable(word.text))] for line in lines]
    kept = [line for line in kept if line]
    for number in paragraph_starts(tuple(tuple(part.word for part in line) for line in kept)):
        kept[number][0] = kept[number][0]._replace(begins=True)
    texts: set[str] | None = None
    for line, following in pairwise(kept):
        if not line or line[-1].text[-1] not in _HYPHENS:
            continue
        at = _first_word(line, following)
        if at is None:
            continue
        if texts is None:
            texts = {_EDGES.sub("", part.text).casefold() for one in kept for part in one}
        if _is_divided(line[-1].text, following[at].text, texts):
            line[-1] = line[-1]._replace(text=line[-1].text[:-1])
            line.append(following.pop(at)._replace(adjoins=True, begins=False))
    return [line for line in kept if line]


def _first_word(line: Sequence[_Part], following: Sequence[_Part]) -> int | None:
    """Index of the first text word of the next line: after its number, on paper with numbered lines."""
    numbers = [one[0].text for one in (line, following)]
    if len(line) > 1 and all(_NUMBER.fullmatch(one) for one in numbers):
        is_numbered = int(numbers[1]) == int(numbers[0]) + 1
        return 1 if is_numbered and len(following) > 1 else None
    return 0


def _is_divided(text: str, rest: str, texts: set[str]) -> bool:
    """Whether the hyphen at the end of a text only marks a division of the word."""
    divided, goes_on = _DIVIDED.fullmatch(text), _REST.fullmatch(rest)
    if divided is None or goes_on is None:
        return False
    stem, tail = divided["stem"], goes_on["tail"]
    if not (tail.islower() or (tail.isupper() and stem.isupper())):
        return False
    stem, tail = stem.casefold(), tail.casefold()
    joined = stem + tail
    if text.endswith(_SOFT_HYPHEN):
        return True
    if f"{stem}-{tail}" in texts:
        return False
    if joined in texts or joined in _SOLID:
        return True
    if is_word(stem) and is_word(tail):
        return tail not in _COMPOUNDS and is_word(joined, FREQUENT_ZIPF)
    return is_word(joined)


def _printable(text: str) -> str:
    """The text without control characters and white space, which would be mistaken for word and page
    separators.
    """
    kept = (
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) == "Cs" else character
        for character in text
        if unicodedata.category(character) != "Cc" and not character.isspace()
    )
    return unicodedata.normalize("NFC", "".join(kept))


def _rounded(box: Box) -> Box:
    return Box(*(round(value, 2) for value in box))


def _share(word: PlacedWord) -> float:
    return round(min(max(word.confidence, 0.0), 1.0), 4)
