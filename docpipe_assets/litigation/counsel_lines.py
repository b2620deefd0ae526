"""Parses the counsel lines of a court paper: signature blocks, appearances, and who represents whom.

Works on the text of one page and returns spans, like ``captions``.
"""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from docpipe_assets.litigation.captions import ROLE, ROLE_WORD, lines_before, role_of
from docpipe_assets.text.sentences import sentence_starts

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
    rf",\s+for\s+(?:the\s+)?(?P<client>{ROLE_WORD}(?:[-/]{ROLE_WORD})*(?:\s+(?-i:[A-Z])[^.;\n]{{0,60}})?)"
    r"(?=\s*(?:[.;\n]|$))",
    re.I,
)
_REPRESENTED = re.compile(
    r"\b(?:is|are|was|were)?\s*represented\s+(?:in\s+this\s+\w+\s+)?by:?\s+(?:counsel,?\s+|attorneys?\s+|the\s+law\s+firm\s+of\s+)?",
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


class CounselSpan(NamedTuple):
    """The spans of attorneys and client, and the role of the client."""

    attorneys: tuple[int, int]
    client: tuple[int, int]
    role: str | None


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
    """One name before, one client after: "Jane Roe, counsel for Plaintiff Acuity, stated"."""
    start, end = match.span("client")
    cut = _PROSE_AFTER_CLIENT.search(text, start, end)
    client = (start, cut.start() if cut else end)
    sentence = max(text.rfind(". ", 0, match.start()) + 1, match.start() - 80, 0)
    return CounselSpan((sentence, match.start()), client, _role_in(text, client))


def _client_span(text: str, match: "re.Match[str]") -> tuple[int, int]:
    """The client in a counsel line; an incomplete line continues on the next one."""
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
    """Start of the signature block that ends at ``end``."""
    top = end
    for count, (first, last) in enumerate(lines_before(text, end)):
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
    """The lines after a heading "For the Plaintiff:", up to the next such heading."""
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
