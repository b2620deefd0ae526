"""Reads a made production from scanned pages with a real OCR engine, and counts what is right.

    python -m docpipe_assets_tests.evaluation.bates [--documents 40] [--pages 1000] [--seed 1] [--clean]
        [--engine rapidocr] [--texts FOLDER]

Prints how many labels are right, which planted faults were found and which were invented, and the
seconds a page took. With ``--texts`` what OCR reads is kept, and taken from there the next time.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from docpipe_assets.engines import load_engine
from docpipe_assets.model import Box, Page, PageText, TextMethod
from docpipe_assets.protocols import OcrEngine, PlacedWord
from docpipe_assets.rules.page_labels import labelled
from docpipe_assets.stages.splits_to_text import assemble
from docpipe_assets_tests.evaluation.bates.production import Made, make, pdf_of
from docpipe_assets_tests.evaluation.bates.scan import scanned
from docpipe_assets_tests.evaluation.bates.scoring import compare


def read(document: Made, engine: OcrEngine, seed: int, folder: Path) -> Iterator[tuple[PageText, Page]]:
    """The pages as OCR reads them, with their sizes."""
    pdf = pdf_of(document)
    for number in range(1, len(document.sheets) + 1):
        image = scanned(pdf, number, seed * 100_000 + number, folder / "page")
        scale = 72 / image.dpi
        lines = tuple(
            tuple(PlacedWord(w.text, Box(*(side * scale for side in w.box)), w.confidence) for w in line)
            for line in engine.read(image)
        )
        text, words = assemble(lines)
        yield (
            PageText(
                document=document.name,
                version="made",
                page=number,
                start=0,
                end=len(text),
                text=text,
                method=TextMethod.OCR,
                reason="made",
                confidence=1.0,
                engine=engine.name,
                words=words,
            ),
            Page(
                page=number,
                width_points=image.width * scale,
                height_points=image.height * scale,
                rotation_degrees=0,
                text_characters=0,
                image_cover=1.0,
            ),
        )


def keep(pages: Iterator[tuple[PageText, Page]], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{page.model_dump_json()}\n{text.model_dump_json()}\n" for text, page in pages]
    path.write_text("".join(rows))


def taken(path: Path) -> Iterator[tuple[PageText, Page]]:
    with path.open() as rows:
        for page, text in zip(rows, rows, strict=True):
            yield PageText.model_validate_json(text), Page.model_validate_json(page)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--documents", type=int, default=40)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clean", action="store_true")
    parser.add_argument("--engine", default="rapidocr")
    parser.add_argument("--texts", type=Path)
    chosen = parser.parse_args()
    production = make(chosen.documents, chosen.pages, chosen.seed, has_faults=not chosen.clean)
    engine = load_engine("ocr", chosen.engine, "read")
    began = time.process_time()
    texts: dict[str, list[PageText]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for n, document in enumerate(production.documents, 1):
            kept = (chosen.texts or Path(folder)) / f"{document.name}.jsonl"
            if not kept.exists():
                keep(read(document, engine, chosen.seed * 1000 + n, Path(folder)), kept)
            texts[document.name] = list(labelled(taken(kept)))
            print(f"{n} of {len(production.documents)}: {document.name}", file=sys.stderr, flush=True)
    score = compare(production, texts)
    print(score)
    print(f"CPU seconds a page: {(time.process_time() - began) / max(score.pages, 1):.2f}")


if __name__ == "__main__":
    main()
