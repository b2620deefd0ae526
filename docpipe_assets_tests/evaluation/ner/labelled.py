"""Reads the labelled documents: plain text in which ``[Margaret Whitlow](person)`` marks a name.

``(ignore)`` marks a span on which two careful annotators could disagree; names found there are not scored.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from docpipe_assets.model import EntityType

DOCUMENTS = Path(__file__).parent / "documents"
HALVES = ("tune", "test")
IGNORE = "ignore"

_TYPES = "|".join([*(t.value for t in EntityType), IGNORE])
_MARK = re.compile(rf"\[([^\[\]]+)\]\(({_TYPES})\)")


class Label(NamedTuple):
    start: int
    end: int
    type: EntityType


@dataclass(frozen=True)
class LabelledDocument:
    name: str
    text: str
    labels: tuple[Label, ...]
    ignored: tuple[tuple[int, int], ...]


def parse(name: str, marked: str) -> LabelledDocument:
    """Removes the marks; offsets refer to the text without them."""
    parts: list[str] = []
    labels: list[Label] = []
    ignored: list[tuple[int, int]] = []
    length = last = 0
    for match in _MARK.finditer(marked):
        before = marked[last : match.start()]
        parts += [before, match.group(1)]
        start = length + len(before)
        length = start + len(match.group(1))
        if match.group(2) == IGNORE:
            ignored.append((start, length))
        else:
            labels.append(Label(start, length, EntityType(match.group(2))))
        last = match.end()
    parts.append(marked[last:])
    return LabelledDocument(name, "".join(parts), tuple(labels), tuple(ignored))


def read_half(half: str) -> list[LabelledDocument]:
    return [parse(path.stem, path.read_text("utf-8")) for path in sorted((DOCUMENTS / half).glob("*.txt"))]
