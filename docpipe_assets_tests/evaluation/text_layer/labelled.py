"""A generated page and its correct method."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from docpipe_assets.model import TextMethod


class Right(StrEnum):
    """What must become of a page."""

    LAYER = "layer"
    """Its text layer is sound and is all there is to read: OCR would cost time and add errors."""
    OCR = "ocr"
    """Its layer is not there, or not to be trusted."""
    BOTH = "both"
    """Its layer is sound, and there is more to read."""
    BLANK = "blank"
    """Nothing on it that could be text."""
    EITHER = "either"
    """Images without any text: nobody knows before OCR has looked. Counts for no figure."""

    @property
    def needs_ocr(self) -> bool:
        return self in (Right.OCR, Right.BOTH)

    def allows(self, method: TextMethod) -> bool:
        return self is Right.EITHER or method in _ALLOWED[self]


_ALLOWED = {
    Right.LAYER: (TextMethod.TEXT_LAYER,),
    Right.OCR: (TextMethod.OCR,),
    Right.BOTH: (TextMethod.BOTH, TextMethod.OCR),
    Right.BLANK: (TextMethod.BLANK,),
}


@dataclass(frozen=True)
class LabelledPage:
    half: str
    kind: str
    number: int
    right: Right
    pdf: bytes


Kind = Callable[[int], bytes]
"""Makes the page of a seed: the same bytes for the same seed."""
PAGES_OF_A_KIND = 4


def made(
    half: str,
    kinds: Sequence[tuple[Right, Sequence[Kind]]],
    *,
    first: int,
    step: int,
    of_a_kind: int,
    seed: int,
) -> Iterator[LabelledPage]:
    """So many pages of each kind; ``first`` and ``step`` keep the seeds of a half apart from the others'."""
    for right, alike in kinds:
        for kind in alike:
            for number in range(of_a_kind):
                pdf = kind(first + step * number + 1009 * seed)
                yield LabelledPage(half, kind.__name__, number, right, pdf)
