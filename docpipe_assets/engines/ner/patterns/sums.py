"""Amounts of money in digits and in words; the value is the currency code and the amount with two
decimals.
"""

import re
from decimal import Decimal

from docpipe_assets.engines.ner.patterns.rule import Reading, Rule
from docpipe_assets.model import EntityType

_SIGNS = {
    "$": "USD",
    "US$": "USD",
    "U.S.$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "C$": "CAD",
    "CA$": "CAD",
    "A$": "AUD",
}
_SCALES = {
    "thousand": 1_000, "k": 1_000, "million": 1_000_000, "m": 1_000_000, "mm": 1_000_000, "mil": 1_000_000,
    "billion": 1_000_000_000, "b": 1_000_000_000, "bn": 1_000_000_000, "trillion": 1_000_000_000_000,
}  # fmt: skip
_FIGURE = r"(?P<figure>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,15}(?:\.\d{1,4})?|\.\d{1,4})"
_SCALE = r"(?:[ \t-]?(?P<scale>(?i:thousand|million|billion|trillion|bn|mm|mil)|[MBKk])\b)?"
_CODES = "USD|EUR|GBP|CAD|AUD|JPY|CHF|MXN"

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_UNITS = {word: number for number, word in enumerate(_SMALL.split())}
_UNITS |= {word: 10 * number for number, word in enumerate(_TENS.split(), start=2)}
_MULTIPLES = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_NUMBER_WORD = "|".join([*sorted(_UNITS, key=len, reverse=True), "hundred", *_MULTIPLES])


def _amount(currency: str, amount: Decimal) -> str:
    return f"{currency} {amount:.2f}"


def _read_figure(match: re.Match[str]) -> Reading | None:
    groups = match.groupdict()
    sign, code = groups.get("sign"), groups.get("code")
    currency = code or _SIGNS.get((sign or "$").replace(" ", ""), "USD")
    amount = Decimal(match["figure"].replace(",", ""))
    if groups.get("scale"):
        amount *= _SCALES[match["scale"].lower()]
    return _amount(currency, amount), 1.0


def number_in_words(words: str) -> int | None:
    """``Two Hundred Twenty-Five Thousand`` is 225000; None if the words are not a number."""
    total = group = 0
    for word in re.split(r"[\s,-]+", words.lower()):
        if word in _UNITS:
            group += _UNITS[word]
        elif word == "hundred":
            group = (group or 1) * 100
        elif word in _MULTIPLES:
            total += (group or 1) * _MULTIPLES[word]
            group = 0
        elif word not in ("and", ""):
            return None
    return total + group


def _read_words(match: re.Match[str]) -> Reading | None:
    number = number_in_words(match["words"])
    if not number:
        return None
    cents = Decimal(match["cents"]) / 100 if match["cents"] else Decimal(0)
    return _amount("USD", number + cents), 0.95


SUMS: tuple[Rule, ...] = (
    # $1,250.00; $3.2 million; US$ 5M; £200
    Rule(
        EntityType.MONEY,
        re.compile(
            rf"(?<![\w$])(?P<sign>(?:US|U\.S\.|CA|C|A)?\$|[€£¥])[ \t]?{_FIGURE}(?!\d){_SCALE}(?:[ \t]USD\b)?"
        ),
        _read_figure,
    ),
    # USD 9,750
    Rule(
        EntityType.MONEY,
        re.compile(rf"\b(?P<code>{_CODES})[ \t]?\$?[ \t]?{_FIGURE}(?![\d]){_SCALE}"),
        _read_figure,
    ),
    # 500 dollars; 1.2 million dollars
    Rule(
        EntityType.MONEY,
        re.compile(rf"(?<![\w.,$]){_FIGURE}{_SCALE}\s(?:U\.S\.\s)?(?i:dollars)\b"),
        _read_figure,
        ("dollars",),
    ),
    # Two Hundred Twenty-Five Thousand Dollars; One Thousand and 50/100 Dollars
    Rule(
        EntityType.MONEY,
        re.compile(
            rf"\b(?P<words>(?i:{_NUMBER_WORD})(?:(?:[\s,-]+(?i:and\s+)?)(?i:{_NUMBER_WORD})\b){{0,14}})"
            r"(?:\s+(?i:and)\s+(?P<cents>\d\d)/100)?\s+(?:U\.S\.\s+|US\s+)?(?i:dollars)\b"
        ),
        _read_words,
        ("dollars",),
    ),
)
