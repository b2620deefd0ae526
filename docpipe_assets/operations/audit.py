"""The audit: reads the artifacts of a document and reports faults and remarks.

A *fault* must never occur: a page that is missing or out of order, a quote that differs from the text at its
place, an edge without an end. A *remark* is what a reader should know before relying on the document: pages
that failed, were read incompletely or had low OCR confidence, a repaired file.

Memory is bounded: quotes are compared with the pages while both are streamed, the few quotes that are out of
order are deferred as hashes, and each node is kept as a hash.
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
"""OCR pages below this confidence are listed; nearly all good pages are above 0.95."""
DEFERRED_CLAIMS_MAX = 10_000
"""Maximum number of quotes that are deferred to another pass over the pages; about 4 MB."""
_CONCURRENT_PASSES = 2
"""Maximum number of concurrent passes: edges come in text order, then typed edges do, then some that do
not."""
_EXAMPLES = 20


_FLAGGED = {
    PageFlag.TEXT_LEFT: "text may be unread on",
    PageFlag.OTHER_SCRIPT: "a script without name detection is on",
    PageFlag.MISREAD: "OCR probably misread",
}


class Fault(StrEnum):
    PAGE = "page"
    VERSION = "version"
    QUOTE = "quote"
    EDGE = "edge"
    ARTIFACT = "artifact"


@dataclass
class Audit:
    """The counts and findings of an audit."""

    pages: int = 0
    """Number of pages of the source document."""
    pages_read: int = 0
    """Number of rows of the text, whatever the method."""
    quotes: int = 0
    relationships: int = 0
    faults: Counter[Fault] = field(default_factory=Counter)
    first_of: dict[Fault, list[str]] = field(default_factory=dict)
    """The first faults of each kind, as text."""
    failed_pages: dict[str, list[int]] = field(default_factory=dict)
    """By error code."""
    flagged_pages: dict[PageFlag, list[int]] = field(default_factory=dict)
    unsure_pages: dict[int, float] = field(default_factory=dict)
    """Confidence of the pages with low OCR confidence."""
    ungrounded: int = 0
    """Number of rows that are marked as ungrounded."""
    is_repaired: bool = False
    is_encrypted: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        return not self.faults

    @property
    def remarks(self) -> list[str]:
        """What a reader should know before relying on the document, most severe first."""
        remarks = [
            f"partial: {code} on page {ranges(pages)}" for code, pages in sorted(self.failed_pages.items())
        ]
        if self.is_repaired:
            remarks.append("the file was damaged and was repaired; text may be missing")
        if self.ungrounded:
            remarks.append(f"{self.ungrounded:,} rows are marked as ungrounded")
        remarks += [
            f"{_FLAGGED[flag]} page {ranges(self.flagged_pages[flag])}"
            for flag in PageFlag
            if flag in self.flagged_pages
        ]
        if self.unsure_pages:
            remarks.append(f"OCR confidence is low on page {ranges(self.unsure_pages)}")
        return remarks

    @property
    def examples(self) -> list[str]:
        """The first faults, as text; a missing page precedes the quotes that are lost with it."""
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
            f"{self.pages:,} pages accounted for, {self.quotes:,} quotes verified, "
            f"{self.relationships:,} relationships with both ends"
        )


class _Claim(NamedTuple):
    """The claim that a text is at a span. Only its hash is kept, because chunk texts are long."""

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
    """Audit all artifacts of a document. ``pages`` must be re-iterable."""
    found = Audit(
        pages=raw_pdf.pages,
        is_repaired=raw_pdf.is_repaired,
        is_encrypted=raw_pdf.is_encrypted,
        warnings=raw_pdf.warnings,
    )
    reading = _Reading(found, raw_pdf.version)
    reading.add_entities(entities)
    # Pages are counted while they are compared. All nodes are known before their edges are checked.
    quotes = merge(reading.chunk_claims(chunks), reading.mention_claims(mentions), key=attrgetter("start"))
    _compare(quotes, reading.counted(pages), pages, found)
    _compare(reading.edge_claims(relationships), pages, pages, found)
    return found


class _Reading:
    """The state of the audit of one document while its streams are read."""

    def __init__(self, found: Audit, version: str) -> None:
        self.found = found
        self.version = version
        self.nodes = HashedSet()
        self.nodes.add("document")

    def counted(self, pages: Iterable[PageProse]) -> Iterator[PageProse]:
        """Check that every page occurs once, in order, with an outcome, and that the texts join
        without gaps.
        """
        offset = 0
        for expected, page in enumerate(pages, start=1):
            self.found.pages_read = expected
            self._check_version("page", str(page.page), page.version)
            self._add("page", page.page)
            if page.page != expected:
                self.found.note(Fault.PAGE, f"found page {page.page} instead of page {expected}")
            if page.start != offset or page.end != page.start + len(page.text):
                self.found.note(
                    Fault.PAGE,
                    f"page {page.page} has the span {page.start}-{page.end}, but its text begins at {offset}",
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
                    self.found.note(Fault.EDGE, f"relationship {edge.relationship}: {node} does not exist")
            if not edge.is_grounded:
                self.found.ungrounded += 1
            elif edge.quote is not None and edge.place is not None:
                yield _Claim.of(edge.place, edge.quote, "relationship", edge.relationship)

    def _add(self, kind: str, node: object) -> None:
        self.nodes.add(f"{kind}:{node}")

    def _check_version(self, kind: str, row: str, version: str) -> None:
        if version != self.version:
            self.found.note(
                Fault.VERSION, f"{kind} {row} has version {version[:12]} instead of {self.version[:12]}"
            )


class _PagePass:
    """One pass over the pages, with which claims in text order are compared."""

    def __init__(self, pages: Iterable[PageProse]) -> None:
        self._window = TextWindow(pages)
        self.passed = 0

    def check(self, claim: _Claim, found: Audit) -> None:
        self.passed = claim.start
        # A span of another length is wrong in any case, so its text need not be read.
        is_at_place = claim.end - claim.start == claim.length
        if is_at_place:
            self._window.advance_to(claim.start)
            is_at_place = hash(self._window.text(claim.start, claim.end)) == claim.text_hash
        if not is_at_place:
            found.note(
                Fault.QUOTE,
                f"{claim.kind} {claim.row}: its quote differs from the text at {claim.start}-{claim.end}",
            )

    def finish(self) -> None:
        self._window.drain()


def _compare(
    claims: Iterable[_Claim], counted: Iterable[PageProse], pages: Iterable[PageProse], found: Audit
) -> None:
    """Compare claims with the pages: in one pass while they are in order, and read that pass to its end."""
    passes = [_PagePass(counted)]
    deferred: list[_Claim] = []
    for claim in claims:
        found.quotes += 1
        page_pass = next((one for one in passes if one.passed <= claim.start), None)
        if page_pass is None and len(passes) < _CONCURRENT_PASSES:
            passes.append(page_pass := _PagePass(pages))
        if page_pass is not None:
            page_pass.check(claim, found)
            continue
        deferred.append(claim)
        if len(deferred) == DEFERRED_CLAIMS_MAX:
            _compare_deferred(deferred, pages, found)
            deferred.clear()
    passes[0].finish()
    if deferred:
        _compare_deferred(deferred, pages, found)


def _compare_deferred(deferred: list[_Claim], pages: Iterable[PageProse], found: Audit) -> None:
    page_pass = _PagePass(pages)
    for claim in sorted(deferred):
        page_pass.check(claim, found)
