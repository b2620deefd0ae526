"""Small documents for the stage tests: pages from text, and engines that find the names that a test
specifies.
"""

import re
from collections.abc import Iterator, Sequence

from docpipe_assets.model import (
    PAGE_SEPARATOR,
    Box,
    EntityType,
    FoundName,
    PageText,
    PageTexts,
    TextMethod,
    Word,
)
from docpipe_assets.protocols import NameContext

DOCUMENT = "acuity/WOMBAT 000454-000784.pdf"
VERSION = "ab" * 32


def page_texts(*texts: str, bates: str | None = "WOMBAT", fingerprint: str = "pages") -> PageTexts:
    """A document with one page for each text; its words have boxes of 6 by 12 points on a grid."""
    records: list[PageText] = []
    offset = 0
    for number, text in enumerate(texts, start=1):
        records.append(
            PageText(
                document=DOCUMENT,
                version=VERSION,
                page=number,
                start=offset,
                end=offset + len(text),
                text=text,
                method=TextMethod.TEXT_LAYER if text.strip() else TextMethod.BLANK,
                reason="made for a test",
                confidence=1.0,
                engine="test",
                words=tuple(_words(text)),
                bates=f"{bates} {number:06d}" if bates else None,
            )
        )
        offset += len(text) + len(PAGE_SEPARATOR)
    return PageTexts(fingerprint, lambda: iter(records))


def document_text(pages: PageTexts) -> str:
    return PAGE_SEPARATOR.join(p.text for p in pages)


def _words(text: str) -> Iterator[Word]:
    for match in re.finditer(r"\S+", text):
        line = text.count("\n", 0, match.start())
        left = match.start() - (text.rfind("\n", 0, match.start()) + 1)
        box = Box(left * 6.0, line * 12.0, (left + len(match.group())) * 6.0, line * 12.0 + 10.0)
        yield Word(start=match.start(), end=match.end(), box=box)


class FindsListedNames:
    """Finds every occurrence of the given names, longest first, so that spans never overlap."""

    def __init__(self, names: dict[str, EntityType], name: str = "listed", score: float = 0.9) -> None:
        self.name = name
        self.version = "1"
        self._names = names
        self._score = score
        longest_first: Sequence[str] = sorted(names, key=lambda n: (-len(n), n))
        self._pattern = re.compile("|".join(re.escape(n).replace(r"\ ", r"\s+") for n in longest_first))

    def find(self, text: str, context: NameContext) -> Iterator[FoundName]:
        for match in self._pattern.finditer(text):
            name = " ".join(match.group().split())
            yield FoundName(match.start(), match.end(), self._names[name], self._score, self.name)
