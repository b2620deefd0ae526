"""Memory: neither the stages after the text nor the audit need more for a document of ten times
the length.
"""

import re
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from docpipe_assets.model import (
    Blob,
    CanonicalEntities,
    Chunks,
    EntityType,
    FoundName,
    Mentions,
    PageProse,
    PageText,
    PageTexts,
    RawPdf,
    Records,
    Relationships,
)
from docpipe_assets.operations.audit import audit
from docpipe_assets.protocols import NameContext
from docpipe_assets.stages.chunks_to_mentions import chunks_to_mentions
from docpipe_assets.stages.entities_to_relationships import entities_to_relationships
from docpipe_assets.stages.mentions_to_entities import mentions_to_entities
from docpipe_assets.stages.text_to_chunks import text_to_chunks
from docpipe_assets.storage.file import FileStore
from docpipe_assets.storage.lake import Lake
from docpipe_assets.storage.scratch import ScratchFolder
from docpipe_assets_tests.stages.productions import DOCUMENT, VERSION, page_texts

S = TypeVar("S", bound=Records[Any])

FEW, MANY = 80, 800
MOST_GROWTH_BYTES = 3_500_000
"""What may grow: a few bytes for each lookup key, the different names of people and firms, and caches whose
limit the shorter document does not reach."""


FILLER = "Nothing else of note was said on that day by any of those who were there. " * 3


class FindsMarkedNames:
    """Finds the names of ``long_document`` by their form."""

    name, version = "marked", "1"
    _NAME = re.compile(
        r"(?P<person>[A-Z][a-z]+ [A-Z]\. [A-Z][a-z]+)|(?P<organisation>[A-Z][a-z]+ Freight, LLC)"
        r"|(?P<money>\$\d+\.\d\d)|(?P<bates>TRIAL \d+)"
    )

    def find(self, text: str, context: NameContext) -> Iterator[FoundName]:
        for match in self._NAME.finditer(text):
            assert match.lastgroup is not None
            yield FoundName(*match.span(), EntityType(match.lastgroup), 0.9, self.name)


def long_document(pages: int) -> PageTexts:
    """People, sums, misread words, labels and parties are new on every page; firms recur."""

    def read() -> Iterator[PageText]:
        offset = 0
        for number in range(pages):
            text = (
                f"{_name(number)} A. {_name(number // 20)},\nPlaintiff,\nv.\n"
                f"{_name(number % 300)} Freight, LLC,\nDefendant.\n\n"
                f"{FILLER}The {_name(number).lower()} was paid ${number}.17.\nTRIAL {number:06d}"
            )
            (page,) = page_texts(text)
            place = {"page": number + 1, "start": offset, "end": offset + len(text)}
            yield page.model_copy(update=place)
            offset += len(text) + 1

    return PageTexts(f"{pages} pages", read)


def _name(number: int) -> str:
    """A unique word of letters for each number."""
    letters = ""
    while number or not letters:
        number, digit = divmod(number, 20)
        letters += "bcdfghjklmnprstvwzqx"[digit] + "aeiou"[digit % 5]
    return letters.title()


@pytest.fixture(scope="module")
def peaks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, int]]:
    """By stage, the peak of Python's memory in bytes for the short document and for the long one."""
    short, long = (peaks_of(pages, tmp_path_factory.mktemp("lake")) for pages in (FEW, MANY))
    return {stage: (short[stage], long[stage]) for stage in short}


def peaks_of(pages: int, folder: Path) -> dict[str, int]:
    scratch = ScratchFolder(folder / "scratch")
    lake = Lake(FileStore(folder / "lake"), scratch)
    lake.save(DOCUMENT, long_document(pages))
    found: dict[str, int] = {}

    def load(stream: type[S]) -> S:
        return lake.load(stream, DOCUMENT)

    def measured(stage: str, work: Callable[[], object]) -> None:
        tracemalloc.start()
        work()
        found[stage] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    def save(stage: str, records: Records[Any]) -> None:
        measured(stage, lambda: lake.save(DOCUMENT, records))

    save("chunks", text_to_chunks(load(PageTexts), token_limit=100, overlap_tokens=10))
    save("mentions", chunks_to_mentions(load(Chunks), load(PageTexts), engines=[FindsMarkedNames()]))
    save("entities", mentions_to_entities(load(Mentions), scratch=scratch))
    inputs = load(CanonicalEntities), load(Mentions), load(Chunks), load(PageTexts)
    save("relationships", entities_to_relationships(*inputs, scratch=scratch))
    measured("audit", lambda: _audit(lake, pages))
    return found


def _audit(lake: Lake, pages: int) -> None:
    found = audit(
        RawPdf(
            document=DOCUMENT,
            version=VERSION,
            size_bytes=1,
            etag="",
            last_modified=datetime(2026, 1, 1, tzinfo=UTC),
            pdf=Blob(key="", size_bytes=1, sha256=""),
            pages=pages,
        ),
        pages=lake.load(PageTexts, DOCUMENT).view_as(PageProse),
        chunks=lake.load(Chunks, DOCUMENT),
        mentions=lake.load(Mentions, DOCUMENT),
        entities=lake.load(CanonicalEntities, DOCUMENT),
        relationships=lake.load(Relationships, DOCUMENT),
    )
    assert found.is_sound, found.examples
    assert found.quotes > 15 * pages


@pytest.mark.parametrize("stage", ["chunks", "mentions", "entities", "relationships", "audit"])
def test_ten_times_as_many_pages_take_no_more_memory(peaks: dict[str, tuple[int, int]], stage: str) -> None:
    short, long = peaks[stage]
    assert long < short + MOST_GROWTH_BYTES, f"{short / 1e6:.1f} MB grew to {long / 1e6:.1f} MB"
