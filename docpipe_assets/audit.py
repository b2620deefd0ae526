"""Audit: reads what was made of a document and says what is wrong with it, or worth a look.

A *fault* is something that must never be: a page that is missing or out of order, a quote that does
not stand where its place says, an edge without an end. A *remark* is what a person should know
before relying on the document: pages that failed, pages that OCR was unsure of, a repaired file.
Memory is bounded: the streams are read record by record, quotes are kept as hashes of so many rows
at a time, and nodes as one number each.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from docpipe_assets.model import (
    PAGE_SEPARATOR,
    CanonicalEntity,
    Chunk,
    Mention,
    PageText,
    RawPdf,
    Relationship,
    TextMethod,
)
from docpipe_assets.rules.places import PageWindow

LOW_CONFIDENCE = 0.9
"""Pages read by OCR below this are listed: nearly all good pages lie above 0.95."""
CLAIMS_AT_ONCE = 50_000
"""Quotes compared in one passage through the pages; some 12 MB."""
_EXAMPLES = 20


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
    examples: list[str] = field(default_factory=list)
    """The first faults, in words."""
    failed_pages: dict[str, list[int]] = field(default_factory=dict)
    """By the code of the error."""
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
        if self.unsure_pages:
            said.append(f"OCR is unsure of page {ranges(self.unsure_pages)}")
        return said

    def note(self, fault: Fault, what: str) -> None:
        self.faults[fault] += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(what)

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
    text_hash: int
    kind: str
    row: str


def audit(
    raw_pdf: RawPdf,
    *,
    pages: Iterable[PageText],
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
    reading.count_pages(pages)
    claims = reading.claims(chunks, mentions, entities, relationships)
    while batch := list(islice(claims, CLAIMS_AT_ONCE)):
        _compare(batch, pages, found)
    return found


def ranges(pages: Iterable[int], limit: int = 40) -> str:
    """Page numbers as people write them, ``3-5, 9``; ends with the number of those left out."""
    runs: list[list[int]] = []
    for page in sorted(pages):
        if runs and page == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], page]
        else:
            runs.append([page])
    shown = ", ".join("-".join(map(str, run)) for run in runs[:limit])
    left_out = sum(run[-1] - run[0] + 1 for run in runs[limit:])
    return f"{shown} and {left_out:,} more" if left_out else shown


class _Reading:
    """The audit of one document while its streams run by."""

    def __init__(self, found: Audit, version: str) -> None:
        self.found = found
        self.version = version
        self.nodes: set[int] = {hash("document")}

    def count_pages(self, pages: Iterable[PageText]) -> None:
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
            elif page.method is TextMethod.OCR and page.confidence < LOW_CONFIDENCE:
                self.found.unsure_pages[page.page] = page.confidence
        if self.found.pages_read != self.found.pages:
            self.found.note(
                Fault.PAGE,
                f"the document has {self.found.pages:,} pages, {self.found.pages_read:,} are accounted for",
            )

    def claims(
        self,
        chunks: Iterable[Chunk],
        mentions: Iterable[Mention],
        entities: Iterable[CanonicalEntity],
        relationships: Iterable[Relationship],
    ) -> Iterator[_Claim]:
        """Everything that is quoted. The nodes are known by the time that their edges come."""
        for entity in entities:
            self._check_version("entity", entity.entity, entity.version)
            self._add("entity", entity.entity)
        for chunk in chunks:
            self._check_version("chunk", str(chunk.chunk), chunk.version)
            self._add("chunk", chunk.chunk)
            yield _Claim(chunk.start, chunk.end, hash(chunk.text), "chunk", str(chunk.chunk))
        for mention in mentions:
            self._check_version("mention", mention.mention, mention.version)
            self._add("mention", mention.mention)
            if mention.is_grounded:
                place = mention.place
                yield _Claim(place.start, place.end, hash(mention.quote), "mention", mention.mention)
            else:
                self.found.ungrounded += 1
        for edge in relationships:
            yield from self._edge_claims(edge)

    def _edge_claims(self, edge: Relationship) -> Iterator[_Claim]:
        self.found.relationships += 1
        self._check_version("relationship", edge.relationship, edge.version)
        for node in (edge.subject, edge.object):
            if hash(node) not in self.nodes:
                self.found.note(Fault.EDGE, f"relationship {edge.relationship}: there is no {node}")
        if not edge.is_grounded:
            self.found.ungrounded += 1
        elif edge.quote is not None and edge.place is not None:
            yield _Claim(
                edge.place.start, edge.place.end, hash(edge.quote), "relationship", edge.relationship
            )

    def _add(self, kind: str, node: object) -> None:
        self.nodes.add(hash(f"{kind}:{node}"))

    def _check_version(self, kind: str, row: str, version: str) -> None:
        if version != self.version:
            self.found.note(
                Fault.VERSION, f"{kind} {row} is of version {version[:12]}, not of {self.version[:12]}"
            )


def _compare(claims: list[_Claim], pages: Iterable[PageText], found: Audit) -> None:
    """One passage through the pages, as far as the last of the claims."""
    window = PageWindow(pages)
    for claim in sorted(claims):
        window.read_until(claim.end)
        window.forget_before(claim.start)
        if hash(window.text(claim.start, claim.end)) != claim.text_hash:
            found.note(
                Fault.QUOTE,
                f"{claim.kind} {claim.row}: its quote does not stand at {claim.start}-{claim.end}",
            )
    found.quotes += len(claims)
