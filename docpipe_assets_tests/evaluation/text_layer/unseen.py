"""The half without tuning: pages laid out by MuPDF, with other fonts, texts and degradations."""

import io
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pymupdf
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from docpipe_assets_tests.evaluation.text_layer.labelled import (
    PAGES_OF_A_KIND,
    CorrectMethod,
    Kind,
    LabelledPage,
    made,
)
from docpipe_assets_tests.evaluation.text_layer.texts import (
    FIRST_NAMES,
    LAST_NAMES,
    TOWNS,
    UNSEEN_FOREIGN,
    misread,
    names,
    prose,
    unseen_paragraphs,
)
from docpipe_assets_tests.evaluation.text_layer.typeset import outlined, with_text_map

A4 = (595.0, 842.0)
LETTER = (612.0, 792.0)
FAMILIES = ("serif", "sans-serif", "monospace")
Word = tuple[float, float, float, float, str]


class Paper:
    """A one-page document."""

    def __init__(self, seed: int, size: tuple[float, float] = A4) -> None:
        self.chance = random.Random(f"unseen {seed}")
        self.document = pymupdf.open()
        self.page = self.document.new_page(width=size[0], height=size[1])
        self.width, self.height = size

    def html(
        self, markup: str, box: tuple[float, float, float, float] | None = None, style: str = ""
    ) -> None:
        area = pymupdf.Rect(box or (64, 60, self.width - 60, self.height - 60))
        css = f"* {{ font-family: {self.chance.choice(FAMILIES)}; font-size: 10.5px; {style} }}"
        self.page.insert_htmlbox(area, markup, css=css)

    def image(self, image: Image.Image, box: tuple[float, float, float, float], quality: int = 50) -> None:
        encoded = io.BytesIO()
        if image.mode == "1":
            image.save(encoded, "PNG")
        else:
            image.convert("L").save(encoded, "JPEG", quality=quality)
        self.page.insert_image(pymupdf.Rect(box), stream=encoded.getvalue())

    def words(self) -> list[Word]:
        return [tuple(word[:5]) for word in self.page.get_text("words")]

    def hide(self, words: list[Word]) -> None:
        shape = self.page.new_shape()
        for x0, y0, x1, y1, text in words:
            size = 0.72 * (y1 - y0)
            natural = pymupdf.get_text_length(text, "helv", size) or 1.0
            start = pymupdf.Point(x0, y1 - 0.24 * (y1 - y0))
            stretch = (start, pymupdf.Matrix((x1 - x0) / natural, 1))
            shape.insert_text(start, text, fontname="helv", fontsize=size, render_mode=3, morph=stretch)
        shape.commit()

    def seen(self, dpi: int) -> Image.Image:
        pixmap = self.page.get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY)
        return Image.frombytes("L", (pixmap.width, pixmap.height), pixmap.samples)

    def pdf(self) -> bytes:
        data: bytes = self.document.tobytes(garbage=3, deflate=True, no_new_id=True)
        return data


def typed(seed: int, characters: int = 2400, size: tuple[float, float] = A4) -> Paper:
    paper = Paper(seed, size)
    text = prose(unseen_paragraphs(), paper.chance, characters)
    paper.html("".join(f"<p>{paragraph}</p>" for paragraph in text.split("\n")))
    return paper


def worn(image: Image.Image, seed: int) -> Image.Image:
    """A fax (two tones), a pale copy, or a soft photograph of the page with light from one side."""
    noise = np.random.default_rng(seed)
    way = seed % 3
    tone: NDArray[np.floating[Any]]
    if way == 0:
        tone = np.asarray(image.filter(ImageFilter.GaussianBlur(0.8)), np.float32)
        tone += noise.normal(0, 22, tone.shape)
        return Image.fromarray((tone > 150).astype(np.uint8) * 255).convert("1")
    if way == 1:
        tone = 150 + np.asarray(image, np.float32) * 0.38 + noise.normal(0, 3, image.size[::-1])
    else:
        turned = image.rotate(float(noise.uniform(-1.2, 1.2)), Image.Resampling.BICUBIC, fillcolor=250)
        tone = np.asarray(turned.filter(ImageFilter.GaussianBlur(0.9)), np.float32) * 0.7 + 30
        tone += np.linspace(35, -25, image.width, dtype=np.float32)[None, :]
    return Image.fromarray(np.clip(tone, 0, 255).astype(np.uint8))


def scan_of(paper: Paper, seed: int) -> tuple[Paper, list[Word]]:
    words = paper.words()
    scan = Paper(seed + 1, (paper.width, paper.height))
    scan.image(worn(paper.seen(200), seed), (0, 0, paper.width, paper.height))
    return scan, words


def landscape_photo(seed: int) -> Image.Image:
    """Sky, hills, a fence and foliage."""
    noise = np.random.default_rng(seed)
    height, width = 480, 720
    picture = np.repeat(np.linspace(235, 170, height)[:, None], width, 1)
    for depth in range(4):
        ridge = (
            200 + 60 * depth + 40 * np.sin(np.arange(width) / noise.uniform(40, 120) + noise.uniform(0, 6))
        )
        picture[np.arange(height)[:, None] > ridge[None, :]] = 150 - 30 * depth
    leaves = Image.fromarray(noise.normal(128, 40, (160, width)).clip(0, 255).astype(np.uint8))
    picture[320:] += 1.5 * (np.asarray(leaves.filter(ImageFilter.GaussianBlur(1.5)), np.float32) - 128)
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for post in range(0, width, 60):
        draw.rectangle((post, 300, post + 8, 380), fill=35)
    draw.line((0, 325, width, 330), fill=40, width=4)
    return image


# --- sound and complete ---------------------------------------------------------------------------


def report(seed: int) -> bytes:
    return typed(seed).pdf()


def two_columns(seed: int) -> bytes:
    paper = Paper(seed, LETTER)
    for left in (50, 315):
        text = prose(unseen_paragraphs(), paper.chance, 1400)
        paper.html(f"<p>{text}</p>", (left, 60, left + 245, 730))
    return paper.pdf()


def shaded_table(seed: int) -> bytes:
    paper = Paper(seed)
    chance = paper.chance
    for row in range(40):
        y = 60 + 17 * row
        if row % 2:
            paper.page.draw_rect(pymupdf.Rect(50, y - 12, 545, y + 5), color=None, fill=(0.9, 0.9, 0.9))
        cells = (
            chance.choice(TOWNS),
            str(chance.randint(1, 999)),
            f"{chance.uniform(1, 99):.1f} %",
            f"${chance.randint(1, 99999):,}",
            chance.choice(("paid", "open", "overdue", "waived")),
        )
        for column, cell in enumerate(cells):
            paper.page.insert_text((56 + 100 * column, y), cell, fontname="helv", fontsize=9)
            paper.page.draw_line((50 + 100 * column, y - 12), (50 + 100 * column, y + 5))
            paper.page.draw_line((50 + 100 * column, y + 5), (150 + 100 * column, y + 5))
    return paper.pdf()


def questionnaire(seed: int) -> bytes:
    paper = Paper(seed)
    questions = (
        "Were you present at the meeting?",
        "Did you receive the notice?",
        "Has the claim been paid?",
        "Do you hold a licence?",
        "Is the address above correct?",
        "Have you been convicted?",
    )
    for row in range(18):
        y = 80 + 40 * row
        paper.page.insert_text((60, y), f"{row + 1}. {questions[row % 6]}", fontname="tiro", fontsize=10)
        for column, label in enumerate(("Yes", "No", "Unknown")):
            x = 330 + 70 * column
            paper.page.draw_rect(pymupdf.Rect(x, y - 8, x + 9, y + 1))
            paper.page.draw_line((60, y + 12), (540, y + 12))
            paper.page.insert_text((x + 13, y), label, fontname="tiro", fontsize=8)
        paper.page.insert_text((332, y), "\x34", fontname="zadb", fontsize=9)
    return paper.pdf()


def service_list(seed: int) -> bytes:
    paper = Paper(seed, LETTER)
    entries = "".join(
        f"<div>{name} &mdash; {paper.chance.choice(TOWNS)}</div>" for name in names(paper.chance, 45)
    )
    paper.html(entries)
    return paper.pdf()


def readings(seed: int) -> bytes:
    """The log of a gauge: times and figures."""
    paper = Paper(seed)
    for row in range(52):
        line = f"{row // 4:02}:{row % 4 * 15:02}   " + "  ".join(
            f"{paper.chance.uniform(-9, 120):7.2f}" for _ in range(7)
        )
        paper.page.insert_text((50, 60 + 14 * row), line, fontname="cour", fontsize=8.5)
    return paper.pdf()


def foreign_letter(seed: int) -> bytes:
    paper = Paper(seed)
    text = " ".join(UNSEEN_FOREIGN[list(UNSEEN_FOREIGN)[seed % 4]].split())
    paper.html(f"<p>{text}</p><p>{text}</p>")
    return paper.pdf()


def log_file(seed: int) -> bytes:
    paper = Paper(seed, LETTER)
    chance = paper.chance
    for row in range(55):
        line = (
            f"2021-03-{chance.randint(1, 28):02}T0{chance.randint(0, 9)}:14:{chance.randint(10, 59)}Z "
            f"{chance.choice(('INFO', 'WARN', 'ERROR'))} svc-{chance.choice('abc')}{chance.randint(1, 40)} "
            f'conn={chance.getrandbits(32):08x} msg="{chance.choice(("timeout", "retry", "accepted"))} '
            f'peer=10.0.{chance.randint(0, 255)}.{chance.randint(0, 255)}"'
        )
        paper.page.insert_text((40, 50 + 12.5 * row), line, fontname="cour", fontsize=7)
    return paper.pdf()


def floor_plan(seed: int) -> bytes:
    paper = Paper(seed)
    shape, chance = paper.page.new_shape(), paper.chance
    for _ in range(30):
        x, y = chance.uniform(60, 460), chance.uniform(80, 560)
        shape.draw_rect(pymupdf.Rect(x, y, x + chance.uniform(30, 120), y + chance.uniform(30, 120)))
        for step in range(10):  # stairs
            shape.draw_line((x + 4 * step, y), (x + 4 * step, y + 18))
        shape.draw_circle((x, y), chance.uniform(4, 20))
        shape.draw_curve((x, y), (x + 20, y + 35), (x + 60, y))
    shape.finish(width=0.7)
    shape.commit()
    for number, room in enumerate(("Kitchen", "Hall", "Cold store", "Office", "Loading dock", "Boiler room")):
        paper.page.insert_text((80 + 70 * number, 700), room, fontname="helv", fontsize=9)
    paper.page.insert_text(
        (80, 730), "Ground floor, scale 1:100, all measures in feet", fontname="helv", fontsize=9
    )
    return paper.pdf()


def slide_over_a_photo(seed: int) -> bytes:
    paper = Paper(seed, (792.0, 612.0))
    pale = landscape_photo(seed).point(lambda v: 225 + v // 9)
    paper.image(pale, (0, 0, 792, 612))
    text = prose(unseen_paragraphs(), paper.chance, 700)
    paper.html(f"<p>{text}</p>", (80, 90, 710, 520), "font-size: 17px;")
    return paper.pdf()


def draft_mark(seed: int) -> bytes:
    """A pale image of a seal below the text."""
    paper = typed(seed, 2000, LETTER)
    seal = Image.new("L", (400, 400), 255)
    draw = ImageDraw.Draw(seal)
    for radius in range(60, 190, 18):
        draw.ellipse((200 - radius, 200 - radius, 200 + radius, 200 + radius), outline=225, width=6)
    encoded = io.BytesIO()
    seal.save(encoded, "PNG")
    paper.page.insert_image(pymupdf.Rect(150, 200, 460, 510), stream=encoded.getvalue(), overlay=False)
    return paper.pdf()


def business_card(seed: int) -> bytes:
    paper = Paper(seed, (252.0, 144.0))
    for row, line in enumerate(
        (
            f"{paper.chance.choice(FIRST_NAMES)} {paper.chance.choice(LAST_NAMES)}",
            "Claims Adjuster",
            "555-0142",
        )
    ):
        paper.page.insert_text((30, 50 + 20 * row), line, fontname="tiro", fontsize=11)
    return paper.pdf()


def slip_sheet(seed: int) -> bytes:
    paper = Paper(seed, LETTER)
    paper.page.insert_text((180, 380), "PRODUCED IN NATIVE FORMAT", fontname="helv", fontsize=16)
    paper.page.insert_text((440, 770), f"ELLSMOOR-{seed:07}", fontname="helv", fontsize=9)
    return paper.pdf()


def article_with_chart(seed: int) -> bytes:
    paper = Paper(seed)
    chart = Image.new("L", (600, 320), 255)
    draw, noise = ImageDraw.Draw(chart), np.random.default_rng(seed)
    draw.line((40, 290, 590, 290), fill=0, width=3)
    draw.line((40, 10, 40, 290), fill=0, width=3)
    for bar in range(12):
        draw.rectangle((60 + 44 * bar, 290 - int(noise.integers(20, 260)), 88 + 44 * bar, 290), fill=90)
    paper.image(chart, (100, 80, 480, 283))
    paper.html(f"<p>{prose(unseen_paragraphs(), paper.chance, 1300)}</p>", (64, 310, 535, 780))
    return paper.pdf()


def photo_sheet(seed: int) -> bytes:
    paper = Paper(seed, LETTER)
    for row in range(2):
        paper.image(landscape_photo(seed + row), (110, 60 + 350 * row, 500, 320 + 350 * row))
        paper.page.insert_text(
            (110, 340 + 350 * row),
            f"View {row + 1}: the fence as it was found on the day after the storm, looking north",
            fontname="helv",
            fontsize=9,
        )
    return paper.pdf()


def searchable_scan(seed: int) -> bytes:
    scan, words = scan_of(typed(seed), 3 * seed + 1)  # not rotated, because its hidden words are not
    chance = scan.chance
    scan.hide(
        [
            (
                x0 + chance.uniform(-1, 1),
                y0 + chance.uniform(-1, 1),
                x1 + chance.uniform(-1, 1),
                y1 + chance.uniform(-1, 1),
                misread(text, chance, 0.012),
            )
            for x0, y0, x1, y1, text in words
        ]
    )
    return scan.pdf()


# --- to be read by OCR ----------------------------------------------------------------------------


def fax(seed: int) -> bytes:
    return scan_of(typed(seed, 300 + 350 * (seed % 7)), seed)[0].pdf()


def scan_in_strips(seed: int) -> bytes:
    """A page as some scanners store it: many images below each other."""
    paper = typed(seed, 2000, LETTER)
    image = worn(paper.seen(150), seed)
    scan = Paper(seed, LETTER)
    for strip in range(11):
        part = image.crop((0, strip * image.height // 11, image.width, (strip + 1) * image.height // 11))
        scan.image(part, (0, 72 * strip, 612, 72 * (strip + 1)))
    return scan.pdf()


def layer_of_poor_ocr(seed: int) -> bytes:
    scan, words = scan_of(typed(seed), seed)
    scan.hide([(x0, y0, x1, y1, misread(text, scan.chance, 0.4)) for x0, y0, x1, y1, text in words])
    return scan.pdf()


def layer_displaced(seed: int) -> bytes:
    scan, words = scan_of(typed(seed), seed)
    x, y = scan.chance.choice(((30, 0), (0, 12), (-14, 22), (60, 60)))
    scan.hide([(x0 + x, y0 + y, x1 + x, y1 + y, text) for x0, y0, x1, y1, text in words])
    return scan.pdf()


def layer_of_one_half(seed: int) -> bytes:
    scan, words = scan_of(typed(seed), seed)
    middle = words[len(words) // 2][1]
    is_upper = bool(seed % 2)
    scan.hide([word for word in words if (word[1] < middle) == is_upper])
    return scan.pdf()


def layer_of_the_next_page(seed: int) -> bytes:
    scan, _ = scan_of(typed(seed), seed)
    scan.hide(typed(seed + 400).words())
    return scan.pdf()


def layer_in_pieces(seed: int) -> bytes:
    scan, words = scan_of(typed(seed), seed)
    pieces: list[Word] = []
    for x0, y0, x1, y1, text in words:
        step = (x1 - x0) / len(text)
        pieces += [(x0 + n * step, y0, x0 + (n + 0.35) * step, y1, c) for n, c in enumerate(text)]
    scan.hide(pieces)
    return scan.pdf()


def layer_in_a_cipher(seed: int) -> bytes:
    scan, words = scan_of(typed(seed), seed)
    table = str.maketrans("abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")
    scan.hide([(x0, y0, x1, y1, text.lower().translate(table)) for x0, y0, x1, y1, text in words])
    return scan.pdf()


def outlines(seed: int) -> bytes:
    return outlined(typed(seed, 1200).pdf())


def remapped(seed: int, first: int) -> bytes:
    """The page's own fonts, with all characters mapped to others."""
    paper = Paper(seed)
    text = prose(unseen_paragraphs(), paper.chance, 1800)
    paper.page.insert_textbox(pymupdf.Rect(60, 60, 540, 780), text, fontname="tiro", fontsize=11)
    return with_text_map(paper.pdf(), lambda code: first + (code * 7) % 96)


def font_in_private_use(seed: int) -> bytes:
    return remapped(seed, 0xF020)


def font_in_wrong_letters(seed: int) -> bytes:
    return remapped(seed, 0x20)


def font_in_signs(seed: int) -> bytes:
    return remapped(seed, 0x2500)


def font_in_accents(seed: int) -> bytes:
    return remapped(seed, 0xC0)


# --- sound, but not complete ----------------------------------------------------------------------


def produced_scan(seed: int) -> bytes:
    scan, _ = scan_of(typed(seed, 1800, LETTER), seed)
    scan.page.insert_text((430, 780), f"HARBOR_{seed:06}", fontname="helv", fontsize=9)
    if seed % 2:
        scan.page.insert_text(
            (40, 780), "HIGHLY CONFIDENTIAL - ATTORNEYS' EYES ONLY", fontname="hebo", fontsize=8
        )
    return scan.pdf()


def filed_scan(seed: int) -> bytes:
    scan, _ = scan_of(typed(seed, 2100, LETTER), seed)
    scan.page.insert_text(
        (60, 18),
        f"FILED: COUNTY CLERK 0{seed % 9 + 1}/12/2020 04:1{seed % 10} PM   INDEX NO. "
        f"65{seed:04}/2019   NYSCEF DOC. NO. {seed % 80}   RECEIVED NYSCEF: 03/12/2020",
        fontname="cobo",
        fontsize=7,
    )
    return scan.pdf()


def brief_with_a_screenshot(seed: int) -> bytes:
    paper = Paper(seed, LETTER)
    paper.html(f"<p>{prose(unseen_paragraphs(), paper.chance, 900)}</p>", (70, 60, 540, 300))
    inner = typed(seed + 300, 1500).seen(130)
    crop = inner.crop((90, 100, inner.width - 90, 100 + int(inner.height * (0.25 + 0.1 * (seed % 3)))))
    width = 440.0
    height = width * crop.height / crop.width
    paper.image(worn(crop, 3 * seed + 1), (85, 330, 85 + width, min(330 + height, 740)))
    return paper.pdf()


def page_with_a_label(seed: int) -> bytes:
    """A dark sticker of three lines, photographed and pasted next to the text."""
    paper = Paper(seed)
    paper.html(f"<p>{prose(unseen_paragraphs(), paper.chance, 1500)}</p>", (64, 60, 330, 780))
    inner = typed(seed + 350, 1500).seen(110)
    crop = inner.crop((90, 100, 480, 420))
    paper.image(ImageOps.autocontrast(crop), (350, 500, 560, 672))
    return paper.pdf()


# --- nothing to read ------------------------------------------------------------------------------


def empty(seed: int) -> bytes:
    paper = Paper(seed)
    for side in range(seed % 3):
        paper.page.draw_rect(pymupdf.Rect(30 + 5 * side, 30, 560, 800))
    return paper.pdf()


def dirty_glass(seed: int) -> bytes:
    paper = Paper(seed)
    paper.image(worn(Image.new("L", (1240, 1754), 250), 3 * seed + 2), (0, 0, *A4))
    return paper.pdf()


def picture(seed: int) -> bytes:
    paper = Paper(seed)
    paper.image(landscape_photo(seed), (20, 150, 575, 520))
    return paper.pdf()


KINDS: tuple[tuple[CorrectMethod, tuple[Kind, ...]], ...] = (
    (
        CorrectMethod.LAYER,
        (
            report,
            two_columns,
            shaded_table,
            questionnaire,
            service_list,
            readings,
            foreign_letter,
            log_file,
            floor_plan,
            slide_over_a_photo,
            draft_mark,
            business_card,
            slip_sheet,
            article_with_chart,
            photo_sheet,
            searchable_scan,
        ),
    ),
    (
        CorrectMethod.OCR,
        (
            fax,
            scan_in_strips,
            layer_of_poor_ocr,
            layer_displaced,
            layer_of_one_half,
            layer_of_the_next_page,
            layer_in_pieces,
            layer_in_a_cipher,
            outlines,
            font_in_private_use,
            font_in_wrong_letters,
            font_in_signs,
            font_in_accents,
        ),
    ),
    (CorrectMethod.BOTH, (produced_scan, filed_scan, brief_with_a_screenshot, page_with_a_label)),
    (CorrectMethod.BLANK, (empty,)),
    (CorrectMethod.EITHER, (dirty_glass, picture)),
)


def pages(of_a_kind: int = PAGES_OF_A_KIND, seed: int = 0) -> Iterator[LabelledPage]:
    return made("test", KINDS, first=20, step=11, of_a_kind=of_a_kind, seed=seed)
