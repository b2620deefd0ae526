"""Invented people, companies and places for training, generated from word lists with a seed."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_SLOT = re.compile(r"\{(\w+)\}")


def _read_words(path: Path) -> dict[str, tuple[str, ...]]:
    """Lists of words and patterns by name; items are separated by bars, and spaces in them are
    significant.
    """
    lists: dict[str, tuple[str, ...]] = {}
    name = ""
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif line and not line.startswith("#"):
            lists[name] = (*lists.get(name, ()), *line.removesuffix("|").split("|"))
    return lists


WORDS = _read_words(Path(__file__).with_suffix(".txt"))


@dataclass(frozen=True)
class WordLists:
    """Source words of names. Names of people are ordered by frequency, cities by size."""

    first: Sequence[str]
    last: Sequence[str]
    cities: Sequence[str]
    foreign_cities: Sequence[str]
    states: Sequence[tuple[str, str]]
    countries: Sequence[str]
    counties: Sequence[str]


class Names:
    """Generates invented names of all kinds from one random generator.

    Within a document, people and companies recur under shorter names, as in real documents.
    """

    def __init__(self, lists: WordLists, rng: random.Random) -> None:
        self._lists = lists
        self._rng = rng
        self._people: list[tuple[str, str]] = []
        self._short_names: list[str] = []
        self._kinds: dict[str, Callable[[], str]] = {
            "person": self.person,
            "full": lambda: " ".join(self._somebody()),
            "first": self._first,
            "last": self._last,
            "last_first": self._last_first,
            "last_initial": lambda: f"{self._last()}, {self._expand('{initials}')}",
            "initial_last": lambda: f"{self._expand('{initials}')} {self._last()}",
            "given_name": self._given_name,
            "surname": self._surname,
            "org": self._organisation,
            "company": self._company,
            "short_org": self._short_organisation,
            "coined": self._coined,
            "acronym": self._acronym,
            "city": self._city,
            "state": lambda: self._rng.choice(self._lists.states)[1],
            "state_code": lambda: self._rng.choice(self._lists.states)[0],
            "country": lambda: self._rng.choice(self._lists.countries),
            "county": lambda: self._skewed(self._lists.counties),
            "local": lambda: str(self._rng.randint(2, 990)),
        }

    def begin_document(self) -> None:
        self._people.clear()
        self._short_names.clear()

    def draw(self, kind: str) -> str:
        """A name of one of these kinds, or an item of a word list with its slots filled."""
        if kind in self._kinds:
            return self._kinds[kind]()
        return self._expand(self._rng.choice(WORDS[kind]))

    def _expand(self, pattern: str) -> str:
        return _SLOT.sub(lambda slot: self.draw(slot.group(1)), pattern)

    def _skewed(self, words: Sequence[str]) -> str:
        """Half of the draws favour the start of the list; the other half are uniform, to include rare
        entries.
        """
        power = 4 if self._rng.random() < 0.5 else 1
        return words[int(len(words) * self._rng.random() ** power)]

    # People

    def _blended(self, words: Sequence[str]) -> str:
        """A name that is in no list: the start of one entry and the end of another."""
        head, tail = self._rng.choice(words), self._rng.choice(words)
        return head[: max(2, len(head) // 2)] + tail[len(tail) // 2 :].lower()

    def _given_name(self) -> str:
        is_unknown = self._rng.random() < 0.12
        return self._blended(self._lists.first) if is_unknown else self._skewed(self._lists.first)

    def _surname(self) -> str:
        is_unknown = self._rng.random() < 0.2
        name = self._blended(self._lists.last) if is_unknown else self._skewed(self._lists.last)
        roll = self._rng.random()
        return (
            f"{name}-{self._skewed(self._lists.last)}"
            if roll < 0.03
            else f"de la {name}"
            if roll < 0.034
            else name
        )

    def _somebody(self) -> tuple[str, str]:
        if self._people and self._rng.random() < 0.3:
            return self._rng.choice(self._people)
        self._people.append((self._given_name(), self._surname()))
        return self._people[-1]

    def _first(self) -> str:
        return (
            self._rng.choice(self._people)[0]
            if self._people and self._rng.random() < 0.5
            else self._given_name()
        )

    def _last(self) -> str:
        return (
            self._rng.choice(self._people)[1]
            if self._people and self._rng.random() < 0.6
            else self._surname()
        )

    def person(self) -> str:
        first, last = self._somebody()
        initial, other = self.draw("initials"), self._given_name()
        roll = self._rng.random()
        for share, form in (
            (0.62, f"{first} {last}"),
            (0.82, f"{first} {initial} {last}"),
            (0.88, f"{first} {other} {last}"),
            (0.93, f"{initial} {last}"),
            (0.95, f"{initial} {self.draw('initials')} {last}"),
        ):
            if roll < share:
                return form
        return f"{first} {last}{self.draw('generations')}"

    def _last_first(self) -> str:
        first, last = self._somebody()
        initial = self.draw("initials")
        tail = self._rng.choice(("", "", f" {initial}", f" {initial[0]}", f" {self._given_name()}"))
        return f"{last}, {first if self._rng.random() < 0.8 else self.draw('initials')}{tail}"

    # Organisations

    def _coined(self) -> str:
        word = "".join(self.draw("syllables") for _ in range(self._rng.choice((2, 2, 3, 3, 4))))
        return (
            word.capitalize() if self._rng.random() < 0.9 else word[:4].capitalize() + word[4:].capitalize()
        )

    def _acronym(self) -> str:
        if self._rng.random() < 0.5:
            return self.draw("acronyms")
        return "".join(self._rng.choice("ABCDEFGHILMNPRSTW") for _ in range(self._rng.choice((3, 3, 4))))

    def _organisation(self) -> str:
        kinds = (
            "company",
            "company",
            "company",
            "company",
            "company",
            "short_org",
            "hospital",
            "bank",
            "firm",
        )
        return self.draw(self._rng.choice(kinds))

    def _company(self) -> str:
        kind = self._rng.choice(WORDS["company_head"])
        head = self._expand(kind)
        trade = self.draw("trades")
        pattern = self._rng.choice(WORDS["company"])
        # A company is not called "Nebraska" alone: a place or a plain adjective needs the trade after it.
        is_plain = kind in ("{city}", "{state}", "{adjectives}")
        if not is_plain or "{trades}" in pattern:
            self._short_names.append(f"{head} {trade}" if is_plain else head)
        return self._expand(pattern.replace("{head}", head).replace("{trades}", trade, 1))

    def _short_organisation(self) -> str:
        is_known = self._short_names and self._rng.random() < 0.55
        return self._rng.choice(self._short_names) if is_known else self.draw("short_company")

    # Places

    def _city(self) -> str:
        is_foreign = self._rng.random() < 0.1
        return self._skewed(self._lists.foreign_cities if is_foreign else self._lists.cities)


class Filler:
    """Untagged values between the names."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._kinds: dict[str, Callable[[], str]] = {
            "role": lambda: rng.choice(WORDS["roles"]),
            "bar": lambda: rng.choice(WORDS["bars"]),
            "doctitle": lambda: rng.choice(WORDS["titles"]),
            "num": self._number,
            "date": self._date,
            "money": self._money,
            "phone": self._phone,
            "email": lambda: f"{rng.choice(WORDS['mail_names'])}@{rng.choice(WORDS['syllables'])}tel.example",
            "house": lambda: str(rng.randint(1, 9900)),
            "suite": lambda: str(rng.randint(1, 4000)),
            "zip": lambda: f"{rng.randint(1000, 99900):05}",
            "street": lambda: f"{rng.choice(WORDS['roads'])} {rng.choice(WORDS['road_kinds'])}",
        }

    def draw(self, kind: str) -> str:
        return self._kinds[kind]()

    def _number(self) -> str:
        n = self._rng.randint(10, 999999)
        forms = (str(n), f"{n % 99}-{n}", f"2:{n % 30:02}-cv-{n % 9999:05}", f"{n % 99}CV{n}", f"A{n}")
        return self._rng.choice(forms)

    def _date(self) -> str:
        month = self._rng.choice(WORDS["months"])
        day, year = self._rng.randint(1, 28), self._rng.randint(1995, 2024)
        numeric = f"{day % 12 + 1:02}/{day:02}/{year}"
        forms = (
            f"{month} {day}, {year}",
            numeric,
            f"{month} {year}",
            str(year),
            f"{month[:3]}. {day}, {year}",
        )
        return self._rng.choice(forms)

    def _money(self) -> str:
        n = self._rng.randint(100, 900_000)
        return self._rng.choice((f"${n:,}", f"${n:,}.00", f"${n / 1000:.1f} million"))

    def _phone(self) -> str:
        n = self._rng.randint(100, 199)
        return self._rng.choice((f"(415) 555-0{n}", f"312-555-0{n}", f"214.555.0{n}"))
