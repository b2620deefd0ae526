"""Tokens with exact offsets, and their features for the CRF; training and tagging use the same code."""

import re
import sys
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from docpipe_assets.engines.ner.crf.gazetteers import Gazetteer

FEATURES_VERSION = "1"

# Abbreviations keep their full stop: "Inc." belongs to a name, the stop that ends a sentence does not.
_ABBREVIATIONS = (
    "Inc|Corp|Co|Ltd|Bros|Assn|Ass'n|Dept|Mfg|Int'l|Intl|Univ|Hosp|Dr|Mr|Mrs|Ms|Messrs|Jr|Sr|St|Ste|Esq|No|Nos|Hon|"
    "Prof|Lt|Sgt|Det|Capt|Ofc|Cpl|Rev|Gov|Sen|Rep|Ave|Blvd|Rd|Ln|Hwy|Pkwy|Apt|Ct|vs?|Ph|Jan|Feb|Mar|Apr|Jun|Jul|"
    "Aug|Sept?|Oct|Nov|Dec"
)
_TOKEN = re.compile(
    rf"""
      (?:[^\W\d_]{{1,2}}\.){{2,}}                 # U.S.  J.R.  L.L.P.  Ph.D.
    | (?=[\w']{{1,6}}\.)(?i:{_ABBREVIATIONS})\.   # Inc.  Dr.
    | [A-Z]\.                                     # the initial of a name
    | [A-Z]+(?:&[A-Z]+)+                          # AT&T
    | ['’][sS]\b                                  # the possessive is never part of a name
    | [^\W\d_]+(?:['’][^\W\d_]{{2,}})*            # words, O'Brien
    | \d+(?:[.,:/]\d+)*                           # numbers, times, dates with slashes
    | \S
    """,
    re.VERBOSE,
)

# Longer sequences do not improve accuracy, and the memory of the tagger grows with their length.
_MAX_SEQUENCE_TOKENS = 1_500
_CACHED_WORDS = 4_000
"""Size of each of the two generations of the word cache; about 10 MB at most."""
_MAX_WORD_CHARACTERS = 40


@dataclass(frozen=True)
class Tokens:
    """Parallel lists: the words of a text, their offsets, and the break before each word.

    A break is ``""`` (none), ``" "``, ``"t"`` (a gap as between columns), ``"n"`` (new line) or ``"p"``
    (empty line).
    """

    words: list[str]
    starts: list[int]
    ends: list[int]
    breaks: list[str]


def _break(white: str) -> str:
    if not white:
        return ""
    if "\n" in white or "\r" in white or "\f" in white:
        return "p" if white.count("\n") > 1 or "\f" in white else "n"
    return "t" if len(white) > 1 or "\t" in white else " "


def tokenize(text: str) -> Tokens:
    """Tokens in the order of the text; ``text[starts[i]:ends[i]] == words[i]`` always."""
    tokens = Tokens([], [], [], [])
    last = 0
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        tokens.words.append(match.group())
        tokens.starts.append(start)
        tokens.ends.append(end)
        tokens.breaks.append(_break(text[last:start]) if last else "p")
        last = end
    return tokens


def sequences(tokens: Tokens) -> list[tuple[int, int]]:
    """Ranges of tokens to tag as one sequence; long texts are cut at a line or sentence end."""
    ranges: list[tuple[int, int]] = []
    start, total = 0, len(tokens.words)
    while start < total:
        end = min(total, start + _MAX_SEQUENCE_TOKENS)
        if end < total:
            for cut in range(end, start + _MAX_SEQUENCE_TOKENS // 2, -1):
                if tokens.breaks[cut] in ("n", "p") or tokens.words[cut - 1] == ".":
                    end = cut
                    break
        ranges.append((start, end))
        start = end
    return ranges


def _shape(word: str) -> str:
    return "".join(
        "X" if c.isupper() else "x" if c.isalpha() else "d" if c.isdigit() else c
        for c in word[:_MAX_WORD_CHARACTERS]
    )


def _shared(features: list[str]) -> list[str]:
    """Intern the features, so that each string is stored once."""
    return list(map(sys.intern, features))


def _short(shape: str) -> str:
    return re.sub(r"(.)\1+", r"\1+", shape)


def _frequency_class(word: str, frequencies: Mapping[str, float]) -> str:
    """Frequency class of a word in English, in powers of ten; names in capitals are recognized by
    being rare.
    """
    frequency = frequencies.get(word)
    if frequency is None:
        return "0"
    return "1" if frequency < 3e-6 else "2" if frequency < 1e-5 else "3" if frequency < 1e-4 else "4"


class Featurizer:
    """Converts tokens to features; caches the features that depend on the word only, because words recur."""

    def __init__(self, gazetteer: Gazetteer, frequencies: Mapping[str, float]) -> None:
        self._gazetteer = gazetteer
        self._frequencies = frequencies
        self._cache: dict[str, tuple[list[str], ...]] = {}
        self._previous_cache: dict[str, tuple[list[str], ...]] = {}

    def features(
        self, tokens: Tokens, start: int, end: int, lowercase_words: Container[str]
    ) -> list[list[str]]:
        """A list of features for each token from start to end (exclusive)."""
        words = tokens.words[start:end]
        breaks = tokens.breaks[start:end]
        lowered = [word.lower() for word in words]
        by_word = [self._of_word(word) for word in words]
        extra = [[f"br={b}"] for b in breaks]
        self._mark_lines(words, breaks, extra)
        self._mark_company(words, lowered, breaks, extra)
        self._mark_places(lowered, extra)
        known_words = {word for word in set(lowered) if word.isalpha() and word in lowercase_words}
        known = [word in known_words for word in lowered]
        last = len(words) - 1
        rows: list[list[str]] = []
        for i, here in enumerate(by_word):
            row = here[0] + extra[i]
            if known[i]:
                row.append("doclow")
            if i > 0:
                row += by_word[i - 1][1]
                row.append(f"-1|0={here[6][0]}|{by_word[i - 1][6][0]}")
                if known[i - 1]:
                    row.append("-1doclow")
            else:
                row.append("-1=BOS")
            if i > 1:
                row += by_word[i - 2][3]
            if i < last:
                row += by_word[i + 1][2]
                row.append("+br=" + breaks[i + 1])
                if known[i + 1]:
                    row.append("+1doclow")
            else:
                row.append("+1=EOS")
            if i + 1 < last:
                row += by_word[i + 2][4]
            rows.append(row)
        return rows

    def _of_word(self, word: str) -> tuple[list[str], ...]:
        """Features of a word for its own position, for its neighbours at +1, -1, +2, -2, and its shape."""
        remembered = self._cache.get(word)
        if remembered is None:
            if len(self._cache) >= _CACHED_WORDS:
                self._cache, self._previous_cache = {}, self._cache
            remembered = self._previous_cache.get(word) or self._describe(word)
            self._cache[word] = remembered
        return remembered

    def _describe(self, word: str) -> tuple[list[str], ...]:
        low = word.lower()[:_MAX_WORD_CHARACTERS]
        shape = _shape(word)
        short = _short(shape)
        frequency = _frequency_class(low, self._frequencies)
        classes = self._gazetteer.words.get(low, ())
        key = low if not low[0].isdigit() else short
        own = [f"w={key}", f"s={shape[:12]}", f"ss={short}", f"f={frequency}", f"f={frequency}|{short}"]
        if word[0].isalpha():
            own += [f"p{n}={low[:n]}" for n in (2, 3, 4) if len(low) > n]
            own += [f"x{n}={low[-n:]}" for n in (2, 3, 4) if len(low) > n]
        own += [f"g={name}" for name in classes]
        own += [f"g={name}|{short}" for name in classes]
        if short in ("X+", "Xx+", "X", "Xx") and not classes:
            own.append(f"g=none|{short}")
        near = [f"={key}", f"ss={short}", f"f={frequency}", *(f"g={name}" for name in classes)]
        far = [f"={key}", f"ss={short}", *(f"g={name}" for name in classes)]
        return (
            _shared(own),
            _shared([f"-1{feature}" for feature in near]),
            _shared([f"+1{feature}" for feature in near]),
            _shared([f"-2{feature}" for feature in far]),
            _shared([f"+2{feature}" for feature in far]),
            [low],
            [short],
        )

    @staticmethod
    def _mark_lines(words: Sequence[str], breaks: Sequence[str], extra: list[list[str]]) -> None:
        """Mark tokens of lines without a lower-case letter, in which capitals carry no information."""
        start = 0
        for i in range(1, len(words) + 1):
            if i == len(words) or breaks[i] in ("n", "p"):
                line = words[start:i]
                is_capitals = not any(c.islower() for word in line for c in word)
                for j in range(start, i):
                    if is_capitals:
                        extra[j].append("capsline")
                    if i - start <= 6:
                        extra[j].append("shortline")
                start = i

    def _mark_company(
        self, words: Sequence[str], lowered: Sequence[str], breaks: Sequence[str], extra: list[list[str]]
    ) -> None:
        """Mark each word with the contexts in which the same word occurs in this text.

        "Meridian" alone is ambiguous; with "Meridian Tool Co." elsewhere in the text it is a company, with
        "Mr. Meridian" a person.
        """
        classes = self._gazetteer.words
        seen: dict[str, set[str]] = {}
        start = 0
        for i in range(len(words) + 1):
            if i < len(words) and (words[i][0].isupper() or words[i] == "&") and breaks[i] in ("", " "):
                continue
            run = range(start, i)
            start = i
            if len(run) < 2:
                continue
            kinds = [classes.get(lowered[j], ()) for j in run]
            if "title" in kinds[0]:
                seen.setdefault(lowered[run[1]], set()).add("titled")
            if any("suffix" in kind or "orgword" in kind or "trade" in kind for kind in kinds[1:]):
                seen.setdefault(lowered[run[0]], set()).add("orghead")
            elif len(run) <= 3 and ("first1" in kinds[0] or "first2" in kinds[0]):
                seen.setdefault(lowered[run[-1]], set()).add("surname")
                seen.setdefault(lowered[run[0]], set()).add("forename")
        for i, word in enumerate(lowered):
            if word in seen and words[i][0].isupper():
                extra[i] += [f"seen={kind}" for kind in sorted(seen[word])]

    def _mark_places(self, lowered: Sequence[str], extra: list[list[str]]) -> None:
        """Mark places of several words, longest first."""
        phrases = self._gazetteer.phrases
        skip_to = 0
        for i, word in enumerate(lowered):
            if i < skip_to or word not in phrases:
                continue
            for rest in phrases[word]:
                if tuple(lowered[i + 1 : i + 1 + len(rest)]) == rest:
                    extra[i].append("place=B")
                    for j in range(i + 1, i + 1 + len(rest)):
                        extra[j].append("place=I")
                    skip_to = i + 1 + len(rest)
                    break
