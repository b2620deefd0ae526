"""Pages that may be incompletely read or misread are flagged."""

import pytest

from docpipe_assets.model import PageFlag, TextMethod
from docpipe_assets.text.page_flags import page_flags

LAYER, OCR, BOTH, BLANK = TextMethod.TEXT_LAYER, TextMethod.OCR, TextMethod.BOTH, TextMethod.BLANK


@pytest.mark.parametrize(
    ("method", "signals", "flags"),
    [
        (LAYER, {}, ()),
        (LAYER, {"unread_line_inches": 50.0}, (PageFlag.TEXT_LEFT,)),
        (OCR, {"unread_line_inches": 50.0, "ocr_unread_line_inches": 0.5}, ()),
        (OCR, {"ocr_unread_line_inches": 50.0}, (PageFlag.TEXT_LEFT,)),
        (BOTH, {"ocr_unread_line_inches": 50.0}, (PageFlag.TEXT_LEFT,)),
        (BLANK, {"ocr_unread_line_inches": 50.0}, (PageFlag.TEXT_LEFT,)),
        (BLANK, {}, ()),
        (OCR, {"ocr_ink_untested": 1.0}, (PageFlag.TEXT_LEFT,)),
        (LAYER, {"foreign_letter_share": 0.9}, (PageFlag.OTHER_SCRIPT,)),
        (LAYER, {"foreign_letter_share": 0.1}, ()),
        (OCR, {"ocr_confidence": 0.85, "ocr_dictionary_share": 0.1}, (PageFlag.MISREAD,)),
        (OCR, {"ocr_confidence": 0.6, "ocr_dictionary_share": 0.9}, (PageFlag.MISREAD,)),
        (OCR, {"ocr_confidence": 0.6}, (PageFlag.MISREAD,)),
        (OCR, {"ocr_confidence": 0.99, "ocr_dictionary_share": 0.1}, ()),
        (OCR, {"ocr_confidence": 0.85, "ocr_dictionary_share": 0.9}, ()),
        (OCR, {"ocr_confidence": 0.85}, ()),
        (TextMethod.FAILED, {"unread_line_inches": 50.0}, ()),
    ],
)
def test_flags_depend_on_the_measurements(
    method: TextMethod, signals: dict[str, float], flags: tuple[PageFlag, ...]
) -> None:
    assert page_flags(method, signals) == flags
