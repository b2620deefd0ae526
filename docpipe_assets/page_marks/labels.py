"""Adds stamps, legends and marks to the pages of a document, with the help of neighbouring pages."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from docpipe_assets.bates.file_names import named_range
from docpipe_assets.bates.runs import UndecidedPage, stamped
from docpipe_assets.bates.stamps import MARGIN_SHARE, PageStamps, stamp_of, stamps_on
from docpipe_assets.model import Page, PageText, TextMethod, Word
from docpipe_assets.page_marks.legends import may_hold_legends
from docpipe_assets.page_marks.marks import Repeats, Segment, marks_of, segments

_SLOPE_SHARE = 0.03


class _PendingPage(NamedTuple):
    """A page that waits for the following pages."""

    text: PageText
    width: float
    segments: list[Segment]


def with_labels(pages: Iterable[tuple[PageText, Page | None]]) -> Iterator[PageText]:
    """The pages, in order, with stamps, legends and marks; ``bates.runs.LOOKAHEAD_PAGES`` pages are held
    back.

    Depends on the records only, so pages from an earlier attempt give the same result as pages that were just
    read.
    """
    unread = iter(pages)
    for first in islice(unread, 1):
        named = named_range(first[0].document)
        named_first = named.stamp if named is not None else None
        repeats = Repeats()
        held = (_seen(*item, repeats) for item in chain([first], unread))
        for page, label, stamps in stamped(held, named_first):
            marks, legends = marks_of(page.text, page.segments, stamps, page.width, repeats)
            labels = {"bates": label, "stamps": stamps, "legends": legends, "marks": marks}
            yield page.text.model_copy(update=labels)


def _seen(text: PageText, page: Page | None, repeats: Repeats) -> tuple[_PendingPage, UndecidedPage]:
    is_ocr = text.method is TextMethod.OCR
    if page is None:
        return _PendingPage(text, 0.0, []), UndecidedPage(text.page, PageStamps(), is_ocr)
    width, height = page.width_points, page.height_points
    edge = _outside(text.words, width, height)
    found = stamps_on(((text.text[word.start : word.end], word.box) for word in edge), width, height)
    found_segments = segments(text, text.words if may_hold_legends(text.text) else edge, height)
    repeats.add_page(text.page, (one.key(width) for one in found_segments if one.edge is not None))
    layer = stamp_of(page.bates) if page.bates else None
    return _PendingPage(text, width, found_segments), UndecidedPage(text.page, found, is_ocr, layer)


def _outside(words: Sequence[Word], width: float, height: float) -> list[Word]:
    """The words near the edges of the page, including those whose line slopes into the margin."""
    x, y = (MARGIN_SHARE + _SLOPE_SHARE) * width, (MARGIN_SHARE + _SLOPE_SHARE) * height
    left, right, top, bottom = 2 * x, 2 * (width - x), 2 * y, 2 * (height - y)
    return [
        word
        for word in words
        if not (
            top < word.box.top + word.box.bottom < bottom and left < word.box.left + word.box.right < right
        )
    ]
