"""The audit finds no fault in the output of the stages, and finds each seeded fault."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

import docpipe_assets.operations.audit as audited
from docpipe_assets.engines import load_engine
from docpipe_assets.model import (
    Blob,
    CanonicalEntity,
    Chunk,
    Mention,
    PageFlag,
    PageText,
    RawPdf,
    Relationship,
    TextMethod,
)
from docpipe_assets.operations.audit import Audit, Fault, audit
from docpipe_assets.stages.chunks_to_mentions import chunks_to_mentions
from docpipe_assets.stages.entities_to_relationships import entities_to_relationships
from docpipe_assets.stages.mentions_to_entities import mentions_to_entities
from docpipe_assets.stages.text_to_chunks import text_to_chunks
from docpipe_assets.text.page_ranges import ranges
from docpipe_assets_tests.stages.productions import page_texts

TEXTS = [
    f"Letter {n} of March {n}, 2021 to ann.hall{n}@example.com. The sum of $1,250.{n:02d} is due."
    f" Call (212) 555-01{n:02d}."
    for n in range(1, 7)
]


@dataclass(frozen=True)
class Document:
    """All output of the stages for one document."""

    raw_pdf: RawPdf
    pages: Sequence[PageText]
    chunks: Sequence[Chunk]
    mentions: Sequence[Mention]
    entities: Sequence[CanonicalEntity]
    relationships: Sequence[Relationship]

    def audit(self) -> Audit:
        return audit(
            self.raw_pdf,
            pages=self.pages,
            chunks=self.chunks,
            mentions=self.mentions,
            entities=self.entities,
            relationships=self.relationships,
        )


@pytest.fixture(scope="module")
def document() -> Document:
    pages = page_texts(*TEXTS)
    chunks = text_to_chunks(pages, token_limit=40, overlap_tokens=5)
    mentions = chunks_to_mentions(chunks, pages, engines=[load_engine("ner", "patterns", "find")])
    entities = mentions_to_entities(mentions)
    edges = entities_to_relationships(entities, mentions, chunks, pages)
    first = next(iter(pages))
    raw_pdf = RawPdf(
        document=first.document,
        version=first.version,
        size_bytes=1,
        etag="e",
        last_modified=datetime(2026, 1, 1, tzinfo=UTC),
        pdf=Blob(key="k", size_bytes=1, sha256="0"),
        pages=len(TEXTS),
    )
    return Document(raw_pdf, list(pages), list(chunks), list(mentions), list(entities), list(edges))


def changed(rows: Sequence[Any], index: int, **values: object) -> list[Any]:
    """The rows, one of them changed."""
    return [row.model_copy(update=values) if n == index else row for n, row in enumerate(rows)]


def quoted(document: Document) -> int:
    """The first relationship with a quote."""
    return next(n for n, edge in enumerate(document.relationships) if edge.quote)


def test_the_output_of_the_stages_has_no_fault(document: Document) -> None:
    found = document.audit()
    assert found.is_sound, found.examples
    assert found.remarks == []
    assert (found.pages, found.pages_read) == (6, 6)
    assert found.relationships == len(document.relationships)
    assert found.quotes > len(document.chunks) + len(document.mentions) > 12
    assert "6 pages accounted for" in str(found)


PLANTED: dict[str, tuple[Fault, Callable[[Document], Document]]] = {
    "a page is missing": (Fault.PAGE, lambda d: replace(d, pages=d.pages[:-1])),
    "a page is there twice": (Fault.PAGE, lambda d: replace(d, pages=[*d.pages, d.pages[-1]])),
    "two pages changed places": (
        Fault.PAGE,
        lambda d: replace(d, pages=[d.pages[1], d.pages[0], *d.pages[2:]]),
    ),
    "a page claims a wrong span": (
        Fault.PAGE,
        lambda d: replace(d, pages=changed(d.pages, 5, end=d.pages[5].end + 1)),
    ),
    "a page is of an older version": (
        Fault.VERSION,
        lambda d: replace(d, pages=changed(d.pages, 2, version="old")),
    ),
    "a chunk has another text": (Fault.QUOTE, lambda d: replace(d, chunks=changed(d.chunks, 0, text="else"))),
    "a mention has a wrong quote": (
        Fault.QUOTE,
        lambda d: replace(d, mentions=changed(d.mentions, 3, quote="nobody")),
    ),
    "a mention is a character off": (
        Fault.QUOTE,
        lambda d: replace(
            d,
            mentions=changed(
                d.mentions,
                3,
                place=d.mentions[3].place.model_copy(update={"start": d.mentions[3].place.start + 1}),
            ),
        ),
    ),
    "a relationship has a wrong quote": (
        Fault.QUOTE,
        lambda d: replace(d, relationships=changed(d.relationships, quoted(d), quote="never said")),
    ),
    "the object does not exist": (
        Fault.EDGE,
        lambda d: replace(d, relationships=changed(d.relationships, 4, object="entity:nobody")),
    ),
    "a mention is gone": (Fault.EDGE, lambda d: replace(d, mentions=d.mentions[1:])),
    "an entity is gone": (Fault.EDGE, lambda d: replace(d, entities=d.entities[1:])),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_seeded_fault_is_found_and_described(document: Document, name: str) -> None:
    fault, plant = PLANTED[name]
    found = plant(document).audit()
    assert fault in found.faults
    assert not found.is_sound
    assert found.examples
    assert str(fault) in str(found)


def test_many_faults_are_all_counted_and_a_few_named(document: Document) -> None:
    wrong = [edge.model_copy(update={"object": "entity:nobody"}) for edge in document.relationships]
    found = replace(document, relationships=wrong).audit()
    assert found.faults[Fault.EDGE] == len(wrong) > len(found.examples)


def test_failed_pages_are_named_with_their_codes(document: Document) -> None:
    raw_pdf = document.raw_pdf.model_copy(update={"pages": 9})
    end = document.pages[-1].end
    failed = [
        document.pages[-1].model_copy(
            update={
                "page": page,
                "start": end + 1 + n,
                "end": end + 1 + n,
                "text": "",
                "method": TextMethod.FAILED,
                "reason": code,
            }
        )
        for n, (page, code) in enumerate(
            [(7, "CPU_TIMEOUT_PAGE"), (8, "CPU_TIMEOUT_PAGE"), (9, "CRASHED:SIGSEGV")]
        )
    ]
    found = replace(document, raw_pdf=raw_pdf, pages=[*document.pages, *failed]).audit()
    assert found.is_sound
    assert found.remarks == [
        "partial: CPU_TIMEOUT_PAGE on page 7-8",
        "partial: CRASHED:SIGSEGV on page 9",
    ]


def test_pages_with_low_ocr_confidence_are_listed(document: Document) -> None:
    pages = changed(document.pages, 1, method=TextMethod.OCR, confidence=0.71)
    pages = changed(pages, 2, method=TextMethod.OCR, confidence=0.97)
    found = replace(document, pages=pages).audit()
    assert found.is_sound
    assert found.unsure_pages == {2: 0.71}
    assert found.remarks == ["OCR confidence is low on page 2"]


def test_pages_that_may_be_incompletely_read_are_named(document: Document) -> None:
    pages = changed(document.pages, 1, flags=(PageFlag.TEXT_LEFT,))
    pages = changed(pages, 2, flags=(PageFlag.TEXT_LEFT, PageFlag.MISREAD))
    found = replace(document, pages=pages).audit()
    assert found.is_sound
    assert found.remarks == [
        "text may be unread on page 2-3",
        "OCR probably misread page 3",
    ]


def test_repairs_and_ungrounded_rows_are_reported(document: Document) -> None:
    raw_pdf = document.raw_pdf.model_copy(update={"is_repaired": True})
    mentions = changed(document.mentions, 0, quote="not there", is_grounded=False)
    found = replace(document, raw_pdf=raw_pdf, mentions=mentions).audit()
    assert found.is_sound
    assert [remark.split()[0] for remark in found.remarks] == ["the", "1"]


def test_claims_beyond_one_batch_are_compared_too(
    document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audited, "DEFERRED_CLAIMS_MAX", 7)
    whole = document.audit()
    assert whole.is_sound
    assert whole.quotes > 21
    last = changed(document.mentions, len(document.mentions) - 1, quote="nobody")
    assert replace(document, mentions=last).audit().faults[Fault.QUOTE] == 1


def test_records_are_released_as_they_are_read(document: Document) -> None:
    """A batch of claims keeps no rows in memory."""
    alive = 0
    most = 0

    class Counted(Relationship):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def stream() -> Iterator[Relationship]:
        nonlocal alive, most
        for edge in document.relationships:
            alive += 1
            most = max(most, alive)
            yield Counted.model_construct(**dict(edge))

    audit(
        document.raw_pdf,
        pages=document.pages,
        chunks=document.chunks,
        mentions=document.mentions,
        entities=document.entities,
        relationships=stream(),
    )
    assert most <= 3


@pytest.mark.parametrize(
    ("pages", "written"),
    [
        ([], ""),
        ([4], "4"),
        ([3, 4, 5, 9], "3-5, 9"),
        ([9, 1], "1, 9"),
        ([*range(1, 9, 2)], "1, 3 and 2 more"),
    ],
)
def test_page_numbers_are_shown_as_ranges(pages: list[int], written: str) -> None:
    assert ranges(pages, limit=2) == written
