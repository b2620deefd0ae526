"""Checks the Bates labels of a document: what is missing, doubled, out of step, or not as it is named."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from docpipe_assets.bates.file_names import named_range
from docpipe_assets.bates.findings import (
    FINDINGS_MOST,
    RANGES_MOST,
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
        """Whether the number grew by one a page."""
        return self.number - before.number == self.page - before.page

    def goes_on(self, before: "_Labelled") -> bool:
        """Whether nothing is to be said: pages between may have no number, inserted ones a letter."""
        if self.number == before.number:
            return self.stamp.suffix > before.stamp.suffix
        return 0 < self.number - before.number <= self.page - before.page


class _Double(NamedTuple):
    """Pages whose labels stand on earlier pages already, the first of them on this one."""

    first: _Labelled
    last: _Labelled
    earlier: int


class _Span(NamedTuple):
    """Consecutive labelled pages that have something in common."""

    common: str
    first: int
    last: int

    @property
    def pages(self) -> str:
        return ranges(range(self.first, self.last + 1))


class DocumentBates:
    """Reads the labels of a document's pages, which must be given in order."""

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
        self._doubles: list[_Double] = []
        self._findings: list[BatesFinding] = []
        self._counts: Counter[str] = Counter()

    def see(self, page: PageProse) -> None:
        self._document = page.document
        self._pages += 1
        if page.bates is None or not page.stamps:
            if page.method is not TextMethod.FAILED:  # which nobody has seen
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
            self._judge(self._waiting, one)
        self._waiting = one

    def summary(self) -> BatesSummary:
        """What all pages come to; to be called once, behind the last one."""
        if self._waiting is not None:
            self._judge(self._waiting, None)
            self._waiting = None
        for before, after in self._gaps:
            self._look_for_gap(before, after)
        self._tell_doubles()
        self._tell_changes()
        if self._stamped and self._unstamped:
            pages = f"page {ranges(self._unstamped)}"
            self._tell(BatesFault.MISSING, f"no stamp on {pages} of {self._pages:,}")
        self._compare_with_name()
        found = (one for prefix in sorted(self._seen) for one in self._seen[prefix].ranges(prefix))
        return BatesSummary(
            stamped=self._stamped,
            repaired=ranges(self._repaired),
            leading=self._first.page - 1 if self._first else 0,
            trailing=self._pages - self._last.page if self._last else 0,
            ranges=tuple(one for _, one in zip(range(RANGES_MOST), found, strict=False)),
            counts=dict(sorted(self._counts.items())),
            findings=tuple(self._findings),
        )

    def _judge(self, one: _Labelled, after: _Labelled | None) -> None:
        """Take in a label, once it is known what the next page has."""
        seen = self._seen.setdefault(one.prefix, _Numbers())
        earlier = seen.page_of(one)
        seen.add(one)
        before = self._before.get(one.prefix)
        if before is None or (one.goes_on(before) and earlier is None):
            self._before[one.prefix] = one
            return
        label = one.stamp.label
        is_alone = after is not None and after.prefix == one.prefix and after.is_next_to(before)
        if earlier is not None:
            self._add_double(_Double(one, one, earlier))
        elif is_alone or one.number <= before.number:
            follows = label_of(before.stamp.prefix, before.number + one.page - before.page, one.stamp.digits)
            what = f"page {one.page} is stamped {label}, where {follows} would follow"
            self._tell(BatesFault.ORDER, what)
        else:
            self._gaps.append((before, one))
        if not is_alone:
            self._before[one.prefix] = one

    def _add_double(self, double: "_Double") -> None:
        """Pages in a row that repeat pages in a row are one finding."""
        known = self._doubles[-1] if self._doubles else None
        distance = double.last.page - double.earlier
        if (
            known is not None
            and double.last.page == known.last.page + 1
            and distance == known.first.page - known.earlier
        ):
            self._doubles[-1] = known._replace(last=double.last)
        else:
            self._doubles.append(double)

    def _tell_doubles(self) -> None:
        for first, last, earlier in self._doubles:
            pages = range(first.page, last.page + 1)
            as_page = ranges(range(earlier, earlier + len(pages)))
            label = first.stamp.label + ("" if first is last else f" to {last.stamp.label}")
            self._tell(BatesFault.DUPLICATE, f"page {ranges(pages)} is stamped {label}, as page {as_page} is")

    def _look_for_gap(self, before: _Labelled, after: _Labelled) -> None:
        """Numbers that are left out, unless they stand on other pages."""
        seen = self._seen[after.prefix]
        digits = after.stamp.digits
        for first, last in seen.holes(before.number + 1, after.number - 1):
            missing = label_of(after.stamp.prefix, first, digits) + (
                "" if first == last else f"-{last:0{digits}d}"
            )
            self._tell(
                BatesFault.GAP,
                f"{missing} ({count_of_pages(last - first + 1)}) is not there between page {before.page} "
                f"and page {after.page}",
            )

    def _tell_changes(self) -> None:
        main = _most_common(self._prefixes)
        others = [span for span in self._prefixes if span.common != main]
        for span in others:
            has, most = span.common or "no prefix", main or "none"
            self._tell(BatesFault.PREFIX, f"page {span.pages} has {has}, most have {most}")
        digits = _most_common(self._paddings)
        for span in self._paddings:
            has_outgrown = int(span.common) > int(digits) and int(span.common) not in self._padded_to
            is_told = any(other.first <= span.first and span.last <= other.last for other in others)
            if span.common != digits and not has_outgrown and not is_told:
                what = f"page {span.pages} has numbers of {span.common} digits, most have {digits}"
                self._tell(BatesFault.PADDING, what)

    def _compare_with_name(self) -> None:
        named = named_range(self._document)
        if named is None:
            return
        differences: list[str] = []
        if named.pages is not None and named.pages != self._pages:
            differences.append(f"names {count_of_pages(named.pages)}, {self._pages:,} are there")
        first, last = self._first, self._last
        if first is None or last is None:
            differences.append("names Bates numbers, no page has one")
        elif first.prefix != bare(named.prefix):
            differences.append(f"names {named.prefix}, the first stamp is {first.stamp.label}")
        elif first.page == 1 and first.number != named.first:
            differences.append(f"begins with {named.first:0{named.digits}d}, page 1 is {first.stamp.label}")
        elif last.page == self._pages and named.last not in (None, last.number):
            differences.append(
                f"ends with {named.last:0{named.digits}d}, the last page is {last.stamp.label}"
            )
        if differences:
            self._tell(BatesFault.NAME, f"the name ({named}) " + "; it ".join(differences))

    def _tell(self, fault: BatesFault, what: str) -> None:
        self._counts[fault.value] += 1
        if self._counts[fault.value] <= FINDINGS_MOST:
            self._findings.append(BatesFinding(fault, what))


class _Numbers:
    """The numbers of one prefix and the pages they stand on, as stretches in step; grows with the faults."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._stretches: list[list[int]] = []
        """First number, last number, page of the first."""
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
        """The page on which the same label stands already."""
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
    """What most pages have in common; of equals, what comes first."""
    lengths: Counter[str] = Counter()
    for span in spans:
        lengths[span.common] += span.last - span.first + 1
    return max(lengths, key=lambda common: lengths[common], default="")


def _extend(spans: list[_Span], common: str, page: int) -> None:
    if spans and spans[-1].common == common:
        spans[-1] = spans[-1]._replace(last=page)
    else:
        spans.append(_Span(common, page, page))
