"""Courts by name, in captions and in running text."""

import re

from docpipe_assets.engines.ner.patterns.contacts import STATES
from docpipe_assets.engines.ner.patterns.rule import Reading, Rule, one_line
from docpipe_assets.model import EntityType

_GAP = r"[,\s]{1,3}\s{0,60}"
_DIRECTION = r"(?i:Northern|Southern|Eastern|Western|Central|Middle)"
_OF_STATE = rf"(?i:{STATES})"
_DIVISION = (
    rf"(?:{_GAP}(?!(?i:the|for|in)\b)[A-Z][A-Za-z.]{{2,15}}(?:\s[A-Z][A-Za-z.]{{2,15}})?\s(?i:Division)\b)?"
)
_FOR = r"(?:(?i:in\sand\sfor|for|of)\s+)?(?:(?i:the)\s+)?"
_COUNTY_NAME = (
    r"(?:S(?:t|aint)e?\.?\s)?[A-Z][A-Za-z'-]{1,15}(?:\s(?!(?i:county)\b)[A-Z][A-Za-z'-]{1,15}){0,2}"
)
_COUNTY = rf"(?:(?i:county)\s(?i:of)\s{_COUNTY_NAME}|{_COUNTY_NAME}\s(?i:county))"
_KIND_OF_COURT = (
    r"(?i:Superior|Supreme|Circuit|District|County|Chancery|Family|Probate|Municipal|Surrogate['’]s|"
    r"Surrogates?|Justice|City|Civil|Criminal|Appellate|Tax|Orphans['’]|Juvenile|Magistrate)\s(?i:Court)"
)
_COMMON_PLEAS = (
    r"(?i:Court\sof\s(?:Common\sPleas|Chancery|Appeals?|Claims|Criminal\sAppeals|Civil\sAppeals|"
    r"International\sTrade))"
)
_ORDINAL = (
    r"(?i:First|Second|Third|Fourth|Fifth|Sixth|Seventh|Eighth|Ninth|Tenth|Eleventh|D\.?C\.?|Federal|"
    r"\d{1,2}(?:st|nd|d|rd|th))"
)


def _read_court(match: re.Match[str]) -> Reading | None:
    return one_line(match.group()), 1.0


def _read_district(match: re.Match[str]) -> Reading | None:
    # The District of Columbia is a place unless the text refers to its court.
    if re.fullmatch(r"(?i)district\s+of\s+columbia", match.group()):
        return None
    return one_line(match.group()), 0.85


COURTS: tuple[Rule, ...] = (
    # UNITED STATES DISTRICT COURT / EASTERN DISTRICT OF TEXAS / TYLER DIVISION
    Rule(
        EntityType.COURT,
        re.compile(
            rf"\b(?=U)(?i:United\s+States|U\.\s?S\.)\s+(?i:District|Bankruptcy)\s+(?i:Court)\b(?:{_GAP}{_FOR}(?:{_DIRECTION}\s+)?(?i:District)\s+(?i:of)\s+(?:{_OF_STATE})\b{_DIVISION})?"
        ),
        _read_court,
        ("court",),
    ),
    Rule(
        EntityType.COURT,
        re.compile(
            rf"\b(?=U)(?i:United\s+States|U\.\s?S\.)\s+(?:(?i:Supreme\s+Court)|(?i:Court\s+of\s+(?:Federal\s+Claims|International\s+Trade|Appeals))(?:{_GAP}{_FOR}(?:{_ORDINAL}\s+(?i:Circuit)|(?i:Veterans\s+Claims|the\s+Armed\s+Forces)))?|(?i:Tax\s+Court))\b"
        ),
        _read_court,
        ("court",),
    ),
    Rule(
        EntityType.COURT,
        re.compile(r"\b(?=S)(?i:Supreme\s+Court\s+of\s+the\s+United\s+States)\b"),
        _read_court,
        ("court",),
    ),
    Rule(
        EntityType.COURT,
        re.compile(
            rf"\b(?=C)(?i:Court\s+of\s+Appeals)\s+(?:for\s+|FOR\s+)?(?:the\s+|THE\s+)?{_ORDINAL}\s+(?i:Circuit)\b"
        ),
        _read_court,
        ("court of appeals",),
    ),
    Rule(
        EntityType.COURT,
        re.compile(rf"\b(?=[A-Z\d]){_ORDINAL}\s+(?:Circuit|CIRCUIT)(?:\sCourt\sof\sAppeals)?\b"),
        _read_court,
        ("circuit",),
    ),
    # SUPERIOR COURT OF THE STATE OF CALIFORNIA / COUNTY OF FRESNO; Circuit Court of Cook County, Illinois
    Rule(
        EntityType.COURT,
        re.compile(
            rf"\b(?=[A-Z])(?:{_KIND_OF_COURT}|{_COMMON_PLEAS}){_GAP}(?i:of|for|in\sand\sfor)\s+(?:(?i:the)\s+)?"
            rf"(?:(?i:State|Commonwealth)\s+(?i:of)\s+)?(?:{_OF_STATE}\b(?:{_GAP}{_FOR}{_COUNTY})?|{_COUNTY}(?:,\s*{_OF_STATE}\b)?)"
            rf"(?:{_GAP}(?i:County\sDepartment),\s(?i:Law|Chancery)\s(?i:Division))?"
        ),
        _read_court,
        ("court",),
    ),
    # Surrogate's Court, Kings County; Harris County District Court
    Rule(
        EntityType.COURT, re.compile(rf"\b(?=[A-Z]){_KIND_OF_COURT},\s(?:{_COUNTY})"), _read_court, ("court",)
    ),
    Rule(
        EntityType.COURT,
        re.compile(rf"\b{_COUNTY_NAME}\s(?:County|COUNTY)\s(?=[A-Z])(?:{_KIND_OF_COURT}|{_COMMON_PLEAS})\b"),
        _read_court,
        ("court",),
    ),
    Rule(
        EntityType.COURT,
        re.compile(
            rf"\b(?=[A-Z])(?:{_OF_STATE})\s(?=[A-Z])(?:(?i:Supreme|Superior)\s(?i:Court)|{_COMMON_PLEAS})\b"
        ),
        _read_court,
        ("court",),
    ),
    # Western District of Louisiana; N.D. Cal.
    Rule(
        EntityType.COURT,
        re.compile(
            rf"\b(?:(?=[A-Z]){_DIRECTION}\s+)?(?:District|DISTRICT)\s+(?i:of)\s+(?=[A-Z])(?:{_OF_STATE})\b{_DIVISION}"
        ),
        _read_district,
        ("district",),
    ),
)
