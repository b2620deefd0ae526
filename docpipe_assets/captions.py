"""Read the caption and the counsel lines of a court paper: where the parties stand, and in which role.

Works on the text of one page and returns spans; who is named inside a span is for others to say.
Layouts differ by court: "v." on a line of its own between two blocks, both parties on one line, a
right-hand column behind ``)`` or ``§`` with the case number, a running line "X v. Y" on later pages.
"""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from docpipe_assets.sentences import sentence_starts
from docpipe_assets.word_lists import RUNNING_CAPTION_SMALL_WORDS

_ROLE_WORD = (
    r"(?:(?:third[- ]party|cross|counter|counterclaim)[- ]?)?"
    r"(?:plaintiff|defendant|petitioner|respondent|appellant|appellee|claimant|complainant|intervenor|relator"
    r"|movant|garnishee|debtor|creditor)s?(?:\(s\))?"
)
ROLE = re.compile(rf"\b{_ROLE_WORD}(?:(?:\s*[-/–]\s*|\s*,?\s+and\s+|\s*&\s*){_ROLE_WORD})*(?![’'\w])", re.I)
_OPPOSITES = {
    "plaintiff": "defendant",
    "petitioner": "respondent",
    "appellant": "appellee",
    "claimant": "respondent",
    "complainant": "respondent",
}
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
    r"^\W*(?:(?:civil|criminal)\s+)?(?:action|case|cause|docket|index|file)?\s*(?:no|number)s?\b\.?", re.I
)
_COUNSEL_OR_SIGNATURE = re.compile(
    r"\b(?:attorneys?|counsel)\s+for\b|\bSBN\b|\bBar No|@|\(\d{3}\)\s?\d{3}", re.I
)
_REPORTER = re.compile(r"\d\s+(?:[A-Z]\w*\.|U\.\s?S|F\.|S\.\s?Ct)|\(\d{4}\)|§")
_RUNNING_LINE = re.compile(
    r"^[^\S\n]*(?:(?:Re|RE|In re|Case|Matter|Case Name|Caption|Subject)\s*:\s*)?"
    r"(?P<left>[A-Z][^\n]{1,90}?)[^\S\n]+(?P<versus>[Vv][Ss]?\.)[^\S\n]+(?P<right>[A-Z][^\n]{1,90}?)[^\S\n]*$",
    re.M,
)
_ON_BEHALF = re.compile(
    r"\b(?:by and through|through (?:his|her|its|their)|guardian|next friend|on behalf of|judge|hon\b"
    r"|presiding|clerk)",
    re.I,
)

_NOTHING_OR_COLUMN = re.compile(r"\s*$|\s*[)§|}\]:](?=\s|$)|\s{3,}|\t")
_AFTER_ROLE = " .,;:()[]§|}\t\n\f"
_LEFT_CHARACTERS, _LEFT_LINES = 900, 14
_RIGHT_CHARACTERS, _RIGHT_LINES_WITHOUT_ROLE = 1600, 3


class PartySpan(NamedTuple):
    """Where the names of one side stand (in one or more pieces of text), and their role."""

    pieces: tuple[tuple[int, int], ...]
    role: str | None
    start: int
    end: int
    """The span that shows both names and role."""

    def holds(self, start: int, end: int) -> bool:
        return any(first <= start and end <= last for first, last in self.pieces)


class Caption(NamedTuple):
    """Two sides of a case; ``is_running`` for a line "X v. Y" without roles."""

    left: PartySpan
    right: PartySpan
    is_running: bool = False


class CounselSpan(NamedTuple):
    """Who acts for whom: where the attorneys stand, where the client stands, and the client's role."""

    attorneys: tuple[int, int]
    client: tuple[int, int]
    role: str | None


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
    """The parts of a compound role: a counsel line may name one of them only."""
    return tuple(match.group() for match in re.finditer(_ROLE_WORD, role or ""))


def side_of(role: str | None) -> str | None:
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
    if right is None or not (left.role or right.role):
        return None
    if left.role is None:
        left = left._replace(role=_OPPOSITES.get(side_of(right.role) or ""))
    if right.role is None:
        right = right._replace(role=_OPPOSITES.get(side_of(left.role) or ""))
    return Caption(left, right)


def _ends_with_role(text: str, end: int) -> bool:
    """Whether a role stands directly before an offset: looked at first, because briefs are full of "v."."""
    before = text[max(0, end - 100) : end]
    return any(not before[role.end() :].strip(_AFTER_ROLE) for role in ROLE.finditer(before))


def _left_side(text: str, end: int) -> PartySpan | None:
    """The block above "v.": back to the title of the court, the case number, or the counsel's block."""
    limit = max(0, end - _LEFT_CHARACTERS)
    start = end
    role: re.Match[str] | None = None
    for count, (first, last) in enumerate(_lines_before(text, end)):
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
            or _REPORTER.search(left_column)
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


def _right_side(text: str, start: int, stands_alone: bool) -> PartySpan | None:
    """What follows "v.", up to the role; without one, the rest of the line or a few lines."""
    limit = min(len(text), start + _RIGHT_CHARACTERS)
    following = _VERSUS.search(text, start)
    limit = following.start() if following and following.start() < limit else limit
    for role in ROLE.finditer(text, start, limit):
        ends_phrase = re.compile(r"\s*(?:[.,;:)]|$|\n|\s{2,}|[§|])").match(text, role.end())
        if ends_phrase:
            pieces = _left_column(text, start, role.start())
            return PartySpan(pieces, role_of(role.group()), start, role.end()) if pieces else None
    end = start
    for _ in range(_RIGHT_LINES_WITHOUT_ROLE if stands_alone else 1):
        line_end = text.find("\n", end + 1)
        end = limit if line_end < 0 else min(line_end, limit)
        if text[start:end].rstrip()[-1:] == ".":
            break
    pieces = _left_column(text, start, end)
    return PartySpan(pieces, None, start, end) if pieces else None


def _running_caption(line: "re.Match[str]") -> Caption | None:
    text = line.group().rstrip()
    ends_a_sentence = text.endswith(".") and not re.search(
        r"(?:al|Inc|Corp|Co|Ltd|LLC|L\.L\.C|LLP|Jr|Sr)\.$", text
    )
    if _REPORTER.search(text) or ends_a_sentence:
        return None
    words = re.sub(r"[,;()]", " ", text).split()
    if len(words) > 18 or any(w[0].islower() and w.lower() not in RUNNING_CAPTION_SMALL_WORDS for w in words):
        return None
    sides = [
        PartySpan(((line.start(name), line.end(name)),), None, line.start(name), line.end(name))
        for name in ("left", "right")
    ]
    return Caption(sides[0], sides[1], is_running=True)


def _lines_before(text: str, end: int) -> Iterator[tuple[int, int]]:
    """Lines above an offset, nearest first; the first is what stands before it on its own line."""
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
    """Whether the words before a name say that it is not a party: a guardian, a judge."""
    return _ON_BEHALF.search(gap) is not None


def roles_before_names(text: str) -> Iterator[tuple[str, int, int]]:
    """Every role that stands directly before something: role, its start, and where the name would begin.

    A line end between the two counts only in running text: below "For the Plaintiff" stands her counsel.
    """
    for match in ROLE.finditer(text):
        after = _GAP_BEFORE_NAME.match(text, match.end())
        if after is None or not text[match.start()].isupper():
            continue
        line_start = text.rfind("\n", 0, match.start()) + 1
        if "\n" not in after.group() or match.end() - line_start > _PROSE_LINE_CHARACTERS:
            yield role_of(match.group()), match.start(), after.end()


_GAP_BEFORE_NAME = re.compile(r"[^\S\n]*\n?[^\S\n]*(?<=\s)(?=[A-Z\"“])")
_PROSE_LINE_CHARACTERS = 45
_COUNSEL_LINE = re.compile(
    r"\b(?:(?:co-|lead\s+)?(?:attorneys?|counsel|lawyers?|solicitors?)(?:\s+(?:of\s+record|at\s+law))?)\s+for\s+"
    r"(?:the\s+)?(?P<client>[^\n:;]{3,160})(?P<colon>:)?",
    re.I,
)
_APPEARANCE = re.compile(
    r"^[^\S\n]*(?:APPEARING\s+)?(?:FOR|ON BEHALF OF)\s+(?:THE\s+)?(?P<client>[^\n:]{3,120}):?[^\S\n]*$",
    re.I | re.M,
)
_FOR_ROLE = re.compile(
    rf",\s+for\s+(?:the\s+)?(?P<client>{_ROLE_WORD}(?:[-/]{_ROLE_WORD})*[^.;\n]{{0,60}})(?=[.;\n]|$)", re.I
)
_REPRESENTED = re.compile(
    r"\b(?:is|are|was|were)?\s*represented\s+(?:in\s+this\s+\w+\s+)?by\s+(?:counsel,?\s+|attorneys?\s+|the\s+law\s+firm\s+of\s+)?",
    re.I,
)
_PROSE_AFTER_CLIENT = re.compile(
    r"(?<![A-Z])(?<!Inc)(?<!Corp)(?<!Co)(?<!Ltd)\.(?=\s)|,\s+[a-z]"
    r"|\s+(?:that|who|and [a-z]|is|was|has|had|[a-z]+ed)\b"
)
_BLOCK_STOP = re.compile(
    r"respectfully submitted|^\s*dated\b|\bcertif|\bv\.|\bhereby\b|^\s*for\b|\bCOURT\b"
    r"|\balso present\b|\breported by\b",
    re.I,
)
_BLOCK_LINES, _BLOCK_CHARACTERS = 12, 600


def counsel(text: str) -> Iterator[CounselSpan]:
    """Counsel lines of a page: signature blocks, appearances, ", for the appellant", "represented by"."""
    last = 0
    for match in _COUNSEL_LINE.finditer(text):
        line_start = text.rfind("\n", 0, match.start()) + 1
        if text[line_start : match.start()].strip(" \t(*") or text[match.start()].islower():
            found = _in_prose(text, match)
        elif match["colon"] or not text[: match.start()].strip():
            client = _client_span(text, match)
            found = CounselSpan(_block_after(text, client[1]), client, _role_in(text, client))
        else:
            client = _client_span(text, match)
            attorneys = (_block_top(text, match.start(), last), match.start())
            found = CounselSpan(attorneys, client, _role_in(text, client))
        last = found.client[1]
        yield found
    for match in _APPEARANCE.finditer(text):
        if ROLE.search(match["client"]):
            client = match.span("client")
            yield CounselSpan(_block_after(text, match.end()), client, _role_in(text, client))
    last = 0
    for match in _FOR_ROLE.finditer(text):
        client = match.span("client")
        first = max(last, text.rfind("\n\n", 0, match.start()) + 1, match.start() - 300)
        start = first + max(sentence_starts(text[first : match.start()]), default=0)
        last = client[1] + 1
        yield CounselSpan((start, match.start()), client, _role_in(text, client))
    for match in _REPRESENTED.finditer(text):
        client = (max(text.rfind(". ", 0, match.start()) + 1, match.start() - 100, 0), match.start())
        end = re.compile(r"\.\s|\n\n|;|$").search(text, match.end(), match.end() + 120)
        attorneys = (match.end(), end.start() if end else min(len(text), match.end() + 120))
        yield CounselSpan(attorneys, client, _role_in(text, client))


def _in_prose(text: str, match: "re.Match[str]") -> CounselSpan:
    """ "Jane Roe, counsel for Plaintiff Acuity, stated": one name before, one client after."""
    start, end = match.span("client")
    cut = _PROSE_AFTER_CLIENT.search(text, start, end)
    client = (start, cut.start() if cut else end)
    sentence = max(text.rfind(". ", 0, match.start()) + 1, match.start() - 80, 0)
    return CounselSpan((sentence, match.start()), client, _role_in(text, client))


def _client_span(text: str, match: "re.Match[str]") -> tuple[int, int]:
    """The client's part of a counsel line; a line that breaks off goes on in the next one."""
    start, end = match.span("client")
    while end < len(text) and end - start < 300:
        breaks_off = re.search(r"(?:,|\band|&)\s*$", text[start:end], re.I)
        goes_on = re.compile(r"[^\S\n]*\n[^\S\n]*(?:and\b|&)", re.I).match(text, end)
        if not (breaks_off or goes_on) or "\n" not in text[end:]:
            break
        following = text.find("\n", text.index("\n", end) + 1)
        end = len(text) if following < 0 else following
    return start, end


def _block_top(text: str, end: int, floor: int) -> int:
    """Where the signature block that ends at ``end`` begins."""
    top = end
    for count, (first, last) in enumerate(_lines_before(text, end)):
        line = text[first:last].strip()
        is_prose = len(line) > 70 and line.endswith(".")
        if (
            first < floor
            or count > _BLOCK_LINES
            or end - first > _BLOCK_CHARACTERS
            or is_prose
            or _BLOCK_STOP.search(line)
        ):
            break
        top = first
    return top


def _block_after(text: str, start: int) -> tuple[int, int]:
    """The lines after a heading "For the Plaintiff:", up to the next heading of that kind."""
    end = min(len(text), start + _BLOCK_CHARACTERS)
    for pattern in (_APPEARANCE, _COUNSEL_LINE):
        following = pattern.search(text, start, end)
        end = following.start() if following else end
    lines = text[start:end].split("\n")[: _BLOCK_LINES + 1]
    kept = list(takewhile(lambda line: not _BLOCK_STOP.search(line), lines))
    return start, start + len("\n".join(kept))


def _role_in(text: str, span: tuple[int, int]) -> str | None:
    match = ROLE.search(text, *span)
    return role_of(match.group()) if match else None
