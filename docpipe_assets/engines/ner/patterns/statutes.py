"""Statutes, regulations and rules of procedure; the value of federal ones is in standard form."""

import re

from docpipe_assets.engines.ner.patterns.rule import Reading, Rule, one_line
from docpipe_assets.model import EntityType

_SECTION = r"\d+[A-Za-z]?(?:[.:/-]\d+[A-Za-z]?)*(?:\([A-Za-z0-9]{1,4}\))*"
_SECTIONS = rf"{_SECTION}(?:(?:,\s?(?:and\s|&\s)?|\s(?:and|&)\s)(?=\d[\w.:()/-]*(?:[\s,.;)]|$)){_SECTION})*"
_SIGN = r"(?:§{1,2}|[Ss]ections?|[Ss]ecs?\.)"
# A sequence of capitalised words that ends with a word for a code, before a section sign.
_CODE_WORD = (
    r"(?:Code|CODE|Stat\.|Stats?|Statutes?|Ann\.|Law|Laws|Rev\.|Comp\.|Act|C\.P\.L\.R\.|CPLR|EPTL|G\.L\.|"
    r"C\.G\.A\.|O\.C\.G\.A\.|A\.R\.S\.|R\.C\.W\.|RCW|NRS|N\.R\.S\.|ORS|KRS|O\.R\.C\.|R\.C\.|R\.S\.|Proc\.|Procedure|"
    r"Reg\.|Regs\.|U\.C\.C\.|UCC|CCP|L\.)"
)
# Signals such as "See" and "Under" precede a citation and are not part of it.
_NOT_A_SIGNAL = (
    r"(?!(?:See|Under|In|Of|Accord|Cf|Also|And|The|That|This|But|By|"
    r"With|Pursuant|Both|Because|Since|As|At|On)\b)"
)
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
    Rule(
        EntityType.STATUTE,
        re.compile(r"\bPub(?:lic)?\.?\s?L(?:aw)?\.?\s(?:No\.\s)?\d{2,3}-\d{1,4}\b"),
        _read_plain,
        ("pub",),
    ),
    # 735 ILCS 5/2-619; CPLR 3212; RCW 4.16.080; Mass. Gen. Laws ch. 93A, § 2
    Rule(
        EntityType.STATUTE,
        re.compile(
            r"\b\d{1,4}\s(?:ILCS|Ill\. Comp\. Stat\.|Pa\.?\s?C\.?S\.?(?:A\.)?)\s"
            r"(?:§\s?)?[\d/.-]+\w*(?:\([\w]+\))*"
        ),
        _read_plain,
    ),
    Rule(
        EntityType.STATUTE,
        re.compile(
            rf"\b(?:(?:N\.Y\.\s)?(?:CPLR|C\.P\.L\.R\.|EPTL)|RCW|NRS|ORS|KRS|MCL|O\.C\.G\.A\.)\s(?:§\s?)?{_SECTION}"
        ),
        _read_plain,
    ),
    Rule(
        EntityType.STATUTE,
        re.compile(
            rf"\b(?:Mass\.\sGen\.\sLaws|M\.?G\.?L\.?|G\.L\.)\s(?:ch?\.|[Cc]hapter)\s?\d+[A-Z]?"
            rf"(?:,?\s?§+\s?{_SECTION})?"
        ),
        _read_plain,
    ),
)
