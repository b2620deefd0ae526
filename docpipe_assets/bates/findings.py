"""Records for the Bates labels of a document: findings, ranges, and a compact summary.

A finding is something that a person should check. It is not a failure: productions have legitimate gaps
(pages withheld, slip sheets without a number), which are relevant for anyone who cites a page.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Self

MAX_FINDINGS = 20
"""Maximum number of findings of one kind that are listed; all are counted."""
MAX_RANGES = 200


class BatesFault(StrEnum):
    MISSING = "missing"
    """A page, or a whole document, without a stamp, while others have one."""
    GAP = "gap"
    """Numbers that no page has."""
    DUPLICATE = "duplicate"
    """A number on two pages, or in two documents."""
    ORDER = "order"
    """A number that does not follow the previous one."""
    PREFIX = "prefix"
    """The prefix of another production on some pages."""
    PADDING = "padding"
    """A number of another length."""
    NAME = "name"
    """The range in the name of the document differs from the one found."""
    OVERLAP = "overlap"
    """Numbers that two documents share."""


class BatesFinding(NamedTuple):
    """One finding, with text that names the pages or documents."""

    fault: BatesFault
    what: str


class BatesRange(NamedTuple):
    """Consecutive numbers on pages of a document; ``prefix`` is reduced to letters and digits."""

    prefix: str
    digits: int
    first: int
    last: int

    def __str__(self) -> str:
        first = label_of(self.prefix, self.first, self.digits)
        return first if self.first == self.last else f"{first}-{self.last:0{self.digits}d}"


@dataclass(frozen=True)
class BatesSummary:
    """The summary of a document's labels; its size is bounded."""

    stamped: int = 0
    """Number of pages with a label."""
    repaired: str = ""
    """Pages whose label was repaired."""
    leading: int = 0
    """Number of pages before the first labelled page."""
    trailing: int = 0
    """Number of pages after the last labelled page."""
    ranges: tuple[BatesRange, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """Number of findings by fault."""
    findings: tuple[BatesFinding, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "ranges": [list(one) for one in self.ranges],
            "findings": [[one.fault.value, one.what] for one in self.findings],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        return cls(
            stamped=content["stamped"],
            repaired=content["repaired"],
            leading=content["leading"],
            trailing=content["trailing"],
            ranges=tuple(BatesRange(*one) for one in content["ranges"]),
            counts=content["counts"],
            findings=tuple(BatesFinding(BatesFault(fault), what) for fault, what in content["findings"]),
        )


def label_of(prefix: str, number: int, digits: int) -> str:
    return f"{prefix} {number:0{digits}d}".strip()


def count_of_pages(pages: int) -> str:
    return f"{pages:,} page{'' if pages == 1 else 's'}"
