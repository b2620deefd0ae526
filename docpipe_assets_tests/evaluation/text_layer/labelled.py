"""A generated page and its correct method."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from docpipe_assets.model import TextMethod


class CorrectMethod(StrEnum):
    """The correct method for a page."""

    LAYER = "layer"
    """Its text layer is sound and complete: OCR would cost time and add errors."""
    OCR = "ocr"
    """Its layer is missing or unreliable."""
    BOTH = "both"
    """Its layer is sound, but incomplete."""
    BLANK = "blank"
    """It contains nothing that could be text."""
    EITHER = "either"
    """Images without any text, which only OCR can determine. Not counted."""

    @property
    def needs_ocr(self) -> bool:
        return self in (CorrectMethod.OCR, CorrectMethod.BOTH)

    def allows(self, method: TextMethod) -> bool:
        return self is CorrectMethod.EITHER or method in _ALLOWED[self]


_ALLOWED = {
    CorrectMethod.LAYER: (TextMethod.TEXT_LAYER,),
    CorrectMethod.OCR: (TextMethod.OCR,),
    CorrectMethod.BOTH: (TextMethod.BOTH, TextMethod.OCR),
    CorrectMethod.BLANK: (TextMethod.BLANK,),
}


@dataclass(frozen=True)
class LabelledPage:
    half: str
    kind: str
    number: int
    right: CorrectMethod
    pdf: bytes


Kind = Callable[[int], bytes]
"""Generates the page of a seed: the same bytes for the same seed."""
PAGES_OF_A_KIND = 4


def made(
    half: str,
    kinds: Sequence[tuple[CorrectMethod, Sequence[Kind]]],
    *,
    first: int,
    step: int,
    of_a_kind: int,
    seed: int,
) -> Iterator[LabelledPage]:
    """``of_a_kind`` pages of each kind; ``first`` and ``step`` separate the seeds of the halves."""
    for right, alike in kinds:
        for kind in alike:
            for number in range(of_a_kind):
                pdf = kind(first + step * number + 1009 * seed)
                yield LabelledPage(half, kind.__name__, number, right, pdf)
