"""Checks the Bates labels of a document: missing, duplicated, out of sequence, or different from the document
name.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from docpipe_assets.bates.file_names import named_range
from docpipe_assets.bates.findings import (
    MAX_FINDINGS,
    MAX_RANGES,
    BatesFault,
    BatesFinding,
    BatesRange,
    BatesSummary,
    count_of_pages,
    label_of,
)
from docpipe_assets.bates.look_alikes import bare
from docpipe_assets.model import PageProse, Stamp, TextMethod
from docpipe_assets.text.page_ranges import ranges


class _Labelled(NamedTuple):
    page: int
    stamp: Stamp

    @property
    def prefix(self) -> str:
        return bare(self.stamp.prefix)

    @property
    def number(self) -> int:
        return self.stamp.number

    def is_next_to(self, before: "_Labelled") -> bool:
        """Whether the number increased by one per page."""
        return self.number - before.number == self.page - before.page

    def is_valid_successor(self, before: "_Labelled") -> bool:
        """Whether the sequence is valid: pages in between may have no number, inserted pages a
        letter suffix.
        """
        if self.number == before.number:
            return self.stamp.suffix > before.stamp.suffix
        return 0 < self.number - before.number <= self.page - before.page


class _DuplicatePages(NamedTuple):
    """Consecutive pages with labels that also occur on earlier pages; ``earlier`` is the first of these."""

    first: _Labelled
    last: _Labelled
    earlier: int


class _Span(NamedTuple):
    """Consecutive labelled pages with a common property."""

    common: str
    first: int
    last: int

    @property
    def pages(self) -> str:
        return ranges(range(self.first, self.last + 1))


class DocumentBates:
    """Checks the labels of a document's pages, which must be passed in order."""

    def __init__(self) -> None:
        self._document = ""
        self._pages = 0
        self._stamped = 0
        self._unstamped: list[int] = []
        self._repaired: list[int] = []
        self._first: _Labelled | None = None
        self._last: _Labelled | None = None
        self._before: dict[str, _Labelled] = {}
        self._waiting: _Labelled | None = None
        self._prefixes: list[_Span] = []
        self._paddings: list[_Span] = []
        self._padded_to: set[int] = set()
        self._seen: dict[str, _Numbers] = {}
        self._gaps: list[tuple[_Labelled, _Labelled]] = []
        self._duplicates: list[_DuplicatePages] = []
        self._findings: list[BatesFinding] = []
        self._counts: Counter[str] = Counter()

    def add_page(self, page: PageProse) -> None:
        self._document = page.document
        self._pages += 1
        if page.bates is None or not page.stamps:
            if page.method is not TextMethod.FAILED:  # a failed page may have a stamp
                self._unstamped.append(page.page)
            return
        one = _Labelled(page.page, page.stamps[0])
        self._stamped += 1
        if one.stamp.read_as is not None:
            self._repaired.append(one.page)
        self._first = self._first or one
        self._last = one
        _extend(self._prefixes, one.prefix, one.page)
        _extend(self._paddings, str(one.stamp.digits), one.page)
        if one.stamp.digits > len(str(one.number)):
            self._padded_to.add(one.stamp.digits)
        if self._waiting is not None:
            self._process_label(self._waiting, one)
        self._waiting = one

    def summary(self) -> BatesSummary:
        """The summary of all pages; call once, after the last page."""
        if self._waiting is not None:
            self._process_label(self._waiting, None)
            self._waiting = None
        for before, after in self._gaps:
            self._look_for_gap(before, after)
        self._report_duplicates()
        self._report_changes()
        if self._stamped and self._unstamped:
            pages = f"page {ranges(self._unstamped)}"
            self._report(BatesFault.MISSING, f"no Bates stamp on {pages} of {self._pages:,}")
        self._compare_with_name()
        found = (one for prefix in sorted(self._seen) for one in self._seen[prefix].ranges(prefix))
        return BatesSummary(
            stamped=self._stamped,
            repaired=ranges(self._repaired),
            leading=self._first.page - 1 if self._first else 0,
            trailing=self._pages - self._last.page if self._last else 0,
            ranges=tuple(one for _, one in zip(range(MAX_RANGES), found, strict=False)),
            counts=dict(sorted(self._counts.items())),
            findings=tuple(self._findings),
        )

    def _process_label(self, one: _Labelled, after: _Labelled | None) -> None:
        """Process a label once the label of the next page is known."""
        seen = self._seen.setdefault(one.prefix, _Numbers())
        earlier = seen.page_of(one)
        seen.add(one)
        before = self._before.get(one.prefix)
        if before is None or (one.is_valid_successor(before) and earlier is None):
            self._before[one.prefix] = one
            return
        label = one.stamp.label
        is_alone = after is not None and after.prefix == one.prefix and after.is_next_to(before)
        if earlier is not None:
            self._add_duplicate(_DuplicatePages(one, one, earlier))
        elif is_alone or one.number <= before.number:
            follows = label_of(before.stamp.prefix, before.number + one.page - before.page, one.stamp.digits)
            what = f"page {one.page} is stamped {label}, expected {follows}"
            self._report(BatesFault.ORDER, what)
        else:
            self._gaps.append((before, one))
        if not is_alone:
            self._before[one.prefix] = one

    def _add_duplicate(self, double: "_DuplicatePages") -> None:
        """Consecutive pages that repeat consecutive pages are one finding."""
        known = self._duplicates[-1] if self._duplicates else None
        distance = double.last.page - double.earlier
        if (
            known is not None
            and double.last.page == known.last.page + 1
            and distance == known.first.page - known.earlier
        ):
            self._duplicates[-1] = known._replace(last=double.last)
        else:
            self._duplicates.append(double)

    def _report_duplicates(self) -> None:
        for first, last, earlier in self._duplicates:
            pages = range(first.page, last.page + 1)
            as_page = ranges(range(earlier, earlier + len(pages)))
            label = first.stamp.label + ("" if first is last else f" to {last.stamp.label}")
            self._report(
                BatesFault.DUPLICATE, f"page {ranges(pages)} is stamped {label}, like page {as_page}"
            )

    def _look_for_gap(self, before: _Labelled, after: _Labelled) -> None:
        """Missing numbers, unless they are on other pages."""
        seen = self._seen[after.prefix]
        digits = after.stamp.digits
        for first, last in seen.holes(before.number + 1, after.number - 1):
            missing = label_of(after.stamp.prefix, first, digits) + (
                "" if first == last else f"-{last:0{digits}d}"
            )
            self._report(
                BatesFault.GAP,
                f"{missing} ({count_of_pages(last - first + 1)}) is missing between page {before.page} "
                f"and page {after.page}",
            )

    def _report_changes(self) -> None:
        main = _most_common(self._prefixes)
        others = [span for span in self._prefixes if span.common != main]
        for span in others:
            has, most = span.common or "none", main or "none"
            self._report(BatesFault.PREFIX, f"page {span.pages} has the prefix {has}, most pages have {most}")
        digits = _most_common(self._paddings)
        for span in self._paddings:
            has_outgrown = int(span.common) > int(digits) and int(span.common) not in self._padded_to
            is_reported = any(other.first <= span.first and span.last <= other.last for other in others)
            if span.common != digits and not has_outgrown and not is_reported:
                what = f"page {span.pages} has numbers of {span.common} digits, most pages have {digits}"
                self._report(BatesFault.PADDING, what)

    def _compare_with_name(self) -> None:
        named = named_range(self._document)
        if named is None:
            return
        differences: list[str] = []
        if named.pages is not None and named.pages != self._pages:
            differences.append(f"states {count_of_pages(named.pages)}, the document has {self._pages:,}")
        first, last = self._first, self._last
        if first is None or last is None:
            differences.append("states Bates numbers, no page has one")
        elif first.prefix != bare(named.prefix):
            differences.append(f"states the prefix {named.prefix}, the first stamp is {first.stamp.label}")
        elif first.page == 1 and first.number != named.first:
            differences.append(f"begins with {named.first:0{named.digits}d}, page 1 is {first.stamp.label}")
        elif last.page == self._pages and named.last not in (None, last.number):
            differences.append(
                f"ends with {named.last:0{named.digits}d}, the last page is {last.stamp.label}"
            )
        if differences:
            self._report(BatesFault.NAME, f"the name ({named}) " + "; it ".join(differences))

    def _report(self, fault: BatesFault, what: str) -> None:
        self._counts[fault.value] += 1
        if self._counts[fault.value] <= MAX_FINDINGS:
            self._findings.append(BatesFinding(fault, what))


class _Numbers:
    """The numbers of one prefix with their pages, as contiguous stretches; memory grows with the number of
    faults.
    """

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._stretches: list[list[int]] = []
        """First number, last number, page of the first number."""
        self._digits = 0
        self._lettered: dict[tuple[int, str], int] = {}
        self._open: list[int] | None = None

    def add(self, one: _Labelled) -> None:
        self._digits = max(self._digits, one.stamp.digits)
        if one.stamp.suffix:
            self._lettered.setdefault((one.number, one.stamp.suffix), one.page)
        if self.page_of_number(one.number) is not None:
            self._open = None
            return
        last = self._open
        if last is not None and one.number == last[1] + 1 and one.page - last[2] == one.number - last[0]:
            last[1] = one.number
            return
        at = bisect_right(self._firsts, one.number)
        self._open = [one.number, one.number, one.page]
        self._firsts.insert(at, one.number)
        self._stretches.insert(at, self._open)

    def page_of(self, one: _Labelled) -> int | None:
        """The earlier page with the same label."""
        if one.stamp.suffix:
            return self._lettered.get((one.number, one.stamp.suffix))
        return self.page_of_number(one.number)

    def page_of_number(self, number: int) -> int | None:
        at = bisect_right(self._firsts, number) - 1
        if at < 0 or self._stretches[at][1] < number:
            return None
        return self._stretches[at][2] + number - self._stretches[at][0]

    def holes(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """The parts of a range that no page has."""
        at = max(bisect_right(self._firsts, first) - 1, 0)
        for low, high, _ in self._stretches[at:]:
            if low > last:
                break
            if low > first:
                yield first, low - 1
            first = max(first, high + 1)
        if first <= last:
            yield first, last

    def ranges(self, prefix: str) -> Iterator[BatesRange]:
        joined: list[int] = []
        for low, high, _ in self._stretches:
            if joined and low == joined[1] + 1:
                joined[1] = high
                continue
            if joined:
                yield BatesRange(prefix, self._digits, *joined)
            joined = [low, high]
        if joined:
            yield BatesRange(prefix, self._digits, *joined)


def _most_common(spans: Iterable[_Span]) -> str:
    """The most frequent common property by pages; the first one if there are several."""
    lengths: Counter[str] = Counter()
    for span in spans:
        lengths[span.common] += span.last - span.first + 1
    return max(lengths, key=lambda common: lengths[common], default="")


def _extend(spans: list[_Span], common: str, page: int) -> None:
    if spans and spans[-1].common == common:
        spans[-1] = spans[-1]._replace(last=page)
    else:
        spans.append(_Span(common, page, page))
