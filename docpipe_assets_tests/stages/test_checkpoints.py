"""An interrupted document resumes where it stopped, and pages that are read concurrently are in order."""

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from docpipe_assets.errors import Crashed, EngineError, MemoryLimit
from docpipe_assets.model import PageText, PageTexts, TextMethod
from docpipe_assets.protocols import Checkpoints, PageContent, PageImage, PlacedWord
from docpipe_assets.storage.lake import Lake
from docpipe_assets.storage.memory import MemoryStore
from docpipe_assets.storage.scratch import ScratchFolder
from docpipe_assets_tests.stages.test_splits_to_text import (
    CrashesOnPage,
    Ocr,
    OcrOutOfMemory,
    Parts,
    Reader,
    page,
    parts,
    row,
    scan,
    split,
    texts_of,
)

__all__ = ["parts"]  # a fixture

DOCUMENT = "acme/letters.pdf"
PAGES_PER_SPLIT = 4


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(MemoryStore(), ScratchFolder(tmp_path / "scratch"))


class CountsPages(Ocr):
    """Counts the pages that it receives, and fails at one of them."""

    def __init__(self, *, breaks_at: int = 0) -> None:
        super().__init__("a page of prose that was read by the engine")
        self.pages = 0
        self._breaks_at = breaks_at

    def read(self, image: PageImage) -> tuple[tuple[PlacedWord, ...], ...]:
        self.pages += 1
        if self.pages == self._breaks_at:
            raise EngineError("for the stage, this is like a killed worker")
        return super().read(image)


def stream(
    parts: Parts, ocr: Ocr, checkpoints: Checkpoints, splits: int = 10, pages_at_once: int = 1
) -> PageTexts:
    """The text of a scanned document with ``splits`` splits."""
    scans = Reader(*(scan(n) for n in range(1, PAGES_PER_SPLIT + 1)))
    windows = [
        split(first, first + PAGES_PER_SPLIT - 1)
        for first in range(1, splits * PAGES_PER_SPLIT + 1, PAGES_PER_SPLIT)
    ]
    return texts_of(scans, parts, *windows, ocr=ocr, checkpoints=checkpoints, pages_at_once=pages_at_once)


def keys(lake: Lake) -> list[str]:
    return [found.key for found in lake.store.list()]


@pytest.mark.parametrize("pages_at_once", [1, 2])
def test_a_document_killed_at_ninety_percent_repeats_at_most_one_split(
    parts: Parts, lake: Lake, pages_at_once: int
) -> None:
    whole = list(stream(parts, CountsPages(), lake.checkpoints("another.pdf")))
    killed = CountsPages(breaks_at=36)
    with pytest.raises(EngineError):
        lake.save(DOCUMENT, stream(parts, killed, lake.checkpoints(DOCUMENT), pages_at_once=pages_at_once))
    again = CountsPages()
    checkpoints = lake.checkpoints(DOCUMENT)
    assert list(stream(parts, again, checkpoints, pages_at_once=pages_at_once)) == whole
    repeated = killed.pages + again.pages - len(whole)
    print(f"{pages_at_once} at once: {repeated} of {len(whole)} pages were read twice")
    assert 0 < repeated <= PAGES_PER_SPLIT


def test_stamps_of_an_interrupted_document_are_resolved_the_same_way(parts: Parts, lake: Lake) -> None:
    """Page 4, the last one of its split, is misread, and repaired with the help of page 5."""

    def stamp(number: int) -> tuple[PlacedWord, ...]:
        digits = "00O004" if number == 4 else f"{number:06d}"
        return tuple(
            word._replace(box=word.box._replace(top=770, bottom=780)) for word in row(f"WOMBAT {digits}")
        )

    class Stamped(Reader):
        """Each part has the stamps of its own pages."""

        def __init__(self) -> None:
            super().__init__()
            self.parts_read = 0

        def read(self, pdf: Path, first: int = 1) -> Iterator[PageContent]:
            self.parts_read += 1
            for n in range(1, PAGES_PER_SPLIT + 1):
                number = (self.parts_read - 1) * PAGES_PER_SPLIT + n
                content = page(n)
                yield replace(content, lines=(*content.lines, stamp(number)))

    windows = [split(first, first + PAGES_PER_SPLIT - 1) for first in (1, 5, 9)]
    whole = list(texts_of(Stamped(), parts, *windows))
    assert [text.bates for text in whole] == [f"WOMBAT {n:06d}" for n in range(1, 13)]
    assert whole[3].stamps[0].read_as == "WOMBAT 00O004"

    checkpoints = lake.checkpoints(DOCUMENT)
    reader = Stamped()
    first_page = next(iter(texts_of(reader, parts, *windows, checkpoints=checkpoints)))
    assert (first_page, reader.parts_read) == (whole[0], 3)
    assert (
        list(texts_of(CrashesOnPage(1, 2, 3, 4, pages=4), parts, *windows, checkpoints=checkpoints)) == whole
    )


def test_checkpoints_are_deleted_when_the_artifact_is_complete(parts: Parts, lake: Lake) -> None:
    checkpoints = lake.checkpoints(DOCUMENT)
    lake.save(DOCUMENT, stream(parts, Ocr(), checkpoints))
    assert len(keys(lake)) == 1 + 10
    checkpoints.discard()
    assert keys(lake) == [f"ocr_text/{DOCUMENT}.jsonl.zst"]


def test_checkpoints_of_other_code_are_not_used_but_deleted(parts: Parts, lake: Lake) -> None:
    class NewerOcr(CountsPages):
        version = "2"

    list(islice(stream(parts, CountsPages(), lake.checkpoints(DOCUMENT)), 20))
    newer, checkpoints = NewerOcr(), lake.checkpoints(DOCUMENT)
    list(stream(parts, newer, checkpoints))
    assert newer.pages == 10 * PAGES_PER_SPLIT
    checkpoints.discard()
    assert keys(lake) == []


def test_a_split_with_a_damaged_checkpoint_is_read_again(parts: Parts, lake: Lake, tmp_path: Path) -> None:
    stopped = CountsPages()
    list(islice(stream(parts, stopped, lake.checkpoints(DOCUMENT)), 20))
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"half an object")
    lake.store.put(keys(lake)[0], damaged)
    again = CountsPages()
    assert len(list(stream(parts, again, lake.checkpoints(DOCUMENT)))) == 10 * PAGES_PER_SPLIT
    assert again.pages == 10 * PAGES_PER_SPLIT - stopped.pages + PAGES_PER_SPLIT


def test_a_document_of_one_split_has_no_checkpoint(parts: Parts, lake: Lake) -> None:
    checkpoints = lake.checkpoints(DOCUMENT)
    assert len(list(stream(parts, Ocr(), checkpoints, splits=1))) == PAGES_PER_SPLIT
    checkpoints.discard()
    assert keys(lake) == []


class UnsteadyReader(Reader):
    """Takes a varying time for each page; some pages have a text layer."""

    def __init__(self, pages: int) -> None:
        super().__init__(*(page(n) if n % 5 == 0 else scan(n) for n in range(1, pages + 1)))

    def read(self, pdf: Path, first: int = 1) -> Iterator[PageContent]:
        for content in super().read(pdf, first):
            time.sleep(random.random() / 500)
            yield content


class UnsteadyOcr(Ocr):
    """Takes a varying time for each page, like the reader."""

    def read(self, image: PageImage) -> tuple[tuple[PlacedWord, ...], ...]:
        time.sleep(random.random() / 100)
        return super().read(image)


def test_pages_read_concurrently_equal_pages_read_in_sequence(parts: Parts, lake: Lake) -> None:
    def read(pages_at_once: int) -> list[PageText]:
        return list(
            texts_of(
                UnsteadyReader(30),
                parts,
                split(1, 30),
                ocr=UnsteadyOcr(),
                checkpoints=lake.checkpoints(DOCUMENT),
                pages_at_once=pages_at_once,
            )
        )

    alone = read(1)
    assert [text.page for text in alone] == list(range(1, 31))
    assert read(2) == read(4) == alone


@pytest.mark.parametrize("pages_at_once", [1, 3])
def test_failed_pages_keep_their_positions(parts: Parts, pages_at_once: int) -> None:
    class Mixed(CrashesOnPage):
        def read(self, pdf: Path, first: int = 1) -> Iterator[PageContent]:
            for content in super().read(pdf, first):
                yield scan(content.page) if content.page % 2 else content

    texts = list(texts_of(Mixed(2, 5, pages=8), parts, split(1, 8), pages_at_once=pages_at_once))
    methods = [text.method for text in texts]
    failed, ocr, layer = TextMethod.FAILED, TextMethod.OCR, TextMethod.TEXT_LAYER
    assert methods == [ocr, failed, ocr, layer, failed, layer, ocr, layer]


def test_a_page_out_of_memory_requests_the_larger_budget_once(parts: Parts) -> None:
    reader = Reader(page(1), scan(2), page(3))
    with pytest.raises(MemoryLimit, match=r"acme/letters\.pdf, page 2: no memory left"):
        list(texts_of(reader, parts, split(1, 3), ocr=OcrOutOfMemory(), can_escalate=True))
    (_, failed, _) = texts_of(reader, parts, split(1, 3), ocr=OcrOutOfMemory())
    assert (failed.method, failed.reason) == (TextMethod.FAILED, "MEMORY_LIMIT")


def test_a_crash_does_not_request_the_larger_budget(parts: Parts) -> None:
    reader = CrashesOnPage(2, pages=3, error=Crashed("the parser died"))
    texts = list(texts_of(reader, parts, split(1, 3), can_escalate=True))
    assert [text.reason for text in texts if text.method is TextMethod.FAILED] == ["CRASHED:SIGSEGV"]
