"""Patterns for the regular types, one file for each family, and the shape they share."""

import re
from collections.abc import Callable
from typing import NamedTuple

from docpipe_assets.model import EntityType

Reading = tuple[str | None, float]
"""The normalised value and how sure the pattern is."""


class Rule(NamedTuple):
    """A pattern and what it reads.

    The span is the group ``span`` where there is one, else the whole match.
    """

    type: EntityType
    pattern: re.Pattern[str]
    read: Callable[[re.Match[str]], Reading | None]
    """None where a second look shows that this is something else."""
    cues: tuple[str, ...] = ()
    """Lower-case strings of which one must be in the text, else the pattern need not be tried."""


def one_line(text: str) -> str:
    return " ".join(text.split())


def span_of(match: re.Match[str]) -> tuple[int, int]:
    return match.span("span") if "span" in match.re.groupindex else match.span()
