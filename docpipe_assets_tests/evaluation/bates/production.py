"""Generates a production: documents with stamped pages, some of them with known faults.

The other contents of a page are distractors: page numbers, invoice and docket numbers, legends beside the
stamp, and the stamp of an older production in another corner.
"""

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from reportlab.pdfgen.canvas import Canvas

from docpipe_assets.bates.findings import BatesFault

PREFIX, OTHER_PREFIX, OLD_PREFIX = "WOMBAT", "KOALA", "OLDCO"
DIGITS = 6
FIRST_NUMBER = 454
MIN_PAGES = 7
"""Minimum number of pages of a document, so that there are pages before and after the one with a fault."""
PAPER = (396.0, 612.0)
"""Half a letter page, in points: the same margins, and half as much text."""
FAULTS = (
    "gap",
    "doubled page",
    "doubled pages",
    "missing stamp",
    "missing first stamp",
    "other prefix",
    "other padding",
    "swapped pages",
    "wrong name",
    "overlap",
    "gap between documents",
    "document without stamps",
)
_SENTENCES = """
    The carrier accepted the load at the Port Ellery yard on the morning of March 4.
    No inspection of the trailer was recorded before it left the depot.
    Please find enclosed the invoice for the storage of forty-two pallets.
    Mr. Lundquist stated that he had not been told of the change of route.
    The parties agree that delivery was due within three business days.
    Our records show that the driver was on duty for eleven hours that day.
    This letter confirms our telephone conversation of last Tuesday.
    The adjuster noted water damage to the lower tier of the shipment.
    Payment is due upon receipt, and interest accrues at one percent a month.
    Counsel for the defendant objected to the form of the question.
""".strip().splitlines()
_LEGENDS = ("CONFIDENTIAL", "CONFIDENTIAL - ATTORNEYS' EYES ONLY", "SUBJECT TO PROTECTIVE ORDER")


@dataclass(frozen=True)
class Sheet:
    """The contents of one page."""

    stamp: str | None
    beside: tuple[tuple[str, float, float], ...]
    """Other texts in the margins, with their left edge as a fraction of the width and their points above the
    bottom."""
    body: tuple[str, ...]
    is_landscape: bool = False
    corner: str = "bottom right"


@dataclass(frozen=True)
class GeneratedDocument:
    """One document."""

    name: str
    sheets: tuple[Sheet, ...]

    @property
    def labels(self) -> list[str | None]:
        return [sheet.stamp for sheet in self.sheets]


@dataclass(frozen=True)
class SeededFault:
    """A fault, and the findings that may report it; the first one is required. "" denotes the batch."""

    kind: str
    expected: tuple[tuple[str, BatesFault], ...]


@dataclass
class Production:
    documents: list[GeneratedDocument] = field(default_factory=list)
    seeded: list[SeededFault] = field(default_factory=list)


def make(
    documents: int = 40, pages: int = 1000, seed: int = 1, *, every: int = 3, has_faults: bool = True
) -> Production:
    """Generate ``documents`` documents with ``pages`` pages in total, or more if these are too few.

    Each kind of fault is in one document, separated by documents without a fault.
    """
    chance = random.Random(seed)
    spread = range(-(documents // 2), documents - documents // 2)
    sizes = [max(pages // documents + n, MIN_PAGES) for n in spread]
    sizes[-1] = max(sizes[-1] + pages - sum(sizes), MIN_PAGES)
    chance.shuffle(sizes)
    made = Production()
    number = FIRST_NUMBER
    for n, size in enumerate(sizes):
        is_faulty = has_faults and n % every == 1 and n // every < len(FAULTS)
        kind = FAULTS[n // every] if is_faulty else ""
        number += {"overlap": -2, "gap between documents": 4}.get(kind, 0)
        numbers, labels = _labels(kind, number, size, chance)
        last = max(numbers) + 5 * (kind == "wrong name")
        is_named = kind == "wrong name" or (n % 2 == 0 and kind != "document without stamps")
        name = f"{PREFIX} {numbers[0]:06d}-{last:06d}.pdf" if is_named else f"{n:02d} correspondence.pdf"
        made.documents.append(GeneratedDocument(name, tuple(_sheets(labels, n, chance))))
        if kind:
            made.seeded.append(SeededFault(kind, _expected_findings(kind, name)))
        number = number if kind == "document without stamps" else max(numbers) + 1
    return made


def pdf_of(document: GeneratedDocument) -> bytes:
    """A born-digital PDF that contains only a text layer."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1, pageCompression=1)
    for sheet in document.sheets:
        draw(canvas, sheet)
    canvas.save()
    return buffer.getvalue()


def draw(canvas: Canvas, sheet: Sheet) -> None:
    width, height = PAPER[::-1] if sheet.is_landscape else PAPER
    canvas.setPageSize((width, height))
    canvas.setFont("Times-Roman", 12)
    for n, line in enumerate(sheet.body):
        canvas.drawString(36, height - 120 - 18 * n, line)
    canvas.setFont("Helvetica", 8)
    for text, left, bottom in sheet.beside:
        canvas.drawString(left * width, bottom if bottom >= 0 else height + bottom, text)
    if sheet.stamp is not None:
        canvas.setFont("Helvetica-Bold", 9)
        bottom = 20.0 if sheet.corner.startswith("bottom") else height - 28.0
        if sheet.corner.endswith("right"):
            canvas.drawRightString(width - 30, bottom, sheet.stamp)
        else:
            canvas.drawCentredString(width / 2, bottom, sheet.stamp)
    canvas.showPage()


def _labels(kind: str, number: int, size: int, chance: random.Random) -> tuple[list[int], list[str | None]]:
    """The numbers of the pages and their stamps, with a fault of this kind."""
    numbers = list(range(number, number + size))
    at = chance.randrange(3, size - 2)
    match kind:
        case "gap":
            numbers[at:] = [n + 3 for n in numbers[at:]]
        case "doubled page":
            numbers[at] = numbers[at - 1]
        case "doubled pages":
            numbers[at:] = [n - 2 for n in numbers[at:]]
        case "swapped pages":
            numbers[at], numbers[at + 1] = numbers[at + 1], numbers[at]
    labels: list[str | None] = [f"{PREFIX} {n:0{DIGITS}d}" for n in numbers]
    match kind:
        case "missing stamp":
            labels[at] = None
        case "missing first stamp":
            labels[0] = None
        case "other prefix":
            labels[at] = f"{OTHER_PREFIX} {numbers[at]:0{DIGITS}d}"
        case "other padding":
            labels[at] = f"{PREFIX} {numbers[at]:0{DIGITS - 1}d}"
        case "document without stamps":
            labels = [None] * size
    return numbers, labels


def _expected_findings(kind: str, name: str) -> tuple[tuple[str, BatesFault], ...]:
    named = ((name, BatesFault.NAME),)  # a name is also wrong if pages are missing or added
    match kind:
        case "gap":
            return ((name, BatesFault.GAP), *named)
        case "doubled page":
            return ((name, BatesFault.DUPLICATE),)
        case "doubled pages":
            return ((name, BatesFault.DUPLICATE), *named)
        case "missing stamp" | "missing first stamp":
            return ((name, BatesFault.MISSING),)
        case "other prefix":
            return ((name, BatesFault.PREFIX),)
        case "other padding":
            return ((name, BatesFault.PADDING),)
        case "swapped pages":
            return ((name, BatesFault.ORDER),)
        case "wrong name":
            return named
        case "overlap":
            return (("", BatesFault.OVERLAP),)
        case "gap between documents":
            return (("", BatesFault.GAP),)
        case _:
            return (("", BatesFault.MISSING),)


def _sheets(labels: list[str | None], document: int, chance: random.Random) -> Iterator[Sheet]:
    old_number = chance.randrange(1000, 90000)
    has_old = document % 4 == 3 and any(labels)
    legend = _LEGENDS[document % len(_LEGENDS)] if document % 5 in (0, 3) else None
    corner = "bottom right" if has_old or legend else ("bottom middle", "top right")[document % 2]
    for n, label in enumerate(labels):
        sheet = Sheet(label, tuple(_beside(n, len(labels), document)), _body(chance), corner=corner)
        if has_old:
            old = (f"{OLD_PREFIX}-{old_number + n:07d}", 0.12, 44.0)
            sheet = replace(sheet, beside=(*sheet.beside, old))
        if legend is not None:
            sheet = replace(sheet, beside=(*sheet.beside, (legend, 0.1, 20.0)))
        yield replace(sheet, is_landscape=not has_old and n % 11 == 5)


def _beside(page: int, pages: int, document: int) -> Iterator[tuple[str, float, float]]:
    yield f"Page {page + 1} of {pages}", 0.44, 56.0
    if document % 5 == 0:
        yield f"Case 2:20-cv-00123-ABC Document {40 + document} Filed 01/02/20 Page {page + 1}", 0.1, -20.0
    if document % 5 == 1:
        yield "INVOICE 000882", 0.65, -50.0
    if document % 5 == 2:
        yield "Form GR 0012345", 0.1, 34.0


def _body(chance: random.Random) -> tuple[str, ...]:
    lines = (line.strip() for line in chance.sample(_SENTENCES, len(_SENTENCES)))
    return tuple(islice(lines, chance.randrange(1, 4)))
