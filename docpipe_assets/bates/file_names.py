"""Parses the Bates range in the name of a document: ``WOMBAT 000454-000784.pdf``."""

import re
from typing import NamedTuple

from docpipe_assets.bates.stamps import stamp_of
from docpipe_assets.model import Stamp

_RANGE = re.compile(
    r"""(?<![A-Z0-9])
    (?P<prefix>[A-Z][A-Z0-9&]*?(?:[\ ._-]{1,2}[A-Z][A-Z0-9&]*?){0,3}?)
    (?P<separator>[\ ]?[-_]?[\ ]?)
    (?P<first>\d{4,12})
    (?:\ ?(?:[-–—_~]|TO|THROUGH)\ ?(?:(?P=prefix)(?:[\ ]?[-_]?[\ ]?))?(?P<last>\d{2,12}))?
    (?![A-Z0-9])""",
    re.VERBOSE,
)


class NamedRange(NamedTuple):
    """The production, the number of the first page and, if stated, of the last one."""

    prefix: str
    digits: int
    first: int
    last: int | None

    @property
    def pages(self) -> int | None:
        return None if self.last is None else self.last - self.first + 1

    @property
    def stamp(self) -> Stamp:
        """The stamp of the first page, as far as the name determines its form."""
        return Stamp(prefix=self.prefix, separator=" ", number=self.first, digits=self.digits)

    def __str__(self) -> str:
        last = "" if self.last is None else f"-{self.last:0{self.digits}d}"
        return f"{self.prefix} {self.first:0{self.digits}d}{last}"


def named_range(document: str) -> NamedRange | None:
    """The range in the last segment of a document's key; None if there is none.

    A last number may be abbreviated to the digits that differ: ``000454-784``.
    """
    name = document.rsplit("/", 1)[-1].upper().removesuffix(".PDF")
    for match in _RANGE.finditer(name):
        digits = match["first"]
        stamp = stamp_of(f"{match['prefix']} {digits}")
        if stamp is None:
            continue
        last = match["last"]
        if last is not None:
            last = digits[: len(digits) - len(last)] + last
        if last is not None and int(last) < stamp.number:
            continue
        return NamedRange(match["prefix"], len(digits), stamp.number, None if last is None else int(last))
    return None
