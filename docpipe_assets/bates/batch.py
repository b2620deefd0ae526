"""Checks the Bates labels of the documents of a batch against each other."""

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


class _Held(NamedTuple):
    """Numbers that a document has."""

    first: int
    last: int
    document: str
    digits: int


def batch_findings(documents: Mapping[str, BatesSummary | None]) -> list[BatesFinding]:
    """What the documents of one batch say together: shared numbers, and numbers between them that none has.

    Of a document without text (None), or without a stamp, its name is believed, so that it makes no gap.
    """
    held: dict[str, list[_Held]] = {}
    hulls: dict[str, list[_Held]] = {}
    for document, summary in sorted(documents.items()):
        for prefix, ranges in _by_prefix(summary).items():
            found = [_Held(one.first, one.last, document, one.digits) for one in ranges]
            held.setdefault(prefix, []).extend(found)
            hulls.setdefault(prefix, []).append(_hull(found, summary))
        named = named_range(document)
        if named is not None and (summary is None or not summary.stamped):
            believed = _Held(named.first, named.last or named.first, document, named.digits)
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


def _hull(held: Sequence[_Held], summary: BatesSummary | None) -> _Held:
    """From the first to the last number, with the pages at both ends that have no stamp."""
    before, behind = (summary.leading, summary.trailing) if summary is not None else (0, 0)
    first, last = min(one.first for one in held), max(one.last for one in held)
    return held[0]._replace(first=first - before, last=last + behind)


def _shared(prefix: str, held: Sequence[_Held]) -> Iterator[BatesFinding]:
    """Of each document the first numbers that it shares with the one before that reaches furthest."""
    told: set[tuple[str, str]] = set()
    furthest: _Held | None = None
    for one in held:
        if furthest is not None and one.first <= furthest.last and one.document != furthest.document:
            pair = (min(one.document, furthest.document), max(one.document, furthest.document))
            if pair not in told:
                told.add(pair)
                both = BatesRange(prefix, one.digits, one.first, min(one.last, furthest.last))
                is_whole = one[:2] == furthest[:2]
                fault = BatesFault.DUPLICATE if is_whole else BatesFault.OVERLAP
                yield BatesFinding(fault, f"{both} is in {pair[0]} and in {pair[1]}")
        if furthest is None or one.last > furthest.last:
            furthest = one


def _between(prefix: str, hulls: Sequence[_Held]) -> Iterator[BatesFinding]:
    """Numbers between one document and the next; those that are missing within one it tells itself."""
    furthest: _Held | None = None
    for one in hulls:
        if furthest is not None and one.first > furthest.last + 1:
            missing = BatesRange(prefix, one.digits, furthest.last + 1, one.first - 1)
            pages = count_of_pages(one.first - furthest.last - 1)
            what = f"{missing} ({pages}) is in no document between {furthest.document} and {one.document}"
            yield BatesFinding(BatesFault.GAP, what)
        if furthest is None or one.last > furthest.last:
            furthest = one


def _unstamped(documents: Mapping[str, BatesSummary | None]) -> Iterator[BatesFinding]:
    """Documents without a stamp, where most have some."""
    read = {document: summary for document, summary in documents.items() if summary is not None}
    unstamped = sorted(document for document, summary in read.items() if not summary.stamped)
    if len(unstamped) <= len(read) / 2:
        yield from (
            BatesFinding(BatesFault.MISSING, f"{document}: no page has a stamp") for document in unstamped
        )
