"""Dates in American formats; the value is ISO 8601, without the day if it is not given."""

import re
from datetime import date

from docpipe_assets.engines.ner.patterns.rule import Reading, Rule
from docpipe_assets.model import EntityType

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
_NUMBER_OF_MONTH = {name: number for number, name in enumerate(_MONTHS.split(), start=1)}

# "may 2019" in lower case is a verb before a number: months begin with a capital.
_MONTH = (
    "(?P<month>(?:Jan(?:uary|\\.)?|Feb(?:ruary|\\.)?|Mar(?:ch|\\.)?|Apr(?:il|\\.)?|May|June?\\.?|July?\\.?|"
    "Aug(?:ust|\\.)?|Sept?(?:ember|\\.)?|Oct(?:ober|\\.)?|Nov(?:ember|\\.)?|Dec(?:ember|\\.)?|"
    "JAN(?:UARY|\\.)?|FEB(?:RUARY|\\.)?|MAR(?:CH|\\.)?|APR(?:IL|\\.)?|MAY|JUNE?\\.?|JULY?\\.?|"
    "AUG(?:UST|\\.)?|SEPT?(?:EMBER|\\.)?|OCT(?:OBER|\\.)?|NOV(?:EMBER|\\.)?|DEC(?:EMBER|\\.)?))"
)
_YEAR = r"(?P<year>(?:1[6-9]|20)\d\d)(?![\w/]|-\d|,\d{3})"
_SHORT_YEAR = r"(?P<year>(?:1[6-9]|20)\d\d|\d\d)"
_DAY = r"(?P<day>[0-3]?\d)"
_GAP = r"\s{1,4}"
_NOT_INSIDE = r"(?<![\w/$#.-])"
_NOT_GOING_ON = r"(?![\w/-]|\.\d)"

# Two-digit years: most dates in a file are recent, dates of birth reach back half a century.
_CENTURY_TURNS_AT = 50


def _iso(year: str, month: int, day: str) -> str | None:
    full_year = (
        int(year) if len(year) == 4 else int(year) + (1900 if int(year) >= _CENTURY_TURNS_AT else 2000)
    )
    try:
        return date(full_year, month, int(day)).isoformat()
    except ValueError:
        return None


def _named_month(match: re.Match[str]) -> int:
    return _NUMBER_OF_MONTH[match["month"][:3].lower()]


def _read_named(match: re.Match[str]) -> Reading | None:
    value = _iso(match["year"], _named_month(match), match["day"])
    return (value, 1.0) if value else None


def _read_month(match: re.Match[str]) -> Reading | None:
    return f"{match['year']}-{_named_month(match):02}", 0.95


def _read_numeric(match: re.Match[str]) -> Reading | None:
    first, second = match["first"], match["second"]
    has_full_year = len(match["year"]) == 4
    if match["mark"] == "." and not has_full_year:
        return None
    score = 1.0 if has_full_year else 0.9 if match["mark"] == "/" else 0.6
    if int(first) <= 12:
        value = _iso(match["year"], int(first), second)
    elif int(second) <= 12:
        # 25/12/2020 can only be day first.
        value, score = _iso(match["year"], int(second), first), min(score, 0.8)
    else:
        return None
    return (value, score) if value else None


def _read_iso(match: re.Match[str]) -> Reading | None:
    value = _iso(match["year"], int(match["month"]), match["day"]) if 1 <= int(match["month"]) <= 12 else None
    return (value, 1.0) if value else None


DATES: tuple[Rule, ...] = (
    # March 3, 2021; Mar. 3, 2021; May 3rd, 2019
    Rule(EntityType.DATE, re.compile(rf"\b{_MONTH}{_GAP}{_DAY}(?:st|nd|rd|th)?,?{_GAP}{_YEAR}"), _read_named),
    # 3 March 2021; 17th day of August, 2020; 09-SEP-2014
    Rule(
        EntityType.DATE,
        re.compile(
            rf"{_NOT_INSIDE}{_DAY}(?:st|nd|rd|th)?(?:{_GAP}day)?(?:{_GAP}of)?{_GAP}{_MONTH},?{_GAP}{_YEAR}"
        ),
        _read_named,
    ),
    Rule(
        EntityType.DATE,
        re.compile(rf"{_NOT_INSIDE}{_DAY}-{_MONTH}-{_SHORT_YEAR}{_NOT_GOING_ON}"),
        _read_named,
    ),
    # 2021-03-03, 2021/03/03, 2021-03-03T10:15
    Rule(
        EntityType.DATE,
        re.compile(
            rf"{_NOT_INSIDE}(?P<year>(?:1[6-9]|20)\d\d)(?P<mark>[-/])(?P<month>\d\d)(?P=mark)(?P<day>\d\d)(?:(?=T\d)|{_NOT_GOING_ON})"
        ),
        _read_iso,
    ),
    # 03/03/2021, 3-3-21, 3.3.2021
    Rule(
        EntityType.DATE,
        re.compile(
            rf"{_NOT_INSIDE}(?P<first>\d\d?)(?P<mark>[-/.])(?P<second>\d\d?)(?P=mark){_SHORT_YEAR}{_NOT_GOING_ON}"
        ),
        _read_numeric,
    ),
    # March 2021; October, 2016
    Rule(EntityType.DATE, re.compile(rf"\b{_MONTH},?{_GAP}{_YEAR}"), _read_month),
)
