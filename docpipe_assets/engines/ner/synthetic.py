"""Invented litigation text with known names, for training: templates filled from word lists, seeded."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates.txt"
_SLOT = re.compile(r"\{(\w+)\}")

_ROLES = "Plaintiff Defendant Petitioner Respondent Cross-Complainant Intervenor Appellant Appellee".split()
_BARS = ("SBN", "State Bar", "Bar", "ARDC", "Fla. Bar", "Texas Bar", "Attorney ID", "WSBA")
_TITLES = (
    "COMPLAINT FOR DAMAGES|MOTION TO DISMISS|MOTION TO COMPEL|NOTICE OF DEPOSITION|ANSWER|FIRST AMENDED COMPLAINT|"
    "REPLY BRIEF|RESPONSES TO INTERROGATORIES|OPPOSITION TO MOTION FOR SUMMARY JUDGMENT|PETITION|WITNESS LIST|"
    "STIPULATED PROTECTIVE ORDER|NOTICE OF REMOVAL|EXPERT DISCLOSURE|TRIAL BRIEF"
).split("|")
_TRADES = (
    "Construction|Trucking|Freight|Logistics|Roofing|Plumbing|Electric|Foods|Farms|Dairy|Steel|Timber|Lumber|Mining|"
    "Chemical|Plastics|Paper|Textiles|Furniture|Motors|Auto Parts|Towing|Marine|Shipping|Airways|Rail|Oil|Gas|Energy|"
    "Solar|Power|Water|Waste|Recycling|Pharmaceuticals|Biotech|Medical Supply|Imaging|Dental|Orthopedics|Physical Therapy|"
    "Radiology|Ambulance|Hospice|Nursing Home|Pharmacy|Software|Networks|Data|Telecom|Wireless|Media|Publishing|"
    "Broadcasting|Insurance|Casualty|Indemnity|Assurance|Mutual|Title|Escrow|Mortgage|Lending|Credit Union|Capital|"
    "Investments|Securities|Advisors|Realty|Properties|Development|Homes|Apartments|Property Management|Hotels|Inn|"
    "Restaurant|Grill|Tavern|Bakery|Coffee|Market|Grocery|Hardware|Equipment|Rentals|Tools|Machinery|Scaffolding|Crane|"
    "Elevator|Security|Staffing|Consulting|Engineering|Architects|Surveying|Testing|Laboratories|Forensics|Court Reporting|"
    "Investigations|Accounting|Payroll|Marketing|Design|Printing|Toys|Sports|Fitness|Amusement|Landscaping|Nursery|"
    "Cleaning|Pest Control|Moving|Storage|Warehouse|Distribution|Supply|Packaging|Concrete|Masonry|Paving|Glass|Brewing"
).split("|")
_ADJECTIVES = (
    "American|National|United|First|Pacific|Atlantic|Northern|Southern|Western|Eastern|Central|Global|Universal|General|"
    "Allied|Premier|Superior|Advanced|Modern|Royal|Golden|Silver|Blue|Red|Green|Black|White|Iron|Copper|Granite|Summit|"
    "Valley|Mountain|River|Lake|Ocean|Coastal|Prairie|Desert|Harbor|Bay|Eagle|Falcon|Hawk|Lion|Bear|Wolf|Fox|Star|Sun|"
    "Moon|Phoenix|Liberty|Patriot|Heritage|Pioneer|Frontier|Keystone|Cornerstone|Capitol|Metro|Tri-State|Mid-State|"
    "Quality|Rapid|Swift|Reliable|Trusted|Evergreen|Oak|Cedar|Pine|Maple|Magnolia|Willow|Crescent|Diamond|Crystal|Apex"
).split("|")
_ENDINGS = (
    ", Inc.|, Inc.|, Inc.| Inc.|, LLC|, LLC| LLC| Corp.| Corporation| Co.| Company|, Ltd.| Ltd.| L.P.|, L.L.C.| Group|"
    " Holdings| Holdings, Inc.| Partners| Enterprises| International| Systems| Services| Services, Inc.| Solutions|"
    " Industries| Industries, LLC| & Sons| Brothers| Bros.| Associates| & Associates| & Co.| S.A.| GmbH| PLC"
).split("|")
_SYLLABLES = "nor vex cor dan tel mar bri quan syn alt ver tri lum zen pol ax on ia ex ta ra lo ki be du gra sol fen hal".split()
_AGENCIES = (
    "Federal Aviation Administration|Department of Transportation|Environmental Protection Agency|Department of Labor|"
    "Occupational Safety and Health Administration|Internal Revenue Service|National Labor Relations Board|"
    "Department of Public Health|Department of Motor Vehicles|Public Utilities Commission|Building Department|"
    "Securities and Exchange Commission|Bureau of Workers' Compensation|Housing Authority|Office of the Attorney General|"
    "District Attorney's Office|Department of Corrections|Department of Children and Families|Board of Education|"
    "Consumer Product Safety Commission|Fire Department|Parks and Recreation Department|Zoning Board of Appeals"
).split("|")
_ACRONYMS = "OSHA EPA FBI NHTSA DOT DMV IRS SEC FAA NTSB CPSC DEA ATF HUD AIG GMAC IBM NLRB CDC NIOSH CMS DHS".split()
_ROADS = (
    "Main|Oak|Elm|Maple|Washington|Lincoln|Jefferson|Park|Lake|Hill|Church|Mill|River|Spring|Ridge|Market|Front|Second|"
    "Third|Fifth|12th|48th|N. Clark|W. Grand|E. Colfax|Old County|Harbor|Airport|College|Railroad|Canal|Industrial"
).split("|")
_ROAD_KINDS = "Street Avenue Road Boulevard Drive Lane St. Ave. Rd. Blvd. Parkway Way Highway".split()


@dataclass(frozen=True)
class WordLists:
    """What names are made of. Weighted lists come with the most frequent entry first."""

    first: Sequence[str]
    last: Sequence[str]
    cities: Sequence[str]
    foreign_cities: Sequence[str]
    states: Sequence[tuple[str, str]]
    countries: Sequence[str]
    counties: Sequence[str]


@dataclass(frozen=True)
class LabelledText:
    """A text and its names as (start, end, tag), tag being one of P, O, L."""

    text: str
    names: tuple[tuple[int, int, str], ...]


class Names:
    """Draws invented names of all kinds; everything comes from one random generator.

    Within a document people and companies come back under shorter names, as in real ones.
    """

    def __init__(self, lists: WordLists, rng: random.Random) -> None:
        self._lists = lists
        self._rng = rng
        self._people: list[tuple[str, str]] = []
        self._short_names: list[str] = []

    def begin_document(self) -> None:
        self._people.clear()
        self._short_names.clear()

    def _skewed(self, words: Sequence[str]) -> str:
        """Half of the draws favour frequent words, the other half meets rare ones too."""
        power = 4 if self._rng.random() < 0.5 else 1
        return words[int(len(words) * self._rng.random() ** power)]

    def _blended(self, words: Sequence[str]) -> str:
        """A name in no list: the head of one and the tail of another."""
        head, tail = self._rng.choice(words), self._rng.choice(words)
        return head[: max(2, len(head) // 2)] + tail[len(tail) // 2 :].lower()

    def _given_name(self) -> str:
        return self._blended(self._lists.first) if self._rng.random() < 0.12 else self._skewed(self._lists.first)

    def _surname(self) -> str:
        roll = self._rng.random()
        name = self._blended(self._lists.last) if roll < 0.2 else self._skewed(self._lists.last)
        roll = self._rng.random()
        return f"{name}-{self._skewed(self._lists.last)}" if roll < 0.03 else f"de la {name}" if roll < 0.034 else name

    def _somebody(self) -> tuple[str, str]:
        if self._people and self._rng.random() < 0.3:
            return self._rng.choice(self._people)
        self._people.append((self._given_name(), self._surname()))
        return self._people[-1]

    def first(self) -> str:
        return self._rng.choice(self._people)[0] if self._people and self._rng.random() < 0.5 else self._given_name()

    def last(self) -> str:
        return self._rng.choice(self._people)[1] if self._people and self._rng.random() < 0.6 else self._surname()

    def initial(self) -> str:
        return self._rng.choice("ABCDEFGHJKLMNPRSTVW") + "."

    def person(self) -> str:
        roll = self._rng.random()
        first, last = self._somebody()
        if roll < 0.62:
            return f"{first} {last}"
        if roll < 0.82:
            return f"{first} {self.initial()} {last}"
        if roll < 0.88:
            return f"{first} {self._given_name()} {last}"
        if roll < 0.93:
            return f"{self.initial()} {last}"
        if roll < 0.95:
            return f"{self.initial()} {self.initial()} {last}"
        return f"{first} {last}{self._rng.choice((', Jr.', ' Jr.', ' III', ' II', ', Sr.'))}"

    def initial_last(self) -> str:
        return f"{self.initial()} {self.last()}"

    def last_initial(self) -> str:
        return f"{self.last()}, {self.initial()}"

    def full(self) -> str:
        return " ".join(self._somebody())

    def last_first(self) -> str:
        tail = self._rng.choice(("", "", f" {self.initial()}", f" {self.initial()[0]}", f" {self._given_name()}"))
        first, last = self._somebody()
        return f"{last}, {first if self._rng.random() < 0.8 else self.initial()}{tail}"

    def _coined(self) -> str:
        word = "".join(self._rng.choice(_SYLLABLES) for _ in range(self._rng.choice((2, 2, 3, 3, 4))))
        return word.capitalize() if self._rng.random() < 0.9 else word[:4].capitalize() + word[4:].capitalize()

    def short_org(self) -> str:
        if self._short_names and self._rng.random() < 0.55:
            return self._rng.choice(self._short_names)
        roll = self._rng.random()
        if roll < 0.35:
            return self._coined()
        if roll < 0.55:
            return self.acronym()
        if roll < 0.75:
            return f"{self._rng.choice(_ADJECTIVES)} {self._rng.choice(_TRADES)}"
        if roll < 0.85:
            return f"{self._rng.choice(_ADJECTIVES)} {self._rng.choice(_ADJECTIVES)}"
        return f"{self._surname()} {self._rng.choice(_TRADES)}"

    def org(self) -> str:
        makers: tuple[Callable[[], str], ...] = (
            self._company, self._company, self._company, self._company, self._company, self.short_org,
            self.hospital, self.bank, self.firm,
        )  # fmt: skip
        return self._rng.choice(makers)()

    def _company(self) -> str:
        rng = self._rng
        head = rng.choice(
            (self._coined(), self._surname(), rng.choice(_ADJECTIVES), self.city(), f"{self._surname()} & {self._surname()}",
             f"{rng.choice(_ADJECTIVES)} {rng.choice(_ADJECTIVES)}", self.state(), f"{self._given_name()}'s", f"{self._given_name()} {self._surname()}")
        )  # fmt: skip
        trade = rng.choice(_TRADES)
        if rng.random() < 0.2:
            trade += f" {rng.choice(('and', '&'))} {rng.choice(_TRADES)}"
        ending = rng.choice(_ENDINGS).replace("{state}", self.state())
        self._short_names.append(f"{head} {trade}" if rng.random() < 0.15 else head)
        roll = rng.random()
        return f"{head} {trade}{ending}" if roll < 0.6 else f"{head}{ending}" if roll < 0.8 else f"{head} {trade}"

    def firm(self) -> str:
        rng = self._rng
        ending = rng.choice((", LLP", " LLP", ", P.C.", " PC", " PLLC", ", P.A.", ", PLLC", " & Associates", ""))
        names = [self._surname() for _ in range(4)]
        if rng.random() < 0.1:
            return f"Law Office{rng.choice(('', 's'))} of {self._given_name()} {names[0]}"
        if rng.random() < 0.15:
            return f"{names[0]} Law {rng.choice(('Group', 'Firm', 'Offices'))}{ending if '&' not in ending else ''}"
        heads = (f"{names[0]} & {names[1]}", f"{names[0]}, {names[1]} & {names[2]}", f"{names[0]} {names[1]}",
                 f"{names[0]} {names[1]} & {names[2]}", f"{names[0]} {names[1]} {names[2]}")  # fmt: skip
        return rng.choice(heads) + ending

    def hospital(self) -> str:
        rng = self._rng
        head = rng.choice((self.city(), self.county(), f"St. {self._given_name()}'s", f"Saint {self._given_name()}", "Mercy", "Good Samaritan",
                           f"{self._surname()} Memorial", f"{rng.choice(_ADJECTIVES)} {rng.choice(_ADJECTIVES)}", "Sacred Heart"))  # fmt: skip
        kind = rng.choice(("Hospital", "Medical Center", "General Hospital", "Regional Medical Center", "Clinic", "Urgent Care",
                           "Orthopaedic Associates", "Surgery Center", "Health System", "Rehabilitation Hospital", "Family Practice"))  # fmt: skip
        return f"{head} {kind}"

    def police(self) -> str:
        rng = self._rng
        if rng.random() < 0.3:
            return f"{self.county()} {rng.choice(('Sheriff’s Office', 'Sheriff', 'Sheriff Department'))}".replace("’", "'")
        return f"{self.city()} {rng.choice(('Police Department', 'Police Dept.', 'PD', 'Fire Department', 'Police'))}"

    def jail(self) -> str:
        kind = self._rng.choice(("Jail", "Detention Center", "Correctional Facility", "Juvenile Hall"))
        return f"{self._rng.choice((self.county(), self.state(), self.city()))} {kind}"

    def patrol(self) -> str:
        return f"{self.state()} {self._rng.choice(('Highway Patrol', 'State Police', 'State Patrol', 'Rangers'))}"

    def bank(self) -> str:
        rng = self._rng
        ending = rng.choice((", N.A.", " Bank", " Bank & Trust", " National Bank", " Savings Bank, FSB", " Credit Union", " Bank, N.A."))
        return rng.choice((f"First {self.city()}", self._coined(), f"{self._surname()}", rng.choice(_ADJECTIVES), f"Bank of {self.city()}")) + ending

    def agency(self) -> str:
        agency = self._rng.choice(_AGENCIES)
        return self._rng.choice((agency, agency, f"{self.state()} {agency}", f"{self.city()} {agency}", f"{self.county()} {agency}"))

    def acronym(self) -> str:
        if self._rng.random() < 0.5:
            return self._rng.choice(_ACRONYMS)
        return "".join(self._rng.choice("ABCDEFGHILMNPRSTW") for _ in range(self._rng.choice((3, 3, 4))))

    def union(self) -> str:
        kind = self._rng.choice(("Teamsters", "Ironworkers", "United Food Workers", "Carpenters", "Machinists", "IBEW", "SEIU"))
        return self._rng.choice((f"{kind} Local {self._rng.randint(2, 990)}", f"Local {self._rng.randint(2, 990)}", kind))

    def university(self) -> str:
        return self._rng.choice((f"University of {self.state()}", f"{self.state()} State University", f"{self.last()} College", f"{self.city()} Community College"))  # fmt: skip

    def city(self) -> str:
        return self._skewed(self._lists.foreign_cities if self._rng.random() < 0.1 else self._lists.cities)

    def state(self) -> str:
        return self._rng.choice(self._lists.states)[1]

    def state_code(self) -> str:
        return self._rng.choice(self._lists.states)[0]

    def country(self) -> str:
        return self._rng.choice(self._lists.countries)

    def county(self) -> str:
        return self._skewed(self._lists.counties)

    def road(self) -> str:
        if self._rng.random() < 0.25:
            return f"{self._rng.choice(('Highway', 'Route', 'Interstate', 'State Road', 'US', 'I', 'County Road'))} {self._rng.randint(1, 400)}"
        return f"{self._rng.choice((*_ROADS, self.last()))} {self._rng.choice(_ROAD_KINDS)}"


class Filler:
    """Things between the names that carry no tag."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def role(self) -> str:
        return self._rng.choice(_ROLES)

    def bar(self) -> str:
        return self._rng.choice(_BARS)

    def doctitle(self) -> str:
        return self._rng.choice(_TITLES)

    def num(self) -> str:
        n = self._rng.randint(10, 999999)
        return self._rng.choice((str(n), f"{n % 99}-{n}", f"2:{n % 30:02}-cv-{n % 9999:05}", f"{n % 99}CV{n}", f"A{n}"))

    def date(self) -> str:
        rng = self._rng
        month = rng.choice("January February March April May June July August September October November December".split())
        day, year = rng.randint(1, 28), rng.randint(1995, 2024)
        return rng.choice((f"{month} {day}, {year}", f"{day % 12 + 1:02}/{day:02}/{year}", f"{month} {year}", str(year), f"{month[:3]}. {day}, {year}"))  # fmt: skip

    def money(self) -> str:
        n = self._rng.randint(100, 900_000)
        return self._rng.choice((f"${n:,}", f"${n:,}.00", f"${n / 1000:.1f} million"))

    def phone(self) -> str:
        n = self._rng.randint(100, 199)
        return self._rng.choice((f"(415) 555-0{n}", f"312-555-0{n}", f"214.555.0{n}"))

    def email(self) -> str:
        return f"{self._rng.choice(('jdoe', 'legal', 'k.smith', 'claims'))}@{self._rng.choice(_SYLLABLES)}tel.example"


_TAG_OF_SLOT = {
    **dict.fromkeys(("person", "full", "last", "first", "last_first", "last_initial", "initial_last"), "P"),
    **dict.fromkeys(("org", "short_org", "firm", "hospital", "police", "bank", "agency", "acronym", "union", "university", "jail", "patrol"), "O"),
    **dict.fromkeys(("city", "state", "state_code", "country", "county", "road"), "L"),
}  # fmt: skip


def read_templates(path: Path = TEMPLATES) -> list[str]:
    return [block.strip("\n") for block in path.read_text("utf-8").split("\n----\n")]


def _expand_addresses(template: str, rng: random.Random) -> str:
    forms = (
        "{house} {street}, {city}, {state} {zip}",
        "{house} {street}\n{city}, {state_code} {zip}",
        "{house} {street}, Suite {suite}, {city}, {state_code} {zip}",
        "{house} {street}, Suite {suite}\n{city}, {state} {zip}",
    )
    return re.sub(r"\{address\}", lambda _: rng.choice(forms), template)


def fill(template: str, names: Names, filler: Filler, rng: random.Random) -> LabelledText:
    """Fills the slots of a template; a slot in capitals is filled in capitals."""
    template = _expand_addresses(template, rng)
    parts: list[str] = []
    spans: list[tuple[int, int, str]] = []
    length = last = 0
    for match in _SLOT.finditer(template):
        before, slot = template[last : match.start()], match.group(1)
        kind = slot.lower()
        tag = _TAG_OF_SLOT.get(kind)
        if tag:
            value = str(getattr(names, kind)())
        elif kind == "house":
            value = str(rng.randint(1, 9900))
        elif kind == "suite":
            value = str(rng.randint(1, 4000))
        elif kind == "zip":
            value = f"{rng.randint(1000, 99900):05}"
        elif kind == "street":
            value = f"{rng.choice(_ROADS)} {rng.choice(_ROAD_KINDS)}"
        else:
            value = str(getattr(filler, kind)())
        value = value.upper() if slot.isupper() else value
        parts += [before, value]
        start = length + len(before)
        length = start + len(value)
        if tag:
            spans.append((start, length, tag))
        last = match.end()
    parts.append(template[last:])
    return LabelledText("".join(parts), tuple(spans))


def documents(lists: WordLists, count: int, seed: int) -> list[LabelledText]:
    """Invented documents, each of a few templates on end; one in ten stands wholly in capitals."""
    rng = random.Random(seed)
    names, filler, templates = Names(lists, rng), Filler(rng), read_templates()
    made: list[LabelledText] = []
    for _ in range(count):
        names.begin_document()
        text, spans = "", list[tuple[int, int, str]]()
        for template in rng.choices(templates, k=rng.randint(1, 6)):
            block = fill(template, names, filler, rng)
            gap = rng.choice(("\n\n", "\n\n", "\n", " ")) if text else ""
            spans += [(s + len(text) + len(gap), e + len(text) + len(gap), tag) for s, e, tag in block.names]
            text += gap + block.text
        if rng.random() < 0.1 and len(text.upper()) == len(text):
            text = text.upper()
        made.append(LabelledText(text, tuple(spans)))
    return made
