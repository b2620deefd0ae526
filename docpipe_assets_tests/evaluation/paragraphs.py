"""Scores the detection of paragraphs.

    python -m docpipe_assets_tests.evaluation.paragraphs [--seed 2026] [--ocr]

Generates sheets of several kinds with known lines that begin a block: a paragraph, a heading, a question, an
answer, a table, a stamp. They are read as PDFs with a text layer or, with --ocr, as scans. A line that begins
a block in the result is correct if its first word is that of a block on the sheet. The rules were tuned with
the seeds below 100.
"""

import argparse
import random
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import pymupdf
from PIL import Image

from docpipe_assets.protocols import Lines, PageImage
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.settings import Settings
from docpipe_assets.text.layer_order import layer_order
from docpipe_assets.text.paragraphs import paragraph_starts
from docpipe_assets_tests.evaluation.ocr import layouts
from docpipe_assets_tests.evaluation.ocr.conditions import CONDITIONS
from docpipe_assets_tests.evaluation.ocr.generated_set import fitting
from docpipe_assets_tests.evaluation.ocr.generated_texts import Texts
from docpipe_assets_tests.evaluation.ocr.layouts import Type
from docpipe_assets_tests.evaluation.ocr.sheet import Sheet, path_of

DPI = 200


class Count(NamedTuple):
    right: int = 0
    wrong: int = 0
    missed: int = 0

    def plus(self, other: "Count") -> "Count":
        return Count(*(mine + its for mine, its in zip(self, other, strict=True)))

    def __str__(self) -> str:
        precision = self.right / max(self.right + self.wrong, 1)
        recall = self.right / max(self.right + self.missed, 1)
        return f"{self.right + self.missed:>8}{precision:>11.1%}{recall:>9.1%}"


def _letter(texts: Texts, chance: random.Random) -> Sheet:
    type_ = Type(chance.choice(("times", "arial", "courier")), chance.choice((10.0, 11.0, 12.0)))
    return fitting(texts.letter(), lambda text: layouts.prose(text, type_))


def _indented(texts: Texts, chance: random.Random) -> Sheet:
    type_ = Type(chance.choice(("times", "schoolbook", "palatino")), chance.choice((10.0, 11.0, 12.0)))
    indent = chance.choice((18.0, 36.0))
    return fitting(texts.letter(), lambda text: layouts.prose(text, type_, gap=0, indent=indent))


def _addressed(texts: Texts, chance: random.Random) -> Sheet:
    type_ = Type(chance.choice(("times", "arial", "courier")), 11.0)
    lines = ["> Maria Ortega", "> Ortega & Pell LLP", "> 400 Main Street, Suite 12", "> Ellsmoor, OR 97000"]
    closing = ["> Very truly yours,", "> Wendell Brandt", "> Claims Adjuster"]
    body = texts.paragraphs(5)
    blocks = ["\n".join(lines), "> Re: Claim No. 4471", "Dear Ms. Ortega:", *body, "\n".join(closing)]
    return fitting("\n\n".join([*blocks, "@ HPL 000147"]), lambda text: layouts.prose(text, type_))


def _columns(texts: Texts, chance: random.Random) -> Sheet:
    count, type_ = chance.choice((2, 3)), Type(chance.choice(("times", "palatino")), 9.0)
    return fitting(texts.newsletter(), lambda text: layouts.columns(text, type_, count, 18.0))


KINDS: dict[str, Callable[[Texts, random.Random], Sheet]] = {
    "letter": _letter,
    "letter, first lines indented": _indented,
    "letter, addressed": _addressed,
    "pleading": lambda texts, _: fitting(
        texts.pleading(), lambda t: layouts.pleading(t, Type("times", 12.0))
    ),
    "testimony": lambda texts, _: fitting(
        texts.testimony(), lambda t: layouts.transcript(t, Type("courier", 11.0))
    ),
    "columns": _columns,
    "table": lambda texts, _: fitting(
        texts.table(), lambda t: layouts.prose(t, Type("arial", 9.5), margin=50)
    ),
}


def count(lines: Lines, sheet: Sheet) -> Count:
    """Compares the detected beginnings of blocks with the sheet."""
    true_words = [line.split() for line in sheet.lines]
    read_words = [[word.text for word in line] for line in lines]
    true_starts = _first_words(true_words)
    read_starts = _first_words(read_words)
    place: dict[int, int] = {}
    alike = SequenceMatcher(None, [*chain(*true_words)], [*chain(*read_words)], autojunk=False)
    for block in alike.get_matching_blocks():
        # A misread word is next to a word that was read correctly.
        for offset in range(-1, block.size + 1):
            place.setdefault(block.a + offset, block.b + offset)
    expected = {place.get(true_starts[line]) for line in sheet.paragraphs}
    detected = {read_starts[line] for line in paragraph_starts(lines)}
    return Count(len(detected & expected), len(detected - expected), len(expected - detected))


def _first_words(lines: list[list[str]]) -> list[int]:
    starts, total = [], 0
    for line in lines:
        starts.append(total)
        total += len(line)
    return starts


def pdf_of(sheet: Sheet) -> bytes:
    """A PDF with a text layer, each run at its position on the sheet."""
    document = pymupdf.open()
    page = document.new_page(width=sheet.width, height=sheet.height)
    for run in sheet.runs:
        page.insert_text(
            (run.x, run.y), run.text, fontsize=run.size, fontname=run.font, fontfile=path_of(run.font)
        )
    return bytes(document.tobytes())


def image_of(sheet: Sheet, seed: int, folder: Path) -> PageImage:
    scan: Image.Image = CONDITIONS["ordinary"](sheet.image(DPI), DPI, np.random.default_rng(seed)).image
    path = folder / "page.grey"
    path.write_bytes(scan.convert("L").tobytes())
    return PageImage(path, scan.width, scan.height, DPI)


def sheets(seed: int, pages: int) -> Iterator[tuple[str, int, Sheet]]:
    for kind, make in KINDS.items():
        for number in range(pages):
            key = f"{seed} {kind} {number}"
            drawn = random.Random(key)
            yield kind, drawn.randrange(2**32), make(Texts(drawn.randrange(2**32)), drawn)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--pages", type=int, default=3, help="of each kind")
    parser.add_argument("--ocr", action="store_true", help="as scans")
    options = parser.parse_args()
    counts: dict[str, Count] = {}
    with TemporaryDirectory() as name:
        pipeline, folder = DocumentPipeline(Settings(data_dir=Path(name))), Path(name)
        try:
            for kind, seed, sheet in sheets(options.seed, options.pages):
                if options.ocr:
                    lines = tuple(pipeline.ocr.read(image_of(sheet, seed, folder)))
                else:
                    path = folder / "page.pdf"
                    path.write_bytes(pdf_of(sheet))
                    (content,) = pipeline.reader.read(path)
                    lines = layer_order(content.lines)
                counts[kind] = counts.get(kind, Count()).plus(count(lines, sheet))
        finally:
            pipeline.close()
    print(f"{'':<30}{'blocks':>8}{'precision':>11}{'recall':>9}")
    for kind, one in counts.items():
        print(f"{kind:<30}{one}")


if __name__ == "__main__":
    main()
