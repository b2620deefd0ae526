"""Page texts -> chunks: pack whole sentences up to a token budget, with exact offsets.

A token is a word of up to 40 characters, the next 40 characters of a longer one, or a punctuation mark: close
to the tokens of language models, and the same on every machine. Only white space is left out between chunks.
Marks outside the body (stamps, legends, headers and footers) are sentences of their own. The text is
streamed: only the pages of a chunk and one unfinished sentence are in memory.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from docpipe_assets.errors import ConfigurationError
from docpipe_assets.model import PAGE_SEPARATOR, Chunk, Chunks, PageProse, PageTexts
from docpipe_assets.pipeline import PIPELINE
from docpipe_assets.streaming.text_window import TextWindow
from docpipe_assets.text.sentences import PARAGRAPH_SEPARATOR, heading_of, sentence_starts, sentences

TOKEN = re.compile(r"\w{1,40}|[^\w\s]")

_CLAUSE_END = re.compile(r"[;:,—–](?=\s)|[\n\u2029]")
_SPACE = re.compile(r"\s")
# Text without any sentence end (tables, garbage) is emitted in portions of this size.
_UNFINISHED_CHARACTERS = 20_000


class _Piece(NamedTuple):
    """A sentence, or a part of one that is longer than a chunk, in document offsets."""

    start: int
    end: int
    tokens: int
    heading: str | None


def text_to_chunks(pages: PageTexts, *, token_limit: int = 400, overlap_tokens: int = 50) -> Chunks:
    """Chunks of at most ``token_limit`` tokens; each repeats up to ``overlap_tokens`` of its predecessor.

    The overlap consists of whole sentences. A heading starts a new chunk, without overlap, if at least half
    of the budget is used.
    """
    if token_limit < 1 or not 0 <= overlap_tokens < token_limit:
        raise ConfigurationError(
            f"chunks of {token_limit} tokens with an overlap of {overlap_tokens} tokens are not possible; "
            "set a limit of at least 1 and an overlap below it"
        )
    settings = {"token_limit": token_limit, "overlap_tokens": overlap_tokens}
    return Chunks(
        PIPELINE.fingerprint(Chunks, settings, [pages]),
        lambda: _chunks(pages, token_limit, overlap_tokens),
    )


def _chunks(pages: PageTexts, token_limit: int, overlap_tokens: int) -> Iterator[Chunk]:
    window = TextWindow(pages.view_as(PageProse))
    heading: str | None = None
    packs = _packs(_pieces(window, token_limit), token_limit, overlap_tokens)
    for number, pieces in enumerate(packs):
        heading = pieces[0].heading or heading
        yield _chunk(window, number, pieces, heading)
        heading = next((p.heading for p in reversed(pieces) if p.heading), heading)
        window.drop_before(pieces[0].start)


def _chunk(window: TextWindow[PageProse], number: int, pieces: list[_Piece], heading: str | None) -> Chunk:
    start, end = pieces[0].start, pieces[-1].end
    page = window.any_page()
    return Chunk(
        document=page.document,
        version=page.version,
        chunk=number,
        start=start,
        end=end,
        text=window.text(start, end),
        tokens=sum(p.tokens for p in pieces),
        pages=window.spans(start, end),
        heading=heading,
    )


def _packs(pieces: Iterator[_Piece], token_limit: int, overlap_tokens: int) -> Iterator[list[_Piece]]:
    pack: list[_Piece] = []
    tokens = 0
    for piece in pieces:
        is_new_section = piece.heading is not None and tokens >= token_limit / 2
        if pack and (is_new_section or tokens + piece.tokens > token_limit):
            yield pack
            room = 0 if is_new_section else min(overlap_tokens, token_limit - piece.tokens)
            pack = _tail(pack, room)
            tokens = sum(p.tokens for p in pack)
        pack.append(piece)
        tokens += piece.tokens
    if pack:
        yield pack


def _tail(pack: list[_Piece], room: int) -> list[_Piece]:
    """The last pieces that fit, never all of them."""
    first = len(pack)
    while first > 1 and pack[first - 1].tokens <= room:
        first -= 1
        room -= pack[first].tokens
    return pack[first:]


def _pieces(window: TextWindow[PageProse], token_limit: int) -> Iterator[_Piece]:
    for start, sentence, is_mark in _sentences(window):
        tokens = [m.start() for m in TOKEN.finditer(sentence)]
        if len(tokens) <= token_limit:
            heading = None if is_mark else heading_of(sentence)
            yield _Piece(start, start + len(sentence), len(tokens), heading)
        else:
            yield from _parts(start, sentence, tokens, token_limit)


def _sentences(window: TextWindow[PageProse]) -> Iterator[tuple[int, str, bool]]:
    """Sentences with their offsets, also across page ends; the last one is deferred until its end is known.

    A stamp, a legend, a header or a footer (True) is not a sentence, and no sentence continues after one.
    """
    held = ""
    offset = 0
    for text, is_mark in _stretches(window):
        if is_mark:
            yield from ((start, sentence, False) for start, sentence in _split(held, offset))
            offset += len(held)
            if text.strip():
                yield offset + len(text) - len(text.lstrip()), text.strip(), True
            offset += len(text)
            held = ""
            continue
        held += text
        start = None
        for following in sentence_starts(held):
            if start is not None:
                yield offset + start, held[start:following].rstrip(), False
            start = following
        start = len(held) if start is None else start
        if len(held) - start > _UNFINISHED_CHARACTERS:
            yield offset + start, held[start:].rstrip(), False
            start = len(held)
        held = held[start:]
        offset += start
    yield from ((start, sentence, False) for start, sentence in _split(held, offset))


def _split(text: str, offset: int) -> Iterator[tuple[int, str]]:
    """The sentences of a complete text."""
    for start, end in sentences(text):
        yield offset + start, text[start:end]


def _stretches(window: TextWindow[PageProse]) -> Iterator[tuple[str, bool]]:
    """The text of the document in stretches with the page separators; True for marks, False for body text."""
    is_first = True
    while (page := window.read_page()) is not None:
        lead = "" if is_first else PAGE_SEPARATOR
        is_first = False
        at = 0
        text = _with_paragraph_marks(page)
        for mark in page.marks:
            yield lead + text[at : mark.start], False
            yield text[mark.start : mark.end], True
            lead, at = "", mark.end
        yield lead + text[at:], False


def _with_paragraph_marks(page: PageProse) -> str:
    """The text of a page, with the line ends before paragraphs marked."""
    text = list(page.text)
    for start in page.paragraphs:
        if start > 0:
            text[start - 1] = PARAGRAPH_SEPARATOR
    return "".join(text)


def _parts(start: int, sentence: str, tokens: list[int], token_limit: int) -> Iterator[_Piece]:
    """Split a long sentence after a clause in the second half of the budget, else between words."""
    first = 0
    while first < len(tokens):
        if first + token_limit >= len(tokens):
            cut = len(sentence)
        else:
            cut = _cut(sentence, tokens[first], tokens[first + token_limit // 2], tokens[first + token_limit])
        last = first
        while last < len(tokens) and tokens[last] < cut:
            last += 1
        end = tokens[first] + len(sentence[tokens[first] : cut].rstrip())
        yield _Piece(start + tokens[first], start + end, last - first, None)
        first = last


def _cut(sentence: str, first: int, middle: int, limit: int) -> int:
    clause_ends = [m.end() for m in _CLAUSE_END.finditer(sentence, middle, limit)]
    if clause_ends:
        return clause_ends[-1]
    spaces = [m.end() for m in _SPACE.finditer(sentence, first + 1, limit)]
    return spaces[-1] if spaces else limit
