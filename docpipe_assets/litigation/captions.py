"""Parses the caption of a court paper: the spans of the parties and their roles.

Works on the text of one page and returns spans; the names inside a span are identified elsewhere. Layouts
differ by court: "v." on a line of its own between two blocks, both parties on one line, a right-hand column
after ``)`` or ``§`` with the case number, a running header "X v. Y" on later pages.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from docpipe_assets.text.word_lists import RUNNING_CAPTION_SMALL_WORDS

ROLE_WORD = (
    r"(?:(?:third[- ]party|cross|counter|counterclaim)[- ]?)?"
    r"(?:plaintiff|defendant|petitioner|respondent|appellant|appellee|claimant|complainant|intervenor|relator"
    r"|movant|garnishee|debtor|creditor)s?(?:\(s\))?"
)
ROLE = re.compile(rf"\b{ROLE_WORD}(?:(?:\s*[-/–]\s*|\s*,?\s+and\s+|\s*&\s*){ROLE_WORD})*(?![’'\w])", re.I)
_OPPOSITES = {
    "plaintiff": "defendant",
    "petitioner": "respondent",
    "appellant": "appellee",
    "claimant": "respondent",
    "complainant": "respondent",
}
# Reversed, so that the first pair of a role applies: a respondent's opposite is the petitioner.
_OPPOSITES |= {theirs: ours for ours, theirs in reversed(_OPPOSITES.items())}

_VERSUS = re.compile(
    r"(?:(?<=\s)|^)[-–—]*\s?(?:v|vs|versus|against)\b\.?,?(?:\s?[-–—]+)?(?=\s|$)", re.I | re.M
)
_COLUMN = re.compile(r"(?:^|(?<=\s))[)§|}\]:](?=\s|$)|\t")
_TITLE_LINE = re.compile(
    r"\bCOURTS?\b|\bDISTRICT OF\b|\bDIVISION\b|\bDEPARTMENT \d|^\s*(?:IN AND )?FOR THE\b|^\s*IN THE\b"
    r"|^\s*(?:STATE|COUNTY|CITY|COMMONWEALTH) OF [A-Z .]+$|\bJUDICIAL (?:DISTRICT|CIRCUIT)\b"
    r"|\bFILED\b|\bCOMPLAINT\b"
)
_DATA_LINE = re.compile(r"^\s*[A-Z][a-z]+(?:\s[A-Za-z]+)?:\s")  # Filed: ..., Judges: ...
_DOCKET_LINE = re.compile(
    r"^\W*(?:(?:civil|criminal)\s+)?(?:action|case|cause|docket|index|file)?\s*(?:no|number)s?\b[.:\s]*[\w-]*\d",
    re.I,
)
_COURT_NAME = re.compile(r"\b(?:Supreme|Superior|District|Circuit|County) Court\b|\bCourt of\b")
_ENDS_PHRASE = re.compile(r"\s*(?:[.,;:)]|$|\n|\s{2,}|[§|])")
_COUNSEL_OR_SIGNATURE = re.compile(
    r"\b(?:attorneys?|counsel)\s+for\b|\bSBN\b|\bBar No|@|\(\d{3}\)\s?\d{3}", re.I
)
_LAW_REPORT_CITATION = re.compile(r"\d\s+(?:[A-Z]\w*\.|U\.\s?S|F\.|S\.\s?Ct)|\(\d{4}\)|§")
_RUNNING_LINE = re.compile(
    r"^[^\S\n]*(?:(?:Re|RE|In re|Case|Matter|Case Name|Caption|Subject)\s*:\s*)?"
    r"(?P<left>[A-Z][^\n]{1,90}?)[^\S\n]+(?P<versus>[Vv][Ss]?\.)[^\S\n]+(?P<right>[A-Z][^\n]{1,90}?)[^\S\n]*$",
    re.M,
)
_ON_BEHALF = re.compile(
    r"\b(?:by and through|through (?:his|her|its|their)|guardian|next friend|on behalf of|judge|hon\b"
    r"|presiding|clerk|[adf]\s?/\s?k\s?/\s?a|d\s?/\s?b\s?/\s?a|aka|dba|fka|also known as|doing business as)",
    re.I,
)

_NOTHING_OR_COLUMN = re.compile(r"\s*$|\s*[)§|}\]:](?=\s|$)|\s{3,}|\t")
_AFTER_ROLE = " .,;:()[]§|}\t\n\f"
_GAP_BEFORE_NAME = re.compile(r"[^\S\n]*\n?[^\S\n]*(?<=\s)(?=[A-Z\"“])")
_LEFT_CHARACTERS, _LEFT_LINES = 900, 14
"""Maximum size of the block above "v.", in which the first party is searched."""
_RIGHT_CHARACTERS = 1600
"""Maximum size of the block below "v.", in which the second party and its role are searched."""
_RIGHT_LINES_WITHOUT_ROLE = 3
"""Maximum number of lines of the second party if no role ends it."""
_PROSE_LINE_CHARACTERS = 45
"""Length from which the line before a name counts as running text."""


class PartySpan(NamedTuple):
    """The spans of the names of one side (in one or more pieces of text), and their role."""

    pieces: tuple[tuple[int, int], ...]
    role: str | None
    start: int
    """Start of the span that contains both names and role."""
    end: int
    """Its end."""

    def holds(self, start: int, end: int) -> bool:
        return any(first <= start and end <= last for first, last in self.pieces)


class Caption(NamedTuple):
    """The two sides of a case. Without roles, as in a line "X v. Y", it is less certain."""

    left: PartySpan
    right: PartySpan
    has_roles: bool = True


def role_of(text: str) -> str:
    """A role in the singular and in lower case: ``Plaintiffs-Appellees`` is ``plaintiff-appellee``."""
    text = re.sub(r"\(s\)", "", " ".join(text.lower().split()))
    text = re.sub(r"(?<!cros)s\b", "", text)
    text = re.sub(r"\s*(?:,?\s+and\s+|&|/|–)\s*", "-", text)
    return (
        re.sub(r"\s*-\s*", "-", text)
        .replace("third-party-", "third-party ")
        .replace("third party", "third-party")
    )


def parts_of(role: str | None) -> tuple[str, ...]:
    """The parts of a compound role: a counsel line may state only one of them."""
    return tuple(match.group() for match in re.finditer(ROLE_WORD, role or ""))


def first_role(role: str | None) -> str | None:
    """The first part of a compound role."""
    return next(iter(parts_of(role)), None)


def captions(text: str) -> Iterator[Caption]:
    """The captions of a page in text order."""
    end = 0
    running = {m.start("versus"): m for m in _RUNNING_LINE.finditer(text)}
    for versus in _VERSUS.finditer(text):
        if versus.start() < end:
            continue
        caption = _block_caption(text, versus)
        if caption is None:
            at = versus.start() + len(versus.group()) - len(versus.group().lstrip())
            line = running.get(at)
            caption = _running_caption(line) if line else None
        if caption is not None:
            end = caption.right.end
            yield caption


def _block_caption(text: str, versus: "re.Match[str]") -> Caption | None:
    """The caption around a "v." that is alone on its line or follows a role.

    If only one side has a role, the other side gets the opposite one.
    """
    line_start = text.rfind("\n", 0, versus.start()) + 1
    line_end = text.find("\n", versus.end())
    after = text[versus.end() : line_end if line_end >= 0 else len(text)]
    is_alone = not text[line_start : versus.start()].strip(")§|}:- ") and (
        "-" in versus.group() or _NOTHING_OR_COLUMN.match(after) is not None
    )
    if not is_alone and ("against" in versus.group().lower() or not _ends_with_role(text, versus.start())):
        return None
    left = _left_side(text, versus.start())
    if left is None:
        return None
    right = _right_side(text, versus.end(), is_alone)
    if right is None:
        return None
    if left.role is None and right.role is None:
        return Caption(left, right, has_roles=False)
    if left.role is None:
        left = left._replace(role=_OPPOSITES.get(first_role(right.role) or ""))
    if right.role is None:
        right = right._replace(role=_OPPOSITES.get(first_role(left.role) or ""))
    return Caption(left, right)


def _ends_with_role(text: str, end: int) -> bool:
    """Whether a role directly precedes an offset; checked first, because briefs contain many "v."
    citations.
    """
    before = text[max(0, end - 100) : end]
    return any(not before[role.end() :].strip(_AFTER_ROLE) for role in ROLE.finditer(before))


def _left_side(text: str, end: int) -> PartySpan | None:
    """The block above "v.": back to the title of the court, the case number, or the counsel block."""
    limit = max(0, end - _LEFT_CHARACTERS)
    start = end
    role: re.Match[str] | None = None
    for count, (first, last) in enumerate(lines_before(text, end)):
        line = text[first:last]
        left_column = line[: column.start()] if (column := _COLUMN.search(line)) else line
        found = list(ROLE.finditer(text, first, first + len(left_column)))
        if found and role is None and not text[found[-1].end() : end].strip(_AFTER_ROLE):
            role = found[-1]
        is_top = (
            _TITLE_LINE.search(left_column)
            or _DOCKET_LINE.match(left_column)
            or _COUNSEL_OR_SIGNATURE.search(left_column)
            or _DATA_LINE.match(left_column)
            or _LAW_REPORT_CITATION.search(left_column)
            or (not line.strip() and text[start : role.start() if role else end].strip())
            or (role and found and found[0].start() < role.start() and first < role.start())
        )
        if (is_top and not (role and first <= role.start() < last)) or first < limit or count >= _LEFT_LINES:
            break
        start = first
    if role is not None:
        pieces = _left_column(text, start, role.start())
        return PartySpan(pieces, role_of(role.group()), start, role.end()) if pieces else None
    pieces = _left_column(text, start, end)
    return PartySpan(pieces, None, start, end) if pieces else None


def _right_side(text: str, start: int, is_alone: bool) -> PartySpan | None:
    """The text after "v.", up to the role; without a role, the rest of the line or a few lines."""
    limit = _right_limit(text, start)
    for role in ROLE.finditer(text, start, limit):
        is_counsels_client = re.search(r"\bfor\s+(?:the\s+)?$", text[start : role.start()], re.I)
        if _ENDS_PHRASE.match(text, role.end()) and not is_counsels_client:
            pieces = _left_column(text, start, role.start())
            return PartySpan(pieces, role_of(role.group()), start, role.end()) if pieces else None
    end = start
    for _ in range(_RIGHT_LINES_WITHOUT_ROLE if is_alone else 1):
        line_end = text.find("\n", end + 1)
        end = limit if line_end < 0 else min(line_end, limit)
        if text[start:end].rstrip()[-1:] == "." or text[end : end + 2] == "\n\n":
            break
    pieces = _left_column(text, start, end)
    return PartySpan(pieces, None, start, end) if pieces else None


def _right_limit(text: str, start: int) -> int:
    """Maximum end of the block below "v.": the next "v.", the docket number, the court, or counsel."""
    limit = min(len(text), start + _RIGHT_CHARACTERS)
    following = _VERSUS.search(text, start, limit)
    limit = following.start() if following else limit
    at = text.find("\n", start) + 1
    while 0 < at < limit:
        line_end = text.find("\n", at)
        line_end = limit if line_end < 0 else line_end
        line = text[at:line_end]
        column = _COLUMN.search(line)
        left_column = line[: column.start()] if column else line
        if any(
            p.search(left_column) for p in (_DOCKET_LINE, _TITLE_LINE, _COURT_NAME, _COUNSEL_OR_SIGNATURE)
        ):
            return at
        at = line_end + 1
    return limit


def _running_caption(line: "re.Match[str]") -> Caption | None:
    """The caption of a line "X v. Y" without roles, unless it is a citation or a sentence."""
    text = line.group().rstrip()
    ends_a_sentence = text.endswith(".") and not re.search(
        r"(?:al|Inc|Corp|Co|Ltd|LLC|L\.L\.C|LLP|Jr|Sr)\.$", text
    )
    if _LAW_REPORT_CITATION.search(text) or ends_a_sentence:
        return None
    words = re.sub(r"[,;()]", " ", text).split()
    if len(words) > 18 or any(w[0].islower() and w.lower() not in RUNNING_CAPTION_SMALL_WORDS for w in words):
        return None
    sides = [
        PartySpan(((line.start(name), line.end(name)),), None, line.start(name), line.end(name))
        for name in ("left", "right")
    ]
    return Caption(sides[0], sides[1], has_roles=False)


def lines_before(text: str, end: int) -> Iterator[tuple[int, int]]:
    """Lines above an offset, nearest first; the first is the text before it on its own line."""
    while True:
        start = text.rfind("\n", 0, end) + 1
        yield start, end
        if start == 0:
            return
        end = start - 1


def _left_column(text: str, start: int, end: int) -> tuple[tuple[int, int], ...]:
    """The pieces of a span without the right-hand column of a caption."""
    pieces: list[tuple[int, int]] = []
    at = start
    for line in text[start:end].splitlines(keepends=True):
        column = _COLUMN.search(line)
        last = at + (column.start() if column else len(line))
        if text[at:last].strip():
            if pieces and (pieces[-1][1] == at):
                pieces[-1] = (pieces[-1][0], last)
            else:
                pieces.append((at, last))
        at += len(line)
    return tuple(pieces)


def acts_for_another(gap: str) -> bool:
    """Whether the words before a name indicate that it is not a further party: a guardian, a
    judge, an alias.
    """
    return _ON_BEHALF.search(gap) is not None


def roles_before_names(text: str) -> Iterator[tuple[str, int, int]]:
    """Every role directly before a capitalised word: role, its start, and the start of the possible name.

    A line end between the two is accepted only in running text: the line below "For the Plaintiff" names her
    counsel.
    """
    for match in ROLE.finditer(text):
        after = _GAP_BEFORE_NAME.match(text, match.end())
        if after is None or not text[match.start()].isupper():
            continue
        line_start = text.rfind("\n", 0, match.start()) + 1
        if "\n" not in after.group() or match.end() - line_start > _PROSE_LINE_CHARACTERS:
            yield role_of(match.group()), match.start(), after.end()
