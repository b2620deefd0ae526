"""Small born-digital letters, memos and invoices in any number, each different, for experiments and
benchmarks.
"""

import io
import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from reportlab.lib.pagesizes import LETTER
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

PAGE_WIDTH, PAGE_HEIGHT = LETTER
_MARGIN = 72.0
_LEADING = 15.0

_FIRST = (
    "Adela",
    "Bernard",
    "Celestine",
    "Darius",
    "Eleni",
    "Florian",
    "Gretchen",
    "Hamish",
    "Imani",
    "Jasper",
    "Katarzyna",
    "Lorenzo",
    "Maeve",
    "Nikhil",
    "Ottilie",
    "Percival",
    "Quentin",
    "Rosalind",
    "Sanjay",
    "Thandiwe",
    "Ursula",
    "Valentin",
    "Winona",
    "Xavier",
    "Yvette",
    "Zoltan",
)
_LAST = (
    "Abelard-Knox",
    "Birchwood",
    "Castellanos",
    "Dunleavy",
    "Eversholt",
    "Fairweather",
    "Grimaldi",
    "Hollingbourne",
    "Iversen",
    "Jankowicz",
    "Kettleburn",
    "Lavender",
    "Montclair",
    "Nakagawa",
    "Ostrander",
    "Pemberley",
    "Quillfeather",
    "Ravenscroft",
    "Stonebridge",
    "Thistlewood",
    "Umberland",
    "Vandermeer",
    "Wainscott",
    "Yarborough",
    "Zellwegen",
)
_COMPANY_STEMS = (
    "Amberfield",
    "Bluestem",
    "Copperline",
    "Driftmark",
    "Eastmere",
    "Foxglove",
    "Granite Bay",
    "Hollowell",
    "Ironwood",
    "Juniper Flats",
    "Kestrel",
    "Lantern Hill",
    "Mossbank",
    "Northmere",
    "Oakhaven",
    "Pinecrest Valley",
)
_COMPANY_TRADES = (
    "Logistics",
    "Foods",
    "Holdings",
    "Engineering",
    "Insurance",
    "Partners",
    "Shipping",
    "Supply",
)
_COMPANY_FORMS = (", LLC", ", Inc.", " Corporation", " LLP", " Company", ", L.P.")
_TOWNS = (
    "Ellsmoor, Washington",
    "Port Alden, Oregon",
    "Dunmarrow, Idaho",
    "Cutler Falls, Oregon",
    "Briar Glen, Ohio",
    "Saltgrass, Texas",
    "Wexcombe, Illinois",
    "New Harrow, Vermont",
    "Lake Tolliver, Minnesota",
)
_STREETS = ("Orchard Road", "Granary Street", "Old Mill Lane", "Ferry Avenue", "Quarry Drive", "Union Square")
_MATTERS = (
    "the lease of the cold store",
    "the delayed shipment of March",
    "the audit of the freight accounts",
    "the repair of the loading dock",
    "the renewal of the policy",
    "the claim for spoiled goods",
    "the sale of the two trailers",
    "the inspection of the boiler",
    "the settlement of the wage claim",
)
_SERVICES = (
    "Freight, refrigerated",
    "Storage, per pallet and month",
    "Inspection and report",
    "Legal services",
    "Repair, parts",
    "Repair, labor",
    "Document review",
    "Courier",
    "Deposition transcript, certified copy",
    "Expert consultation",
)


class _Scene:
    """The people, companies and figures of one document, drawn once so that its paragraphs are consistent."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.sender = self.person()
        self.receiver = self.person()
        self.sender_company = self.company()
        self.receiver_company = self.company()
        self.matter = chance.choice(_MATTERS)
        self.written_on = date(2021, 1, 4) + timedelta(days=chance.randrange(0, 1500))

    def person(self) -> str:
        middle = self.chance.choice("ABCDEFGHJKLMNPRSTW")
        return f"{self.chance.choice(_FIRST)} {middle}. {self.chance.choice(_LAST)}"

    def company(self) -> str:
        stem, trade = self.chance.choice(_COMPANY_STEMS), self.chance.choice(_COMPANY_TRADES)
        return f"{stem} {trade}{self.chance.choice(_COMPANY_FORMS)}"

    def address(self) -> str:
        return (
            f"{self.chance.randrange(3, 2900)} {self.chance.choice(_STREETS)}, {self.chance.choice(_TOWNS)}"
        )

    def phone(self) -> str:
        return f"({self.chance.choice((360, 503, 208, 614))}) 555-01{self.chance.randrange(0, 100):02d}"

    def money(self) -> str:
        return f"${self.chance.uniform(120, 98_000):,.2f}"

    def day(self) -> str:
        return _long_date(self.written_on - timedelta(days=self.chance.randrange(2, 400)))

    def mail(self, name: str) -> str:
        first, *_, last = name.split()
        return f"{first[0]}{last}@{self.sender_company.split()[0]}.example.com".lower()


def write_correspondence(folder: Path, count: int, pages: int = 1) -> list[Path]:
    """Write `count` documents of `pages` pages; the one at each position is always the same."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for index in range(1, count + 1):
        kind, build = _KINDS[index % len(_KINDS)]
        path = folder / f"{kind}-{index:05d}.pdf"
        path.write_bytes(_typeset(build, index, pages))
        paths.append(path)
    return paths


def _typeset(build: Callable[[_Scene], tuple[list[str], list[str]]], index: int, pages: int) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=LETTER, invariant=1, pageCompression=1)
    scene = _Scene(random.Random(f"correspondence {index}"))
    head, foot = build(scene)
    paragraphs = _paragraphs(scene)
    for page in range(1, pages + 1):
        lines_left = int((PAGE_HEIGHT - 2 * _MARGIN) / _LEADING) - 2
        body = canvas.beginText(_MARGIN, PAGE_HEIGHT - _MARGIN)
        body.setFont("Times-Roman", 11)
        body.setLeading(_LEADING)
        closing = [_wrapped(line) for line in foot] if page == pages else []
        reserved = sum(len(lines) + 1 for lines in closing)
        for line in head if page == 1 else []:
            lines_left -= _draw(body, _wrapped(line))
        while True:
            paragraph = _wrapped(next(paragraphs))
            if len(paragraph) + 1 > lines_left - reserved:
                break
            lines_left -= _draw(body, paragraph) + 1
            body.textLine("")
        for lines in closing:
            _draw(body, lines)
        canvas.drawText(body)
        canvas.setFont("Helvetica", 8)
        canvas.drawString(_MARGIN, 40, f"Page {page} of {pages}")
        canvas.drawRightString(PAGE_WIDTH - 30, 20, f"SMALL {(index - 1) * pages + page:06d}")
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _wrapped(line: str) -> list[str]:
    return simpleSplit(line, "Times-Roman", 11, PAGE_WIDTH - 2 * _MARGIN) or [""]


def _draw(body: Any, lines: list[str]) -> int:
    for line in lines:
        body.textLine(line)
    return len(lines)


def _letter(scene: _Scene) -> tuple[list[str], list[str]]:
    head = [
        scene.sender_company,
        scene.address(),
        "",
        _long_date(scene.written_on),
        "",
        scene.receiver,
        scene.receiver_company,
        scene.address(),
        "",
        f"Re: {scene.matter}",
        "",
        f"Dear {scene.chance.choice(('Mr.', 'Ms.', 'Dr.'))} {scene.receiver.split()[-1]}:",
        "",
    ]
    foot = ["Very truly yours,", scene.sender, f"{scene.mail(scene.sender)}, {scene.phone()}"]
    return head, foot


def _memo(scene: _Scene) -> tuple[list[str], list[str]]:
    head = [
        f"MEMORANDUM - {scene.sender_company}",
        "",
        f"TO: {scene.receiver}",
        f"FROM: {scene.sender}",
        f"CC: {scene.person()}",
        f"DATE: {_long_date(scene.written_on)}",
        f"SUBJECT: {scene.matter}",
        "",
    ]
    return head, [f"{scene.sender}, {scene.phone()}"]


def _invoice(scene: _Scene) -> tuple[list[str], list[str]]:
    head = [
        scene.sender_company,
        scene.address(),
        "",
        f"INVOICE No. {scene.chance.randrange(10_000, 99_999)}",
        f"Date: {_long_date(scene.written_on)}",
        f"Bill to: {scene.receiver_company}, attention {scene.receiver}",
        "",
    ]
    total = 0
    for _ in range(scene.chance.randrange(3, 8)):
        quantity, cents = scene.chance.randrange(1, 12), scene.chance.randrange(1_500, 90_000)
        total += quantity * cents
        unit, amount = cents / 100, quantity * cents / 100
        head.append(f"{quantity} x {scene.chance.choice(_SERVICES)} at ${unit:,.2f}: ${amount:,.2f}")
    head.extend([f"Total due in thirty days: ${total / 100:,.2f}", ""])
    return head, [f"Questions about this invoice: {scene.sender}, {scene.mail(scene.sender)}"]


_KINDS = (("letter", _letter), ("memo", _memo), ("invoice", _invoice))


def _paragraphs(scene: _Scene) -> Iterator[str]:
    """An endless sequence of paragraphs about the matter of the scene, reshuffled in each round."""
    s = scene
    yield (
        f"I write about {s.matter}. On {s.day()} {s.person()} of {s.receiver_company} asked for an account "
        f"of the "
        f"sums outstanding, which by our books come to {s.money()}."
    )
    makers: list[Callable[[], str]] = [
        lambda: (
            f"Our own {s.person()} inspected the premises at {s.address()} on {s.day()}. The report finds "
            f"no fault "
            f"with the work, and puts the cost of what remains at {s.money()}."
        ),
        lambda: (
            f"You will recall the meeting of {s.day()}, at which {s.receiver} and {s.person()} agreed that "
            f"payment "
            f"would follow within {s.chance.randrange(10, 90)} days. It has not."
        ),
        lambda: (
            f"{s.company()} has since offered to take over the contract. {s.person()}, who negotiated for "
            f"it, can be "
            f"reached at {s.phone()}."
        ),
        lambda: (
            f"A copy of the agreement between {s.sender_company} and {s.receiver_company} dated {s.day()} "
            f"is enclosed. "
            f"Section {s.chance.randrange(2, 14)}.{s.chance.randrange(1, 9)} sets the limit of liability "
            f"at {s.money()}."
        ),
        lambda: (
            f"We have retained {s.person()} to value the loss. The first estimate, made on {s.day()}, was "
            f"{s.money()}; "
            f"the revised one is {s.money()}."
        ),
        lambda: (
            f"Please let {s.person()} know by {s.day()} whether the goods stored at {s.address()} may be "
            f"released to "
            f"{s.company()}."
        ),
        lambda: (
            f"Nothing in this note waives any right of {s.sender_company}. Without prejudice, we would "
            f"accept {s.money()} "
            f"in full settlement if it is received by {s.day()}."
        ),
    ]
    while True:
        s.chance.shuffle(makers)
        for maker in makers:
            # A company's name may end on a full stop that the sentence then repeats.
            yield maker().replace("..", ".")


def _long_date(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"
