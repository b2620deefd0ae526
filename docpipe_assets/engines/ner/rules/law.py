"""What belongs to courts: statutes and rules, docket numbers, courts, and the Bates labels of a production."""

import re

from docpipe_assets.engines.ner.rules import Reading, Rule, one_line
from docpipe_assets.engines.ner.rules.contacts import STATE_CODES, STATES
from docpipe_assets.model import EntityType

# --- statutes

_SECTION = r"\d+[A-Za-z]?(?:[.:/-]\d+[A-Za-z]?)*(?:\([A-Za-z0-9]{1,4}\))*"
_SECTIONS = rf"{_SECTION}(?:(?:,\s?(?:and\s|&\s)?|\s(?:and|&)\s)(?=\d[\w.:()/-]*(?:[\s,.;)]|$)){_SECTION})*"
_SIGN = r"(?:§{1,2}|[Ss]ections?|[Ss]ecs?\.)"
# A row of capitalised words that ends in a word for a code, before a section sign.
_CODE_WORD = (
    r"(?:Code|CODE|Stat\.|Stats?|Statutes?|Ann\.|Law|Laws|Rev\.|Comp\.|Act|C\.P\.L\.R\.|CPLR|EPTL|G\.L\.|C\.G\.A\.|O\.C\.G\.A\.|"
    r"A\.R\.S\.|R\.C\.W\.|RCW|NRS|N\.R\.S\.|ORS|KRS|O\.R\.C\.|R\.C\.|R\.S\.|Proc\.|Procedure|Reg\.|Regs\.|U\.C\.C\.|UCC|CCP|L\.)"
)
# "See", "Under" and their like stand before a citation and are no part of it.
_NOT_A_SIGNAL = r"(?!(?:See|Under|In|Of|Accord|Cf|Also|And|The|That|This|But|By|With|Pursuant|Both|Because|Since|As|At|On)\b)"
_FEDERAL_NAMES = {"USC": "U.S.C.", "USCA": "U.S.C.", "USCS": "U.S.C.", "CFR": "C.F.R."}


def _read_federal(match: re.Match[str]) -> Reading | None:
    code = _FEDERAL_NAMES[re.sub(r"[.\s]", "", match["code"]).upper()]
    sign = "§§" if re.search(r",| and | & ", match["sections"]) else "§"
    sign = "pt." if match["part"] else sign
    return f"{match['title']} {code} {sign} {one_line(match['sections'])}", 1.0


def _read_plain(match: re.Match[str]) -> Reading | None:
    return one_line(match.group()), 1.0


_FEDERAL_RULES = {
    "ci": "Fed. R. Civ. P.",
    "cr": "Fed. R. Crim. P.",
    "ap": "Fed. R. App. P.",
    "ba": "Fed. R. Bankr. P.",
    "ev": "Fed. R. Evid.",
    "frcp": "Fed. R. Civ. P.",
    "fre": "Fed. R. Evid.",
}


def _read_rule(match: re.Match[str]) -> Reading | None:
    kind = match["short"] or match["kind"] or match["long"]
    name = _FEDERAL_RULES.get(kind.lower()) or _FEDERAL_RULES[kind[:2].lower()]
    return f"{name} {match['rule']}", 1.0


STATUTES: tuple[Rule, ...] = (
    # 42 U.S.C. § 1983; 29 CFR Part 1910
    Rule(
        EntityType.STATUTE,
        re.compile(
            r"(?<![\w.])(?P<title>\d{1,2})\s{1,2}(?P<code>U\.?\s?S\.?\s?C\.?(?:\s?[AS]\.?)?|C\.?\s?F\.?\s?R\.?)(?![a-z])\s{0,2}"
            rf"(?:(?P<part>(?i:part|pt\.))|{_SIGN})?\s{{0,2}}(?P<sections>{_SECTIONS})"
        ),
        _read_federal,
        ("u.s.", "usc", "u. s.", "u s", "c.f", "cfr", "c. f"),
    ),
    # Fed. R. Civ. P. 26(a)(1); Federal Rule of Evidence 702; FRCP 26
    Rule(
        EntityType.STATUTE,
        re.compile(
            r"\b(?:Fed\.?\s{0,2}R\.?\s{0,2}(?P<kind>Civ|Crim|App|Bankr|Evid)\.?(?:\s{0,2}P(?:ro)?\.?)?|"
            r"Federal\s+Rules?\s+of\s+(?P<long>Civil|Criminal|Appellate|Bankruptcy|Evidence)(?:\s+Procedure)?|(?P<short>FRCP|FRE))"
            r"\s{1,2}(?:[Rr]ule\s{1,2})?(?P<rule>\d{1,4}(?:\.\d)?[a-z]?(?:\([A-Za-z0-9]{1,4}\))*)"
        ),
        _read_rule,
        ("fed", "frcp", "fre"),
    ),
    # Cal. Civ. Code § 1714; N.M. Stat. Ann. § 41-4-12; Idaho Code § 49-641; Penal Code section 187
    Rule(
        EntityType.STATUTE,
        re.compile(
            rf"\b{_NOT_A_SIGNAL}(?:[A-Z][\w.'’-]*,?\s{{1,2}}(?:(?:of|and|&|the|for)\s{{1,2}})?){{0,7}}?{_CODE_WORD},?\s{{1,2}}"
            rf"(?:(?:[Cc]h\.|[Cc]hapter|[Tt]it\.|[Aa]rt\.|c\.)\s?\w{{1,6}},\s?)?{_SIGN}\s{{0,2}}{_SECTIONS}"
        ),
        _read_plain,
        ("§", "section", "sec."),
    ),
    Rule(EntityType.STATUTE, re.compile(r"\bPub(?:lic)?\.?\s?L(?:aw)?\.?\s(?:No\.\s)?\d{2,3}-\d{1,4}\b"), _read_plain, ("pub",)),
    # 735 ILCS 5/2-619; CPLR 3212; RCW 4.16.080; Mass. Gen. Laws ch. 93A, § 2
    Rule(EntityType.STATUTE, re.compile(r"\b\d{1,4}\s(?:ILCS|Ill\. Comp\. Stat\.|Pa\.?\s?C\.?S\.?(?:A\.)?)\s(?:§\s?)?[\d/.-]+\w*(?:\([\w]+\))*"), _read_plain),  # fmt: skip
    Rule(
        EntityType.STATUTE,
        re.compile(rf"\b(?:(?:N\.Y\.\s)?(?:CPLR|C\.P\.L\.R\.|EPTL)|RCW|NRS|ORS|KRS|MCL|O\.C\.G\.A\.)\s(?:§\s?)?{_SECTION}"),
        _read_plain,
    ),
    Rule(EntityType.STATUTE, re.compile(rf"\b(?:Mass\.\sGen\.\sLaws|M\.?G\.?L\.?|G\.L\.)\s(?:ch?\.|[Cc]hapter)\s?\d+[A-Z]?(?:,?\s?§+\s?{_SECTION})?"), _read_plain),  # fmt: skip
)

# --- docket numbers

_FEDERAL_DOCKET = re.compile(
    r"(?<![\w-])(?P<office>\d{1,2}:)?(?P<year>\d{2})[- ]?(?P<kind>(?i:cv|cr|mc|md|mj|bk|ap|po|ml|sw|misc|civ\.|cr\.))[- ]?"
    r"(?P<number>\d{2,6})(?:-[A-Za-z]{1,5}(?![a-z]))*(?![\w])"
)
_LABEL = (
    r"(?i:\b(?:case|civil\saction|civ\.\saction|cause|index|docket|criminal\saction|adversary(?:\sproceeding)?|adv\.(?:\sproc\.)?)"
    r"\s{0,2}(?:nos?\.?|numbers?|\#)\s{0,3}[:#]?\s{0,3}|\bdocket:\s{0,3})"
)
# "No." alone also introduces claims, policies, exhibits and questions.
_OTHER_LABEL = re.compile(
    r"(?i:\b(?:report|claim|policy|invoice|order|exhibit|bar|badge|serial|interrogatory|production|license|model|part|"
    r"account|acct|file|admission|check|phone|tel|patent|crash|incident|lot|item|unit|check|id|registration|permit|"
    r"cert|certificate|reg|purchase|form|document|doc|request|vin|booking|loan|instrument|count|page|exh?|tax|rep)[.:]?\s*)$"
)


def _plain_docket(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _read_federal_docket(match: re.Match[str]) -> Reading | None:
    kind = match["kind"].lower().rstrip(".").replace("civ", "cv")
    return f"{match['office'] or ''}{match['year']}-{kind}-{match['number']:0>5}", 1.0


def _read_labelled_docket(match: re.Match[str]) -> Reading | None:
    number = match["span"]
    if sum(c.isdigit() for c in number) < 3 or re.fullmatch(r"\d{1,2}[-/]\d{1,2}[-/]\d{2,4}", number):
        return None
    return _plain_docket(number), 0.95


def _read_bare_docket(match: re.Match[str]) -> Reading | None:
    if _OTHER_LABEL.search(match.string[max(0, match.start() - 24) : match.start()]):
        return None
    return _plain_docket(match["span"]), 0.85


def _read_state_docket(match: re.Match[str]) -> Reading | None:
    return match.group().upper(), 0.85


DOCKETS: tuple[Rule, ...] = (
    # 2:21-cv-01234-ABC; 21 Civ. 1234: the judge's initials are in the span, not in the value
    Rule(EntityType.DOCKET_NUMBER, _FEDERAL_DOCKET, _read_federal_docket),
    # Index No. 650123/2021; Case No. 21CECG01874
    Rule(
        EntityType.DOCKET_NUMBER,
        re.compile(rf"{_LABEL}(?P<span>(?:(?:CV|CR|CIV|DC|FL|PR)[ -])?(?:\d\d-\d\d\s\d{{3}}[A-Z]?(?!\w)|[A-Z0-9][A-Z0-9a-z:./-]{{2,28}}[A-Za-z0-9]))(?:\s\([A-Za-z]{{2,4}}\)\s?\([A-Za-z]{{2,4}}\))?"),
        _read_labelled_docket,
    ),
    # No. 19-1392; No. 2019-L-004417
    Rule(
        EntityType.DOCKET_NUMBER,
        re.compile(
            r"\b(?:No|NO|Nos|NOS)\.\s{1,3}(?P<span>\d{2}-\d{3,5}(?![\d-]|\w)|(?:\d{2,4}|[A-Z]{1,4})-?[A-Z]{0,5}-\d{2,7}(?:-[A-Z0-9]{2,5})*(?!\w)|[A-Z]{1,3}\d{5,8}(?!\w))"
        ),
        _read_bare_docket,
    ),
    # CV2021-004567; 2019-L-004417; 20-CVS-1187; 21STCV12345
    Rule(
        EntityType.DOCKET_NUMBER,
        re.compile(
            r"(?<![\w-])(?:(?:CV|CR|DR|FC|PB|CIV)-?(?:19|20)\d\d-\d{4,7}|(?:19|20)\d\d-?(?:L|CH|CV|CR|M|LA|CA|CP|CI|DR|CF|SC|CC|AR|CT)-?\d{4,7}|"
            r"\d\d-?(?:CVS|CVD|CRS|STCV|CECG|CIV|CVP|SMCV|CA|CI|CP|[A-Z]{2}CV)-?\d{4,6}|"
            r"CV-\d\d-\d{3,5}(?:-[A-Z]{2,4}){0,3}|CV \d\d-\d{3,5})(?![\w])"
        ),
        _read_state_docket,
    ),
)

# --- courts

_GAP = r"[,\s]{1,3}\s{0,60}"
_DIRECTION = r"(?i:Northern|Southern|Eastern|Western|Central|Middle)"
_OF_STATE = rf"(?i:{STATES})"
_DIVISION = rf"(?:{_GAP}(?!(?i:the|for|in)\b)[A-Z][A-Za-z.]{{2,15}}(?:\s[A-Z][A-Za-z.]{{2,15}})?\s(?i:Division)\b)?"
_FOR = r"(?:(?i:in\sand\sfor|for|of)\s+)?(?:(?i:the)\s+)?"
_COUNTY_NAME = r"[A-Z][A-Za-z.'-]{1,15}(?:\s(?!(?i:county)\b)[A-Z][A-Za-z.'-]{1,15}){0,2}"
_COUNTY = rf"(?:(?i:county)\s(?i:of)\s{_COUNTY_NAME}|{_COUNTY_NAME}\s(?i:county))"
_KIND_OF_COURT = (
    r"(?i:Superior|Supreme|Circuit|District|County|Chancery|Family|Probate|Municipal|Surrogate['’]s|Surrogates?|Justice|City|"
    r"Civil|Criminal|Appellate|Tax|Orphans['’]|Juvenile|Magistrate)\s(?i:Court)"
)
_COMMON_PLEAS = r"(?i:Court\sof\s(?:Common\sPleas|Chancery|Appeals?|Claims|Criminal\sAppeals|Civil\sAppeals|International\sTrade))"
_ORDINAL = r"(?i:First|Second|Third|Fourth|Fifth|Sixth|Seventh|Eighth|Ninth|Tenth|Eleventh|D\.?C\.?|Federal|\d{1,2}(?:st|nd|d|rd|th))"


def _read_court(match: re.Match[str]) -> Reading | None:
    return one_line(match.group()), 1.0


def _read_district(match: re.Match[str]) -> Reading | None:
    # The District of Columbia is a place unless something says that its court is meant.
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
    Rule(EntityType.COURT, re.compile(r"\b(?=S)(?i:Supreme\s+Court\s+of\s+the\s+United\s+States)\b"), _read_court, ("court",)),
    Rule(
        EntityType.COURT,
        re.compile(rf"\b(?=C)(?i:Court\s+of\s+Appeals)\s+(?:for\s+|FOR\s+)?(?:the\s+|THE\s+)?{_ORDINAL}\s+(?i:Circuit)\b"),
        _read_court,
        ("court of appeals",),
    ),
    Rule(EntityType.COURT, re.compile(rf"\b(?=[A-Z\d]){_ORDINAL}\s+(?:Circuit|CIRCUIT)(?:\sCourt\sof\sAppeals)?\b"), _read_court, ("circuit",)),
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
    Rule(EntityType.COURT, re.compile(rf"\b(?=[A-Z]){_KIND_OF_COURT},\s(?:{_COUNTY})"), _read_court, ("court",)),
    Rule(EntityType.COURT, re.compile(rf"\b{_COUNTY_NAME}\s(?:County|COUNTY)\s(?=[A-Z])(?:{_KIND_OF_COURT}|{_COMMON_PLEAS})\b"), _read_court, ("court",)),
    Rule(EntityType.COURT, re.compile(rf"\b(?=[A-Z])(?:{_OF_STATE})\s(?=[A-Z])(?:(?i:Supreme|Superior)\s(?i:Court)|{_COMMON_PLEAS})\b"), _read_court, ("court",)),
    # Western District of Louisiana; N.D. Cal.
    Rule(EntityType.COURT, re.compile(rf"\b(?:(?=[A-Z]){_DIRECTION}\s+)?(?:District|DISTRICT)\s+(?i:of)\s+(?=[A-Z])(?:{_OF_STATE})\b{_DIVISION}"), _read_district, ("district",)),
)

# --- Bates labels

_NOT_A_PREFIX = frozenset(
    "SBN ARDC MRN DOB SSN CASE ACCT INV TEL FAX ZIP BOX APT STE SUITE ISO DL VIN POLICY CLAIM EXHIBIT EX PAGE PG MODEL FAR UPC ICD "
    "CPT REF FILE DKT DOC NO NOS NUM NUMBER ID PIN PO BAR WSBA INVOICE ORDER LOT UNIT ITEM PART SER SERIAL REPORT ROOM RM CODE "
    "HWY ROUTE SR EIN NPI DEA CSR RPR LIC LICENSE ACCOUNT PHONE CELL FROM TO THE AND FOR OF IN ON AT BY USD EUR GBP CV CR CIV "
    "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC MR USA US FY CHECK LOAN CRD IP UTC GMT ISBN CUSIP SKU MRI HCFA UB "
    "BADGE INCIDENT CITATION PERMIT TICKET BATCH FORM STATE BATES".split()
) | frozenset(STATE_CODES)


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
            r"(?<![\w./:#-])(?P<prefix>[A-Z][A-Z&]{0,14}(?:[-_.][A-Z][A-Z0-9]{0,11}){0,2})(?P<mark>[ _.-]?)(?P<number>\d{4,10})"
            r"(?:\s?[-–]\s?(?P<last>\d{4,10}))?(?![\w/:]|-\w|[.,]\d)"
        ),
        _read_bates,
    ),
)

LAW: tuple[Rule, ...] = (*STATUTES, *COURTS, *DOCKETS, *BATES)
