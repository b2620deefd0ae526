"""Finds the Bates stamp on a page: the production number that parties cite pages by.

A stamp is a prefix that names the production and a zero-padded number (``CALDERA 000123``,
``ABC-0001234``, ``SMITH_00012``), put near the top or bottom edge by the producing party, mostly in a
corner. Court filing headers, dockets, addresses and page numbers stand there as well and look much
alike; a stamp that is missed can be found again by its neighbours, an invented one misleads.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from docpipe_assets.model import Box
from docpipe_assets.protocols import PlacedWord

MARGIN_SHARE = 0.12
WORD_GAP = 1.2  # in word heights: what stands further apart is not one stamp

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

TextAndBox: TypeAlias = tuple[str, Box] | PlacedWord


def bates_label(words: Iterable[TextAndBox], width: float, height: float) -> str | None:
    """The label stamped on a page, its prefix in capitals, or None.

    Boxes and page size are in one unit, whichever it is. Of several stamps the one nearest to a
    corner is taken, at the bottom rather than at the top.
    """
    margin = [(word[0], word[1]) for word in words if _in_margin(word[1], height)]
    found = [
        (_remoteness(group, width, height), label)
        for group in _groups(margin)
        for label in _labels(" ".join(text.strip("[](){}|") for text, _ in group))
    ]
    return min(found)[1] if found else None


def _in_margin(box: Box, height: float) -> bool:
    middle = (box.top + box.bottom) / 2
    return middle <= MARGIN_SHARE * height or middle >= (1 - MARGIN_SHARE) * height


def _groups(words: Sequence[tuple[str, Box]]) -> Iterator[list[tuple[str, Box]]]:
    """Words that stand next to each other on one line, each group from left to right."""
    groups: list[list[tuple[str, Box]]] = []
    for text, box in sorted(words, key=lambda word: word[1].left):
        for group in groups:
            last = group[-1][1]
            size = max(min(last.bottom - last.top, box.bottom - box.top), 1e-6)
            shared = min(last.bottom, box.bottom) - max(last.top, box.top)
            if shared >= size / 2 and -size <= box.left - last.right <= WORD_GAP * size:
                group.append((text, box))
                break
        else:
            groups.append([(text, box)])
    yield from groups


def _labels(text: str) -> Iterator[str]:
    """The stamps that a group of words may hold; a bare number only where it is padded and alone."""
    if _BARE.fullmatch(text):
        yield text
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
        yield prefix + (separator.strip() or separator) + number + (match["suffix"] or "")


def _remoteness(group: Sequence[tuple[str, Box]], width: float, height: float) -> float:
    """How far from a corner of the page a group stands, as a share of the page's size."""
    left, right = group[0][1].left, group[-1][1].right
    top, bottom = min(box.top for _, box in group), max(box.bottom for _, box in group)
    above, below = top / height, 1 - bottom / height
    return min(left, width - right) / width + (below if below <= above else above + 0.05)
