"""Detects Bates stamps on a page: the production numbers by which parties cite pages.

A stamp is a prefix that identifies the production and a zero-padded number (``CALDERA 000123``,
``ABC-0001234``, ``SMITH_00012``). The producing party puts it near an edge, mostly in a corner, on landscape
pages also along a side. Court filing headers, dockets, addresses and page numbers are there as well and look
similar. A missed stamp can be recovered from its neighbours (see ``bates.runs``), a false one misleads.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias

from docpipe_assets.model import Box, Stamp
from docpipe_assets.protocols import PlacedWord

MARGIN_SHARE = 0.12
_TALL = 1.5  # minimum ratio of height to width of sideways words (of more than two letters)
WORD_GAP = 1.2  # in word heights: maximum gap within one stamp

_STAMP = re.compile(
    r"""(?<![\w/:.,\#$&-])
    (?P<prefix>[A-Z][A-Z0-9&]*(?:[ ._-]{1,2}[A-Z][A-Z0-9&]*){0,3}|[A-Z][a-z]+(?=[_-]))
    (?:(?<!\d)|(?=[\ _-]))
    (?P<separator>\ ?[-_]?\ ?)
    (?P<number>\d{4,12})
    (?P<suffix>[._-]\d{1,4}|[A-Z])?
    (?![\w/:$%-]|[.,]\d)""",
    re.VERBOSE,
)
_BARE = re.compile(r"0\d{5,11}")
_LIKE_A_NUMBER = re.compile(r"[\dOoQDIiLl|SsBZzG]{4,}")
_ORDINARY = """
    ACCOUNT ACCT ADV AP ART ARTICLE BAR BATCH BK BOX CASE CELL CHECK CHEQUE CIV CIVIL CLAIM CODE CONTRACT
    CR CRIM CUSTOMER CV DATE DATED DOC DOCKET DOCUMENT ECF EIN EMPLOYEE EX EXHIBIT EXT FAX FED FILE FILED
    FORM HTTP HTTPS ID INDEX INV INVOICE ISBN ISO ISSN ITEM JOB LICENSE LINE LOT MATTER MC MDL MEMBER MJ
    MOBILE MODEL NO NOS NUMBER NUM NYSCEF OMB ORDER PAGE PAGEID PAR PARA PART PG PHONE PO POLICY PP REF
    REFERENCE REG REPORT REQUEST REV RM ROOM RULE SBN SEC SECTION SERIAL SKU SSN STE SUITE TAB TEL
    TELEPHONE TICKET TIME TOTAL TRACKING USC USD VER VERSION VOL VOLUME WWW ZIP
    JAN FEB MAR APR MAY JUN JUL AUG SEP SEPT OCT NOV DEC JANUARY FEBRUARY MARCH APRIL JUNE JULY AUGUST
    SEPTEMBER OCTOBER NOVEMBER DECEMBER
"""
_LEGEND = "ATTORNEYS CONFIDENTIAL CONFIDENTIALITY COUNSEL EYES HIGHLY ONLY OUTSIDE PRIVILEGED RESTRICTED"
_STATE = """
    AL AK AZ AR CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV
    NY OH OK OR PA PR RI SC SD TN TX UT VA VT WA WI WV WY
"""
_ORDINARY_WORDS = frozenset(_ORDINARY.split())
_LEGEND_WORDS = frozenset(_LEGEND.split())
_STATES = frozenset(_STATE.split())

_CELLS = 400
"""Number of rows of cells on a page, in which a word searches for its neighbours."""
_OPEN_GROUPS = 8
"""Maximum number of groups that end in a cell; more means that words overlap and are not a line."""
_MAX_STAMPS = 8
_MAX_PIECES = 24

TextAndBox: TypeAlias = tuple[str, Box] | PlacedWord
Texts: TypeAlias = tuple[tuple[str, Box], ...]


class PageStamps(NamedTuple):
    """The stamps and stamp candidates in the margins of a page."""

    stamps: tuple[Stamp, ...] = ()
    """As read; the nearest to a corner first, those at the bottom before those at the top."""
    pieces: tuple[Texts, ...] = ()
    """Adjacent words that contain something like a number, misread or not."""
    width: float = 0.0
    height: float = 0.0


def bates_label(words: Iterable[TextAndBox], width: float, height: float) -> str | None:
    """The label stamped on a page, with its prefix in capitals, or None; determined from the page alone.

    Boxes and page size have the same unit, whichever it is. Of several stamps the nearest to a corner is
    taken, preferably at the bottom.
    """
    stamps = stamps_on(words, width, height).stamps
    return stamps[0].label if stamps else None


def stamps_on(words: Iterable[TextAndBox], width: float, height: float) -> PageStamps:
    """The stamps in the margins of a page, and the text fragments that may contain some.

    Takes time proportional to the number of words.
    """
    if not (width > 0 and height > 0):
        return PageStamps()
    ranked: list[tuple[float, int, list[tuple[str, Box]], str]] = []
    for group in _all_groups(words, width, height):
        text = " ".join(stripped(word) for word, _ in group)
        if _LIKE_A_NUMBER.search(text.replace(" ", "")) and any(map(str.isdigit, text)):
            ranked.append((_remoteness(group, width, height), len(ranked), group, text))
    ranked.sort(key=lambda found: found[:2])
    stamps = (stamp for *_, group, text in ranked for stamp in _placed(text, group))
    pieces = tuple(tuple(group) for *_, group, _ in ranked[:_MAX_PIECES])
    return PageStamps(tuple(islice(stamps, _MAX_STAMPS)), pieces, width, height)


def stamp_of(label: str) -> Stamp | None:
    """The stamp of a label, without a position."""
    return next((stamp for stamp, *_ in _stamps(label)), None)


def stripped(word: str) -> str:
    """A word without the brackets and rules that may frame a stamp."""
    return word.strip("[](){}|")


def _all_groups(words: Iterable[TextAndBox], width: float, height: float) -> Iterator[list[tuple[str, Box]]]:
    level: list[tuple[str, Box]] = []
    aside: list[tuple[str, Box]] = []
    for text, box, *_ in words:
        if len(text) > 2 and box.bottom - box.top > _TALL * (box.right - box.left):
            if _is_near_edge(box.left, box.right, width):
                aside.append((text, box))
        elif _is_near_edge(box.top, box.bottom, height):
            level.append((text, box))
    yield from _groups(_beside_numbers(level, height), height)
    # Sideways words are read with the page turned both ways: the wrong direction gives no stamp.
    for turned in (_turned_down, _turned_up) if aside else ():
        lying = {turned(box): box for _, box in aside}
        for group in _groups(_beside_numbers([(text, turned(box)) for text, box in aside], width), width):
            yield [(text, lying[box]) for text, box in group]


def _beside_numbers(words: Sequence[tuple[str, Box]], height: float) -> list[tuple[str, Box]]:
    """The words on the height of a word with a digit; on most pages these are few."""
    cell = height / _CELLS
    rows = {row for text, box in words if any(map(str.isdigit, text)) for row in _rows(box, cell)}
    return [word for word in words if int((word[1].top + word[1].bottom) / 2 // cell) in rows]


def _is_near_edge(low: float, high: float, size: float) -> bool:
    middle = (low + high) / 2
    return middle <= MARGIN_SHARE * size or middle >= (1 - MARGIN_SHARE) * size


def _turned_down(box: Box) -> Box:
    return Box(box.top, -box.right, box.bottom, -box.left)


def _turned_up(box: Box) -> Box:
    return Box(-box.bottom, box.left, -box.top, box.right)


def _groups(words: Sequence[tuple[str, Box]], height: float) -> list[list[tuple[str, Box]]]:
    """Adjacent words on one line, each group from left to right.

    A word is compared only with groups whose last word shares a cell with it.
    """
    cell = height / _CELLS
    groups: list[list[tuple[str, Box]]] = []
    ending_in: dict[int, list[list[tuple[str, Box]]]] = {}
    for text, box in sorted(words, key=lambda word: word[1].left):
        rows = _rows(box, cell)
        group = next((g for row in rows for g in ending_in.get(row, ()) if _goes_on(g[-1][1], box)), None)
        if group is None:
            groups.append(group := [])
        else:
            for row in _rows(group[-1][1], cell):
                ending_in[row] = [g for g in ending_in.get(row, ()) if g is not group]
        group.append((text, box))
        for row in rows:
            there = ending_in.setdefault(row, [])
            there.append(group)
            if len(there) > _OPEN_GROUPS:
                there.pop(0)
    return groups


def _rows(box: Box, cell: float) -> range:
    first, last = int(box.top // cell), int(box.bottom // cell)
    return range(first, min(last, first + 3 * int(MARGIN_SHARE * _CELLS)) + 1)


def _goes_on(last: Box, box: Box) -> bool:
    size = max(min(last.bottom - last.top, box.bottom - box.top), 1e-6)
    shared = min(last.bottom, box.bottom) - max(last.top, box.top)
    return shared >= size / 2 and -size <= box.left - last.right <= WORD_GAP * size


def _placed(text: str, group: Sequence[tuple[str, Box]]) -> Iterator[Stamp]:
    """The stamps that a group of words may contain, each with the box of its words."""
    for stamp, start, end in _stamps(text):
        boxes: list[Box] = []
        at = 0
        for word, box in group:
            behind = at + len(stripped(word))
            if at < end and behind > start:
                boxes.append(box)
            at = behind + 1
        yield stamp.model_copy(update={"box": Box.around(boxes)})


def _stamps(text: str) -> Iterator[tuple[Stamp, int, int]]:
    """The stamps that a text may contain, with their spans; a bare number only if it is padded and alone."""
    if _BARE.fullmatch(text):
        yield Stamp(prefix="", separator="", number=int(text), digits=len(text)), 0, len(text)
    for match in _STAMP.finditer(text):
        parts = re.split(r"([ ._-]+)", match["prefix"].upper())
        while len(parts) > 1 and parts[0] in _LEGEND_WORDS:
            parts = parts[2:]
        prefix, number = "".join(parts), match["number"]
        if (
            sum(map(str.isalpha, prefix)) < 2
            or _ORDINARY_WORDS.intersection(parts)
            or parts[-1] in _LEGEND_WORDS
        ):
            continue
        if len(number) == 5 and parts[-1] in _STATES:  # a ZIP code
            continue
        if len(number) < 6 and not number.startswith("0"):
            continue
        separator = match["separator"]
        stamp = Stamp(
            prefix=prefix,
            separator=separator.strip() or separator,
            number=int(number),
            digits=len(number),
            suffix=match["suffix"] or "",
        )
        yield stamp, match.end("prefix") - len(prefix), match.end()


def _remoteness(group: Sequence[tuple[str, Box]], width: float, height: float) -> float:
    """Distance of a group from a corner of the page, as a share of the page size."""
    box = Box.around(box for _, box in group)
    above, below = box.top / height, 1 - box.bottom / height
    return min(box.left, width - box.right) / width + (below if below <= above else above + 0.05)
