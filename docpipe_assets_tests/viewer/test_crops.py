"""A crop shows the quote of its place: its boxes contain the words when read again from the page image."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from docpipe_assets.engines import load_engine
from docpipe_assets.errors import ConfigurationError
from docpipe_assets.model import Mentions, Place, Relationships
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.runtime.local_run import processed
from docpipe_assets.sample.scan import turn_landscape_pages
from docpipe_assets.settings import Settings
from docpipe_assets.storage.file import LocalFiles
from docpipe_assets.viewer.crops import crops, find_mention, find_relationship, write_crop
from docpipe_assets_tests.evaluation.crops import TracedRow, reread

DOCUMENT = "b/WOMBAT 000001-000002.pdf"
QUOTES = ["March 4, 2021", "$1,250.00", "ann.hall@example.com", "April 7, 2023"]


def two_pages() -> bytes:
    """The second page is a landscape page that is stored upright and displayed rotated."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1)
    for number, size, line in (
        (1, (300, 400), "On March 4, 2021 he paid $1,250.00 to ann.hall@example.com at last."),
        (2, (400, 300), "It was sent back on April 7, 2023 by the carrier."),
    ):
        canvas.setPageSize(size)
        canvas.setFont("Times-Roman", 9)
        canvas.drawString(20, 200, line)
        canvas.drawRightString(size[0] - 20, 15, f"WOMBAT {number:06d}")
        canvas.showPage()
    canvas.save()
    return turn_landscape_pages(buffer.getvalue())


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DocumentPipeline]:
    folder = tmp_path_factory.mktemp("crops")
    (folder / "x.pdf").write_bytes(two_pages())
    settings = Settings(
        data_dir=folder / "data", lake_url=(folder / "lake").as_uri(), ner_engines=("patterns",)
    )
    made = DocumentPipeline(settings, intake=LocalFiles({DOCUMENT: folder / "x.pdf"}))
    _, error = processed(made, DOCUMENT)
    assert error is None
    yield made
    made.close()


def test_words_are_found_again_in_their_boxes(pipeline: DocumentPipeline, tmp_path: Path) -> None:
    mentions = list(pipeline.load(Mentions, DOCUMENT))
    assert [mention.quote for mention in mentions] == QUOTES
    engine = load_engine("ocr", "rapidocr", "read")
    for mention in mentions[1::2]:  # one on each page
        followed = TracedRow(DOCUMENT, mention.mention, mention.quote, mention.place)
        found = reread(pipeline, engine, followed, tmp_path)
        assert found.found == found.words, f"{mention.quote}: {found.text}"
    assert [mention.place.bates for mention in mentions] == ["WOMBAT 000001"] * 3 + ["WOMBAT 000002"]


def test_a_crop_shows_the_place_and_only_its_surroundings(pipeline: DocumentPipeline, tmp_path: Path) -> None:
    mention = find_mention(pipeline, DOCUMENT, next(iter(pipeline.load(Mentions, DOCUMENT))).mention)
    assert mention is not None
    write_crop(pipeline, mention.place, tmp_path / "crop.png")
    (crop,) = crops(pipeline, mention.place)
    with Image.open(tmp_path / "crop.png") as shown:
        assert shown.size == crop.image.size
        assert shown.width < 300 * crop.scale / 1.5
        pixels = np.asarray(shown)
    red = (pixels[..., 0] > 150) & (pixels[..., 1] < 60)
    assert red.sum() > 100, "the words have a frame"


def test_a_relationship_is_found_by_its_identifier(pipeline: DocumentPipeline) -> None:
    edge = next(iter(pipeline.load(Relationships, DOCUMENT)))
    assert find_relationship(pipeline, DOCUMENT, edge.relationship) == edge
    assert find_relationship(pipeline, DOCUMENT, "nothing") is None
    assert find_mention(pipeline, DOCUMENT, "nothing") is None


def test_a_place_without_words_is_rejected(pipeline: DocumentPipeline, tmp_path: Path) -> None:
    place = Place(document=DOCUMENT, version="v", start=0, end=1, page=1, last_page=1)
    with pytest.raises(ConfigurationError, match="no word boxes"):
        write_crop(pipeline, place, tmp_path / "crop.png")
