"""Kinds of pages that were created after the rules were final, to evaluate the rules on new data."""

from collections.abc import Iterator

import numpy as np
import pymupdf
from PIL import Image, ImageDraw, ImageFont

from docpipe_assets_tests.evaluation.text_layer.labelled import (
    PAGES_OF_A_KIND,
    CorrectMethod,
    Kind,
    LabelledPage,
    made,
)
from docpipe_assets_tests.evaluation.text_layer.texts import (
    OTHER_SCRIPTS,
    TOWNS,
    names,
    prose,
    unseen_paragraphs,
)
from docpipe_assets_tests.evaluation.text_layer.typeset import with_text_map
from docpipe_assets_tests.evaluation.text_layer.unseen import (
    LETTER,
    Paper,
    scan_of,
    typed,
    worn,
)


def pleading_paper(seed: int) -> bytes:
    """Twenty-eight numbered lines between ruled margins."""
    paper = Paper(seed, LETTER)
    text = prose(unseen_paragraphs(), paper.chance, 1500).split()
    for number in range(28):
        y = 70 + 24 * number
        paper.page.insert_text((40, y), str(number + 1), fontname="tiro", fontsize=12)
        paper.page.insert_text(
            (80, y), " ".join(text[11 * number : 11 * number + 11]), fontname="tiro", fontsize=12
        )
    for x in (62, 66, 570):
        paper.page.draw_line((x, 0), (x, 792))
    return paper.pdf()


def parts_list(seed: int) -> bytes:
    paper = Paper(seed)
    chance = paper.chance
    for row in range(48):
        line = (
            f"{chance.choice('ABKX')}{chance.randint(100, 999)}-{chance.choice('QRST')}07  "
            f"{chance.choice(('gasket', 'bolt M8x40', 'shim 0.2mm', 'seal NBR70', 'bearing 6204-2RS'))}  "
            f"qty {chance.randint(1, 40)}  bin {chance.randint(1, 60)}{chance.choice('ABC')}"
        )
        paper.page.insert_text((60, 60 + 15 * row), line, fontname="helv", fontsize=9)
    return paper.pdf()


def invoice_with_barcode(seed: int) -> bytes:
    paper = Paper(seed, LETTER)
    noise = np.random.default_rng(seed)
    bars = Image.new("L", (400, 90), 255)
    draw, x = ImageDraw.Draw(bars), 10
    while x < 380:
        width = int(noise.integers(1, 5))
        draw.rectangle((x, 5, x + width, 85), fill=0)
        x += width + int(noise.integers(2, 6))
    paper.image(bars, (350, 40, 560, 87))
    matrix = Image.fromarray(noise.integers(0, 2, (29, 29), dtype=np.uint8) * 255).resize((290, 290), 0)
    paper.image(matrix, (60, 40, 150, 130))
    for row in range(20):
        line = f"{paper.chance.choice(TOWNS)} freight, {paper.chance.randint(1, 30)} pallets at $84.00"
        paper.page.insert_text((60, 180 + 20 * row), line, fontname="helv", fontsize=10)
    return paper.pdf()


def white_on_dark(seed: int) -> bytes:
    paper = Paper(seed, (792.0, 612.0))
    paper.page.draw_rect(pymupdf.Rect(0, 0, 792, 612), color=None, fill=(0.1, 0.1, 0.3))
    text = prose(unseen_paragraphs(), paper.chance, 500)
    paper.html(f"<p>{text}</p>", (80, 80, 710, 540), "color: white; font-size: 18px;")
    return paper.pdf()


def other_script(seed: int) -> bytes:
    paper = Paper(seed)
    code = ("ru", "el", "zh", "ja")[seed % 4]
    joint = "" if code in ("zh", "ja") else " "
    text = joint.join(OTHER_SCRIPTS[code].split())
    paper.html(f"<p>{text}</p><p>{text}</p>")
    paper.document.subset_fonts()
    return paper.pdf()


def turned_table(seed: int) -> bytes:
    """A landscape page that is stored upright and displayed rotated."""
    paper = Paper(seed, LETTER)
    for row in range(30):
        for column in range(6):
            x, y = 60 + 17 * row, 740 - 115 * column
            cell = f"{paper.chance.choice(TOWNS)} {paper.chance.randint(1, 999)}"
            paper.page.insert_text((x, y), cell, fontname="helv", fontsize=9, rotate=90)
            paper.page.draw_line((x + 4, y), (x + 4, y - 110))
    paper.page.set_rotation(90)
    return paper.pdf()


def map_with_labels(seed: int) -> bytes:
    """Roads and contours drawn as paths, their names as text."""
    paper = Paper(seed)
    shape, chance = paper.page.new_shape(), paper.chance
    for _ in range(60):
        x, y = chance.uniform(60, 500), chance.uniform(60, 760)
        points = [(x, y)]
        for _ in range(12):
            x, y = x + chance.uniform(-30, 30), y + chance.uniform(-30, 30)
            points.append((x, y))
        shape.draw_polyline(points)
        shape.draw_circle(points[-1], 3)
        for tick in range(5):
            shape.draw_line((x + 5 * tick, y), (x + 5 * tick + 3, y + 6))
    shape.finish(width=0.6, fill=None)
    shape.commit()
    for town in TOWNS:
        paper.page.insert_text(
            (chance.uniform(60, 450), chance.uniform(60, 780)), town, fontname="helv", fontsize=9
        )
    return paper.pdf()


def typed_names_register(seed: int) -> bytes:
    paper = Paper(seed, LETTER)
    for row, name in enumerate(names(paper.chance, 120)):
        paper.page.insert_text(
            (50 + 180 * (row // 40), 60 + 17 * (row % 40)), name, fontname="cour", fontsize=8
        )
    return paper.pdf()


def received_stamp(seed: int) -> bytes:
    """A letter with a stamp of four lines that was pasted as an image."""
    paper = Paper(seed, LETTER)
    paper.html(f"<p>{prose(unseen_paragraphs(), paper.chance, 1100)}</p>", (64, 60, 540, 520))
    stamp = Image.new("L", (640, 300), 255)
    draw, font = ImageDraw.Draw(stamp), ImageFont.load_default(44)
    draw.rectangle((6, 6, 634, 294), outline=60, width=6)
    for row, line in enumerate(
        ("RECEIVED BY THE CLERK", "OF THE CIRCUIT COURT", f"MARCH {seed % 28 + 1}, 2019", "DEPUTY: R. OSGOOD")
    ):
        draw.text((30, 22 + 66 * row), line, fill=50, font=font)
    paper.image(stamp, (330, 570, 545, 671))
    return paper.pdf()


def screenshot_page(seed: int) -> bytes:
    """A typed heading above an image of a dialog."""
    paper = Paper(seed, LETTER)
    paper.page.insert_text(
        (60, 50),
        "Exhibit 14: the messages of that evening as they were found on the telephone of the witness",
        fontname="tiro",
        fontsize=11,
    )
    inner = typed(seed + 250, 1800).seen(120)
    paper.image(inner.crop((60, 60, inner.width - 60, 1100)), (80, 80, 530, 730))
    return paper.pdf()


def layer_in_a_wrong_code_page(seed: int) -> bytes:
    scan, words = scan_of(typed(seed), 3 * seed + 1)
    accents = {ord("a") + n: chr(0xE0 + n) for n in range(23)}
    scan.hide([(x0, y0, x1, y1, text.lower().translate(accents)) for x0, y0, x1, y1, text in words])
    return scan.pdf()


def rotated_alphabet(seed: int) -> bytes:
    paper = Paper(seed)
    text = prose(unseen_paragraphs(), paper.chance, 1500)
    paper.page.insert_textbox(pymupdf.Rect(60, 60, 540, 780), text, fontname="helv", fontsize=11)
    return with_text_map(paper.pdf(), lambda code: (code - 97 + 13) % 26 + 97 if 97 <= code < 123 else code)


def pale_scan(seed: int) -> bytes:
    paper = typed(seed, 1500)
    scan = Paper(seed)
    scan.image(
        worn(paper.seen(150), 3 * seed + 1).point(lambda v: 200 + v // 6), (0, 0, scan.width, scan.height), 80
    )
    return scan.pdf()


KINDS: tuple[tuple[CorrectMethod, tuple[Kind, ...]], ...] = (
    (
        CorrectMethod.LAYER,
        (
            pleading_paper,
            parts_list,
            invoice_with_barcode,
            white_on_dark,
            other_script,
            turned_table,
            map_with_labels,
            typed_names_register,
        ),
    ),
    (CorrectMethod.OCR, (layer_in_a_wrong_code_page, rotated_alphabet, pale_scan)),
    (CorrectMethod.BOTH, (received_stamp, screenshot_page)),
)


def pages(of_a_kind: int = PAGES_OF_A_KIND, seed: int = 0) -> Iterator[LabelledPage]:
    return made("later", KINDS, first=700, step=13, of_a_kind=of_a_kind, seed=seed)
