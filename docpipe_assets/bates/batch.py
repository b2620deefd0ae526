"""Compares the Bates labels of the documents of a batch."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from docpipe_assets.bates.file_names import named_range
from docpipe_assets.bates.findings import (
    BatesFault,
    BatesFinding,
    BatesRange,
    BatesSummary,
    count_of_pages,
)
from docpipe_assets.bates.look_alikes import bare


class _NumberRange(NamedTuple):
    """A range of numbers of a document."""

    first: int
    last: int
    document: str
    digits: int


def batch_findings(documents: Mapping[str, BatesSummary | None]) -> list[BatesFinding]:
    """Findings over the documents of a batch: shared numbers, and missing numbers between documents.

    For a document without text (None), or without a stamp, the range in its name is used, so that it causes
    no gap.
    """
    held: dict[str, list[_NumberRange]] = {}
    hulls: dict[str, list[_NumberRange]] = {}
    for document, summary in sorted(documents.items()):
        for prefix, ranges in _by_prefix(summary).items():
            found = [_NumberRange(one.first, one.last, document, one.digits) for one in ranges]
            held.setdefault(prefix, []).extend(found)
            hulls.setdefault(prefix, []).append(_hull(found, summary))
        named = named_range(document)
        if named is not None and (summary is None or not summary.stamped):
            believed = _NumberRange(named.first, named.last or named.first, document, named.digits)
            hulls.setdefault(bare(named.prefix), []).append(believed)
    findings = [
        finding
        for prefix in sorted(held)
        for finding in (*_shared(prefix, sorted(held[prefix])), *_between(prefix, sorted(hulls[prefix])))
    ]
    return findings + list(_unstamped(documents))


def _by_prefix(summary: BatesSummary | None) -> dict[str, list[BatesRange]]:
    ranges: dict[str, list[BatesRange]] = {}
    for one in summary.ranges if summary is not None else ():
        ranges.setdefault(one.prefix, []).append(one)
    return ranges


def _hull(held: Sequence[_NumberRange], summary: BatesSummary | None) -> _NumberRange:
    """From the first to the last number, extended by the unstamped pages at both ends."""
    before, behind = (summary.leading, summary.trailing) if summary is not None else (0, 0)
    first, last = min(one.first for one in held), max(one.last for one in held)
    return held[0]._replace(first=first - before, last=last + behind)


def _shared(prefix: str, held: Sequence[_NumberRange]) -> Iterator[BatesFinding]:
    """For each document, the first numbers that it shares with the earlier document that reaches furthest."""
    reported: set[tuple[str, str]] = set()
    furthest: _NumberRange | None = None
    for one in held:
        if furthest is not None and one.first <= furthest.last and one.document != furthest.document:
            pair = (min(one.document, furthest.document), max(one.document, furthest.document))
            if pair not in reported:
                reported.add(pair)
                both = BatesRange(prefix, one.digits, one.first, min(one.last, furthest.last))
                is_whole = one[:2] == furthest[:2]
                fault = BatesFault.DUPLICATE if is_whole else BatesFault.OVERLAP
                yield BatesFinding(fault, f"{both} is in both {pair[0]} and {pair[1]}")
        if furthest is None or one.last > furthest.last:
            furthest = one


def _between(prefix: str, hulls: Sequence[_NumberRange]) -> Iterator[BatesFinding]:
    """Numbers between two consecutive documents; gaps within a document are reported for the document."""
    furthest: _NumberRange | None = None
    for one in hulls:
        if furthest is not None and one.first > furthest.last + 1:
            missing = BatesRange(prefix, one.digits, furthest.last + 1, one.first - 1)
            pages = count_of_pages(one.first - furthest.last - 1)
            what = f"{missing} ({pages}) is in no document between {furthest.document} and {one.document}"
            yield BatesFinding(BatesFault.GAP, what)
        if furthest is None or one.last > furthest.last:
            furthest = one


def _unstamped(documents: Mapping[str, BatesSummary | None]) -> Iterator[BatesFinding]:
    """Documents without a stamp, if most documents have some."""
    read = {document: summary for document, summary in documents.items() if summary is not None}
    unstamped = sorted(document for document, summary in read.items() if not summary.stamped)
    if len(unstamped) <= len(read) / 2:
        yield from (
            BatesFinding(BatesFault.MISSING, f"{document}: no page has a Bates stamp")
            for document in unstamped
        )
