"""Checks the Bates labels of the documents of a batch against each other."""

from collections.abc import Iterator, Mapping

from docpipe_assets.rules.bates_findings import (
    BatesFault,
    BatesFinding,
    BatesRange,
    BatesSummary,
    count_of_pages,
)
from docpipe_assets.rules.bates_names import NamedRange, named_range
from docpipe_assets.rules.bates_runs import bare


def batch_findings(documents: Mapping[str, BatesSummary | None]) -> list[BatesFinding]:
    """What the documents of one batch say together: shared numbers, and numbers between them that none has.

    Of a document whose text is not there (None) its name is believed, so that it makes no gap.
    """
    held: dict[str, list[tuple[int, int, int, str]]] = {}
    named: dict[str, list[tuple[int, int, int, str]]] = {}
    for document, summary in sorted(documents.items()):
        for one in summary.ranges if summary is not None else _as_named(named_range(document)):
            into = named if summary is None else held
            into.setdefault(one.prefix, []).append((one.first, one.last, one.digits, document))
    found = [
        finding
        for prefix in sorted(held)
        for finding in (
            *_shared(prefix, sorted(held[prefix])),
            *_between(prefix, held[prefix] + named.get(prefix, [])),
        )
    ]
    read = {document: summary for document, summary in documents.items() if summary is not None}
    bare_ones = sorted(document for document, summary in read.items() if not summary.stamped)
    if 0 < len(bare_ones) <= len(read) / 2:
        found += [
            BatesFinding(BatesFault.MISSING, f"{document}: no page has a stamp") for document in bare_ones
        ]
    return found


def _as_named(named: NamedRange | None) -> list[BatesRange]:
    if named is None:
        return []
    return [BatesRange(bare(named.prefix), named.digits, named.first, named.last or named.first)]


def _shared(prefix: str, held: list[tuple[int, int, int, str]]) -> Iterator[BatesFinding]:
    """Each pair of documents with the first numbers that both have."""
    told: set[tuple[str, str]] = set()
    open_ranges: list[tuple[int, int, int, str]] = []
    for one in held:
        first, last, digits, document = one
        open_ranges = [other for other in open_ranges if other[1] >= first]
        for _, end, _, other in open_ranges:
            pair = (min(document, other), max(document, other))
            if document == other or pair in told:
                continue
            told.add(pair)
            both = BatesRange(prefix, digits, first, min(last, end))
            is_whole = any(o[:2] == (first, last) for o in open_ranges)
            fault = BatesFault.DUPLICATE if is_whole else BatesFault.OVERLAP
            yield BatesFinding(fault, f"{both} is in {pair[0]} and in {pair[1]}")
        open_ranges.append(one)


def _between(prefix: str, held: list[tuple[int, int, int, str]]) -> Iterator[BatesFinding]:
    """Numbers between one document and the next; those that are missing within one it tells itself."""
    hulls: dict[str, tuple[int, int, int]] = {}
    for first, last, digits, document in held:
        low, high, _ = hulls.get(document, (first, last, digits))
        hulls[document] = min(low, first), max(high, last), digits
    reached: tuple[int, str] | None = None
    for (first, last, digits), document in sorted((hull, document) for document, hull in hulls.items()):
        if reached is not None and first > reached[0] + 1:
            missing = BatesRange(prefix, digits, reached[0] + 1, first - 1)
            pages = count_of_pages(first - reached[0] - 1)
            what = f"{missing} ({pages}) is in no document between {reached[1]} and {document}"
            yield BatesFinding(BatesFault.GAP, what)
        if reached is None or last > reached[0]:
            reached = last, document
