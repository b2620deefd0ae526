"""Chunks -> mentions: find names in every chunk, resolve overlaps, and place each on its page.

If engines overlap, a span with a grammar of its own (an e-mail address, a citation, a date) takes precedence
over a person, organisation or place; among equals the longer one wins. So the person inside an e-mail address
or a case citation is not a mention. Bates stamps and legends, which label the page, are hidden from engines;
no name extends from a header or footer into the body.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from docpipe_assets.errors import EngineError
from docpipe_assets.model import (
    Chunk,
    Chunks,
    EntityType,
    FoundName,
    Mention,
    Mentions,
    PageProse,
    PageTexts,
)
from docpipe_assets.pipeline import PIPELINE
from docpipe_assets.protocols import NameContext, NerEngine
from docpipe_assets.streaming.hashed import HashedSet
from docpipe_assets.streaming.text_window import PAGE_MARKS, PageWindow, mask_spans

_NAMES = frozenset({EntityType.PERSON, EntityType.ORGANISATION, EntityType.PLACE})
_WORD = re.compile(r"[^\W\d_]+")
_ADDRESS = re.compile(r"\S+@\S+|\w+://\S+|www\.\S+")


def chunks_to_mentions(chunks: Chunks, pages: PageTexts, *, engines: Sequence[NerEngine]) -> Mentions:
    """The names that the engines find, in text order, each span once, without overlaps.

    An earlier engine wins if rank, length, start and score are equal.
    """
    settings = {"engines": [[engine.name, engine.version] for engine in engines]}
    return Mentions(
        PIPELINE.fingerprint(Mentions, settings, [chunks, pages]),
        lambda: _mentions(chunks, pages, engines),
    )


def _mentions(chunks: Chunks, pages: PageTexts, engines: Sequence[NerEngine]) -> Iterator[Mention]:
    context = NameContext(lowercase_words=_lowercase_words(pages))
    window = PageWindow(pages)
    last_end = 0
    for chunk, first, limit in _shares(chunks):
        window.drop_before(chunk.start)
        body = _body(chunk, window)
        for name in _settled(body, engines, context):
            start, end = chunk.start + name.start, chunk.start + name.end
            is_of_one_part = all(a <= start and end <= b for a, b in window.marks(start, end))
            if first <= start < limit and start >= last_end and is_of_one_part:
                last_end = chunk.start + name.end
                yield _mention(chunk, name, window)


def _body(chunk: Chunk, window: PageWindow) -> Chunk:
    """The chunk for the engines: stamps and legends are blank, so that no engine mistakes them for names."""
    labels = ((a - chunk.start, b - chunk.start) for a, b in window.marks(chunk.start, chunk.end, PAGE_MARKS))
    return chunk.model_copy(update={"text": mask_spans(chunk.text, labels)})


def _lowercase_words(pages: PageTexts) -> HashedSet:
    words = HashedSet()
    for page in pages.view_as(PageProse):
        # The lower-case domain of an address would make the company name look like a common word.
        text = _ADDRESS.sub(" ", page.text)
        for word in set(_WORD.findall(text)):
            if word.islower():
                words.add(word)
    return words


def _shares(chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, int, int]]:
    """Each chunk with the part of the text whose names it decides: [first, limit).

    Neighbours divide their overlap in halves, so that each has context on both sides of every name it
    reports.
    """
    held: Chunk | None = None
    first = 0
    for chunk in chunks:
        if held is not None:
            border = chunk.start + max(held.end - chunk.start, 0) // 2
            yield held, first, border
            first = border
        held = chunk
    if held is not None:
        yield held, first, held.end


def _settled(chunk: Chunk, engines: Sequence[NerEngine], context: NameContext) -> list[FoundName]:
    """The names of all engines in text order, without overlaps."""
    candidates = [
        (name.type in _NAMES, name.start - name.end, name.start, -name.score, rank, name)
        for rank, engine in enumerate(engines)
        for name in _found(chunk, engine, context)
    ]
    settled: list[FoundName] = []
    for *_, name in sorted(candidates, key=lambda c: c[:-1]):
        at = bisect_left(settled, name.start, key=lambda n: n.start)
        is_free_before = at == 0 or settled[at - 1].end <= name.start
        is_free_after = at == len(settled) or settled[at].start >= name.end
        if is_free_before and is_free_after:
            settled.insert(at, name)
    return settled


def _found(chunk: Chunk, engine: NerEngine, context: NameContext) -> Iterator[FoundName]:
    for name in engine.find(chunk.text, context):
        if not 0 <= name.start < name.end <= len(chunk.text):
            raise EngineError(
                f"{chunk.document}: NER engine {engine.name} {engine.version} returned the span "
                f"{name.start}-{name.end} for chunk {chunk.chunk} of {len(chunk.text)} characters; "
                "offsets must be within the given text"
            )
        yield name


def _mention(chunk: Chunk, name: FoundName, window: PageWindow) -> Mention:
    start, end = chunk.start + name.start, chunk.start + name.end
    quote = chunk.text[name.start : name.end]
    return Mention(
        document=chunk.document,
        version=chunk.version,
        mention=f"{name.type}:{start}-{end}",
        chunk=chunk.chunk,
        type=name.type,
        quote=quote,
        value=name.value,
        score=name.score,
        engine=name.engine,
        place=window.place(chunk.document, chunk.version, start, end),
        is_grounded=window.text(start, end) == quote,
    )
