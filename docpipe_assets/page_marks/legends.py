"""Recognizes confidentiality legends of pages: CONFIDENTIAL, ATTORNEYS' EYES ONLY, and the like.

A legend is a line, or the part of a line beside a stamp, that contains nothing else. It is compared by its
letters only, because OCR loses spaces, apostrophes and dashes.
"""

import re

from docpipe_assets.model import Legend

_PHRASES = {
    Legend.HIGHLY_CONFIDENTIAL: r"(?:HIGHLY|STRICTLY)CONFIDENTIAL(?:INFORMATION|MATERIALS?|DOCUMENTS?)?",
    Legend.CONFIDENTIAL: (
        r"CONFIDENTIAL(?:INFORMATION|MATERIALS?|DOCUMENTS?|TREATMENTREQUESTED)?|CONTAINSCONFIDENTIALINFORMATION"
    ),
    Legend.ATTORNEYS_EYES_ONLY: (
        r"(?:FOR)?(?:OUTSIDE)?(?:ATTORNEYS?|COUNSELS?)(?:EYES)?ONLY|(?:FOR)?(?:OUTSIDE)?COUNSELEYESONLY|AEO"
    ),
    Legend.PROTECTIVE_ORDER: (
        r"(?:PRODUCED|DISCLOSED|DESIGNATED)?(?:SUBJECTTO|PURSUANTTO|UNDER|COVEREDBY|PROTECTEDBY)(?:THE|A)?"
        r"(?:STIPULATED|AGREED|JOINT|COURTS?|AMENDED)*(?:PROTECTIVE|CONFIDENTIALITY)(?:ORDER|AGREEMENT)"
    ),
    Legend.PRIVILEGED: r"(?:ATTORNEYCLIENT)?PRIVILEGED?(?:COMMUNICATION)?|ATTORNEYWORKPRODUCT",
    Legend.UNDER_SEAL: r"(?:FILED|LODGED)?UNDERSEAL",
    Legend.RESTRICTED: r"RESTRICTED(?:INFORMATION|ACCESS)?",
}
_PHRASE = "|".join(f"(?P<{legend.value}>{pattern})" for legend, pattern in _PHRASES.items())
_NEXT = re.compile(rf"(?:AND)?(?:{_PHRASE})")
_HINT = re.compile(r"confidential|eyes|only|protective|privileg|product|seal|restricted|aeo", re.IGNORECASE)
_NO_LETTERS = re.compile(r"[^A-Z]+")
_LONGEST = 160
_IN_CAPITALS = 0.9
_ALSO_HEADINGS = frozenset({Legend.PRIVILEGED, Legend.RESTRICTED, Legend.UNDER_SEAL})


def may_hold_legends(text: str) -> bool:
    """A fast pre-check: False if a text certainly contains no legend."""
    return _HINT.search(text) is not None


def legends_in(text: str, *, is_in_margin: bool) -> frozenset[Legend]:
    """The legends in a text; empty if the text contains anything else.

    Outside the margins a legend is in capitals, and is not a single word that may be a heading.
    """
    if len(text) > _LONGEST or not may_hold_legends(text):
        return frozenset()
    letters = [c for c in text if c.isalpha()]
    is_in_capitals = sum(map(str.isupper, letters)) >= _IN_CAPITALS * len(letters)
    if not letters or not (is_in_capitals or (is_in_margin and letters[0].isupper())):
        return frozenset()
    rest = _NO_LETTERS.sub("", text.upper())
    found: set[Legend] = set()
    while rest:
        match = _NEXT.match(rest)
        if match is None or match.lastgroup is None:
            return frozenset()
        found.add(Legend(match.lastgroup))
        rest = rest[match.end() :]
    if not is_in_margin and found <= _ALSO_HEADINGS:
        return frozenset()
    return frozenset(found)
