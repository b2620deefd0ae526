"""Patterns of the regular types, one file per family, and their common record."""

import re
from collections.abc import Callable
from typing import NamedTuple

from docpipe_assets.model import EntityType

Reading = tuple[str | None, float]
"""The normalized value and its score."""


class Rule(NamedTuple):
    """A pattern and the function that interprets its match.

    The span is the group ``span`` if there is one, else the whole match.
    """

    type: EntityType
    pattern: re.Pattern[str]
    read: Callable[[re.Match[str]], Reading | None]
    """None if the match turns out to be something else."""
    cues: tuple[str, ...] = ()
    """Lower-case strings; the pattern is tried only if the text contains one of them."""


def one_line(text: str) -> str:
    return " ".join(text.split())


def span_of(match: re.Match[str]) -> tuple[int, int]:
    return match.span("span") if "span" in match.re.groupindex else match.span()
