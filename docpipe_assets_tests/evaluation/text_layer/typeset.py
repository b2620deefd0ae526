"""The half that rules may be tuned on: pages typeset with ReportLab, scans of them rendered with PDFium."""

import io
import random
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pypdfium2
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from reportlab.lib.pagesizes import letter
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from docpipe_assets_tests.evaluation.text_layer.labelled import (
    PAGES_OF_A_KIND,
    CorrectMethod,
    Kind,
    LabelledPage,
    made,
)
from docpipe_assets_tests.evaluation.text_layer.texts import (
    TOWNS,
    TUNE_FOREIGN,
    misread,
    names,
    prose,
    tune_paragraphs,
)

WIDTH, HEIGHT = letter
SCAN_DPI = 150
FONTS = ("Helvetica", "Times-Roman", "Courier")


class Placed(NamedTuple):
    text: str
    x: float
    baseline: float
    width: float
    size: float


class Sheet:
    """One page, and its words."""

    def __init__(self, seed: int, size: tuple[float, float] = letter) -> None:
        self.chance = random.Random(seed)
        self.words: list[Placed] = []
        self._buffer = io.BytesIO()
        self.canvas = Canvas(self._buffer, pagesize=size, invariant=1)
        self.width, self.height = size

    def line(self, text: str, x: float, baseline: float, size: float = 11, font: str = FONTS[0]) -> None:
        self.canvas.setFont(font, size)
        space = stringWidth(" ", font, size)
        self.canvas.drawString(x, baseline, text)
        for word in text.split(" "):
            width = stringWidth(word, font, size)
            if word:
                self.words.append(Placed(word, x, baseline, width, size))
            x += width + space

    def prose(
        self,
        text: str,
        top: float = 720,
        size: float = 11,
        font: str = FONTS[0],
        left: float = 72,
        right: float = 540,
    ) -> float:
        """Sets lines down the page while there is room; returns the next baseline."""
        columns = int((right - left) / stringWidth("n", font, size) * 1.05)
        for paragraph in text.split("\n"):
            for line in textwrap.wrap(paragraph, columns):
                if top < 60:
                    return top
                self.line(line, left, top, size, font)
                top -= 1.25 * size
            top -= 0.6 * size
        return top

    def picture(self, image: Image.Image, x: float, y: float, width: float, height: float) -> None:
        encoded = io.BytesIO()
        image.convert("L").save(encoded, "JPEG", quality=60)
        self.canvas.drawImage(ImageReader(encoded), x, y, width, height)

    def hidden(self, words: list[Placed]) -> None:
        for word in words:
            text = self.canvas.beginText(word.x, word.baseline)
            text.setFont("Helvetica", word.size)
            natural = stringWidth(word.text, "Helvetica", word.size)
            if natural > 0:
                text.setHorizScale(100 * word.width / natural)
            text.setTextRenderMode(3)
            text.textOut(word.text + " ")
            self.canvas.drawText(text)

    def pdf(self) -> bytes:
        self.canvas.showPage()
        self.canvas.save()
        return self._buffer.getvalue()


def image_of(pdf: bytes, dpi: float = SCAN_DPI) -> Image.Image:
    document = pypdfium2.PdfDocument(pdf)
    image: Image.Image = document[0].render(scale=dpi / 72, grayscale=True).to_pil().convert("L")
    document.close()
    return image


def aged(image: Image.Image, seed: int) -> Image.Image:
    """Skewed, gray, soft and speckled."""
    noise = np.random.default_rng(seed)
    turned = image.rotate(float(noise.uniform(-0.5, 0.5)), Image.Resampling.BICUBIC, fillcolor=255)
    tone = np.asarray(turned.filter(ImageFilter.GaussianBlur(0.6)), np.float32) * 0.75 + 45
    tone += noise.normal(0, 5, tone.shape)
    for _ in range(60):
        row, column = (int(noise.integers(0, side - 4)) for side in tone.shape)
        tone[row : row + 2, column : column + 2] = 70
    return Image.fromarray(np.clip(tone, 0, 255).astype(np.uint8))


def photograph(seed: int, width: int = 600, height: int = 450) -> Image.Image:
    """A scene of soft shapes, texture and a few hard edges, without any writing."""
    noise = np.random.default_rng(seed)
    coarse = Image.fromarray(noise.integers(40, 230, (9, 12), dtype=np.uint8))
    scene = coarse.resize((width, height), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(scene)
    for _ in range(14):
        x, y = int(noise.integers(0, width)), int(noise.integers(0, height))
        w, h = (int(v) for v in noise.integers(20, 160, 2))
        shape = draw.ellipse if noise.random() < 0.5 else draw.rectangle
        shape((x, y, x + w, y + h), fill=int(noise.integers(20, 240)))
    grain: NDArray[np.floating[Any]] = np.asarray(scene.filter(ImageFilter.GaussianBlur(2)), np.float32)
    grain = grain + noise.normal(0, 9, grain.shape)
    return Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8))


def letter_sheet(seed: int, characters: int = 2200) -> Sheet:
    sheet = Sheet(seed)
    chance = sheet.chance
    font, size = chance.choice(FONTS), chance.choice((10, 11, 12))
    sheet.prose(prose(tune_paragraphs(), chance, characters), size=size, font=font)
    return sheet


def scanned(sheet: Sheet, seed: int) -> tuple[Sheet, list[Placed]]:
    """A new sheet with an image of the old one, and the visible words."""
    words = sheet.words
    scan = Sheet(seed + 1, (sheet.width, sheet.height))
    scan.picture(aged(image_of(sheet.pdf()), seed), 0, 0, sheet.width, sheet.height)
    return scan, words


def jittered(words: list[Placed], chance: random.Random, points: float = 0.8) -> list[Placed]:
    return [
        word._replace(
            x=word.x + chance.uniform(-points, points),
            baseline=word.baseline + chance.uniform(-points, points),
            size=word.size * chance.uniform(0.9, 1.05),
        )
        for word in words
    ]


# --- sound and complete ---------------------------------------------------------------------------


def letters(seed: int) -> bytes:
    return letter_sheet(seed).pdf()


def ruled_table(seed: int) -> bytes:
    sheet = Sheet(seed)
    heads = ("Date", "Invoice", "Description", "Amount", "Balance")
    goods = ("freight", "storage", "brokerage", "insurance", "handling", "customs duty")
    for row in range(34):
        y = 730 - 18 * row
        cells = (
            heads
            if row == 0
            else (
                f"{sheet.chance.randint(1, 12):02}/{sheet.chance.randint(1, 28):02}/2021",
                f"{sheet.chance.randint(10000, 99999)}",
                sheet.chance.choice(goods),
                f"{sheet.chance.uniform(10, 9000):,.2f}",
                f"{sheet.chance.uniform(10, 90000):,.2f}",
            )
        )
        for column, cell in enumerate(cells):
            sheet.canvas.rect(60 + 98 * column, y - 5, 98, 18)
            sheet.line(cell, 64 + 98 * column, y, 9)
    return sheet.pdf()


def form(seed: int) -> bytes:
    sheet = Sheet(seed)
    fields = (
        "Name of applicant",
        "Street address",
        "City and state",
        "Telephone",
        "Employer",
        "Date of birth",
        "Policy number",
        "Date of loss",
        "Place of loss",
        "Description of loss",
        "Signature",
        "Witness",
    )
    answers = names(sheet.chance, 12)
    for row, field in enumerate(fields):
        y = 720 - 48 * row
        sheet.canvas.rect(60, y - 24, 490, 42)
        sheet.line(f"{row + 1}. {field}", 64, y + 6, 7)
        if sheet.chance.random() < 0.7:
            sheet.line(answers[row], 80, y - 14, 11, "Courier")
        for box in range(3):
            sheet.canvas.rect(440 + 30 * box, y - 16, 9, 9)
    return sheet.pdf()


def list_of_names(seed: int) -> bytes:
    sheet = Sheet(seed)
    for row, name in enumerate(names(sheet.chance, 110)):
        sheet.line(name, 72 + 240 * (row // 55), 740 - 12.2 * (row % 55), 9, FONTS[seed % 3])
    return sheet.pdf()


def numbers_only(seed: int) -> bytes:
    sheet = Sheet(seed)
    for row in range(50):
        cells = [f"{sheet.chance.randint(0, 9 if seed % 2 else 99999):,}" for _ in range(8)]
        for column, cell in enumerate(cells):
            sheet.line(cell, 60 + 62 * column, 740 - 13 * row, 9, "Courier")
    return sheet.pdf()


def foreign_prose(seed: int) -> bytes:
    sheet = Sheet(seed)
    code = list(TUNE_FOREIGN)[seed % len(TUNE_FOREIGN)]
    sheet.prose(
        " ".join(TUNE_FOREIGN[code].split()) + "\n" + " ".join(TUNE_FOREIGN[code].split()), font="Times-Roman"
    )
    return sheet.pdf()


def program_code(seed: int) -> bytes:
    sheet = Sheet(seed)
    verbs, things = ("read", "load", "merge", "parse", "check"), ("row", "file", "index", "queue", "frame")
    y = 740.0
    for _ in range(16):
        verb, thing = sheet.chance.choice(verbs), sheet.chance.choice(things)
        for line in (
            f"def {verb}_{thing}(self, {thing}_id: int, *, n_max=0x{sheet.chance.randint(16, 4096):X}):",
            f"    if {thing}_id >= n_max or self._{thing}s[{thing}_id] is None:",
            f"        raise {thing.title()}Error(f'{{{thing}_id!r}}: {verb}')",
            "",
        ):
            sheet.line(line, 60, y, 8.5, "Courier")
            y -= 10.5
    return sheet.pdf()


def drawing_with_captions(seed: int) -> bytes:
    sheet = Sheet(seed)
    canvas, chance = sheet.canvas, sheet.chance
    for _ in range(160):
        x, y = chance.uniform(80, 520), chance.uniform(250, 700)
        kind = chance.randrange(4)
        if kind == 0:
            canvas.line(x, y, x + chance.uniform(-90, 90), y + chance.uniform(-90, 90))
        elif kind == 1:
            canvas.rect(x, y, chance.uniform(5, 70), chance.uniform(5, 70))
        elif kind == 2:
            canvas.circle(x, y, chance.uniform(3, 35))
        else:
            for step in range(8):  # hatching
                canvas.line(x + 3 * step, y, x + 3 * step + 20, y + 20)
    for number in range(6):
        sheet.line(
            f"Fig. {number + 1}: the {chance.choice(('valve', 'bearing', 'housing'))} seen from the side",
            90,
            220 - 18 * number,
            9,
        )
    return sheet.pdf()


def full_page_background(seed: int) -> bytes:
    sheet = Sheet(seed)
    pale = photograph(seed).point(lambda v: 215 + v // 8)
    sheet.picture(pale, 0, 0, WIDTH, HEIGHT)
    sheet.prose(prose(tune_paragraphs(), sheet.chance, 1800), size=11)
    return sheet.pdf()


def watermark_image(seed: int) -> bytes:
    sheet = Sheet(seed)
    mark = Image.new("L", (500, 500), 255)
    draw = ImageDraw.Draw(mark)
    draw.ellipse((30, 30, 470, 470), outline=215, width=40)
    draw.polygon([(250, 90), (400, 380), (100, 380)], outline=222, width=25)
    sheet.picture(mark, 130, 220, 350, 350)
    sheet.prose(prose(tune_paragraphs(), sheet.chance, 2000))
    return sheet.pdf()


def tiny_page(seed: int) -> bytes:
    sheet = Sheet(seed, (180, 90))
    sheet.line("RECEIVED", 20, 60, 12)
    sheet.line(f"March {seed % 28 + 1}, 2019", 20, 40, 10)
    return sheet.pdf()


def cover_sheet(seed: int) -> bytes:
    sheet = Sheet(seed)
    sheet.line(f"EXHIBIT {'ABCDEFGH'[seed % 8]}", 230, 420, 30, "Times-Roman")
    if seed % 2:
        sheet.line(f"CALDERA {seed:06}", 450, 30, 10)
    return sheet.pdf()


def letterhead_with_logo(seed: int) -> bytes:
    sheet = Sheet(seed)
    logo = Image.new("L", (300, 200), 255)
    draw = ImageDraw.Draw(logo)
    draw.rectangle((20, 20, 280, 180), fill=60)
    draw.ellipse((90, 40, 210, 160), fill=255)
    draw.polygon([(150, 60), (190, 140), (110, 140)], fill=30)
    sheet.picture(logo, 60, 715, 75, 50)
    sheet.picture(logo.rotate(90, expand=True), 500, 30, 30, 45)
    sheet.prose(prose(tune_paragraphs(), sheet.chance, 1700), top=690)
    return sheet.pdf()


def photo_with_caption(seed: int) -> bytes:
    sheet = Sheet(seed)
    sheet.picture(photograph(seed), 90, 330, 430, 350)
    sheet.prose(
        "Photograph taken at the scene on the morning after the accident. The trailer stands where the "
        "driver left it; the marks on the asphalt lead towards the gate. " * 2,
        top=300,
    )
    return sheet.pdf()


def signed_letter(seed: int) -> bytes:
    sheet = Sheet(seed)
    sheet.prose(prose(tune_paragraphs(), sheet.chance, 1200), font="Times-Roman")
    signature = Image.new("L", (500, 160), 255)
    draw, chance = ImageDraw.Draw(signature), sheet.chance
    x, y = 20.0, 90.0
    for _ in range(26):
        nx, ny = x + chance.uniform(4, 30), 80 + chance.uniform(-55, 55)
        draw.line((x, y, nx, ny), fill=30, width=4)
        x, y = nx, ny
    sheet.picture(signature, 300, 110, 190, 60)
    return sheet.pdf()


def scan_with_sound_hidden_text(seed: int) -> bytes:
    scan, words = scanned(letter_sheet(seed), seed)
    chance = scan.chance
    scan.hidden([word._replace(text=misread(word.text, chance, 0.01)) for word in jittered(words, chance)])
    return scan.pdf()


def useless_map(seed: int) -> bytes:
    """An empty map to Unicode, and a complete encoding."""
    return with_text_map(letter_sheet(seed).pdf(), lambda code: 0xFFFD)


# --- to be read by OCR ----------------------------------------------------------------------------


def scan_without_text(seed: int) -> bytes:
    return scanned(letter_sheet(seed, 400 + 300 * (seed % 8)), seed)[0].pdf()


def hidden_garbled(seed: int) -> bytes:
    scan, words = scanned(letter_sheet(seed), seed)
    scan.hidden([word._replace(text=misread(word.text, scan.chance, 0.3)) for word in words])
    return scan.pdf()


def hidden_shifted(seed: int) -> bytes:
    scan, words = scanned(letter_sheet(seed), seed)
    by = scan.chance.choice((9, 25, -18, 40))
    scan.hidden([word._replace(x=word.x + by, baseline=word.baseline - by) for word in words])
    return scan.pdf()


def hidden_partial(seed: int) -> bytes:
    scan, words = scanned(letter_sheet(seed), seed)
    share = scan.chance.choice((0.4, 0.55, 0.7))
    scan.hidden(words[: int(share * len(words))])
    return scan.pdf()


def hidden_of_another_page(seed: int) -> bytes:
    scan, _ = scanned(letter_sheet(seed), seed)
    scan.hidden(letter_sheet(seed + 500).words)
    return scan.pdf()


def hidden_single_letters(seed: int) -> bytes:
    scan, words = scanned(letter_sheet(seed), seed)
    letters = [
        word._replace(text=one, x=word.x + n * word.width / len(word.text), width=word.width / len(word.text))
        for word in words
        for n, one in enumerate(word.text)
    ]
    for one in letters:  # drawn individually, with wide gaps
        scan.hidden([one._replace(width=0.4 * one.width)])
    return scan.pdf()


def hidden_shifted_alphabet(seed: int) -> bytes:
    """A custom encoding that shifts every letter by two."""
    scan, words = scanned(letter_sheet(seed), seed)
    scan.hidden([word._replace(text="".join(_shifted(c, 2) for c in word.text)) for word in words])
    return scan.pdf()


def _shifted(character: str, by: int) -> str:
    if not character.isascii() or not character.isalpha():
        return character
    first = ord("a") if character.islower() else ord("A")
    return chr(first + (ord(character) - first + by) % 26)


def text_as_paths(seed: int) -> bytes:
    """Text drawn as outlines, as by drawing programs: no font, no characters."""
    sheet = Sheet(seed)
    sheet.prose(prose(tune_paragraphs(), sheet.chance, 900), font="Times-Roman")
    return outlined(sheet.pdf())


def outlined(pdf: bytes) -> bytes:
    """A page whose letters were converted to curves."""
    import pymupdf

    drawing = pymupdf.open(stream=pdf)[0].get_svg_image(text_as_path=True)
    curves = pymupdf.open(stream=drawing.encode(), filetype="svg").convert_to_pdf()
    data: bytes = pymupdf.open("pdf", curves).tobytes(no_new_id=True)
    return data


def private_use_text(seed: int) -> bytes:
    """Displayed as prose, but its characters are those of a font without a map to Unicode."""
    pdf = letter_sheet(seed).pdf()
    return with_text_map(pdf, lambda code: 0xE000 + code)


def glyph_numbers(seed: int) -> bytes:
    """Text by the glyph numbers of an embedded font, without any mapping to letters."""
    import pikepdf
    from reportlab.pdfbase.ttfonts import TTFontFace

    face, chance = TTFontFace("Vera.ttf"), random.Random(seed)
    text = prose(tune_paragraphs(), chance, 1500)
    rows = ["BT /F1 10 Tf 14 TL 72 720 Td"]
    for line in textwrap.wrap(text, 80):
        glyphs = "".join(f"{face.charToGlyph.get(ord(character), 0):04X}" for character in line)
        rows.append(f"<{glyphs}> Tj T*")
    document = pikepdf.new()
    page = document.add_blank_page(page_size=letter)
    name = pikepdf.Name("/Made")
    # Without the table that maps letters to glyphs, which readers invert.
    font_file = bytes(face._ttf_data).replace(b"cmap", b"xmap", 1)
    descriptor = pikepdf.Dictionary(
        Type=pikepdf.Name.FontDescriptor,
        FontName=name,
        Flags=4,
        FontBBox=pikepdf.Array([0, -236, 1000, 928]),
        ItalicAngle=0,
        Ascent=928,
        Descent=-236,
        CapHeight=729,
        StemV=80,
        FontFile2=document.make_stream(font_file),
    )
    widths = pikepdf.Array([0, pikepdf.Array([round(1000 * w / face.unitsPerEm) for w, _ in face.hmetrics])])
    descendant = pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.CIDFontType2,
        BaseFont=name,
        CIDSystemInfo=pikepdf.Dictionary(Registry="Adobe", Ordering="Identity", Supplement=0),
        FontDescriptor=document.make_indirect(descriptor),
        CIDToGIDMap=pikepdf.Name.Identity,
        W=widths,
    )
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.Type0,
        BaseFont=name,
        Encoding=pikepdf.Name("/Identity-H"),
        DescendantFonts=pikepdf.Array([document.make_indirect(descendant)]),
    )
    page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=document.make_indirect(font)))
    page.obj.Contents = document.make_stream("\n".join([*rows, "ET"]).encode("ascii"))
    buffer = io.BytesIO()
    document.save(buffer, deterministic_id=True)
    return buffer.getvalue()


def shifted_map(seed: int) -> bytes:
    return with_text_map(letter_sheet(seed).pdf(), lambda code: code - 29 if code >= 61 else code + 3)


def mixed_map(seed: int) -> bytes:
    """Letters, digits and signs are mapped to other ones."""
    printable = random.Random(seed).sample(range(33, 127), 94)
    return with_text_map(letter_sheet(seed).pdf(), lambda code: printable[code - 33])


def symbol_map(seed: int) -> bytes:
    signs = "¤¦¨¬¯´¸×÷ƒˆ˜†‡ŠŒŽšœž‰‹›"
    return with_text_map(letter_sheet(seed).pdf(), lambda code: ord(signs[code % len(signs)]))


def with_text_map(pdf: bytes, target: Callable[[int], int]) -> bytes:
    """The same page with fonts that map each character to another one."""
    import pikepdf

    rows = "".join(f"<{code:02X}> <{target(code):04X}>\n" for code in range(33, 127))
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Made def /CMapType 2 def\n"
        f"1 begincodespacerange <00> <FF> endcodespacerange\n94 beginbfchar\n{rows}endbfchar\n"
        "endcmap CMapName currentdict /CMap defineresource pop end end"
    )
    with pikepdf.open(io.BytesIO(pdf)) as document:
        for font in document.pages[0].obj.Resources.Font.values():
            font.ToUnicode = document.make_stream(cmap.encode("ascii"))
        buffer = io.BytesIO()
        document.save(buffer, deterministic_id=True)
    return buffer.getvalue()


# --- sound, but not complete ----------------------------------------------------------------------


def scan_with_bates_stamp(seed: int) -> bytes:
    scan, _ = scanned(letter_sheet(seed), seed)
    scan.line(f"CALDERA {seed:06}", 450, 24, 10)
    return scan.pdf()


def scan_with_filing_header(seed: int) -> bytes:
    scan, _ = scanned(letter_sheet(seed), seed)
    scan.line(
        f"Case 3:21-cv-0{seed % 9000 + 1000}-SLG   Document {seed % 90 + 1}-3   Filed 03/04/22   "
        f"Page {seed % 9 + 1} of 14   PageID #: 2031",
        90,
        776,
        9,
    )
    if seed % 2:
        scan.line(f"CONFIDENTIAL - SUBJECT TO PROTECTIVE ORDER   ELLSMOOR-{seed:07}", 140, 20, 9)
    return scan.pdf()


def pasted_exhibit(seed: int) -> bytes:
    sheet = Sheet(seed)
    exhibit = aged(image_of(letter_sheet(seed + 700, 1500).pdf()), seed)
    share = sheet.chance.choice((0.35, 0.5, 0.6))
    bottom = sheet.prose(prose(tune_paragraphs(), sheet.chance, 700))
    box = exhibit.crop((80, 60, exhibit.width - 80, int(exhibit.height * share)))
    width = 430.0
    height = min(width * box.height / box.width, bottom - 60)
    sheet.picture(
        box.crop((0, 0, box.width, int(box.width * height / width))), 90, bottom - height, width, height
    )
    return sheet.pdf()


def pasted_clipping(seed: int) -> bytes:
    """A small clipping: a quarter of the width, a few lines."""
    sheet = Sheet(seed)
    exhibit = image_of(letter_sheet(seed + 900, 1500).pdf())
    sheet.prose(prose(tune_paragraphs(), sheet.chance, 1500), right=330)
    sheet.picture(exhibit.crop((100, 80, 720, 560)), 350, 420, 210, 163)
    return sheet.pdf()


# --- nothing to read ------------------------------------------------------------------------------


def blank(seed: int) -> bytes:
    sheet = Sheet(seed)
    if seed % 2:
        sheet.canvas.line(60, 60, 550, 60)
    return sheet.pdf()


def blank_scan_with_specks(seed: int) -> bytes:
    scan = Sheet(seed)
    scan.picture(aged(Image.new("L", (1275, 1650), 255), seed), 0, 0, WIDTH, HEIGHT)
    return scan.pdf()


def photo_page(seed: int) -> bytes:
    sheet = Sheet(seed)
    sheet.picture(photograph(seed, 900, 1100), 40, 60, 530, 680)
    return sheet.pdf()


def photo_with_stamp(seed: int) -> bytes:
    sheet = Sheet(seed)
    sheet.picture(photograph(seed, 900, 1100), 40, 60, 530, 680)
    sheet.line(f"CALDERA {seed:06}", 450, 24, 10)
    return sheet.pdf()


def minutes(seed: int) -> bytes:
    """Names, places and sums in short lines."""
    sheet = Sheet(seed)
    chance = sheet.chance
    for row in range(48):
        sheet.line(
            f"{chance.choice(names(chance, 1))}, {chance.choice(TOWNS)}   ${chance.randint(100, 99999):,}.00",
            72,
            740 - 14 * row,
            10,
            FONTS[seed % 3],
        )
    return sheet.pdf()


KINDS: tuple[tuple[CorrectMethod, tuple[Kind, ...]], ...] = (
    (
        CorrectMethod.LAYER,
        (
            letters,
            ruled_table,
            form,
            list_of_names,
            numbers_only,
            foreign_prose,
            program_code,
            drawing_with_captions,
            full_page_background,
            watermark_image,
            tiny_page,
            cover_sheet,
            letterhead_with_logo,
            photo_with_caption,
            signed_letter,
            minutes,
            scan_with_sound_hidden_text,
            useless_map,
        ),
    ),
    (
        CorrectMethod.OCR,
        (
            scan_without_text,
            hidden_garbled,
            hidden_shifted,
            hidden_partial,
            hidden_of_another_page,
            hidden_single_letters,
            hidden_shifted_alphabet,
            text_as_paths,
            private_use_text,
            glyph_numbers,
            shifted_map,
            mixed_map,
            symbol_map,
        ),
    ),
    (CorrectMethod.BOTH, (scan_with_bates_stamp, scan_with_filing_header, pasted_exhibit, pasted_clipping)),
    (CorrectMethod.BLANK, (blank,)),
    (CorrectMethod.EITHER, (blank_scan_with_specks, photo_page, photo_with_stamp)),
)


def pages(of_a_kind: int = PAGES_OF_A_KIND, seed: int = 0) -> Iterator[LabelledPage]:
    return made("tune", KINDS, first=1000, step=37, of_a_kind=of_a_kind, seed=seed)
