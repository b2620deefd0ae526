"""Labels the pages of a document by what stands around their text, once their neighbours are known."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple

from docpipe_assets.model import Page, PageText, TextMethod
from docpipe_assets.rules.bates import PageStamps, stamp_of, stamps_on
from docpipe_assets.rules.bates_names import named_range
from docpipe_assets.rules.bates_runs import Margins, stamped
from docpipe_assets.rules.page_marks import Repeats, Segment, marks_of, segments


class _Held(NamedTuple):
    """A page that waits for those behind it."""

    text: PageText
    width: float
    parts: list[Segment]


def labelled(pages: Iterable[tuple[PageText, Page | None]]) -> Iterator[PageText]:
    """The pages, in order, with stamps, legends and marks; ``bates_runs.REACH`` of them are held back.

    Looks at nothing but the records, so that it makes no difference whether they were read just now or
    kept by an earlier attempt.
    """
    unread = iter(pages)
    for first in islice(unread, 1):
        named = named_range(first[0].document)
        repeats = Repeats()
        held = (_seen(*item, repeats) for item in chain([first], unread))
        for page, label, stamps in stamped(held, named.prefix if named else None):
            marks, legends = marks_of(page.text, page.parts, stamps, page.width, repeats)
            labels = {"bates": label, "stamps": stamps, "legends": legends, "marks": marks}
            yield page.text.model_copy(update=labels)


def _seen(text: PageText, page: Page | None, repeats: Repeats) -> tuple[_Held, Margins]:
    is_ocr = text.method is TextMethod.OCR
    if page is None:
        return _Held(text, 0.0, []), Margins(text.page, PageStamps(), is_ocr)
    words = ((text.text[word.start : word.end], word.box) for word in text.words)
    found = stamps_on(words, page.width_points, page.height_points)
    parts = segments(text, page.height_points)
    repeats.see(text.page, (part.key(page.width_points) for part in parts if part.edge is not None))
    layer = stamp_of(page.bates) if page.bates else None
    return _Held(text, page.width_points, parts), Margins(text.page, found, is_ocr, layer)
