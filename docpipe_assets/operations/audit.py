"""Audit: reads what was made of a document and says what is wrong with it, or worth a look.

A *fault* is something that must never be: a page that is missing or out of order, a quote that does
not stand where its place says, an edge without an end. A *remark* is what a person should know
before relying on the document: pages that failed, were not read whole or that OCR was unsure of, a
repaired file.
Memory is bounded: what the streams quote is held against the pages while both run by, the few quotes
that stand out of order wait as hashes, and of every node there is a hash.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import merge
from operator import attrgetter
from typing import NamedTuple

from docpipe_assets.model import (
    PAGE_SEPARATOR,
    CanonicalEntity,
    Chunk,
    Mention,
    PageFlag,
    PageProse,
    Place,
    RawPdf,
    Relationship,
    TextMethod,
)
from docpipe_assets.streaming.hashed import HashedSet
from docpipe_assets.streaming.text_window import TextWindow
from docpipe_assets.text.page_ranges import ranges

LOW_CONFIDENCE = 0.9
"""Pages read by OCR below this are listed: nearly all good pages lie above 0.95."""
CLAIMS_AT_ONCE = 10_000
"""So many quotes that stand out of order wait for one more passage through the pages; some 4 MB."""
_PASSAGES = 2
"""So many are under way at a time: edges come in text order, then typed ones do, then some that do not."""
_EXAMPLES = 20


_FLAGGED = {
    PageFlag.TEXT_LEFT: "text may have been left unread on",
    PageFlag.OTHER_SCRIPT: "a script in which no names are looked for is on",
    PageFlag.MISREAD: "OCR only guessed at",
}


class Fault(StrEnum):
    PAGE = "page"
    VERSION = "version"
    QUOTE = "quote"
    EDGE = "edge"
    ARTIFACT = "artifact"


@dataclass
class Audit:
    """What was looked at, and what was found."""

    pages: int = 0
    """Of the document as it arrived."""
    pages_read: int = 0
    """Rows of the text, whatever the method."""
    quotes: int = 0
    relationships: int = 0
    faults: Counter[Fault] = field(default_factory=Counter)
    first_of: dict[Fault, list[str]] = field(default_factory=dict)
    """The first faults of each kind, in words."""
    failed_pages: dict[str, list[int]] = field(default_factory=dict)
    """By the code of the error."""
    flagged_pages: dict[PageFlag, list[int]] = field(default_factory=dict)
    unsure_pages: dict[int, float] = field(default_factory=dict)
    """Confidence of the pages that OCR was unsure of."""
    ungrounded: int = 0
    """Rows that say of themselves that their quote was not found."""
    is_repaired: bool = False
    is_encrypted: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        return not self.faults

    @property
    def remarks(self) -> list[str]:
        """What a person should know before relying on the document, worst first."""
        said = [
            f"partial: {code} on page {ranges(pages)}" for code, pages in sorted(self.failed_pages.items())
        ]
        if self.is_repaired:
            said.append("the file was damaged and has been repaired; text may be missing")
        if self.ungrounded:
            said.append(f"{self.ungrounded:,} rows are marked as ungrounded")
        said += [
            f"{_FLAGGED[flag]} page {ranges(self.flagged_pages[flag])}"
            for flag in PageFlag
            if flag in self.flagged_pages
        ]
        if self.unsure_pages:
            said.append(f"OCR is unsure of page {ranges(self.unsure_pages)}")
        return said

    @property
    def examples(self) -> list[str]:
        """The first faults, in words; a lost page comes before the quotes that are lost with it."""
        return [what for fault in Fault for what in self.first_of.get(fault, ())][:_EXAMPLES]

    def note(self, fault: Fault, what: str) -> None:
        self.faults[fault] += 1
        known = self.first_of.setdefault(fault, [])
        if len(known) < _EXAMPLES:
            known.append(what)

    def __str__(self) -> str:
        if self.faults:
            counts = ", ".join(f"{count:,} {fault}" for fault, count in sorted(self.faults.items()))
            return f"faults ({counts}): {'; '.join(self.examples[:3])}"
        return "; ".join(self.remarks) or (
            f"{self.pages:,} pages accounted for, {self.quotes:,} quotes in their places, "
            f"{self.relationships:,} relationships with both ends"
        )


class _Claim(NamedTuple):
    """That a text stands at a span. Only its hash is kept: texts of chunks are long."""

    start: int
    end: int
    length: int
    text_hash: int
    kind: str
    row: str

    @classmethod
    def of(cls, place: Place | Chunk, text: str, kind: str, row: str) -> "_Claim":
        return cls(place.start, place.end, len(text), hash(text), kind, row)


def audit(
    raw_pdf: RawPdf,
    *,
    pages: Iterable[PageProse],
    chunks: Iterable[Chunk],
    mentions: Iterable[Mention],
    entities: Iterable[CanonicalEntity],
    relationships: Iterable[Relationship],
) -> Audit:
    """Read everything that was made of a document. ``pages`` must be readable more than once."""
    found = Audit(
        pages=raw_pdf.pages,
        is_repaired=raw_pdf.is_repaired,
        is_encrypted=raw_pdf.is_encrypted,
        warnings=raw_pdf.warnings,
    )
    reading = _Reading(found, raw_pdf.version)
    reading.add_entities(entities)
    # Pages are counted while they are compared. The nodes are known by the time that their edges come.
    quotes = merge(reading.chunk_claims(chunks), reading.mention_claims(mentions), key=attrgetter("start"))
    _compare(quotes, reading.counted(pages), pages, found)
    _compare(reading.edge_claims(relationships), pages, pages, found)
    return found


class _Reading:
    """The audit of one document while its streams run by."""

    def __init__(self, found: Audit, version: str) -> None:
        self.found = found
        self.version = version
        self.nodes = HashedSet()
        self.nodes.add("document")

    def counted(self, pages: Iterable[PageProse]) -> Iterator[PageProse]:
        """Every page once and in order, each with its outcome, and texts that join without gaps."""
        offset = 0
        for expected, page in enumerate(pages, start=1):
            self.found.pages_read = expected
            self._check_version("page", str(page.page), page.version)
            self._add("page", page.page)
            if page.page != expected:
                self.found.note(Fault.PAGE, f"page {page.page} stands where page {expected} should")
            if page.start != offset or page.end != page.start + len(page.text):
                self.found.note(
                    Fault.PAGE,
                    f"page {page.page} claims {page.start}-{page.end}, its text begins at {offset}",
                )
            offset += len(page.text) + len(PAGE_SEPARATOR)
            if page.method is TextMethod.FAILED:
                self.found.failed_pages.setdefault(page.reason, []).append(page.page)
            elif page.method in (TextMethod.OCR, TextMethod.BOTH) and page.confidence < LOW_CONFIDENCE:
                self.found.unsure_pages[page.page] = page.confidence
            for flag in page.flags:
                self.found.flagged_pages.setdefault(flag, []).append(page.page)
            yield page
        if self.found.pages_read != self.found.pages:
            self.found.note(
                Fault.PAGE,
                f"the document has {self.found.pages:,} pages, {self.found.pages_read:,} are accounted for",
            )

    def add_entities(self, entities: Iterable[CanonicalEntity]) -> None:
        for entity in entities:
            self._check_version("entity", entity.entity, entity.version)
            self._add("entity", entity.entity)

    def chunk_claims(self, chunks: Iterable[Chunk]) -> Iterator[_Claim]:
        for chunk in chunks:
            self._check_version("chunk", str(chunk.chunk), chunk.version)
            self._add("chunk", chunk.chunk)
            yield _Claim.of(chunk, chunk.text, "chunk", str(chunk.chunk))

    def mention_claims(self, mentions: Iterable[Mention]) -> Iterator[_Claim]:
        for mention in mentions:
            self._check_version("mention", mention.mention, mention.version)
            self._add("mention", mention.mention)
            if mention.is_grounded:
                yield _Claim.of(mention.place, mention.quote, "mention", mention.mention)
            else:
                self.found.ungrounded += 1

    def edge_claims(self, relationships: Iterable[Relationship]) -> Iterator[_Claim]:
        for edge in relationships:
            self.found.relationships += 1
            self._check_version("relationship", edge.relationship, edge.version)
            for node in (edge.subject, edge.object):
                if node not in self.nodes:
                    self.found.note(Fault.EDGE, f"relationship {edge.relationship}: there is no {node}")
            if not edge.is_grounded:
                self.found.ungrounded += 1
            elif edge.quote is not None and edge.place is not None:
                yield _Claim.of(edge.place, edge.quote, "relationship", edge.relationship)

    def _add(self, kind: str, node: object) -> None:
        self.nodes.add(f"{kind}:{node}")

    def _check_version(self, kind: str, row: str, version: str) -> None:
        if version != self.version:
            self.found.note(
                Fault.VERSION, f"{kind} {row} is of version {version[:12]}, not of {self.version[:12]}"
            )


class _Passage:
    """One reading of the pages, against which claims are held that come in text order."""

    def __init__(self, pages: Iterable[PageProse]) -> None:
        self._window = TextWindow(pages)
        self.passed = 0

    def hold(self, claim: _Claim, found: Audit) -> None:
        self.passed = claim.start
        # A span of another length is wrong whatever stands there, and nothing so long need be read.
        stands_there = claim.end - claim.start == claim.length
        if stands_there:
            self._window.come_to(claim.start)
            stands_there = hash(self._window.text(claim.start, claim.end)) == claim.text_hash
        if not stands_there:
            found.note(
                Fault.QUOTE,
                f"{claim.kind} {claim.row}: its quote does not stand at {claim.start}-{claim.end}",
            )

    def finish(self) -> None:
        self._window.read_past()


def _compare(
    claims: Iterable[_Claim], counted: Iterable[PageProse], pages: Iterable[PageProse], found: Audit
) -> None:
    """Hold claims against the pages: as far as they are in order in one passage, read to its end."""
    passages = [_Passage(counted)]
    late: list[_Claim] = []
    for claim in claims:
        found.quotes += 1
        passage = next((one for one in passages if one.passed <= claim.start), None)
        if passage is None and len(passages) < _PASSAGES:
            passages.append(passage := _Passage(pages))
        if passage is not None:
            passage.hold(claim, found)
            continue
        late.append(claim)
        if len(late) == CLAIMS_AT_ONCE:
            _compare_late(late, pages, found)
            late.clear()
    passages[0].finish()
    if late:
        _compare_late(late, pages, found)


def _compare_late(late: list[_Claim], pages: Iterable[PageProse], found: Audit) -> None:
    passage = _Passage(pages)
    for claim in sorted(late):
        passage.hold(claim, found)
