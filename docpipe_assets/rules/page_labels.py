"""Labels the pages of a document by what stands in their margins, once their neighbours are known."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from docpipe_assets.model import Page, PageText, TextMethod
from docpipe_assets.rules.bates import PageStamps, stamp_of, stamps_on
from docpipe_assets.rules.bates_names import named_range
from docpipe_assets.rules.bates_runs import Margins, stamped


def labelled(pages: Iterable[tuple[PageText, Page | None]]) -> Iterator[PageText]:
    """The pages, in order, with their Bates stamps; ``bates_runs.REACH`` of them are held back.

    Looks at nothing but the records, so that it makes no difference whether they were read just now or
    kept by an earlier attempt.
    """
    unread = iter(pages)
    for first in islice(unread, 1):
        named = named_range(first[0].document)
        placed = ((text, _margins(text, page)) for text, page in chain([first], unread))
        yield from (
            text.model_copy(update={"bates": label, "stamps": stamps})
            for text, label, stamps in stamped(placed, named.prefix if named else None)
        )


def _margins(text: PageText, page: Page | None) -> Margins:
    found = PageStamps()
    if page is not None:
        words = ((text.text[word.start : word.end], word.box) for word in text.words)
        found = stamps_on(words, page.width_points, page.height_points)
    layer = stamp_of(page.bates) if page is not None and page.bates else None
    return Margins(text.page, found, text.method is TextMethod.OCR, layer)
