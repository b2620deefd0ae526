"""The default engine's accuracy on a few generated pages does not decrease; commands evaluate
complete sets.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from docpipe_assets.engines import load_engine
from docpipe_assets.evaluation.text_score import score
from docpipe_assets.protocols import PageImage
from docpipe_assets_tests.evaluation.ocr import layouts
from docpipe_assets_tests.evaluation.ocr.generated_set import aged
from docpipe_assets_tests.evaluation.ocr.generated_texts import Texts
from docpipe_assets_tests.evaluation.ocr.layouts import Type
from docpipe_assets_tests.evaluation.ocr.sheet import Sheet

DPI = 150
TYPE = Type("vera", 9.0)
LETTER = "\n\n".join(["# Notice of Claim", *Texts(1).paragraphs(4), "@ CALDERA 000123"])


def two_pages(text: str, type_: Type) -> Sheet:
    return layouts.two_up([text, text], Type(type_.font, 12.0), layouts.prose)


@pytest.mark.parametrize(
    ("text", "set_", "condition", "turns", "most"),
    [
        (LETTER, layouts.prose, "ordinary", 0, 0.003),
        (LETTER, layouts.prose, "faint", 2, 0.01),
        (LETTER, partial(layouts.columns, count=3), "ordinary", 0, 0.01),
        (LETTER, two_pages, "clean", 0, 0.01),
    ],
    ids=["letter", "upside down", "three columns", "two pages on one"],
)
def test_a_page_is_read_with_few_errors(
    tmp_path: Path, text: str, set_: Callable[[str, Type], Sheet], condition: str, turns: int, most: float
) -> None:
    sample = aged("made", "01", set_(text, TYPE), condition, DPI, 1, turns)
    page = PageImage(tmp_path / "page.grey", *sample.scan.image.size, float(DPI))
    page.path.write_bytes(sample.scan.image.tobytes())
    lines = load_engine("ocr", "rapidocr", "read").read(page)
    found = "\n".join(" ".join(word.text for word in line) for line in lines)
    assert score(found, sample.text).character_error_rate <= most, found
