"""Reads the Bates stamps of a document as sequences: labels are corrected from their neighbours, and the
document's own sequence is identified.

In a sequence (``_Run``), the stamp has about the same position and the same prefix on every page, and its
number increases by one per page. A page is decided with the knowledge of all pages before it and of
``LOOKAHEAD_PAGES`` pages after it. Only these pages are held back, whatever the length of the document;
earlier pages are kept as counts per sequence. A sequence that begins later does not affect earlier pages. The
result depends on the pages alone.

A label is *repaired* if the text as read differs from it because OCR confused a letter and a digit, lost or
invented a space, or misread one letter of the prefix. No digit is ever replaced by another digit, because
that would hide the gaps and duplicates that reviewers look for. ``Stamp.read_as`` keeps the text as read.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

from docpipe_assets.bates.look_alikes import FoldedTexts, bare, folded, folded_texts, found_as
from docpipe_assets.bates.stamps import PageStamps
from docpipe_assets.model import Stamp

LOOKAHEAD_PAGES = 16
"""Number of following pages that are read before a page is decided."""

_MAX_RUNS = 32
"""Maximum number of sequences that are kept: headings that look like stamps would add one per page."""
_REPAIRED_RUNS = 8
"""Number of the best sequences whose missing or misread stamps are searched for in the text of a page."""
_LAYER_WEIGHT = 1000
"""Weight of a label in the text layer, compared with one read by OCR, for the form of prefix and
separator."""
_SAME_PLACE = 0.1
"""Maximum distance of positions, as a share of the page width; half of it as a share of the page height."""

P = TypeVar("P")


class UndecidedPage(NamedTuple):
    """The stamps read on a page, before the page is decided."""

    page: int
    found: PageStamps
    is_ocr: bool = False
    layer: Stamp | None = None
    """The stamp of the text layer; on a page that OCR has read it was added later than the one in the
    image."""


class Stamped(NamedTuple, Generic[P]):
    """A page with the label by which it is cited and all of its stamps, the stamp of the label first."""

    page: P
    label: str | None
    stamps: tuple[Stamp, ...]


class _ObservedStamp(NamedTuple):
    """A stamp as read on a page."""

    page: int
    stamp: Stamp

    @property
    def number(self) -> tuple[int, str]:
        return self.stamp.number, self.stamp.suffix


class _Place(NamedTuple):
    """The position of a stamp, as shares of the page."""

    left: float
    right: float
    y: float

    def is_near(self, other: "_Place") -> bool:
        middle, others = (self.left + self.right) / 2, (other.left + other.right) / 2
        apart = min(abs(self.left - other.left), abs(self.right - other.right), abs(middle - others))
        return apart <= _SAME_PLACE and abs(self.y - other.y) <= _SAME_PLACE / 2


class _Run:
    """A sequence: the stamps of one production through the document."""

    def __init__(self, serial: int, folded_prefix: str) -> None:
        self.serial = serial
        self.folded_prefix = folded_prefix
        self.forms: Counter[tuple[str, str]] = Counter()
        """Prefix and separator as read; the text layer outweighs OCR."""
        self.count = 0
        self.steps = 0
        """Number of times that the number increased with the pages."""
        self.changes = 0
        """Number of times that the number differed from the previous one."""
        self.first_page = 0
        self.last: _ObservedStamp | None = None
        self.recent: list[_ObservedStamp] = []
        """The undecided stamps, and the last decided one."""
        self.place: _Place | None = None
        self.ranks = 0
        """Sum of the ranks of its stamps: 0 for the stamp of a page that is nearest to a corner, then 1."""
        self.beside: set[int] = set()
        """Serials of sequences with a stamp on the same page as this one."""
        self.named_first: Stamp | None = None
        """The stamp of the first page according to the document name."""

    def add(self, observed: _ObservedStamp, place: _Place | None, rank: int, *, is_ocr: bool) -> None:
        if self.last is not None:
            self.steps += follows(self.last.number, observed.number, observed.page - self.last.page)
            self.changes += self.last.number != observed.number
        else:
            self.first_page = observed.page
        self.forms[observed.stamp.prefix, observed.stamp.separator] += 1 if is_ocr else _LAYER_WEIGHT
        self.count += 1
        self.ranks += rank
        self.last = observed
        self.place = place or self.place
        self.recent.append(observed)

    @property
    def is_established(self) -> bool:
        return self.steps > 0

    def on(self, page: int) -> Stamp | None:
        return next((one.stamp for one in self.recent if one.page == page), None)

    def continues_after(self, page: int) -> bool:
        return self.last is not None and self.last.page > page

    def settle(self, page: int, stamp: Stamp | None) -> None:
        """Replace the reading of a page by the decision, and drop earlier ones."""
        decided = (
            [_ObservedStamp(page, stamp)] if stamp else [one for one in self.recent if one.page < page][-1:]
        )
        self.recent = decided + [one for one in self.recent if one.page > page]

    def expected(self, page: int) -> Iterator[Stamp]:
        """The stamps that are expected on a page, from those before and after, nearest first, and from the
        name.

        The nearest stamp may itself be misread, so further ones are used as well.
        """
        prefix, separator = self.form()
        before = [one for one in self.recent if one.page < page][-1:]
        after = [one for one in self.recent if one.page > page]
        known: set[tuple[int, str, int]] = set()
        for near in (*before, *after):
            distance = page - near.page
            is_nearest = near in (*before, *after[:1])
            for step in (distance, 1 if distance > 0 else -1) if is_nearest else (distance,):
                for moved in _moved(near.stamp, step):
                    if (key := (moved.number, moved.suffix, moved.digits)) not in known:
                        known.add(key)
                        yield moved.model_copy(
                            update={"prefix": prefix, "separator": separator, "read_as": None}
                        )
        if self.named_first is not None:
            number = self.named_first.number + page - 1
            yield self.named_first.model_copy(update={"number": number, "separator": separator})

    def form(self) -> tuple[str, str]:
        """The most frequent prefix and separator; of equally frequent ones, that with the fewest digits.

        OCR loses spaces more often than it invents them.
        """

        def rarity(form: tuple[str, str]) -> tuple[float, int, tuple[str, str]]:
            prefix, separator = form
            return -self.forms[form] * (1 if separator else 0.5), sum(map(str.isdigit, prefix)), form

        return min(self.forms, key=rarity)


def stamped(
    pages: Iterable[tuple[P, UndecidedPage]], named_first: Stamp | None = None
) -> Iterator[Stamped[P]]:
    """Each page, in order, with its label and stamps.

    ``named_first`` is the stamp of the first page according to the document name.
    """
    reading = _Reading(named_first)
    held: deque[tuple[P, UndecidedPage]] = deque()
    for page, undecided in pages:
        held.append((page, undecided))
        reading.add_page(undecided)
        if len(held) > LOOKAHEAD_PAGES:
            page, undecided = held.popleft()
            yield Stamped(page, *reading.decide(undecided))
    while held:
        page, undecided = held.popleft()
        yield Stamped(page, *reading.decide(undecided))


class _Reading:
    """The known sequences of a document while its pages are read."""

    def __init__(self, named_first: Stamp | None) -> None:
        self._runs: list[_Run] = []
        self._named: _Run | None = None
        if named_first is not None:
            self._named = _Run(0, folded(named_first.prefix))
            self._named.forms[named_first.prefix, named_first.separator] = 0
            self._named.named_first = named_first
            self._runs.append(self._named)
        self._most = 0
        """Number of stamps of the longest sequence."""
        self._has_established = False
        self._begun = 0
        self._own: _Run | None = None

    def add_page(self, undecided: UndecidedPage) -> None:
        """Add a later page: its stamps join the sequences that they continue."""
        stamps = list(undecided.found.stamps)
        if undecided.layer is not None and undecided.layer.label not in {stamp.label for stamp in stamps}:
            stamps.append(undecided.layer)
        joined: list[_Run] = []
        for rank, stamp in enumerate(stamps):
            observed, place = _ObservedStamp(undecided.page, stamp), _place(stamp, undecided.found)
            run = self._run_of(observed, place, joined)
            is_ocr = undecided.is_ocr and stamp is not undecided.layer
            run.add(observed, place, rank, is_ocr=is_ocr)
            joined.append(run)
        for run in joined:
            run.beside.update(other.serial for other in joined)
            self._most = max(self._most, run.count)
            self._has_established = self._has_established or run.is_established
        if len(self._runs) > _MAX_RUNS:
            self._forget(undecided.page)

    def decide(self, undecided: UndecidedPage) -> tuple[str | None, tuple[Stamp, ...]]:
        """The label and the stamps of the earliest undecided page."""
        runs = sorted((run for run in self._runs if not self._is_no_stamp(run)), key=self._rank)
        texts = folded_texts(undecided.found.pieces)
        present: list[tuple[_Run, Stamp]] = []
        for number, run in enumerate(runs):
            read = run.on(undecided.page)
            if read is None and number >= _REPAIRED_RUNS:
                continue
            if read is not None and any(_is_one(read, other) for _, other in present):
                read = None  # a misreading of a stamp of another sequence
            stamp = _settled(run, read, undecided, texts if number < _REPAIRED_RUNS else [])
            if stamp is not None and not any(_is_one(stamp, other) for _, other in present):
                present.append((run, self._as_named(run, stamp)))
        own = self._own_of(undecided, present, runs)
        if own is not None:
            self._own = own
            present.sort(key=lambda one: one[0] is not own)
        settled = {run.serial: stamp for run, stamp in present}
        for run in self._runs:
            run.settle(undecided.page, settled.get(run.serial))
        stamps = tuple(stamp for _, stamp in present)
        return (stamps[0].label if own is not None else None), stamps

    def _own_of(
        self, undecided: UndecidedPage, present: list[tuple[_Run, Stamp]], runs: list[_Run]
    ) -> _Run | None:
        """The sequence by which the page is cited; None if its stamp is missing."""
        layer = undecided.layer if undecided.is_ocr else None
        if layer is not None:
            prefix = folded(layer.prefix)
            present = [one for one in present if one[0].folded_prefix == prefix] or present
        if not present:
            return None
        candidates = sorted((run for run, _ in present), key=self._rank)
        best, own = candidates[0], self._own or runs[0]
        if own in candidates and self._rank(own)[:2] <= self._rank(best)[:2]:
            return own
        if layer is not None or self._rank(best)[0] < self._rank(own)[0]:
            return best
        is_within_own = own.first_page < undecided.page and own.continues_after(undecided.page)
        for run in candidates:
            if own.serial in run.beside:
                continue
            if _is_near(run.place, own.place) or not own.is_established:
                return run
            if run.is_established and not is_within_own:
                return run
        return None

    def _rank(self, run: _Run) -> tuple[bool, bool, bool, float, str, int]:
        """Sort key; the document's own sequence is the lowest: named by the document, with increasing
        numbers, on most pages, nearest to a corner.
        """
        return (
            self._named is None or run.folded_prefix != self._named.folded_prefix,
            not run.is_established,
            2 * run.count < self._most,
            run.ranks / max(run.count, 1),
            run.folded_prefix,
            run.first_page,
        )

    def _as_named(self, run: _Run, stamp: Stamp) -> Stamp:
        """The stamp with the prefix letters of the document name, if the name refers to this sequence."""
        named = self._named.named_first if self._named is not None else None
        if (
            named is None
            or run.folded_prefix != folded(named.prefix)
            or bare(named.prefix) == bare(stamp.prefix)
        ):
            return stamp
        return _in_form(stamp, named.prefix, stamp.separator)

    def _is_no_stamp(self, run: _Run) -> bool:
        """A number that repeats on all pages is that of a form or a file, not a page number."""
        if run.changes or run.count < 2:
            return False
        return run.count > 2 or self._has_established

    def _run_of(self, observed: _ObservedStamp, place: _Place | None, joined: list[_Run]) -> _Run:
        prefix = folded(observed.stamp.prefix)

        def fitness(run: _Run) -> tuple[bool, bool, int]:
            last = run.last
            is_next = last is not None and follows(last.number, observed.number, observed.page - last.page)
            return not is_next, not _is_near(run.place, place), -run.count

        free = [run for run in self._runs if run.folded_prefix == prefix and run not in joined]
        if free:
            return min(free, key=fitness)
        self._begun += 1
        self._runs.append(run := _Run(self._begun, prefix))
        return run

    def _forget(self, page: int) -> None:
        """Drop sequences that were seen once and long ago, such as headings, which differ on every page."""

        def age(run: _Run) -> tuple[bool, bool, int]:
            return (
                run not in (self._own, self._named),
                not run.is_established,
                -(run.last.page if run.last else 0),
            )

        kept = [
            run
            for run in self._runs
            if run is self._named or run.is_established or run.continues_after(page - LOOKAHEAD_PAGES - 1)
        ]
        self._runs = sorted(kept, key=age)[:_MAX_RUNS]
        serials = {run.serial for run in self._runs}
        for run in self._runs:
            run.beside &= serials


def follows(before: tuple[int, str], after: tuple[int, str], pages: int) -> bool:
    """Whether a number, with its suffix, is the one that is expected ``pages`` later."""
    if after[0] - before[0] == pages:
        return after[1] == before[1]
    one, other = before[1].lstrip("._-"), after[1].lstrip("._-")
    if before[0] != after[0] or not (one.isdigit() and other.isdigit()):
        return False
    return int(other) - int(one) == pages


def _moved(stamp: Stamp, step: int) -> Iterator[Stamp]:
    """The stamp ``step`` pages later, by its number or by its suffix."""
    if stamp.number + step >= 0:
        yield stamp.model_copy(update={"number": stamp.number + step})
    tail = stamp.suffix.lstrip("._-")
    if tail.isdigit() and int(tail) + step >= 0:
        head = stamp.suffix[: len(stamp.suffix) - len(tail)]
        yield stamp.model_copy(update={"suffix": f"{head}{int(tail) + step:0{len(tail)}d}"})


def _settled(
    run: _Run, read: Stamp | None, undecided: UndecidedPage, texts: list[FoldedTexts]
) -> Stamp | None:
    """The stamp of the sequence on a page: as read, or repaired from its neighbours."""
    expected = list(run.expected(undecided.page))
    is_in_step = read is not None and any(
        (one.number, one.suffix) == (read.number, read.suffix) for one in expected
    )
    for one in () if is_in_step else expected:
        found = found_as(one, texts, is_ocr=undecided.is_ocr)
        if found is not None:
            return found
    return None if read is None else _in_form(read, *run.form())


def _in_form(stamp: Stamp, prefix: str, separator: str) -> Stamp:
    """The stamp in the form of the sequence."""
    if (stamp.prefix, stamp.separator) == (prefix, separator):
        return stamp
    formed = {"prefix": prefix, "separator": separator, "read_as": stamp.read_as or stamp.label}
    return stamp.model_copy(update=formed)


def _is_one(stamp: Stamp, other: Stamp) -> bool:
    """Whether two readings are of the same stamp: stamps do not overlap."""
    if stamp.box is None or other.box is None:
        return stamp.label == other.label
    one, two = stamp.box, other.box
    return (
        min(one.right, two.right) - max(one.left, two.left) > 0
        and min(one.bottom, two.bottom) - max(one.top, two.top) > 0
    )


def _place(stamp: Stamp, page_stamps: PageStamps) -> _Place | None:
    if stamp.box is None:
        return None
    box, width, height = stamp.box, page_stamps.width, page_stamps.height
    return _Place(box.left / width, box.right / width, (box.top + box.bottom) / 2 / height)


def _is_near(one: _Place | None, other: _Place | None) -> bool:
    return one is not None and other is not None and one.is_near(other)
