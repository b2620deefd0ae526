"""The long exhibit of the sample: 300 pages of a carrier's dispatch and telematics log.

The entries follow a small grammar of the operation of a trucking company (departures, fuel, brakes,
detention, calls) with a fixed seed, so that every page differs and every run gives the same bytes.
"""

import io
import random
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from reportlab.lib.pagesizes import LETTER
from reportlab.pdfgen.canvas import Canvas

from docpipe_assets.sample.typeset import stamp

PAGE_WIDTH, PAGE_HEIGHT = LETTER
LINES_PER_PAGE = 46
_LINE_CHARACTERS = 96
_START = datetime(2022, 9, 1, 4, 12)

_DRIVERS = (
    "Dennis Lundquist",
    "Wendell Ruck",
    "Teodor Vance",
    "Marguerite Solis-Hahn",
    "Abel K. Nordgren",
    "Priscilla Yoo",
    "Desmond Faircloth",
    "Ingrid Valdimar",
)
_DISPATCHERS = (
    "Yolanda Priddy",
    "Y. Priddy",
    "Ms. Priddy",
    "Teodor Vance",
    "Curtis Mandeville",
    "C. L. Mandeville",
)
_CUSTOMERS = (
    ("Caldera Cold Storage, LLC", "Ellsmoor, Washington"),
    ("Silverfen Foods Cooperative", "Marrow Creek, Washington"),
    ("Kettle & Rye Provisions", "Fennimore, Washington"),
    ("Osprey Bay Seafoods, Inc.", "Port Alden, Oregon"),
    ("Larchmont Dairy Partners LP", "Cutler Falls, Oregon"),
    ("Highmoor Produce Company", "Dunmarrow, Idaho"),
)
_GOODS = (
    "frozen blueberries",
    "mixed vegetables",
    "coho fillets",
    "ice cream",
    "sweet corn",
    "butter",
    "raspberries",
)
_STOPS = (
    "Tollgate Travel Plaza, Marrow Creek",
    "Redrock Fuel, Cutler Falls",
    "Summit 88, Dunmarrow",
    "Port Alden yard",
)
_FAULTS = (
    "low air warning on trailer line",
    "ABS lamp on, clears after restart",
    "pushrod stroke near limit on rear axle, advised shop",
    "reefer alarm code 63, restarted in defrost",
    "right marker lamp out, replaced at the stop",
    "slow leak at gladhand, seal changed",
)


@dataclass(frozen=True)
class _Moment:
    """The common data of the entries of one time."""

    chance: random.Random
    at: datetime
    driver: str
    unit: int
    trailer: str
    load: str

    def customer(self) -> tuple[str, str]:
        return self.chance.choice(_CUSTOMERS)

    def money(self, low: float, high: float) -> str:
        return f"${self.chance.uniform(low, high):,.2f}"


def _departure(m: _Moment) -> str:
    name, town = m.customer()
    weight = m.chance.randrange(18_400, 44_800, 20)
    return (
        f"{m.driver} departed Port Alden yard with trailer {m.trailer}, load {m.load} of "
        f"{m.chance.choice(_GOODS)} for {name}, {town}; {weight:,} lb, seal "
        f"{m.chance.randrange(540000, 569999)}."
    )


def _arrival(m: _Moment) -> str:
    name, town = m.customer()
    dock = m.chance.randrange(1, 9)
    return (
        f"{m.driver} arrived {name}, {town}, dock {dock}. Product temperature "
        f"{m.chance.randrange(-14, 36)} F. Gate pass {m.chance.randrange(10000, 99999)}."
    )


def _fuel(m: _Moment) -> str:
    gallons = m.chance.uniform(40, 160)
    price = m.chance.uniform(4.05, 5.15)
    return (
        f"Fuel at {m.chance.choice(_STOPS)}: {gallons:.1f} gal at ${price:.3f}, total "
        f"${gallons * price:,.2f}, "
        f"card ending {m.chance.randrange(1000, 9999)}, driver {m.driver}."
    )


def _call(m: _Moment) -> str:
    name, _ = m.customer()
    line = m.chance.randrange(100, 200)
    minutes = m.chance.randrange(1, 19)
    return (
        f"{m.chance.choice(_DISPATCHERS)} called {name} at (360) 555-0{line}, {minutes} min.: appointment "
        f"for "
        f"{m.load} moved to "
        f"{_long_time(m.at + timedelta(hours=m.chance.randrange(3, 40)))}."
    )


def _long_time(at: datetime) -> str:
    return f"{at:%B} {at.day}, {at.year} at {at:%H:%M}"


def _detention(m: _Moment) -> str:
    name, _ = m.customer()
    hours = m.chance.randrange(1, 7)
    return (
        f"Detention {hours} h at {name}, billed ${hours * 75:,}.00 under load {m.load}; {m.driver} signed "
        f"out by the receiver."
    )


def _fault(m: _Moment) -> str:
    shop = m.chance.choice(("Brannock Fleet Services", "Brannock", "roadside, Quill Truck Repair"))
    return (
        f"{m.driver} reports {m.chance.choice(_FAULTS)} ({m.trailer}). Referred to {shop}, estimate "
        f"{m.money(85, 1900)}."
    )


def _telematics(m: _Moment) -> str:
    return (
        f"Telematics: speed {m.chance.randrange(0, 69)} mph, primary air {m.chance.randrange(88, 128)} "
        f"psi, trailer air "
        f"{m.chance.randrange(80, 124)} psi, odometer {m.chance.randrange(380_000, 640_000):,}, reefer "
        f"{m.chance.randrange(-16, 37)} F."
    )


def _message(m: _Moment) -> str:
    sender = m.chance.choice(_DISPATCHERS)
    message = m.chance.choice(
        (
            "confirm chocks both sides before you go in",
            "receiver wants the reefer download with the POD",
            "do not take that trailer up the hill until the shop has seen it",
            "hours look short, plan your ten at the next stop",
            "lumper receipt goes to accounting today please",
            "seal number on the bill does not match, call me",
        )
    )
    return f'Message {sender} to {m.driver}: "{message}." Read after {m.chance.randrange(1, 58)} min.'


def _invoice(m: _Moment) -> str:
    name, _ = m.customer()
    return (
        f"Invoice HPL-{m.chance.randrange(2200, 3990)} to {name} for load {m.load}: line haul "
        f"{m.money(540, 2150)}, fuel surcharge {m.money(60, 410)}."
    )


_ENTRIES: tuple[tuple[Callable[[_Moment], str], int], ...] = (
    (_departure, 5),
    (_arrival, 5),
    (_fuel, 3),
    (_call, 4),
    (_detention, 2),
    (_fault, 2),
    (_telematics, 5),
    (_message, 3),
    (_invoice, 2),
)

# The events that other documents of the case describe; the log must be consistent with them.
_CASE_ENTRIES = (
    (
        datetime(2023, 2, 2, 9, 40),
        411,
        "Wendell Ruck reports BX-2209 crept at the Fennimore dock with brakes set. Written up.",
    ),
    (
        datetime(2023, 2, 17, 14, 55),
        411,
        "Marisol Quintrell (Caldera Cold Storage) called Yolanda Priddy, 2 min.: BX-2209 moved at Dock 4, "
        "red-tagged.",
    ),
    (
        datetime(2023, 2, 27, 8, 15),
        420,
        "BX-2209 delivered to Brannock Fleet Services, work order WO-8841, per C. L. Mandeville.",
    ),
    (
        datetime(2023, 3, 3, 17, 5),
        420,
        "BX-2209 released by Nadine Holbrook, Brannock invoice 20417, $2,846.15.",
    ),
    (
        datetime(2023, 3, 13, 20, 2),
        417,
        "Yolanda Priddy called Dennis Lundquist at (503) 555-0127, 6 min.: assigned BX-2209, load "
        "HP-88213, Caldera Dock 6.",
    ),
    (
        datetime(2023, 3, 14, 1, 10),
        417,
        "Dennis Lundquist departed Port Alden yard with trailer BX-2209, load HP-88213, seal 558102.",
    ),
    (
        datetime(2023, 3, 14, 3, 20),
        417,
        "Fuel at Tollgate Travel Plaza, Marrow Creek: 92.3 gal at $4.473, total $412.86, driver Dennis "
        "Lundquist.",
    ),
    (
        datetime(2023, 3, 14, 5, 48),
        417,
        "Telematics: dock contact 0.4 g, parking brakes applied, trailer air 0 psi.",
    ),
    (
        datetime(2023, 3, 14, 6, 12),
        417,
        "Telematics: wheel speed 2.6 mph with parking brakes applied. ALARM.",
    ),
    (
        datetime(2023, 3, 14, 6, 31),
        417,
        'Message Dennis Lundquist to Yolanda Priddy: "it rolled. Marisol is hurt bad. call Curtis."',
    ),
)


def typeset_dispatch_log(pages: int, first_bates: int, seed: int = 417) -> bytes:
    """The log as a PDF of exactly this number of pages."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=LETTER, invariant=1, pageCompression=1)
    canvas.setTitle("Harbor Point Logistics, LLC - dispatch and telematics log")
    entries = _entries(random.Random(seed))
    entry = next(entries)
    for number in range(1, pages + 1):
        canvas.setFont("Helvetica-Bold", 9)
        canvas.drawString(50, PAGE_HEIGHT - 40, "HARBOR POINT LOGISTICS, LLC - DISPATCH AND TELEMATICS LOG")
        canvas.setFont("Helvetica", 8)
        canvas.drawRightString(PAGE_WIDTH - 50, PAGE_HEIGHT - 40, f"Page {number} of {pages}")
        canvas.line(50, PAGE_HEIGHT - 46, PAGE_WIDTH - 50, PAGE_HEIGHT - 46)
        body = canvas.beginText(50, PAGE_HEIGHT - 64)
        body.setFont("Courier", 8.5)
        body.setLeading(14)
        free_lines = LINES_PER_PAGE
        while len(entry) <= free_lines:
            for line in entry:
                body.textLine(line)
            free_lines -= len(entry)
            entry = next(entries)
        canvas.drawText(body)
        stamp(canvas, first_bates + number - 1)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _entries(chance: random.Random) -> Iterator[list[str]]:
    """An endless sequence of entries, each as its wrapped lines."""
    at = _START
    of_the_case = list(_CASE_ENTRIES)
    kinds = [kind for kind, _ in _ENTRIES]
    weights = [weight for _, weight in _ENTRIES]
    while True:
        at += timedelta(minutes=chance.randrange(2, 92))
        while of_the_case and of_the_case[0][0] <= at:
            yield _set(*of_the_case.pop(0))
        moment = _Moment(
            chance=chance,
            at=at,
            driver=chance.choice(_DRIVERS),
            unit=chance.randrange(402, 431),
            trailer=f"BX-{chance.randrange(2190, 2240)}",
            load=f"HP-{chance.randrange(80000, 89999)}",
        )
        sentence = chance.choices(kinds, weights)[0](moment)
        yield _set(at, moment.unit, sentence)


def _set(at: datetime, unit: int, sentence: str) -> list[str]:
    stamped = f"{at:%m/%d/%Y %H:%M} {unit}  {sentence}"
    return textwrap.wrap(stamped, _LINE_CHARACTERS, subsequent_indent=" " * 22)
