"""Parses names of people, organisations and places, and decides whether two names may be the same.

Two names are compared part by part: parts present in both must agree, parts missing in one are ignored.
Agreement means "may be the same", not "is the same"; the stage decides whether a name has exactly one
possible owner in a document.
"""

import re
import unicodedata
from dataclasses import dataclass
from sys import intern

from docpipe_assets.text.word_lists import (
    DEGREES,
    GENERATIONS,
    GENERIC_ORGANISATION_WORDS,
    INSIGNIFICANT_WORDS,
    LEGAL_FORMS,
    NICKNAMES,
    PARTICLES,
    TITLES,
    TITLES_BEFORE_FIRST_NAMES,
    TITLES_OF_MEN,
    TITLES_OF_WOMEN,
)

_FIRST_WORDS = "first words"
_FIRST_NAME = "first name"
_SHORT_FIRST_NAME = "short first name"
_FIRST_LAST_NAME = "first of two last names"
WEAK_REASONS = frozenset({_FIRST_WORDS, _FIRST_NAME, _SHORT_FIRST_NAME, _FIRST_LAST_NAME})
"""If a name fits several groups, one with a stronger reason than these is preferred: "Chen" is Maria Chen
rather than Chen Wei."""

_NICKNAME_GROUPS: dict[str, frozenset[str]] = {}
for _group in NICKNAMES:
    _formal, *_short = _group.split()
    for _name in _group.split():
        # A short name matches its formal name and its variants; it never connects two formal names.
        _NICKNAME_GROUPS[_name] = _NICKNAME_GROUPS.get(_name, frozenset()) | frozenset(_group.split())

_NICKNAME = re.compile(r"[\"“”'‘(]\s*([^\"“”'‘’()]{2,20}?)\s*[\"“”'’)](?=\s|$)")
_POSSESSIVE = re.compile(r"\s*(?:'s|')$")
_COMPACT_INITIALS = re.compile(r"(?:[a-z]\.){2,}[a-z]?\.?|[a-z]\.[a-z]\.?")


def plain(text: str) -> str:
    """Lower case, without accents, white space collapsed, typographic characters replaced by plain ones."""
    text = unicodedata.normalize("NFKD", text.replace("’", "'").replace("‘", "'").replace("–", "-"))
    return " ".join("".join(c for c in text if not unicodedata.combining(c)).casefold().split())


@dataclass(frozen=True, slots=True)
class PersonName:
    """The normalized parts of a person's name. A single ``last`` may turn out to be a first name."""

    last: str
    first: str | None = None
    middles: tuple[str, ...] = ()
    generation: str | None = None
    nickname: str | None = None
    is_man: bool | None = None
    """According to the title; None if it does not say."""
    has_title: bool = False
    names_first: bool = False
    """A single name after a title for first names: ``Queen Anne``."""

    @classmethod
    def parse(cls, text: str) -> "PersonName | None":
        """The parts of a name, or None if the text contains no name."""
        text = _POSSESSIVE.sub("", plain(text).strip(" ,;:-"))
        nickname = _NICKNAME.search(text)
        if nickname and nickname.start() > 0:
            text = text[: nickname.start()] + " " + text[nickname.end() :]
        groups = [_tokens(part) for part in text.split(",")]
        titles = [t for group in groups for t in _leading_titles(group)]
        groups = [group[len(_leading_titles(group)) :] for group in groups]
        generation = next((GENERATIONS[t] for g in groups for t in g[-1:] if t in GENERATIONS), None)
        groups = [kept for group in groups if (kept := _without_suffixes(group))]
        if not groups:
            return None
        tokens = groups[1] + groups[0] if len(groups) > 1 else groups[0]
        first_names, last = _split_last(tokens, len(groups[0]) if len(groups) > 1 else None)
        return cls(
            # A document has many names of few different parts; interning stores each part once.
            last=intern(last),
            first=intern(first_names[0]) if first_names else None,
            middles=tuple(map(intern, first_names[1:])),
            generation=generation,
            nickname=plain(nickname.group(1)) if nickname and nickname.start() > 0 else None,
            is_man=True if TITLES_OF_MEN & set(titles) else False if TITLES_OF_WOMEN & set(titles) else None,
            has_title=bool(titles),
            names_first=not first_names and bool(TITLES_BEFORE_FIRST_NAMES & set(titles)),
        )

    @property
    def is_single(self) -> bool:
        return self.first is None

    @property
    def fullness(self) -> int:
        """Completeness of the name: full parts weigh more than initials."""
        parts = [self.last, *((self.first,) if self.first else ()), *self.middles]
        return sum(1 if len(p) == 1 else 3 for p in parts) + sum(
            bool(p) for p in (self.generation, self.nickname)
        )

    @property
    def surname(self) -> str:
        """The last name without particles and hyphens, used as lookup key."""
        return self.last.split(" ")[-1].replace("-", "")

    @property
    def known_by(self) -> frozenset[str]:
        words = {self.surname, self.last.split("-")[-1].split(" ")[-1]}
        for name in (self.first, self.nickname, *self.middles[-1:]):
            if name and len(name) > 1:
                words |= _NICKNAME_GROUPS.get(name, frozenset({name}))
        return frozenset(words)

    @property
    def sought_by(self) -> frozenset[str]:
        """A single name may be any first name; a full one requires the same last name."""
        return self.known_by if self.is_single else frozenset({self.surname})

    def reason_if_compatible(self, other: "PersonName") -> str | None:
        """The reason why the two may be one person, or None if a part contradicts."""
        if _differ(self.is_man, other.is_man) or _differ(self.generation, other.generation):
            return None
        if self.is_single or other.is_single:
            return self._single_reason(other) if self.is_single else other._single_reason(self)
        return _given_reason(self, other) if _same_last(self, other) else None

    def _single_reason(self, other: "PersonName") -> str | None:
        """The reason why a single name and any other may be one person."""
        if other.is_single:
            return "same name" if _joined(self.last) == _joined(other.last) else None
        if not self.names_first and _same_last(self, other):
            return "last name"
        is_surname_by_title = self.has_title and not self.names_first
        if not is_surname_by_title and other.first is not None and len(other.first) > 1:
            if self.last == other.first or self.last == other.nickname:
                return _FIRST_NAME
            if self.last in _NICKNAME_GROUPS.get(other.first, ()):
                return _SHORT_FIRST_NAME
        # Of two last names (Ana Lopez Garcia) the first one is used in everyday life.
        return _FIRST_LAST_NAME if other.middles and self.last == other.middles[-1] else None


def _differ(one: object, other: object) -> bool:
    return one is not None and other is not None and one != other


def _joined(name: str) -> str:
    return re.sub(r"[\s'-]", "", name)


def _same_last(one: PersonName, other: PersonName) -> bool:
    if _joined(one.last) == _joined(other.last):
        return True
    longer, shorter = sorted((one.last, other.last), key=len, reverse=True)
    particles = longer.removesuffix(shorter).split()
    return longer.endswith(" " + shorter) and all(p in PARTICLES for p in particles)


def _given_reason(one: PersonName, other: PersonName) -> str | None:
    """The reason why first and middle names agree."""
    if one.first is None or other.first is None:
        return None
    first = _given_match(one.first, other.first)
    if first is None and one.nickname and _given_match(one.nickname, other.first):
        first = "nickname"
    if first is None and other.nickname and _given_match(other.nickname, one.first):
        first = "nickname"
    if first is None:
        for full, called in ((one, other), (other, one)):
            if (
                not called.middles
                and len(called.first or "") > 1
                and called.first in full.middles
                and len(full.first or "") == 1
            ):
                return "goes by the middle name"
        return None
    for mine, theirs in zip(one.middles, other.middles, strict=False):
        if _given_match(mine, theirs) is None:
            return None
    if first == "same" and one.middles != other.middles:
        return "same first and last name"
    return {"same": "same name", "initial": "initial and last name"}.get(
        first, "short first name and last name"
    )


def _given_match(one: str, other: str) -> str | None:
    if one == other:
        return "same"
    if len(one) == 1 or len(other) == 1:
        return "initial" if one[0] == other[0] else None
    if _joined(one) == _joined(other):
        return "same"
    return (
        "nickname"
        if other in _NICKNAME_GROUPS.get(one, ()) or one in _NICKNAME_GROUPS.get(other, ())
        else None
    )


def _tokens(part: str) -> list[str]:
    tokens: list[str] = []
    for token in part.replace("|", " ").split():
        if _COMPACT_INITIALS.fullmatch(token) and token.replace(".", "") not in DEGREES:
            tokens.extend(c for c in token if c != ".")
        else:
            token = token.replace(".", "").strip("\"'*();:")
            head, _, tail = token.partition("-")
            # al-Assad and al Assad are the same name; Garcia-Lopez is one last name.
            tokens.extend([head, tail] if head in PARTICLES and tail else [token])
    return [t for t in tokens if any(c.isalnum() for c in t)]


def _leading_titles(tokens: list[str]) -> list[str]:
    count = 0
    while count < len(tokens) and tokens[count] in TITLES:
        count += 1
    if count == len(tokens):  # a title alone may be a name: Mr. King, Mr. Justice
        count = max(count - 1, 0)
    return tokens[:count]


def _without_suffixes(tokens: list[str]) -> list[str]:
    while tokens and (tokens[-1] in GENERATIONS or tokens[-1] in DEGREES):
        tokens = tokens[:-1]
    return tokens


def _split_last(tokens: list[str], last_words: int | None) -> tuple[list[str], str]:
    """Given names and the last name with its particles."""
    at = len(tokens) - (last_words or 1)
    while last_words is None and at > 1 and tokens[at - 1] in PARTICLES:
        at -= 1
    if last_words is None and at == 1 and len(tokens) > 1 and tokens[0] in PARTICLES - {"ben", "al", "mac"}:
        at = 0
    return tokens[:at], " ".join(tokens[at:])


_ALIAS = re.compile(
    r"\(\s*(?:(?:hereinafter|collectively|the|or)\s+)*"
    r"(?P<quoted>[\"“'])?\s*(?P<alias>[^()\"“”]{2,40}?)\s*[\"”']?\s*\)",
    re.I,
)
_ORGANISATION_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|&")
_DOTTED = re.compile(r"\b(?:[^\W\d_]\.){2,}(?:[^\W\d_]\b\.?)?")


@dataclass(frozen=True, slots=True)
class OrganisationName:
    """The normalized words of an organisation's name, its legal form, and a short name in parentheses."""

    words: tuple[str, ...]
    legal_form: str | None = None
    alias: tuple[str, ...] | None = None
    is_acronym: bool = False

    @classmethod
    def parse(cls, text: str) -> "OrganisationName | None":
        bare, alias = _without_alias(text)
        words = _organisation_words(bare)
        legal_form = None
        while len(words) > 1 and words[-1] in LEGAL_FORMS:
            # "Co., Inc." counts as its last form.
            legal_form = legal_form or LEGAL_FORMS[words[-1]]
            words.pop()
            if words[-1] == "&" and len(words) > 1:
                words.pop()
        if not words:
            return None
        return cls(
            words=tuple(map(intern, words)),
            legal_form=legal_form,
            alias=alias,
            is_acronym=len(words) == 1 and _looks_like_acronym(bare),
        )

    @property
    def fullness(self) -> int:
        return 2 * len(self.words) + bool(self.legal_form) + bool(self.alias) - self.is_acronym

    @property
    def acronyms(self) -> frozenset[str]:
        """Its initials, with and without insignificant words."""
        all_words = "".join(w[0] for w in self.words if w != "&")
        weighty = "".join(w[0] for w in self.words if w not in INSIGNIFICANT_WORDS)
        found = {a for a in (all_words, weighty) if len(a) >= 2}
        if self.legal_form:
            found |= {a + self.legal_form[0] for a in found}
        return frozenset(found)

    @property
    def known_by(self) -> frozenset[str]:
        return frozenset({self.words[0], *self.acronyms, *(self.alias or ())[:1]})

    @property
    def sought_by(self) -> frozenset[str]:
        return frozenset({self.words[0], *(self.alias or ())[:1]})

    def reason_if_compatible(self, other: "OrganisationName") -> str | None:
        """The reason why the two may be one organisation, or None if a part contradicts."""
        if _differ(self.legal_form, other.legal_form):
            return None
        if self.words == other.words:
            return "same name"
        longer, shorter = (self, other) if self.fullness >= other.fullness else (other, self)
        if longer.alias and shorter.words == longer.alias:
            return "short name in brackets"
        if shorter.is_acronym and shorter.words[0] in longer.acronyms and not longer.is_acronym:
            return "initials"
        is_part = len(shorter.words) < len(longer.words) and not _is_generic(shorter.words)
        if is_part and not shorter.legal_form and longer.words[: len(shorter.words)] == shorter.words:
            return _FIRST_WORDS
        return None


def _without_alias(text: str) -> tuple[str, tuple[str, ...] | None]:
    """The name without a short name in parentheses, and that short name.

    Parentheses also distinguish branches, "Bank (Ohio)" and "Bank (Utah)": only initials, words of the name
    itself, or quoted text is a short name.
    """
    match = _ALIAS.search(text)
    if match is None or not text[: match.start()].strip():
        return text, None
    bare = (text[: match.start()] + " " + text[match.end() :]).strip()
    alias = tuple(_organisation_words(match["alias"]))
    words = _organisation_words(bare)
    is_short_name = (
        match["quoted"]
        or set(alias) <= set(words)
        or (len(alias) == 1 and alias[0] in OrganisationName(tuple(words)).acronyms)
    )
    return (bare, alias) if alias and words and is_short_name else (text, None)


def _is_generic(words: tuple[str, ...]) -> bool:
    return all(w in GENERIC_ORGANISATION_WORDS or w in INSIGNIFICANT_WORDS or len(w) == 1 for w in words)


def _organisation_words(text: str) -> list[str]:
    text = _POSSESSIVE.sub("", plain(text).strip(" ,;:-."))
    text = _DOTTED.sub(lambda m: m.group().replace(".", ""), text)
    words = ["&" if w == "and" else w for w in _ORGANISATION_WORD.findall(text)]
    return words[1:] if len(words) > 1 and words[0] == "the" else words


def _looks_like_acronym(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return 2 <= len(letters) <= 7 and all(c.isupper() for c in letters)


_UNITED_STATES = frozenset({"us", "usa", "u s", "u s a", "united states of america"})


def place_key(text: str) -> str:
    """The normalized name of a place, without article, possessive and punctuation."""
    words = _POSSESSIVE.sub("", plain(text)).replace(".", "").replace(",", " ").split()
    key = " ".join(words[1:] if len(words) > 1 and words[0] == "the" else words)
    return "united states" if key in _UNITED_STATES else key
