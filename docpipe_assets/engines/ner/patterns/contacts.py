"""E-mail addresses, telephone numbers and US postal addresses."""

import re

from docpipe_assets.engines.ner.patterns.rule import Reading, Rule, one_line
from docpipe_assets.model import EntityType

_CODES = (
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM "
    "NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY PR VI GU"
)
STATE_CODES = tuple(_CODES.split())
STATES = (
    "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|District of Columbia|"
    "Florida|Georgia|Hawaii|Idaho|Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|"
    "Massachusetts|Michigan|Minnesota|Mississippi|Missouri|Montana|Nebraska|Nevada|New Hampshire|"
    "New Jersey|New Mexico|New York|North Carolina|North Dakota|Ohio|Oklahoma|Oregon|Pennsylvania|"
    "Rhode Island|South Carolina|South Dakota|Tennessee|Texas|Utah|Vermont|Virginia|Washington|"
    "West Virginia|Wisconsin|Wyoming|Puerto Rico|Guam"
)
_STATE = (
    rf"(?:(?i:{STATES})|{'|'.join(STATE_CODES)}|D\.C\.|N\.Y\.|N\.J\.|"
    r"(?:Ala|Ariz|Ark|Cal|Calif|Colo|Conn|Del|Fla|Ill|Ind|Kan|Mass|Mich|Minn|Mo|Okla|Or|Pa|Tenn|Tex|Va|Wash|Wis)\.)"
)

# Labels before a number that only looks like a telephone number.
_OTHER_NUMBER = re.compile(
    r"(?i:\b(?:acct|account|policy|claim|invoice|ssn|mrn|loan|order|serial|member|group|check|tracking|license|"
    r"lic|case|file|report|ref|reference|routing|id|part|vin|dl|no|number)\b[\s.:#]*|#\s*)$"
)
_PHONE_LABEL = re.compile(
    r"(?i:\b(?:tel|telephone|phone|ph|cell|mobile|fax|facsimile|call|office|direct|home|work)\b[\s.:#)]*)$"
)
_LABEL_CHARACTERS = 24


def _before(match: re.Match[str]) -> str:
    start = match.start()
    return match.string[max(0, start - _LABEL_CHARACTERS) : start].rpartition("\n")[2]


def _read_email(match: re.Match[str]) -> Reading | None:
    return match.group().lower(), 1.0


def _read_phone(match: re.Match[str]) -> Reading | None:
    digits = (match["area_in"] or match["area_out"]) + match["exchange"] + match["line"]
    before = _before(match)
    has_label = _PHONE_LABEL.search(before) is not None
    if not has_label and "(" not in match.group() and _OTHER_NUMBER.search(before):
        return None
    is_plain = not re.search(r"[-.)/]", match.group())
    if is_plain and not has_label:
        return None
    extension = f";ext={match['extension']}" if match["extension"] else ""
    return f"+1{digits}{extension}", 1.0 if has_label or match["space"] is None else 0.8


def _read_international(match: re.Match[str]) -> Reading | None:
    digits = re.sub(r"\D", "", match.group())
    return (f"+{digits}", 0.95) if 8 <= len(digits) <= 15 and not digits.startswith("1") else None


def _read_address(match: re.Match[str]) -> Reading | None:
    return one_line(match.group()), 1.0 if match["zip"] else 0.9


def _read_street(match: re.Match[str]) -> Reading | None:
    # "113 S. Ct. 933" is a reporter citation, not a street address.
    if not re.search(r"[A-Za-z]{3}|\d(?:st|nd|rd|th)", match["street"]):
        return None
    return one_line(match.group()), 0.6


# A word of a street name begins with a capital or a digit; a few lower-case words are allowed in between.
_STREET_WORD = r"(?:[A-Z0-9][\w.'’&-]*|of|de|la|del|the|y)"
_STREET = rf"{_STREET_WORD}(?:[ \t]{{1,2}}{_STREET_WORD}){{0,6}}?"
_HOUSE = r"(?<![\w#$./,:-])(?:\d{1,6}[A-Z]?(?:-\d{1,4})?|One|Two|Three|Four|Five|Ten)"
_KIND = (
    r"(?i:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Drive|Dr|Lane|Ln|Court|Ct|Way|Place|Pl|Highway|Hwy|Parkway|Pkwy|"
    r"Terrace|Circle|Square|Plaza|Trail|Row|Crescent|Alley|Pike|Turnpike|Loop|Center|Route)\b\.?"
)
_UNIT = (
    r"(?:(?:Suite|SUITE|Ste\.?|STE\.?|Apt\.?|APT\.?|Apartment|Unit|UNIT|Room|Rm\.?|Bldg\.?|Building|Floor|Fl\.?|PMB|#)"
    r"[ \t]?[\w-]{1,8}|\d{1,3}(?:st|nd|rd|th|ST|ND|RD|TH)[ \t](?:Floor|FLOOR|Fl\.?))"
)
_BREAK = r"(?:,?[ \t]{0,3}\r?\n[ \t]{0,80}|,[ \t]{1,3})"
_CITY = r"[A-Z][A-Za-z.'’-]{1,20}(?:[ \t][A-Z][A-Za-z.'’-]{1,20}){0,3}"
_ZIP = r"(?P<zip>\d{5}(?:-\d{4})?)(?!\w)"

CONTACTS: tuple[Rule, ...] = (
    Rule(
        EntityType.EMAIL,
        re.compile(
            r"(?<![\w.+%'-])[A-Za-z0-9_][\w.+%'-]{0,63}"
            r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61})\.){1,6}[A-Za-z]{2,24}\b"
        ),
        _read_email,
    ),
    # 31 Quarry Lane / Providence, RI 02903
    Rule(
        EntityType.ADDRESS,
        re.compile(
            rf"(?:{_HOUSE}[ \t]{_STREET}|(?i:P\.?[ ]?O\.?[ ]Box)[ ]\d{{1,6}})"
            rf"(?:{_BREAK}{_UNIT}|[ \t]{{1,2}}{_UNIT}){{0,2}}"
            rf"{_BREAK}{_CITY},[ \t]{{0,3}}{_STATE},?[ \t]{{1,4}}{_ZIP}"
        ),
        _read_address,
    ),
    # 31 Quarry Lane, Providence, RI
    Rule(
        EntityType.ADDRESS,
        re.compile(
            rf"{_HOUSE}[ \t]{_STREET}[ \t]{_KIND}(?:,?[ \t]{{1,2}}{_UNIT})?"
            rf"{_BREAK}{_CITY},[ \t]{{0,3}}{_STATE}(?P<zip>(?!\w))"
        ),
        _read_address,
    ),
    Rule(
        EntityType.ADDRESS,
        re.compile(
            rf"{_HOUSE}[ \t](?P<street>{_STREET})[ \t]{_KIND}(?:,?[ \t]{{1,2}}{_UNIT})?(?![\w’']|[ \t][A-Z&])"
        ),
        _read_street,
    ),
    # (312) 555-0177 x12; 312-555-0177; 1.312.555.0177
    Rule(
        EntityType.PHONE,
        re.compile(
            r"(?<![\w$.#/-])(?:\+?1[-. ]{0,2})?"
            r"(?:\((?P<area_in>[2-9]\d\d)\)[ -]?|(?P<area_out>[2-9]\d\d)(?:[-./]|(?P<space>[ ]))?)"
            r"(?P<exchange>[2-9]\d\d)[-. ]?(?P<line>\d{4})(?![\w]|-\d|\.\d)"
            r"(?:,?[ ]{0,2}(?:x|ext\.?|extension)[ ]?(?P<extension>\d{1,6})\b)?"
        ),
        _read_phone,
    ),
    Rule(
        EntityType.PHONE,
        re.compile(r"(?<![\w+])\+[2-9]\d{0,2}(?:[ .-]?\(?\d{1,5}\)?){2,5}(?!\w)"),
        _read_international,
    ),
)
