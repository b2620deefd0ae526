"""Splits legal text into sentences: abbreviations, citations, depositions, numbered paragraphs, headings.

A rule-based splitter: every stop and every line end is a candidate, which rules judge by the word before and
the text after. Lines of a PDF are wrapped, so a line end alone is weak evidence; the start of the next line,
or a short line, is stronger.
"""

import re
from collections.abc import Iterator

from docpipe_assets.text.word_lists import (
    ABBREVIATIONS_THAT_ARE_WORDS,
    CLOSING_ABBREVIATIONS,
    CONNECTIVES,
    OPEN_ABBREVIATIONS,
    SENTENCE_STARTERS,
    TITLE_CASE_SMALL_WORDS,
)

PARAGRAPH_SEPARATOR = "\N{PARAGRAPH SEPARATOR}"
"""Replaces the line end before a known paragraph start; has the effect of a blank line."""

_CANDIDATE = re.compile(
    r"(?P<stop>[.?!…][\"'”’)\]]*(?:\[\d{1,3}\]|[\u2009 ][”’])?)(?P<gap>\s+)|(?P<line>[\r\n\f\u2029]\s*)"
)
_LAST_WORD = re.compile(r"[^\s(\[{“\"‘,;—–/]*$")
_INITIALS = re.compile(r"(?:[A-Za-z]\.)*[A-Za-z]")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n|\r\n[^\S\n]*\r\n|\u2029")
_LINE_ENDS = "\n\f\u2029"
_OPENERS = "\"'“‘([*"
_LINE_OPENING = re.compile(
    r"""(?: [QA][.:]?\s+\S              # the lines of a deposition
        | (?:THE\sWITNESS|THE\sCOURT|M[RS]S?\.\s[A-Z'\-]+|BY\sM[RS]S?\.\s[A-Z'\-]+):
        | \(?\d{1,3}[.)]\s+\S           # numbered paragraphs
        | \([a-z]{1,3}\)\s+\S
        | [IVX]{1,5}\.\s+\S
        | [•▪●○◦■–—\-*]\s+\S
        | (?:From|To|Cc|Bcc|Sent|Subject|Date|Re|RE|FROM|TO|DATE|SUBJECT|CC)\s*:
        )""",
    re.X,
)
_NUMBERING = re.compile(r"\s*(?:¶\s*)?(?:\(?(?:\d{1,3}|[IVXivx]{1,5}|[A-Za-z])[.)]|[QA][.:]?|§+\s*\d+\.)\s*")
_NUMBERED_HEADING = re.compile(
    r"(?:(?:[IVX]{1,5}|[A-Z]|\d{1,2}(?:\.\d{1,2})*)\.|(?:ARTICLE|SECTION|PART|COUNT|Article|Section|Part|Count)\s[\dIVX]+[.:]?)\s+(?P<title>\S.*)"
)
_STAMP = re.compile(r"\d{4}$")  # Bates labels, docket numbers and years stand alone on a line, too
_SHORT_LINE_CHARACTERS = 48
_HEADING_CHARACTERS = 100


def heading_of(line: str) -> str | None:
    """The line as a heading, or None: all capitals, or numbered and in title case."""
    text = " ".join(line.split())
    if not 3 <= len(text) <= _HEADING_CHARACTERS or text[-1] in ",;?!-" or _STAMP.search(text):
        return None
    letters = [c for c in text if c.isalpha()]
    if len(letters) < 3 or len(letters) < len(text) * 0.5:
        return None
    if all(c.isupper() for c in letters):
        return (
            text
            if (re.search(r"[A-Z]{3}", text) and not _LINE_OPENING.match(text)) or _is_numbered(text)
            else None
        )
    return text if _is_numbered(text) else None


def _is_numbered(text: str) -> bool:
    match = _NUMBERED_HEADING.match(text)
    if match is None or text.endswith("."):
        return False
    words = match["title"].split()
    return len(words) <= 12 and all(
        w[0].isupper() or w[0].isdigit() or w.lower() in TITLE_CASE_SMALL_WORDS for w in words
    )


def sentence_starts(text: str) -> Iterator[int]:
    """Offsets where a sentence begins, ascending; the first is that of the first visible character.

    A decision depends on no more than the line after the candidate, so text may be passed in portions: all
    starts except the last one are final.
    """
    first = len(text) - len(text.lstrip())
    if first == len(text):
        return
    yield first
    start = first
    for match in _CANDIDATE.finditer(text, first):
        end = match.end()
        if end >= len(text):
            return
        if match["stop"] is not None:
            ends = _ends_at_stop(text, start, match.start(), match["stop"], match["gap"], end)
        else:
            ends = _ends_at_line(text, start, match.start(), match["line"], end)
        if ends:
            yield end
            start = end


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """The spans of the sentences, without the white space between them."""
    start: int | None = None
    for following in sentence_starts(text):
        if start is not None:
            yield start, start + len(text[start:following].rstrip())
        start = following
    if start is not None:
        yield start, start + len(text[start:].rstrip())


def _ends_at_stop(text: str, start: int, at: int, stop: str, gap: str, following: int) -> bool:
    if _BLANK_LINE.search(gap) or _is_line_opening(text, gap, following):
        return True
    if text[following] == ".":
        return False
    if start == at or text.startswith(". .", max(start, at - 2)):
        # A spaced ellipsis ends a sentence if it has a fourth stop and a capital follows.
        return text.startswith(". . . .", max(start, at - 6)) and text[following].isupper()
    after = following
    while after < len(text) - 1 and text[after] in _OPENERS:
        after += 1
    if text[after].islower():
        return False
    if stop[0] != ".":
        return True
    word = _LAST_WORD.search(text, max(start, at - 24), at)
    return word is None or not _goes_on(text, start, word, stop, gap, following, after)


def _goes_on(
    text: str, start: int, word: "re.Match[str]", stop: str, gap: str, following: int, after: int
) -> bool:
    """Whether the stop belongs to an abbreviation, an initial or a number, and the sentence continues."""
    token = word.group().rstrip(".").lower()
    if _NUMBERING.fullmatch(text, start, following):
        return True
    if stop != "." and stop[1:].strip(")]"):  # a closing quotation mark after the stop ends the sentence
        return False
    next_word = re.compile(r"[^\s,.;:]+").match(text, after)
    starts_anew = next_word is not None and next_word.group() in SENTENCE_STARTERS
    if len(token) == 1 and token.isalpha():
        return word.group().isupper() or not starts_anew
    if token in ABBREVIATIONS_THAT_ARE_WORDS and word.group().islower():
        return text[after].isdigit()
    if token in OPEN_ABBREVIATIONS or (token.rpartition(".")[2] in OPEN_ABBREVIATIONS and "." in token):
        return stop == "." or not starts_anew
    if token in CLOSING_ABBREVIATIONS or _INITIALS.fullmatch(token):
        return not starts_anew
    return False


def _is_line_opening(text: str, gap: str, following: int) -> bool:
    return any(end in gap for end in _LINE_ENDS) and _LINE_OPENING.match(text, following) is not None


def _ends_at_line(text: str, start: int, at: int, gap: str, following: int) -> bool:
    if _BLANK_LINE.search(gap):
        return True
    if _LINE_OPENING.match(text, following):
        return True
    line_start = max(start, *(text.rfind(end, start, at) + 1 for end in _LINE_ENDS))
    line = text[line_start:at].rstrip()
    if not line:
        return False
    following_line = _line_at(text, following)
    if heading_of(line):
        return not (heading_of(following_line) and _is_wrapped(line))
    if heading_of(following_line):
        return True
    next_character = text[following]
    if next_character.islower() or next_character in ",;)":
        return False
    return not _is_wrapped(line)


def _is_wrapped(line: str) -> bool:
    """Whether the sentence of a line seems to continue on the next one."""
    words = line.split()
    return (
        len(line) > _SHORT_LINE_CHARACTERS or line.rstrip()[-1] in ",-–" or words[-1].lower() in CONNECTIVES
    )


def _line_at(text: str, start: int) -> str:
    end = re.compile(r"[\r\n\f\u2029]").search(text, start)
    return text[start : end.start() if end else len(text)]
