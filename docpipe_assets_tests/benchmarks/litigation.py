"""An endless litigation file as a stream of page texts, to measure growth with the length of a document.

The exhibits are the texts of the sample production, with different people, firms, towns, amounts, dates and
numbers each time. As in a real file, people recur: an exhibit takes most of its names from earlier ones,
frequent names more often, and adds a few new ones. 20,000 pages therefore name several thousand people and
firms, and amounts, Bates labels and misread words grow with the number of pages. A page depends only on the
pages before it: a short document is the beginning of a long one.
"""

import random
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import resources
from itertools import islice
from typing import TypeVar

from docpipe_assets.model import PAGE_SEPARATOR, Box, PageText, PageTexts, TextMethod, Word
from docpipe_assets.sample.markup import Block, parse
from docpipe_assets.sample.people import CASE_NUMBER, COUNSEL, COURT_LINES, DEFENDANTS, PEOPLE, PLAINTIFFS

DOCUMENT = "bench/ROWAN 0000001-0020000.pdf"
VERSION = "5f" * 32

T = TypeVar("T")

_LINES_PER_PAGE, _LINE_CHARACTERS = 46, 84
_NEW_SHARE = 0.12
"""The probability that a name in an exhibit is a new one."""
_MISREAD_SHARE = 0.004
_COURT_PAPERS = frozenset({"complaint", "answer", "motion", "interrogatories", "disclosures"})
_FIRMS = ("Caldera", "Harbor Point", "Brannock", "Silverfen", "First Cascadia", "Hargreave", "Northmere")
_TOWNS = ("Ellsmoor", "Port Alden", "Fennimore", "Marrow Creek")
_SYLLABLES = {
    "given": "Adela Bernard Celestine Darius Eleni Florian Gretchen Hamish Imani Jasper Katarzyna Lorenzo "
    "Maeve Nikhil Ottilie Percival Quentin Rosalind Sanjay Thandiwe Ursula Valentin Winona Xavier Yvette",
    "head": "Ab Bar Cas Dor El Fen Gar Hol Iver Jan Kes Lor Mar Nor Os Pem Quar Ros Stan Tor Ul Ver Win Yar",
    "middle": "a e i o u an el in or ing mer ber ten lo ra vi",
    "tail": "wick ford mann ski dale stead worth berg sen quist field low more ton by ham land rup ow grave",
}
_PARTS = {name: words.split() for name, words in _SYLLABLES.items()}

_SUM = re.compile(r"\$\d[\d,]*(?:\.\d\d)?")
_FIGURE = re.compile(r"\d")
_DATE = re.compile(r"(?P<day>[A-Z][a-z]{2,8} \d{1,2}, )(?P<year>20\d\d)")
_PHONE = re.compile(r"555-01\d\d")
_WORD = re.compile(r"\S+")
_SMALL_WORD = re.compile(r"[a-z]{5,}")
_STYLE = re.compile(r"\*+")


def litigation_file(pages: int, seed: int = 7) -> PageTexts:
    """The first ``pages`` pages of the file, generated while they are read."""
    return PageTexts(f"litigation {seed} {pages}", lambda: islice(_pages(seed), pages))


def _pages(seed: int) -> Iterator[PageText]:
    production = _Production(random.Random(seed))
    offset = 0
    for number, text in enumerate(production.pages(), start=1):
        is_scan = production.is_scan
        chance = production.chance
        words = tuple(_words(text, chance if is_scan else None))
        confidence = round(sum(word.confidence for word in words) / len(words), 4)
        yield PageText(
            document=DOCUMENT,
            version=VERSION,
            page=number,
            start=offset,
            end=offset + len(text),
            text=text,
            method=TextMethod.OCR if is_scan else TextMethod.TEXT_LAYER,
            reason="no text, images cover 100% of the page" if is_scan else "sound text layer",
            confidence=confidence,
            engine="bench",
            words=words,
            bates=f"ROWAN {number:07d}",
            signals={"characters": float(len(text)), "image_cover": float(is_scan)},
        )
        offset += len(text) + len(PAGE_SEPARATOR)


def _words(text: str, chance: random.Random | None) -> Iterator[Word]:
    """Words on a grid; those of a scan have individual confidences."""
    start_of_line = line = 0
    for match in _WORD.finditer(text):
        line_end = text.rfind("\n", start_of_line, match.start())
        if line_end >= 0:
            line += text.count("\n", start_of_line, match.start())
            start_of_line = line_end + 1
        left = 58.3 + (match.start() - start_of_line) * 5.87
        top = 61.4 + line * 14.27
        box = Box(
            round(left, 2), round(top, 2), round(left + len(match.group()) * 5.87, 2), round(top + 11.6, 2)
        )
        confidence = round(1 - 0.1 * chance.random() ** 4, 4) if chance else 1.0
        yield Word(start=match.start(), end=match.end(), box=box, confidence=confidence)


@dataclass
class _Production:
    """The names used so far. People are listed once for each exhibit that names them."""

    chance: random.Random
    is_scan: bool = False
    _people: list[tuple[str, str, str]] = field(default_factory=list)
    _firms: list[str] = field(default_factory=list)
    _towns: list[str] = field(default_factory=list)
    _case: str = CASE_NUMBER
    _page: int = 0

    def pages(self) -> Iterator[str]:
        texts = _exhibit_texts()
        while True:
            for text in self.chance.sample(texts, len(texts)):
                self.is_scan = self.chance.random() < 0.5
                lines = self._varied(text).split("\n")
                for first in range(0, len(lines), _LINES_PER_PAGE):
                    self._page += 1
                    stamp = " " * (_LINE_CHARACTERS - 13) + f"ROWAN {self._page:07d}"
                    yield "\n".join([*lines[first : first + _LINES_PER_PAGE], stamp]).lstrip("\n")

    def _varied(self, text: str) -> str:
        """The exhibit with different names and figures, and with some words misread."""
        if self.chance.random() < _NEW_SHARE:
            self._case = f"2:{self.chance.randint(10, 25)}-cv-{self.chance.randint(1, 9999):05d}"
        names = self._cast()
        pattern = re.compile("|".join(sorted(map(re.escape, names), key=len, reverse=True)), re.I)
        text = pattern.sub(lambda m: _like(m.group(), names[m.group().lower()]), text)
        text = text.replace(CASE_NUMBER.removesuffix("-JRW"), self._case)
        years = self.chance.randint(-8, 2)
        text = _DATE.sub(lambda m: f"{m['day']}{int(m['year']) + years}", text)
        text = _SUM.sub(self._other_figures, text)
        text = _PHONE.sub(lambda _: f"555-01{self.chance.randint(0, 99):02d}", text)
        return _SMALL_WORD.sub(self._sometimes_misread, text)

    def _cast(self) -> dict[str, str]:
        """Maps each old name, in lower case, to the new one."""
        names: dict[str, str] = {}
        players = self._sample(self._people, self._person, len(PEOPLE))
        for part, player in zip(PEOPLE, players, strict=True):
            names[part.name.lower()] = " ".join(player)
            names[part.name.split()[0].lower()], names[part.name.split()[-1].lower()] = player[0], player[2]
        names |= zip(
            map(str.lower, _FIRMS), self._sample(self._firms, self._invented_name, len(_FIRMS)), strict=True
        )
        names |= zip(
            map(str.lower, _TOWNS), self._sample(self._towns, self._invented_name, len(_TOWNS)), strict=True
        )
        return names

    def _sample(self, known: list[T], make: Callable[[], T], count: int) -> list[T]:
        """``count`` different names; a name that was drawn often is more likely."""
        drawn: list[T] = []
        while len(drawn) < count:
            is_new = self.chance.random() < _NEW_SHARE or len(known) < 2 * count
            one = make() if is_new else self.chance.choice(known)
            if one not in drawn:
                drawn.append(one)
        known += drawn
        return drawn

    def _person(self) -> tuple[str, str, str]:
        """Given name, initial and last name."""
        return (
            self.chance.choice(_PARTS["given"]),
            self.chance.choice("ABCDEFGHJKLMNPRSTW") + ".",
            self._invented_name(),
        )

    def _invented_name(self) -> str:
        middle = "".join(self.chance.choices(_PARTS["middle"], k=self.chance.randint(0, 1)))
        return self.chance.choice(_PARTS["head"]) + middle + self.chance.choice(_PARTS["tail"])

    def _other_figures(self, found: "re.Match[str]") -> str:
        return "$" + _FIGURE.sub(lambda _: str(self.chance.randint(1, 9)), found.group()[1:])

    def _sometimes_misread(self, found: "re.Match[str]") -> str:
        word = found.group()
        if self.chance.random() >= _MISREAD_SHARE:
            return word
        at = self.chance.randrange(len(word))
        return word[:at] + self.chance.choice("abcdefghijklmnopqrstuvwxyz") + word[at + 1 :]


def _like(old: str, new: str) -> str:
    return new.upper() if old.isupper() else new.lower() if old.islower() else new


def _exhibit_texts() -> list[str]:
    """The texts of the sample production as lines of a page, court papers with caption and counsel."""
    folder = resources.files("docpipe_assets.sample").joinpath("texts")
    texts = []
    for source in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not source.name.endswith(".txt"):
            continue
        blocks = [_set(block) for block in parse(source.read_text(encoding="utf-8"))]
        if source.name.removesuffix(".txt") in _COURT_PAPERS:
            blocks = [
                _caption(),
                *blocks,
                "\n".join(COUNSEL["castellane"].block_lines("3rd day of May, 2024")),
            ]
        texts.append("\n\n".join(block for block in blocks if block))
    return texts


def _caption() -> str:
    return "\n\n".join(
        [
            "\n".join(COURT_LINES),
            textwrap.fill(PLAINTIFFS, _LINE_CHARACTERS),
            f"{'Plaintiffs,':>40}\n\n    v.{'':>30}Case No. {CASE_NUMBER}",
            textwrap.fill(DEFENDANTS, _LINE_CHARACTERS),
            f"{'Defendants.':>40}",
        ]
    )


def _set(block: Block) -> str:
    if block.kind == "instruction":
        name, _, argument = block.text.partition(" ")
        return argument if name in ("title", "center", "caption") else ""
    if block.kind in ("table", "form"):
        return "\n".join("   ".join(cell for cell in row if cell) for row in block.rows)
    lines = block.lines if block.kind == "lines" else (block.text,)
    return "\n".join(textwrap.fill(_STYLE.sub("", line), _LINE_CHARACTERS) for line in lines)
