"""Word lists that tell the tagger what a word may be: a first name, a surname, a town, a company's suffix."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import zstandard

FILE_NAME = "gazetteer.txt.zst"

# Classes of words that mark a name or stand in for one in litigation documents. The lists were
# written for this project; the tagger learns from training how far to trust each class.
LEXICON: dict[str, str] = {
    "suffix": """inc inc. corp corp. corporation llc l.l.c. llp l.l.p. lp l.p. ltd ltd. limited plc co co.
        company companies pc p.c. p.a. pllc p.l.l.c. n.a. gmbh ag sa s.a. bv b.v. nv holdings group partners
        associates bros. brothers sons lllp incorporated""",
    "orgword": """bank bancorp trust insurance indemnity assurance mutual hospital clinic medical health
        healthcare university college school district department bureau agency commission board authority
        police sheriff office administration association society union local foundation institute council
        committee church ministries services systems solutions technologies technology industries
        enterprises construction contractors builders logistics freight trucking transport transportation
        airlines motors automotive pharmacy pharmaceuticals laboratories labs energy power electric gas oil
        petroleum chemical steel realty properties development capital financial securities investments
        management consulting engineering manufacturing supply foods farms restaurant hotel security
        staffing media communications software networks orthopedics radiology surgical rehabilitation
        center federal national department's ministry firm fund surety casualty underwriters lines
        railroad railway works products equipment materials""",
    "title": """mr mr. mrs mrs. ms ms. miss dr dr. prof prof. professor hon hon. honorable judge justice
        officer ofc. detective det. sergeant sgt. lieutenant lt. captain capt. deputy trooper chief agent
        sheriff attorney counselor nurse rev. reverend sir inspector investigator magistrate commissioner
        corporal cpl. patrolman paramedic secretary senator governor mayor president chair chairman chairwoman chairperson dean trustee
        superintendent councilmember councilman councilwoman supervisor pastor coach principal foreman dep.""",
    "degree": "esq esq. esquire m.d. md d.o. do r.n. rn ph.d. phd cpa c.p.a. jr jr. sr sr. ii iii iv pa-c np dds d.d.s. j.d.",
    "role": """plaintiff plaintiffs defendant defendants petitioner petitioners respondent respondents
        appellant appellants appellee appellees claimant claimants cross-defendant intervenor debtor
        creditor trustee executor administrator guardian witness deponent affiant declarant decedent
        patient victim suspect driver passenger owner insured insurer lender borrower seller buyer
        purchaser vendor landlord tenant lessor lessee licensor licensee employer employee contractor
        subcontractor company agreement party parties counsel court clerk judge reporter notary""",
    "street": """street st st. avenue ave ave. road rd rd. boulevard blvd blvd. drive dr dr. lane ln ln. court ct
        ct. way place pl pl. highway hwy hwy. parkway pkwy pkwy. suite ste ste. floor apt apt. box route""",
    "calendar": """january february march april may june july august september october november december jan
        jan. feb feb. mar mar. apr apr. jun jun. jul jul. aug aug. sep sep. sept sept. oct oct. nov nov. dec
        dec. monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun""",
    "placeword": "city county state town village township parish borough district province island river lake of",
}


def _lexicon_classes() -> dict[str, tuple[str, ...]]:
    classes: dict[str, tuple[str, ...]] = {}
    for name, words in LEXICON.items():
        for word in words.split():
            classes[word] = (*classes.get(word, ()), name)
    return classes


@dataclass(frozen=True)
class Gazetteer:
    """Classes of single words, and places of two to four words.

    All keys are lower-cased. ``phrases`` maps the first word of a place to the remaining words.
    """

    words: dict[str, tuple[str, ...]]
    phrases: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> "Gazetteer":
        """Reads lines of ``class<TAB>name``; the lexicon above is always part of the result."""
        words = {word: list(classes) for word, classes in _lexicon_classes().items()}
        phrases: dict[str, list[tuple[str, ...]]] = {}
        for line in lines:
            name_class, _, name = line.rstrip("\n").partition("\t")
            first, *rest = name.split()
            if rest:
                phrases.setdefault(first, []).append(tuple(rest))
            else:
                words.setdefault(first, []).append(name_class)
        return cls(
            words={word: tuple(classes) for word, classes in words.items()},
            # Longest first, so that "new york city" wins over "new york".
            phrases={
                first: tuple(sorted(set(rests), key=lambda rest: (-len(rest), rest)))
                for first, rests in phrases.items()
            },
        )

    @classmethod
    def load(cls, folder: Path) -> "Gazetteer":
        packed = (folder / FILE_NAME).read_bytes()
        return cls.from_lines(zstandard.ZstdDecompressor().decompress(packed).decode("utf-8").splitlines())
