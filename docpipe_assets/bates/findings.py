"""What can be said of the Bates labels of a document: findings, ranges, and a small summary.

A finding says what a person should look at. It is no failure: productions have gaps for good reasons
(pages withheld, slip sheets without a number), and whoever cites a page has to know of them.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Self

FINDINGS_MOST = 20
"""Of one kind are said in words; all are counted."""
RANGES_MOST = 200


class BatesFault(StrEnum):
    MISSING = "missing"
    """A page, or a whole document, without a stamp among others that have one."""
    GAP = "gap"
    """Numbers that no page has."""
    DUPLICATE = "duplicate"
    """A number that is on two pages, or on two documents."""
    ORDER = "order"
    """A number that is not the one that follows."""
    PREFIX = "prefix"
    """Another production's prefix on some of the pages."""
    PADDING = "padding"
    """A number of another length."""
    NAME = "name"
    """The range in the document's name is not what was found."""
    OVERLAP = "overlap"
    """Numbers that two documents share."""


class BatesFinding(NamedTuple):
    """One thing to look at, in words that name the pages or documents."""

    fault: BatesFault
    what: str


class BatesRange(NamedTuple):
    """Numbers in a row that stand on pages of a document, by the letters and digits of the prefix."""

    prefix: str
    digits: int
    first: int
    last: int

    def __str__(self) -> str:
        first = label_of(self.prefix, self.first, self.digits)
        return first if self.first == self.last else f"{first}-{self.last:0{self.digits}d}"


@dataclass(frozen=True)
class BatesSummary:
    """What a document's labels come to; small, whatever its length."""

    stamped: int = 0
    """Pages with a label."""
    repaired: str = ""
    """Pages whose label was read otherwise."""
    leading: int = 0
    """Pages before the first one with a label."""
    trailing: int = 0
    """Pages behind the last one with a label."""
    ranges: tuple[BatesRange, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """Findings by fault."""
    findings: tuple[BatesFinding, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "ranges": [list(one) for one in self.ranges],
            "findings": [[one.fault.value, one.what] for one in self.findings],
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        return cls(
            stamped=said["stamped"],
            repaired=said["repaired"],
            leading=said["leading"],
            trailing=said["trailing"],
            ranges=tuple(BatesRange(*one) for one in said["ranges"]),
            counts=said["counts"],
            findings=tuple(BatesFinding(BatesFault(fault), what) for fault, what in said["findings"]),
        )


def label_of(prefix: str, number: int, digits: int) -> str:
    return f"{prefix} {number:0{digits}d}".strip()


def count_of_pages(pages: int) -> str:
    return f"{pages:,} page{'' if pages == 1 else 's'}"
