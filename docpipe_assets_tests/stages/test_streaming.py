"""Stages are lazy: only a few pages are in memory at once, regardless of the length of the document."""

import weakref
from collections.abc import Callable, Iterator

import pytest

from docpipe_assets.model import (
    CanonicalEntities,
    Chunks,
    EntityType,
    Mentions,
    PageText,
    PageTexts,
    Relationships,
)
from docpipe_assets.stages.chunks_to_mentions import chunks_to_mentions
from docpipe_assets.stages.entities_to_relationships import entities_to_relationships
from docpipe_assets.stages.mentions_to_entities import mentions_to_entities
from docpipe_assets.stages.text_to_chunks import text_to_chunks
from docpipe_assets_tests.stages.productions import FindsListedNames, page_texts

PAGES = 300
FEW_PAGES = 60
TEXT = "Maria Ortega met Douglas Pell in Reno. They signed nothing, and the truck left at noon.\n"
ENGINE = FindsListedNames(
    {"Maria Ortega": EntityType.PERSON, "Douglas Pell": EntityType.PERSON, "Reno": EntityType.PLACE}
)


class CountsPagesInMemory(PageTexts):
    """Creates its pages while it is read, and counts those in memory."""

    def __init__(self, text: str) -> None:
        super().__init__("pages", self._pages)
        self._text = text
        self._alive = 0
        self.most_alive = 0
        self.passes = 0

    def _pages(self) -> Iterator[PageText]:
        self.passes += 1
        (page,) = page_texts(self._text)
        for number in range(PAGES):
            offset = number * (len(self._text) + 1)
            place = {"page": number + 1, "start": offset, "end": offset + len(self._text)}
            made = page.model_copy(update=place)
            self._alive += 1
            self.most_alive = max(self.most_alive, self._alive)
            weakref.finalize(made, self._one_less)
            yield made
            del made

    def _one_less(self) -> None:
        self._alive -= 1


def all_stages(pages: PageTexts) -> dict[str, Callable[[], Chunks | Mentions | Relationships]]:
    """Each stage with stored inputs, as loaded from the lake."""
    chunks = list(text_to_chunks(pages, token_limit=60, overlap_tokens=10))
    stored_chunks = Chunks("chunks", lambda: iter(chunks))
    mentions = list(chunks_to_mentions(stored_chunks, pages, engines=[ENGINE]))
    stored_mentions = Mentions("mentions", lambda: iter(mentions))
    entities = list(mentions_to_entities(stored_mentions))
    stored_entities = CanonicalEntities("entities", lambda: iter(entities))
    return {
        "chunks": lambda: text_to_chunks(pages),
        "mentions": lambda: chunks_to_mentions(stored_chunks, pages, engines=[ENGINE]),
        "relationships": lambda: entities_to_relationships(
            stored_entities, stored_mentions, stored_chunks, pages
        ),
    }


@pytest.mark.parametrize(
    ("stage", "passes", "text"),
    [
        ("chunks", 1, TEXT * 3),
        ("chunks", 1, "no sentence ends here " * 20),
        ("mentions", 2, TEXT * 3),
        ("relationships", 1, TEXT * 3),
        ("relationships", 1, "no sentence ends here " * 20),
        ("relationships", 1, ""),
    ],
)
def test_few_pages_are_in_memory_and_each_is_read_no_more_than_needed(
    stage: str, passes: int, text: str
) -> None:
    pages = CountsPagesInMemory(text)
    stream = all_stages(pages)[stage]()
    pages.most_alive = pages.passes = 0
    for _ in stream:
        pass
    assert pages.passes == passes
    assert pages.most_alive <= FEW_PAGES


def test_nothing_is_read_before_a_stream_is_iterated() -> None:
    pages = CountsPagesInMemory(TEXT)
    stages = all_stages(pages)
    pages.passes = 0
    assert [make().fingerprint for make in stages.values()]
    assert pages.passes == 0
