"""Docket numbers of courts and Bates labels of productions."""

import re

from docpipe_assets.engines.ner.patterns.contacts import STATE_CODES
from docpipe_assets.engines.ner.patterns.rule import Reading, Rule, one_line
from docpipe_assets.model import EntityType

_FEDERAL_DOCKET = re.compile(
    r"(?<![\w-])(?P<office>\d{1,2}:)?(?P<year>\d{2})[- ]?"
    r"(?P<kind>(?i:cv|cr|mc|md|mj|bk|ap|po|ml|sw|misc|civ\.|cr\.))[- ]?"
    r"(?P<number>\d{2,6})(?:-[A-Za-z]{1,5}(?![a-z]))*(?![\w])"
)
_LABEL = (
    r"(?i:\b(?:case|civil\saction|civ\.\saction|cause|index|docket|criminal\saction|"
    r"adversary(?:\sproceeding)?|adv\.(?:\sproc\.)?)"
    r"\s{0,2}(?:nos?\.?|numbers?|\#)\s{0,3}[:#]?\s{0,3}|\bdocket:\s{0,3})"
)
# "No." alone may also introduce claims, policies, exhibits and questions.
_OTHER_LABEL = re.compile(
    r"(?i:\b(?:report|claim|policy|invoice|order|exhibit|bar|badge|serial|interrogatory|production|license|model|part|"
    r"account|acct|file|admission|check|phone|tel|patent|crash|incident|lot|item|unit|check|id|registration|permit|"
    r"cert|certificate|reg|purchase|form|document|doc|request|vin|booking|loan|instrument|count|page|exh?|tax|rep)[.:]?\s*)$"
)


def _read_federal_docket(match: re.Match[str]) -> Reading | None:
    kind = match["kind"].lower().rstrip(".").replace("civ", "cv")
    return f"{match['office'] or ''}{match['year']}-{kind}-{match['number']:0>5}", 1.0


def _read_labelled_docket(match: re.Match[str]) -> Reading | None:
    number = match["span"]
    if sum(c.isdigit() for c in number) < 3 or re.fullmatch(r"\d{1,2}[-/]\d{1,2}[-/]\d{2,4}", number):
        return None
    return one_line(number), 0.95


def _read_bare_docket(match: re.Match[str]) -> Reading | None:
    if _OTHER_LABEL.search(match.string[max(0, match.start() - 24) : match.start()]):
        return None
    return one_line(match["span"]), 0.85


def _read_state_docket(match: re.Match[str]) -> Reading | None:
    return match.group().upper(), 0.85


DOCKETS: tuple[Rule, ...] = (
    # 2:21-cv-01234-ABC; 21 Civ. 1234: the judge's initials are in the span, not in the value
    Rule(EntityType.DOCKET_NUMBER, _FEDERAL_DOCKET, _read_federal_docket),
    # Index No. 650123/2021; Case No. 21CECG01874
    Rule(
        EntityType.DOCKET_NUMBER,
        re.compile(
            rf"{_LABEL}(?P<span>(?:(?:CV|CR|CIV|DC|FL|PR)[ -])?"
            rf"(?:\d\d-\d\d\s\d{{3}}[A-Z]?(?!\w)|[A-Z0-9][A-Z0-9a-z:./-]{{2,28}}[A-Za-z0-9]))"
        ),
        _read_labelled_docket,
    ),
    # No. 19-1392; No. 2019-L-004417
    Rule(
        EntityType.DOCKET_NUMBER,
        re.compile(
            r"\b(?:No|NO|Nos|NOS)\.\s{1,3}(?P<span>\d{2}-\d{3,5}(?![\d-]|\w)|"
            r"(?:\d{2,4}|[A-Z]{1,4})-?[A-Z]{0,5}-\d{2,7}(?:-[A-Z0-9]{2,5})*(?!\w)|[A-Z]{1,3}\d{5,8}(?!\w))"
        ),
        _read_bare_docket,
    ),
    # CV2021-004567; 2019-L-004417; 20-CVS-1187; 21STCV12345
    Rule(
        EntityType.DOCKET_NUMBER,
        re.compile(
            r"(?<![\w-])(?:(?:CV|CR|DR|FC|PB|CIV)-?(?:19|20)\d\d-\d{4,7}|"
            r"(?:19|20)\d\d-?(?:L|CH|CV|CR|M|LA|CA|CP|CI|DR|CF|SC|CC|AR|CT)-?\d{4,7}|"
            r"\d\d-?(?:CVS|CVD|CRS|STCV|CECG|CIV|CVP|SMCV|CA|CI|CP|[A-Z]{2}CV)-?\d{4,6}|"
            r"CV-\d\d-\d{3,5}(?:-[A-Z]{2,4}){0,3}|CV \d\d-\d{3,5})(?![\w])"
        ),
        _read_state_docket,
    ),
)

# Capitals before a number that are not a production: labels of other numbers, months, states.
_OTHER_CAPITALS = (
    "SBN ARDC MRN DOB SSN CASE ACCT INV TEL FAX ZIP BOX APT STE SUITE ISO DL VIN POLICY CLAIM EXHIBIT "
    "EX PAGE PG MODEL FAR UPC ICD CPT REF FILE DKT DOC NO NOS NUM NUMBER ID PIN PO BAR WSBA INVOICE "
    "ORDER LOT UNIT ITEM PART SER SERIAL REPORT ROOM RM CODE HWY ROUTE SR EIN NPI DEA CSR RPR LIC "
    "LICENSE ACCOUNT PHONE CELL FROM TO THE AND FOR OF IN ON AT BY USD EUR GBP CV CR CIV JAN FEB MAR "
    "APR MAY JUN JUL AUG SEP OCT NOV DEC MR USA US FY CHECK LOAN CRD IP UTC GMT ISBN CUSIP SKU MRI HCFA "
    "UB BADGE INCIDENT CITATION PERMIT TICKET BATCH FORM STATE BATES "
)
_NOT_A_PREFIX = frozenset(_OTHER_CAPITALS.split()) | frozenset(STATE_CODES)


def _read_bates(match: re.Match[str]) -> Reading | None:
    prefix, mark, number = match["prefix"], match["mark"], match["number"]
    parts = re.split(r"[-_.]", prefix)
    if not _NOT_A_PREFIX.isdisjoint(parts) or sum(len(part) for part in parts) < 2:
        return None
    is_padded = number.startswith("0")
    before = match.string[max(0, match.start() - 30) : match.start()]
    has_label = re.search(r"(?i:\bbates\b[^.\n]{0,24})$", before) is not None
    if not (is_padded or has_label or (mark in ("_", "-") and len(number) >= 6)):
        return None
    value = f"{prefix}{mark}{number}"
    if match["last"]:
        value += f" - {prefix}{mark}{match['last']}"
    return value, 1.0 if is_padded or has_label else 0.6


BATES: tuple[Rule, ...] = (
    # WOMBAT 000454; ABC-0001234; SMITH_00012; WOMBAT 000454-000784
    Rule(
        EntityType.BATES,
        re.compile(
            r"(?<![\w./:#-])(?P<prefix>[A-Z][A-Z&]{0,14}(?:[-_.][A-Z][A-Z0-9]{0,11}){0,2})(?P<mark>[ _.-]?)"
            r"(?P<number>\d{4,10})"
            r"(?:\s?[-–]\s?(?P<last>\d{4,10}))?(?![\w/:]|-\w|[.,]\d)"
        ),
        _read_bates,
    ),
)
