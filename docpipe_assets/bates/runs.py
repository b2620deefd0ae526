"""Reads the Bates stamps of a document as runs: each label by its neighbours, and the document's own run.

A stamp stands at about the same place with the same prefix through a document, and its number grows
by one a page. What was learned of the runs is taken from all pages before and from ``REACH`` pages
after the one that is decided; so many pages are held back, whatever the document's length, and of
those before only what is counted of each run. A run that begins later than that decides nothing on
earlier pages. The result depends on the pages alone.

*Repaired* is a label that was read otherwise: where OCR took a letter for a digit or a digit for a
letter, lost or invented a space, or missed one letter of the prefix. No digit is ever replaced by
another digit: that would hide the gaps and duplicates that people look for. ``Stamp.read_as`` keeps
what was read.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

from docpipe_assets.bates.look_alikes import FoldedTexts, bare, folded, folded_texts, found_as
from docpipe_assets.bates.stamps import PageStamps
from docpipe_assets.model import Stamp

REACH = 16
"""Pages after a page that are read before it is decided."""

_RUNS_MOST = 32
_REPAIRED_RUNS = 8
_LAYER_WEIGHT = 1000
_SAME_PLACE = 0.1
"""As shares of the page's width; half of it of its height."""

P = TypeVar("P")


class Margins(NamedTuple):
    """A page before its stamps are settled."""

    page: int
    found: PageStamps
    is_ocr: bool = False
    layer: Stamp | None = None
    """What the text layer has; on a page that OCR has read it was put on later than what the image shows."""


class Stamped(NamedTuple, Generic[P]):
    """A page with the label it is cited by and all stamps on it, that of the label first."""

    page: P
    label: str | None
    stamps: tuple[Stamp, ...]


class _Sighting(NamedTuple):
    """A stamp as it was read on a page."""

    page: int
    stamp: Stamp

    @property
    def number(self) -> tuple[int, str]:
        return self.stamp.number, self.stamp.suffix


class _Place(NamedTuple):
    """Where a stamp stands, as shares of the page."""

    left: float
    right: float
    y: float

    def is_near(self, other: "_Place") -> bool:
        middle, others = (self.left + self.right) / 2, (other.left + other.right) / 2
        apart = min(abs(self.left - other.left), abs(self.right - other.right), abs(middle - others))
        return apart <= _SAME_PLACE and abs(self.y - other.y) <= _SAME_PLACE / 2


class _Run:
    """The stamps of one production through the document."""

    def __init__(self, serial: int, folded_prefix: str) -> None:
        self.serial = serial
        self.folded_prefix = folded_prefix
        self.forms: Counter[tuple[str, str]] = Counter()
        """Prefix and separator as they were read; what a text layer says outweighs OCR."""
        self.count = 0
        self.steps = 0
        """How often the number grew as the pages did."""
        self.changes = 0
        """How often it was another one than before."""
        self.first_page = 0
        self.last: _Sighting | None = None
        self.recent: list[_Sighting] = []
        """Those that are not decided, and the last one that is."""
        self.place: _Place | None = None
        self.ranks = 0
        self.beside: set[int] = set()
        """The serials of the runs that had a stamp on a page where this one had."""
        self.named_first: Stamp | None = None
        """What the document's name says of its first page."""

    def add(self, sighting: _Sighting, place: _Place | None, rank: int, *, is_ocr: bool) -> None:
        if self.last is not None:
            self.steps += follows(self.last.number, sighting.number, sighting.page - self.last.page)
            self.changes += self.last.number != sighting.number
        else:
            self.first_page = sighting.page
        self.forms[sighting.stamp.prefix, sighting.stamp.separator] += 1 if is_ocr else _LAYER_WEIGHT
        self.count += 1
        self.ranks += rank
        self.last = sighting
        self.place = place or self.place
        self.recent.append(sighting)

    @property
    def is_established(self) -> bool:
        return self.steps > 0

    def on(self, page: int) -> Stamp | None:
        return next((one.stamp for one in self.recent if one.page == page), None)

    def goes_on_after(self, page: int) -> bool:
        return self.last is not None and self.last.page > page

    def settle(self, page: int, stamp: Stamp | None) -> None:
        """Put what was decided in the place of what was read, and let go of what came before."""
        decided = [_Sighting(page, stamp)] if stamp else [one for one in self.recent if one.page < page][-1:]
        self.recent = decided + [one for one in self.recent if one.page > page]

    def expected(self, page: int) -> Iterator[Stamp]:
        """The stamps that those before and after, nearest first, and the name, let expect on a page.

        The nearest may itself be misread, so those further on are asked as well.
        """
        prefix, separator = self.form()
        before = [one for one in self.recent if one.page < page][-1:]
        after = [one for one in self.recent if one.page > page]
        said: set[tuple[int, str, int]] = set()
        for near in (*before, *after):
            distance = page - near.page
            is_nearest = near in (*before, *after[:1])
            for step in (distance, 1 if distance > 0 else -1) if is_nearest else (distance,):
                for moved in _moved(near.stamp, step):
                    if (key := (moved.number, moved.suffix, moved.digits)) not in said:
                        said.add(key)
                        yield moved.model_copy(
                            update={"prefix": prefix, "separator": separator, "read_as": None}
                        )
        if self.named_first is not None:
            number = self.named_first.number + page - 1
            yield self.named_first.model_copy(update={"number": number, "separator": separator})

    def form(self) -> tuple[str, str]:
        """Prefix and separator as they were read most often; of equals that with the fewest digits.

        OCR loses spaces more often than it invents them.
        """

        def rarity(form: tuple[str, str]) -> tuple[float, int, tuple[str, str]]:
            prefix, separator = form
            return -self.forms[form] * (1 if separator else 0.5), sum(map(str.isdigit, prefix)), form

        return min(self.forms, key=rarity)


def stamped(pages: Iterable[tuple[P, Margins]], named_first: Stamp | None = None) -> Iterator[Stamped[P]]:
    """Each page, in order, with its label and stamps.

    ``named_first`` is the stamp that the document's name gives its first page.
    """
    reading = _Reading(named_first)
    held: deque[tuple[P, Margins]] = deque()
    for page, margins in pages:
        held.append((page, margins))
        reading.see(margins)
        if len(held) > REACH:
            page, margins = held.popleft()
            yield Stamped(page, *reading.decide(margins))
    while held:
        page, margins = held.popleft()
        yield Stamped(page, *reading.decide(margins))


class _Reading:
    """What is known of the runs of a document while its pages pass by."""

    def __init__(self, named_first: Stamp | None) -> None:
        self._runs: list[_Run] = []
        self._named: _Run | None = None
        if named_first is not None:
            self._named = _Run(0, folded(named_first.prefix))
            self._named.forms[named_first.prefix, named_first.separator] = 0
            self._named.named_first = named_first
            self._runs.append(self._named)
        self._most = 0
        """Stamps of the run that has most."""
        self._has_established = False
        self._begun = 0
        self._own: _Run | None = None

    def see(self, margins: Margins) -> None:
        """Take in a page that comes later: its stamps join the runs that they go on."""
        stamps = list(margins.found.stamps)
        if margins.layer is not None and margins.layer.label not in {stamp.label for stamp in stamps}:
            stamps.append(margins.layer)
        joined: list[_Run] = []
        for rank, stamp in enumerate(stamps):
            sighting, place = _Sighting(margins.page, stamp), _place(stamp, margins.found)
            run = self._run_of(sighting, place, joined)
            is_ocr = margins.is_ocr and stamp is not margins.layer
            run.add(sighting, place, rank, is_ocr=is_ocr)
            joined.append(run)
        for run in joined:
            run.beside.update(other.serial for other in joined)
            self._most = max(self._most, run.count)
            self._has_established = self._has_established or run.is_established
        if len(self._runs) > _RUNS_MOST:
            self._forget(margins.page)

    def decide(self, margins: Margins) -> tuple[str | None, tuple[Stamp, ...]]:
        """The label and the stamps of the earliest page that is not decided."""
        runs = sorted((run for run in self._runs if not self._is_no_stamp(run)), key=self._rank)
        texts = folded_texts(margins.found.pieces)
        present: list[tuple[_Run, Stamp]] = []
        for number, run in enumerate(runs):
            read = run.on(margins.page)
            if read is None and number >= _REPAIRED_RUNS:
                continue
            if read is not None and any(_is_one(read, other) for _, other in present):
                read = None  # a misreading of what another run has
            stamp = _settled(run, read, margins, texts if number < _REPAIRED_RUNS else [])
            if stamp is not None and not any(_is_one(stamp, other) for _, other in present):
                present.append((run, self._as_named(run, stamp)))
        own = self._own_of(margins, present, runs)
        if own is not None:
            self._own = own
            present.sort(key=lambda one: one[0] is not own)
        settled = {run.serial: stamp for run, stamp in present}
        for run in self._runs:
            run.settle(margins.page, settled.get(run.serial))
        stamps = tuple(stamp for _, stamp in present)
        return (stamps[0].label if own is not None else None), stamps

    def _own_of(self, margins: Margins, present: list[tuple[_Run, Stamp]], runs: list[_Run]) -> _Run | None:
        """The run that the page is cited by; None where its stamp is missing."""
        layer = margins.layer if margins.is_ocr else None
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
        is_within_own = own.first_page < margins.page and own.goes_on_after(margins.page)
        for run in candidates:
            if own.serial in run.beside:
                continue
            if _is_near(run.place, own.place) or not own.is_established:
                return run
            if run.is_established and not is_within_own:
                return run
        return None

    def _rank(self, run: _Run) -> tuple[bool, bool, bool, float, str, int]:
        """The lowest is the document's own: named by it, in step, on most pages, nearest to a corner."""
        return (
            self._named is None or run.folded_prefix != self._named.folded_prefix,
            not run.is_established,
            2 * run.count < self._most,
            run.ranks / max(run.count, 1),
            run.folded_prefix,
            run.first_page,
        )

    def _as_named(self, run: _Run, stamp: Stamp) -> Stamp:
        """With the letters of the prefix as the document's name has them, if it is this run's."""
        named = self._named.named_first if self._named is not None else None
        if (
            named is None
            or run.folded_prefix != folded(named.prefix)
            or bare(named.prefix) == bare(stamp.prefix)
        ):
            return stamp
        return _in_form(stamp, named.prefix, stamp.separator)

    def _is_no_stamp(self, run: _Run) -> bool:
        """The same number again and again is that of a form or a file, not of a page."""
        if run.changes or run.count < 2:
            return False
        return run.count > 2 or self._has_established

    def _run_of(self, sighting: _Sighting, place: _Place | None, joined: list[_Run]) -> _Run:
        prefix = folded(sighting.stamp.prefix)

        def fitness(run: _Run) -> tuple[bool, bool, int]:
            last = run.last
            is_next = last is not None and follows(last.number, sighting.number, sighting.page - last.page)
            return not is_next, not _is_near(run.place, place), -run.count

        free = [run for run in self._runs if run.folded_prefix == prefix and run not in joined]
        if free:
            return min(free, key=fitness)
        self._begun += 1
        self._runs.append(run := _Run(self._begun, prefix))
        return run

    def _forget(self, page: int) -> None:
        """Let go of what was seen once and long ago: headings and the like, which are new on each page."""

        def age(run: _Run) -> tuple[bool, bool, int]:
            return (
                run not in (self._own, self._named),
                not run.is_established,
                -(run.last.page if run.last else 0),
            )

        kept = [
            run
            for run in self._runs
            if run is self._named or run.is_established or run.goes_on_after(page - REACH - 1)
        ]
        self._runs = sorted(kept, key=age)[:_RUNS_MOST]
        serials = {run.serial for run in self._runs}
        for run in self._runs:
            run.beside &= serials


def follows(before: tuple[int, str], after: tuple[int, str], pages: int) -> bool:
    """Whether a number, with its suffix, is that of so many pages later."""
    if after[0] - before[0] == pages:
        return after[1] == before[1]
    one, other = before[1].lstrip("._-"), after[1].lstrip("._-")
    if before[0] != after[0] or not (one.isdigit() and other.isdigit()):
        return False
    return int(other) - int(one) == pages


def _moved(stamp: Stamp, step: int) -> Iterator[Stamp]:
    """The stamp of so many pages later, by its number or by its suffix."""
    if stamp.number + step >= 0:
        yield stamp.model_copy(update={"number": stamp.number + step})
    tail = stamp.suffix.lstrip("._-")
    if tail.isdigit() and int(tail) + step >= 0:
        head = stamp.suffix[: len(stamp.suffix) - len(tail)]
        yield stamp.model_copy(update={"suffix": f"{head}{int(tail) + step:0{len(tail)}d}"})


def _settled(run: _Run, read: Stamp | None, margins: Margins, texts: list[FoldedTexts]) -> Stamp | None:
    """The stamp of the run on a page: as it was read, or repaired by what its neighbours let expect."""
    expected = list(run.expected(margins.page))
    is_in_step = read is not None and any(
        (one.number, one.suffix) == (read.number, read.suffix) for one in expected
    )
    for one in () if is_in_step else expected:
        found = found_as(one, texts, is_ocr=margins.is_ocr)
        if found is not None:
            return found
    return None if read is None else _in_form(read, *run.form())


def _in_form(stamp: Stamp, prefix: str, separator: str) -> Stamp:
    """The stamp as the run writes it."""
    if (stamp.prefix, stamp.separator) == (prefix, separator):
        return stamp
    formed = {"prefix": prefix, "separator": separator, "read_as": stamp.read_as or stamp.label}
    return stamp.model_copy(update=formed)


def _is_one(stamp: Stamp, other: Stamp) -> bool:
    """Whether two readings are of one stamp: where one stands no other can."""
    if stamp.box is None or other.box is None:
        return stamp.label == other.label
    one, two = stamp.box, other.box
    return (
        min(one.right, two.right) - max(one.left, two.left) > 0
        and min(one.bottom, two.bottom) - max(one.top, two.top) > 0
    )


def _place(stamp: Stamp, margins: PageStamps) -> _Place | None:
    if stamp.box is None:
        return None
    box, width, height = stamp.box, margins.width, margins.height
    return _Place(box.left / width, box.right / width, (box.top + box.bottom) / 2 / height)


def _is_near(one: _Place | None, other: _Place | None) -> bool:
    return one is not None and other is not None and one.is_near(other)
