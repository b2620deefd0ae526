"""Reads a generated production, part of it scanned, with a real OCR engine, and scores the result.

    python -m docpipe_assets_tests.evaluation.bates [--documents 40] [--pages 1000] [--seed 1] [--clean]
        [--engine rapidocr] [--texts FOLDER] [--scanned 3]

Prints the number of correct labels, of seeded faults found and of false findings, and the seconds per page.
Every third document is a scan (``--scanned 1``: all are); the others are read from their text layers. With
``--texts`` the OCR results are stored and reused in the next run.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from docpipe_assets.engines import load_engine
from docpipe_assets.engines.pdf import pymupdf
from docpipe_assets.model import Box, Page, PageText, TextMethod
from docpipe_assets.page_marks.labels import with_labels
from docpipe_assets.protocols import Lines, OcrEngine, PlacedWord
from docpipe_assets.text.page_text import assemble
from docpipe_assets_tests.evaluation.bates.production import GeneratedDocument, make, pdf_of
from docpipe_assets_tests.evaluation.bates.scan import scanned
from docpipe_assets_tests.evaluation.bates.scoring import compare


def scans(
    document: GeneratedDocument, engine: OcrEngine, seed: int, folder: Path
) -> Iterator[tuple[PageText, Page]]:
    """The pages as read by OCR, with their sizes."""
    pdf = pdf_of(document)
    for number in range(1, len(document.sheets) + 1):
        image = scanned(pdf, number, seed * 100_000 + number, folder / "page")
        scale = 72 / image.dpi
        lines = tuple(
            tuple(PlacedWord(w.text, Box(*(side * scale for side in w.box)), w.confidence) for w in line)
            for line in engine.read(image)
        )
        yield record(document.name, number, lines, TextMethod.OCR, image.width * scale, image.height * scale)


def born_digital(document: GeneratedDocument, folder: Path) -> Iterator[tuple[PageText, Page]]:
    """The pages as read from their text layers."""
    path = folder / "document.pdf"
    path.write_bytes(pdf_of(document))
    for page in pymupdf.read(str(path), 1):
        lines = tuple(tuple(PlacedWord(w[0], Box(*w[1])) for w in line) for line in page["lines"])
        size = page["width_points"], page["height_points"]
        yield record(document.name, page["page"], lines, TextMethod.TEXT_LAYER, *size)


def record(
    document: str, number: int, lines: Lines, method: TextMethod, width_points: float, height_points: float
) -> tuple[PageText, Page]:
    text, words, _ = assemble(lines)
    return (
        PageText(
            document=document,
            version="made",
            page=number,
            start=0,
            end=len(text),
            text=text,
            method=method,
            reason="made",
            confidence=1.0,
            engine="made",
            words=words,
        ),
        Page(
            page=number,
            width_points=width_points,
            height_points=height_points,
            rotation_degrees=0,
            text_characters=0,
            image_cover=1.0,
        ),
    )


def save(pages: Iterator[tuple[PageText, Page]], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{page.model_dump_json()}\n{text.model_dump_json()}\n" for text, page in pages]
    path.write_text("".join(rows))


def load(path: Path) -> Iterator[tuple[PageText, Page]]:
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
    parser.add_argument("--scanned", type=int, default=3)
    chosen = parser.parse_args()
    production = make(chosen.documents, chosen.pages, chosen.seed, has_faults=not chosen.clean)
    engine = load_engine("ocr", chosen.engine, "read")
    began = time.process_time()
    texts: dict[str, list[PageText]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for n, document in enumerate(production.documents, 1):
            kept = (chosen.texts or Path(folder)) / f"{document.name}.jsonl"
            is_scan = n % chosen.scanned == 0
            if is_scan and not kept.exists():
                save(scans(document, engine, chosen.seed * 1000 + n, Path(folder)), kept)
            pages = load(kept) if is_scan else born_digital(document, Path(folder))
            texts[document.name] = list(with_labels(pages))
            print(f"{n} of {len(production.documents)}: {document.name}", file=sys.stderr, flush=True)
    score = compare(production, texts)
    print(score)
    read = [
        (page, label)
        for made in production.documents
        for page, label in zip(texts[made.name], made.labels, strict=True)
    ]
    scanned_pages = [(page, label) for page, label in read if page.method is TextMethod.OCR]
    right = sum(page.bates == label for page, label in scanned_pages)
    share = right / max(len(scanned_pages), 1)
    print(f"of them on scans: {right:,} of {len(scanned_pages):,} pages ({share:.2%})")
    print(f"CPU seconds in all: {time.process_time() - began:,.0f}")


if __name__ == "__main__":
    main()
