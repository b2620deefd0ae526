"""Traces mentions and relationships to scanned pages: crops for inspection, each read again by OCR.

    python -m docpipe_assets_tests.evaluation.crops --out FOLDER [--mentions 10] [--relationships 5]
        [--files PDF...] [--lake FOLDER]

Without files, the scans of the sample production are used. For each traced row, a line contains the quote,
its page and Bates label, and whether OCR finds the words of the quote within its boxes; the crops are PNG
files with the same numbers.
"""

import argparse
import random
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from docpipe_assets.engines import load_engine
from docpipe_assets.model import (
    Box,
    Mentions,
    PageTexts,
    Place,
    Relationships,
    RelationshipType,
    TextMethod,
)
from docpipe_assets.protocols import OcrEngine, PageImage
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.runtime.local_run import processed
from docpipe_assets.sample.documents import numbered_exhibits
from docpipe_assets.sample.production import made
from docpipe_assets.settings import Settings
from docpipe_assets.storage.file import LocalFiles
from docpipe_assets.viewer.crops import Crop, crops, write_crop

DPI = 300
TYPED = (RelationshipType.PARTY_TO, RelationshipType.OPPOSES, RelationshipType.REPRESENTS)


class TracedRow(NamedTuple):
    """A row that is traced to its page."""

    document: str
    row: str
    quote: str
    place: Place


class Reread(NamedTuple):
    """The text that OCR finds in the boxes of a place, and the number of the quote's words in it."""

    words: int
    found: int
    text: str


def scans(folder: Path) -> dict[str, Path]:
    """The scanned documents of the sample production."""
    files = {}
    for first_bates, exhibit in numbered_exhibits():
        if len(exhibit.scanned) == exhibit.pages:
            files[exhibit.file_name(first_bates)] = folder / f"{first_bates}.pdf"
            files[exhibit.file_name(first_bates)].write_bytes(made(exhibit, first_bates))
    return files


def ocr_pages(pipeline: DocumentPipeline, document: str) -> set[int]:
    return {page.page for page in pipeline.load(PageTexts, document) if page.method is TextMethod.OCR}


def mentions_of(pipeline: DocumentPipeline, document: str) -> Iterator[TracedRow]:
    """Mentions on pages that were read by OCR."""
    read = ocr_pages(pipeline, document)
    for mention in pipeline.load(Mentions, document):
        if mention.place.page in read:
            yield TracedRow(document, mention.mention, mention.quote, mention.place)


def relationships_of(pipeline: DocumentPipeline, document: str) -> Iterator[TracedRow]:
    """Caption and co-occurrence relationships on pages that were read by OCR."""
    read = ocr_pages(pipeline, document)
    for edge in pipeline.load(Relationships, document):
        is_shown = edge.type in TYPED or edge.type is RelationshipType.CO_OCCURS_WITH
        if is_shown and edge.place is not None and edge.quote is not None and edge.place.page in read:
            yield TracedRow(document, edge.relationship, edge.quote, edge.place)


def reread(pipeline: DocumentPipeline, engine: OcrEngine, followed: TracedRow, folder: Path) -> Reread:
    """Read the crops of a place again. The boxes of a relationship cover only both names."""
    seen = " ".join(
        text for crop in crops(pipeline, followed.place, dpi=DPI, has_frames=False)
        for text in _read_in_boxes(engine, crop, followed.place, folder)
    )  # fmt: skip
    wanted = re.findall(r"\w{2,}", followed.quote)
    if len(wanted) > 8:  # a relationship between two names: the words of both
        wanted = [wanted[0], wanted[-1]]
    read = re.sub(r"\W+", "", seen).casefold()
    return Reread(len(wanted), sum(word.casefold() in read for word in wanted), seen)


def _read_in_boxes(engine: OcrEngine, crop: Crop, place: Place, folder: Path) -> Iterator[str]:
    grey = crop.image.convert("L")
    path = folder / "crop.grey"
    path.write_bytes(grey.tobytes())
    image = PageImage(path, grey.width, grey.height, float(DPI))
    boxes = [box.box for box in place.boxes if box.page == crop.page]
    for line in engine.read(image):
        for word in line:
            x = crop.area.left + (word.box.left + word.box.right) / 2 / crop.scale
            y = crop.area.top + (word.box.top + word.box.bottom) / 2 / crop.scale
            if any(_holds(box, x, y) for box in boxes):
                yield word.text


def _holds(box: Box, x: float, y: float) -> bool:
    return box.left - 2 <= x <= box.right + 2 and box.top - 2 <= y <= box.bottom + 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--mentions", type=int, default=10)
    parser.add_argument("--relationships", type=int, default=5)
    parser.add_argument("--files", type=Path, nargs="*", default=[])
    parser.add_argument("--lake", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        files = {path.name: path for path in chosen.files} or scans(Path(folder))
        lake = (chosen.lake or Path(folder) / "lake").absolute()
        settings = Settings(data_dir=Path(folder) / "data", lake_url=lake.as_uri())
        pipeline = DocumentPipeline(settings, intake=LocalFiles(files))
        engine = load_engine("ocr", "rapidocr", "read")
        chance = random.Random(chosen.seed)
        try:
            for document in files:
                _, error = processed(pipeline, document)
                if error is not None:
                    raise error
            mentions = [one for document in files for one in mentions_of(pipeline, document)]
            edges = [one for document in files for one in relationships_of(pipeline, document)]
            taken = chance.sample(mentions, min(chosen.mentions, len(mentions)))
            taken += chance.sample(edges, min(chosen.relationships, len(edges)))
            print(f"{len(mentions):,} mentions and {len(edges):,} relationships on pages read by OCR")
            for number, one in enumerate(taken, 1):
                write_crop(pipeline, one.place, chosen.out / f"{number:02d}.png")
                found = reread(pipeline, engine, one, Path(folder))
                print(f"{number:02d} {one.document}, page {one.place.page}, {one.place.bates}: {one.row}")
                print("   quoted:", " ".join(one.quote.split())[:160])
                print(f"   read again ({found.found} of {found.words} words): {found.text[:160]}")
        finally:
            pipeline.close()


if __name__ == "__main__":
    main()
