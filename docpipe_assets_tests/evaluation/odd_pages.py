"""Shows the outcome of unusual pages.

    python -m docpipe_assets_tests.evaluation.odd_pages [--only NAME] [--keep DIR]

Each page is generated, read like a page of a document, and printed with its outcome: the method, the share
of its words that were found, the language, and the flags for review. Pages whose fonts are not installed are
skipped and listed.
"""

import argparse
import io
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import pymupdf
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from docpipe_assets.model import Blob, PageSplit, PageSplits, PageText
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.settings import Settings
from docpipe_assets.stages.splits_to_text import splits_to_text
from docpipe_assets_tests.evaluation.text_layer.texts import OTHER_SCRIPTS, TUNE_FOREIGN, unseen_paragraphs

WIDTH, HEIGHT, DPI = 1275, 1650, 150
TRUTH = unseen_paragraphs()
SCRIPT_FONTS = ("/usr/share/fonts/opentype/urw-base35/Z003-MediumItalic.otf",)
WIDE_FONTS = ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",)
ASIAN_FONTS = ("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",)


class OddPage(NamedTuple):
    name: str
    pdf: bytes
    truth: str
    """The text of the page; empty if there is nothing to read."""


class FontMissing(Exception):
    """The page can't be generated because a font is not installed."""


def _font(paths: Sequence[str], size: int) -> ImageFont.FreeTypeFont:
    path = next((path for path in paths if Path(path).exists()), None)
    if path is None:
        raise FontMissing(paths[0])
    return ImageFont.truetype(path, size)


def _default_font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _paragraph(number: int) -> str:
    return TRUTH[number % len(TRUTH)]


def sheet(
    text: str, *, size: tuple[int, int] = (WIDTH, HEIGHT), letters: int = 24, fonts: Sequence[str] = ()
) -> Image.Image:
    """A white page with one paragraph for each line of ``text``."""
    page = Image.new("L", size, 255)
    font = _font(fonts, letters) if fonts else _default_font(letters)
    _write(page, text, 120, 120, size[0] - 240, font)
    return page


def _write(
    page: Image.Image,
    text: str,
    left: int,
    top: int,
    width: int,
    font: ImageFont.FreeTypeFont,
    shade: int = 15,
) -> int:
    draw = ImageDraw.Draw(page)
    for paragraph in text.split("\n"):
        line = ""
        parts = paragraph.split(" ") if " " in paragraph else list(paragraph)
        joint = " " if " " in paragraph else ""
        for part in parts:
            longer = line + joint + part if line else part
            if font.getlength(longer) > width:
                draw.text((left, top), line, fill=shade, font=font)
                top += round(1.5 * font.size)
                line = part
            else:
                line = longer
        draw.text((left, top), line, fill=shade, font=font)
        top += round(2.2 * font.size)
    return top


def scanned(image: Image.Image, seed: int = 1, *, rotate: int = 0) -> bytes:
    """A page that is this image, with the noise of a scanner; displayed rotated if the PDF says so."""
    noise = np.random.default_rng(seed)
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(0.6)), np.float32) * 0.8 + 40
    grain = Image.fromarray(np.clip(soft + noise.normal(0, 4, soft.shape), 0, 255).astype(np.uint8))
    encoded = io.BytesIO()
    grain.save(encoded, "JPEG", quality=70)
    document = pymupdf.open()
    page = document.new_page(width=image.width * 72 / DPI, height=image.height * 72 / DPI)
    page.insert_image(page.rect, stream=encoded.getvalue())
    page.set_rotation(rotate)
    data: bytes = document.tobytes(no_new_id=True)
    return data


def prose() -> str:
    return "\n".join(_paragraph(n) for n in range(4))


def upright() -> OddPage:
    return OddPage("an ordinary scan", scanned(sheet(prose())), prose())


def sideways_by_rotate() -> OddPage:
    turned = sheet(prose()).transpose(Image.Transpose.ROTATE_90)
    return OddPage("stored sideways, /Rotate 90", scanned(turned, rotate=90), prose())


def sideways() -> OddPage:
    turned = sheet(prose()).transpose(Image.Transpose.ROTATE_90)
    return OddPage("scanned sideways", scanned(turned), prose())


def upside_down() -> OddPage:
    return OddPage("scanned upside-down", scanned(sheet(prose()).rotate(180)), prose())


def blank_sheet() -> OddPage:
    document = pymupdf.open()
    document.new_page()
    return OddPage("blank, no image", document.tobytes(no_new_id=True), "")


def blank_scan() -> OddPage:
    page = Image.new("L", (WIDTH, HEIGHT), 250)
    draw, chance = ImageDraw.Draw(page), random.Random(3)
    for _ in range(150):
        x, y = chance.randint(0, WIDTH - 5), chance.randint(0, HEIGHT - 5)
        draw.ellipse((x, y, x + chance.randint(1, 4), y + chance.randint(1, 4)), fill=60)
    draw.rectangle((0, 0, 14, HEIGHT), fill=50)
    return OddPage("blank scan, specks, dark edge", scanned(page), "")


def handwritten() -> OddPage:
    page, chance = Image.new("L", (WIDTH, HEIGHT), 255), random.Random(5)
    y = 140
    for line in (prose()[n : n + 55] for n in range(0, 900, 55)):
        strip = Image.new("L", (WIDTH, 90), 255)
        x = 110.0
        for word in line.split():
            font = _font(SCRIPT_FONTS, chance.randint(38, 46))
            ImageDraw.Draw(strip).text(
                (x, 12 + chance.randint(-7, 7)), word, fill=chance.randint(20, 90), font=font
            )
            x += font.getlength(word) + chance.randint(12, 26)
        wavy = strip.rotate(chance.uniform(-1.5, 1.5), Image.Resampling.BICUBIC, fillcolor=255)
        page.paste(wavy, (0, y))
        y += 82
    return OddPage("handwriting, in a script font", scanned(page), prose()[: 16 * 55])


def scribbled() -> OddPage:
    """Strokes that look like writing but are illegible."""
    page, chance = Image.new("L", (WIDTH, HEIGHT), 255), random.Random(9)
    draw = ImageDraw.Draw(page)
    for row in range(16):
        x, y = 120.0, 160.0 + 80 * row
        while x < WIDTH - 160:
            points = [(x, y)]
            for _ in range(chance.randint(4, 11)):
                points.append((points[-1][0] + chance.uniform(3, 13), y + chance.uniform(-28, 18)))
            draw.line(points, fill=40, width=3, joint="curve")
            x = points[-1][0] + chance.uniform(14, 34)
    return OddPage("handwriting that nobody could read", scanned(page), "")


def two_latin_languages() -> OddPage:
    text = "\n".join(
        (_paragraph(0), " ".join(TUNE_FOREIGN["de"].split()), " ".join(TUNE_FOREIGN["es"].split()))
    )
    return OddPage("English, German, Spanish", scanned(sheet(text)), text)


def english_and_russian() -> OddPage:
    text = f"{_paragraph(0)}\n{_paragraph(1)}"
    foreign = " ".join(OTHER_SCRIPTS["ru"].split())
    return OddPage(
        "English above Russian", scanned(sheet(f"{text}\n{foreign}\n{foreign}", fonts=WIDE_FONTS)), text
    )


def in_script(code: str, fonts: Sequence[str], name: str) -> Callable[[], OddPage]:
    def make() -> OddPage:
        text = " ".join(OTHER_SCRIPTS[code].split())
        return OddPage(name, scanned(sheet(f"{text}\n{text}\n{text}", fonts=fonts, letters=26)), "")

    return make


def russian_layer() -> OddPage:
    document = pymupdf.open()
    text = " ".join(OTHER_SCRIPTS["ru"].split())
    document.new_page().insert_htmlbox(pymupdf.Rect(60, 60, 540, 700), f"<p>{text}</p><p>{text}</p>")
    document.subset_fonts()
    return OddPage("Russian, text layer", document.tobytes(no_new_id=True), text)


def landscape() -> OddPage:
    return OddPage("landscape", scanned(sheet(prose(), size=(HEIGHT, WIDTH))), prose())


def two_up() -> OddPage:
    page = Image.new("L", (HEIGHT, WIDTH), 255)
    texts = [f"{_paragraph(n)}\n{_paragraph(n + 1)}" for n in (0, 2)]
    for half, text in enumerate(texts):
        _write(page, text, 80 + half * HEIGHT // 2, 100, HEIGHT // 2 - 160, _default_font(20))
    return OddPage("two pages on one", scanned(page), "\n".join(texts))


def stamped_over() -> OddPage:
    page = sheet(prose())
    stamp = Image.new("L", (1500, 220), 255)
    ImageDraw.Draw(stamp).text((20, 20), "CONFIDENTIAL", fill=120, font=ImageFont.load_default(170))
    turned = stamp.rotate(40, expand=True, fillcolor=255)
    at = ((WIDTH - turned.width) // 2, (HEIGHT - turned.height) // 2)
    whole = Image.new("L", page.size, 255)
    whole.paste(turned, at)
    over = Image.fromarray(np.minimum(np.asarray(page), np.asarray(whole)))
    return OddPage("a large stamp across the text", scanned(over), f"{prose()} CONFIDENTIAL")


def pasted_scan() -> OddPage:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_textbox(pymupdf.Rect(72, 60, 540, 250), _paragraph(0), fontname="tiro", fontsize=11)
    exhibit = sheet(_paragraph(1) + "\n" + _paragraph(2), size=(1100, 800))
    encoded = io.BytesIO()
    exhibit.save(encoded, "JPEG", quality=60)
    page.insert_image(pymupdf.Rect(80, 280, 530, 607), stream=encoded.getvalue())
    return OddPage("a scan pasted into a typed page", document.tobytes(no_new_id=True), "\n".join(TRUTH[:3]))


def bates_on_scan() -> OddPage:
    document = pymupdf.open(stream=scanned(sheet(prose())))
    document[0].insert_text((430, 775), "HARBOR 000123", fontname="helv", fontsize=10)
    return OddPage("a Bates stamp over a scan", document.tobytes(no_new_id=True), f"{prose()} HARBOR 000123")


def photograph() -> OddPage:
    from docpipe_assets_tests.evaluation.text_layer.unseen import landscape_photo

    page = Image.new("L", (WIDTH, HEIGHT), 255)
    page.paste(landscape_photo(4).resize((1080, 720)), (100, 300))
    return OddPage("a photograph", scanned(page), "")


def pale() -> OddPage:
    page = sheet(f"{_paragraph(0)}\n{_paragraph(1)}")
    _write(
        page,
        f"{_paragraph(2)}\n{_paragraph(3)}",
        120,
        900,
        WIDTH - 240,
        _default_font(22),
        shade=200,
    )
    return OddPage("the lower half hardly printed", scanned(page), prose())


MAKERS: tuple[Callable[[], OddPage], ...] = (
    upright,
    sideways_by_rotate,
    sideways,
    upside_down,
    landscape,
    two_up,
    stamped_over,
    bates_on_scan,
    pasted_scan,
    pale,
    handwritten,
    scribbled,
    blank_sheet,
    blank_scan,
    photograph,
    two_latin_languages,
    english_and_russian,
    russian_layer,
    in_script("ru", WIDE_FONTS, "Russian, scan"),
    in_script("el", WIDE_FONTS, "Greek, scan"),
    in_script("he", WIDE_FONTS, "Hebrew, scan"),
    in_script("ar", WIDE_FONTS, "Arabic, scan"),
    in_script("zh", ASIAN_FONTS, "Chinese, scan"),
    in_script("ja", ASIAN_FONTS, "Japanese, scan"),
)


class OneFile:
    """A part store that holds one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, name: str, source: Path, sha256: str | None = None) -> Blob:
        raise NotImplementedError

    @contextmanager
    def fetch(self, blob: Blob) -> Iterator[Path]:
        yield self._path


class NoCheckpoints:
    def load(self, made_from: str, first_page: int) -> None:
        return None

    def save(self, made_from: str, first_page: int, pages: Sequence[PageText]) -> None:
        return None


def read_page(pipeline: DocumentPipeline, pdf: bytes, folder: Path) -> PageText:
    """The record of a one-page document."""
    path = folder / "page.pdf"
    path.write_bytes(pdf)
    split = PageSplit(
        document="odd.pdf",
        version="0" * 64,
        split=1,
        first_page=1,
        last_page=1,
        part=Blob(key="odd.pdf", size_bytes=len(pdf), sha256=""),
        pages=(),
    )
    (text,) = splits_to_text(
        PageSplits("odd", lambda: iter([split])),
        reader=pipeline.reader,
        ocr=pipeline.ocr,
        parts=OneFile(path),
        checkpoints=NoCheckpoints(),
        dpi=pipeline.settings.ocr_dpi,
    )
    return text


def found_share(text: str, truth: str) -> float | None:
    """The share of the words of the truth that occur anywhere in the text; None if the truth has no words."""
    wanted = Counter(truth.split())
    if not wanted:
        return None
    return (wanted & Counter(text.split())).total() / wanted.total()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", help="only pages whose name contains this")
    parser.add_argument("--keep", type=Path, help="write the pages to this folder")
    parser.add_argument("--signals", action="store_true")
    chosen = parser.parse_args()
    print(f"{'page':<34}{'ended as':<12}{'sure':>5}{'words':>7}  {'lang':<6}{'flags':<26}why")
    with TemporaryDirectory() as name:
        pipeline = DocumentPipeline(Settings(data_dir=Path(name)))
        try:
            for make in MAKERS:
                try:
                    odd = make()
                except FontMissing as missing:
                    print(f"{make.__name__}: skipped, {missing} is not installed")
                    continue
                if chosen.only and chosen.only not in odd.name:
                    continue
                if chosen.keep:
                    chosen.keep.mkdir(parents=True, exist_ok=True)
                    (chosen.keep / f"{odd.name.replace('/', '')}.pdf").write_bytes(odd.pdf)
                began = time.monotonic()
                text = read_page(pipeline, odd.pdf, Path(name))
                share = found_share(text.text, odd.truth)
                words = f"{share:.1%}" if share is not None else f"{len(text.words)} w"
                seconds = time.monotonic() - began
                flags = ", ".join(text.flags) or "-"
                print(
                    f"{odd.name:<34}{text.method:<12}{text.confidence:>5.2f}{words:>7}  "
                    f"{text.language or '-':<6}{flags:<26}{text.reason} ({seconds:.1f} s)"
                )
                if chosen.signals:
                    print("   ", text.signals)
        finally:
            pipeline.close()


if __name__ == "__main__":
    main()
