"""Flags pages that should be checked before their text is relied on: text that was not or can't have been
read.
"""

from collections.abc import Iterator, Mapping

from docpipe_assets.model import PageFlag, TextMethod
from docpipe_assets.text.text_layer import leaves_lines

OTHER_SCRIPT_SHARE = 0.3
GUESSED_CONFIDENCE = 0.75
"""Upside-down pages and other scripts have 0.5 to 0.65, poor copies seldom less than 0.8."""
MISREAD_CONFIDENCE, MISREAD_SHARE = 0.9, 0.45


def page_flags(method: TextMethod, signals: Mapping[str, float]) -> tuple[PageFlag, ...]:
    """From the signals of the page record; signals of OCR have the prefix ``ocr_``."""
    return tuple(_flags(method, signals))


def _flags(method: TextMethod, signals: Mapping[str, float]) -> Iterator[PageFlag]:
    if method is TextMethod.FAILED:
        return
    is_of_layer = method is TextMethod.TEXT_LAYER
    if leaves_lines(signals, "" if is_of_layer else "ocr_") or signals.get("ocr_ink_untested"):
        yield PageFlag.TEXT_LEFT
    if is_of_layer and signals.get("foreign_letter_share", 0.0) >= OTHER_SCRIPT_SHARE:
        yield PageFlag.OTHER_SCRIPT
    if method in (TextMethod.OCR, TextMethod.BOTH):
        sure, share = signals.get("ocr_confidence", 1.0), signals.get("ocr_dictionary_share", 1.0)
        if sure < GUESSED_CONFIDENCE or (sure < MISREAD_CONFIDENCE and share < MISREAD_SHARE):
            yield PageFlag.MISREAD
