"""Unlimited invented litigation texts in the markup of ``layouts``: the same seed produces the same texts."""

import random
import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from itertools import pairwise

from docpipe_assets_training.ner.invented_names import WordLists
from docpipe_assets_training.ner.synthetic import documents

_FIRST = (
    *("Maria", "Douglas", "Ingrid", "Theodore", "Pamela", "Wendell", "Rosalind", "Curtis", "Yolanda"),
    *("Basil", "Fiona", "Anselm", "Odette"),
)
_LAST = (
    *("Ortega", "Pell", "Vasquez", "Lindqvist", "Osei", "Brandt", "Achterberg", "Mandeville", "Priddy"),
    *("Orme", "Tarasenko", "Holbrook"),
)
_CITIES = ("Ellsmoor", "Fennimore", "Caldera", "Silverfen", "Marrow", "Port Alden", "Tollgate", "Castellane")
_STATES = (("OR", "Oregon"), ("ID", "Idaho"), ("NV", "Nevada"), ("OH", "Ohio"), ("VT", "Vermont"))
_LISTS = WordLists(_FIRST, _LAST, _CITIES, ("Lisbon", "Gdansk"), _STATES, ("Portugal", "Poland"), _CITIES)
_GOODS = ("valve", "brake chamber", "ledger", "freight bill", "hose", "inspection", "repair", "transcript")
_LABELS = (
    *("Name", "Date of birth", "Policy number", "Claim number", "Employer", "Occupation", "Address", "City"),
    *("State", "ZIP", "Telephone", "Date of loss", "Time", "Location", "Vehicle", "Year", "Make"),
    *("License plate", "Driver", "Witness", "Amount claimed", "Deductible", "Adjuster", "Supervisor"),
    *("Insurer", "Group number", "Physician", "Diagnosis", "Admitted", "Discharged", "Relationship"),
)


class Texts:
    """Uses one random generator; each method returns the text of one page, often slightly too long."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def paragraphs(self, count: int) -> list[str]:
        found: list[str] = []
        while len(found) < count:
            (document,) = documents(_LISTS, 1, self._chance.randrange(2**32))
            text = " ".join(document.text.split())
            # A signature line is not text.
            if text.isascii() and not text.isupper() and "__" not in text:
                sentences = re.split(r"(?<=[.;?!])\s+(?=[A-Z])", text)
                found += [" ".join(sentences[n : n + 3]) for n in range(0, len(sentences), 3)]
        return [paragraph for paragraph in found[:count] if paragraph[0] not in "#>|!@"]

    def letter(self) -> str:
        return "\n\n".join([f"# {self._title()}", *self.paragraphs(30), f"@ {self._bates()}"])

    def newsletter(self) -> str:
        return "\n\n".join([f"# {self._title()}", *self.paragraphs(56), f"@ {self._bates()}"])

    def pleading(self) -> str:
        return "\n\n".join([f"# {self._title()}", *self.paragraphs(10), f"@ {self._bates()}"])

    def testimony(self) -> str:
        spoken = [self._chance.choice(_exchanges()) for _ in range(24)]
        exchanges = [piece for exchange in spoken for piece in exchange]
        answers = [f"A. {sentence}" for sentence in self.paragraphs(3)]
        for answer in answers:
            exchanges.insert(self._chance.randrange(len(exchanges)), answer)
        return "\n\n".join([*exchanges, f"@ {self._bates()}"])

    def form(self) -> str:
        draw = self._value
        rows = []
        labels = iter(self._chance.sample(_LABELS, len(_LABELS)))
        for cells in self._chance.choices((1, 2, 2, 3), k=14):
            row = [f"{label}: {draw(label)}" for label, _ in zip(labels, range(cells), strict=False)]
            if row:
                rows.append("! " + " | ".join(row))
        remarks = self.paragraphs(2)
        return "\n\n".join([f"# {self._title()}", "\n".join(rows), *remarks])

    def table(self) -> str:
        chance = self._chance
        rows = ["| Date | Description | Qty | Unit price | Amount |"]
        for _ in range(chance.randint(14, 24)):
            quantity, price = chance.randint(1, 40), chance.randint(199, 99_999) / 100
            goods = f"{chance.choice(_GOODS)} {chance.choice('ABCDEFGH')}-{chance.randint(100, 9999)}"
            amount = f"${quantity * price:,.2f}"
            rows.append(f"| {self._date()} | {goods} | {quantity} | {price:,.2f} | {amount} |")
        intro, *others = self.paragraphs(4)
        return "\n\n".join([f"# {self._title()}", intro, "\n".join(rows), *others, f"@ {self._bates()}"])

    def ledger(self) -> str:
        """A table that is too wide for a portrait page."""
        chance = self._chance
        rows = ["| Date | Check | Payee | Account | Debit | Credit | Balance |"]
        balance = 100_000.0
        for _ in range(22):
            amount, check = chance.randint(100, 990_000) / 100, chance.randint(10_000, 99_999)
            balance += amount
            payee = f"{chance.choice(_LAST)} & {chance.choice(_LAST)}, Inc."
            account = f"{chance.randint(1000, 9999)}-{chance.randint(10, 99)}"
            rows.append(
                f"| {self._date()} | {check} | {payee} | {account} | {amount:,.2f} | "
                f"{amount / 3:,.2f} | {balance:,.2f} |"
            )
        return "\n\n".join([f"# {self._title()}", "\n".join(rows), f"@ {self._bates()}"])

    def _title(self) -> str:
        return self._chance.choice(
            ("Report of Inspection", "Notice of Claim", "Statement of Account", "Minutes")
        )

    def _bates(self) -> str:
        return f"{self._chance.choice(('WOMBAT', 'CALDERA', 'HPL'))} {self._chance.randrange(10**6):06d}"

    def _date(self) -> str:
        month, day = self._chance.randint(1, 12), self._chance.randint(1, 28)
        return f"{month:02d}/{day:02d}/{self._chance.randint(1995, 2024)}"

    def _value(self, label: str) -> str:
        chance = self._chance
        drawn: dict[str, Callable[[], str]] = {
            "Date of birth": self._date,
            "Date of loss": self._date,
            "Admitted": self._date,
            "Discharged": self._date,
            "Telephone": lambda: f"({chance.randint(201, 989)}) 555-{chance.randint(100, 199):04d}",
            "Amount claimed": lambda: f"${chance.randint(1000, 900_000):,}.{chance.randint(0, 99):02d}",
            "Deductible": lambda: f"${chance.randint(1, 50) * 100:,}.00",
            "Time": lambda: (
                f"{chance.randint(1, 12)}:{chance.randint(0, 59):02d} {chance.choice(('a.m.', 'p.m.'))}"
            ),
            "ZIP": lambda: f"{chance.randint(10_000, 99_999)}",
            "Year": lambda: str(chance.randint(1995, 2024)),
            "State": lambda: chance.choice(_STATES)[0],
            "City": lambda: chance.choice(_CITIES),
            "Address": lambda: f"{chance.randint(1, 9999)} {chance.choice(_LAST)} Street",
        }
        if label in drawn:
            return drawn[label]()
        if "number" in label.lower() or label == "License plate":
            return f"{chance.choice('ABCHKX')}{chance.randint(100, 999)}-{chance.randint(1000, 99_999)}"
        return f"{chance.choice(_FIRST)} {chance.choice('ABCDEFGH')}. {chance.choice(_LAST)}"


@cache
def _exchanges() -> list[tuple[str, str]]:
    """Questions with their answers, from the testimony of the sample production."""
    text = files("docpipe_assets.sample").joinpath("texts", "lundquist_deposition.txt").read_text("utf-8")
    spoken = [piece for piece in text.split("\n\n") if piece.startswith(("Q. ", "A. ")) and piece.isascii()]
    return [(a, b) for a, b in pairwise(spoken) if a[0] == "Q" and b[0] == "A"]
