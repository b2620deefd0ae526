"""What is shown of a place is what it quotes: its boxes hold the words, read again from the page's image."""

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
from docpipe_assets.runtime.document_pipeline import Workbench
from docpipe_assets.runtime.local_run import processed
from docpipe_assets.sample.scan import turn_landscape_pages
from docpipe_assets.settings import Settings
from docpipe_assets.storage.file import GivenFiles
from docpipe_assets.viewer.crops import crops, find_mention, find_relationship, write_crop
from docpipe_assets_tests.evaluation.crops import Followed, reread

DOCUMENT = "b/WOMBAT 000001-000002.pdf"
QUOTES = ["March 4, 2021", "$1,250.00", "ann.hall@example.com", "April 7, 2023"]


def two_pages() -> bytes:
    """The second one is a landscape page that is stored upright and shown turned."""
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
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    folder = tmp_path_factory.mktemp("crops")
    (folder / "x.pdf").write_bytes(two_pages())
    settings = Settings(
        data_dir=folder / "data", lake_url=(folder / "lake").as_uri(), ner_engines=("patterns",)
    )
    made = Workbench(settings, intake=GivenFiles({DOCUMENT: folder / "x.pdf"}))
    _, error = processed(made, DOCUMENT)
    assert error is None
    yield made
    made.close()


def test_words_are_found_again_in_their_boxes(bench: Workbench, tmp_path: Path) -> None:
    mentions = list(bench.load(Mentions, DOCUMENT))
    assert [mention.quote for mention in mentions] == QUOTES
    engine = load_engine("ocr", "rapidocr", "read")
    for mention in mentions[1::2]:  # one on either page
        followed = Followed(DOCUMENT, mention.mention, mention.quote, mention.place)
        found = reread(bench, engine, followed, tmp_path)
        assert found.found == found.words, f"{mention.quote}: {found.text}"
    assert [mention.place.bates for mention in mentions] == ["WOMBAT 000001"] * 3 + ["WOMBAT 000002"]


def test_a_crop_shows_the_place_and_no_more_than_its_surroundings(bench: Workbench, tmp_path: Path) -> None:
    mention = find_mention(bench, DOCUMENT, next(iter(bench.load(Mentions, DOCUMENT))).mention)
    assert mention is not None
    write_crop(bench, mention.place, tmp_path / "crop.png")
    (crop,) = crops(bench, mention.place)
    with Image.open(tmp_path / "crop.png") as shown:
        assert shown.size == crop.image.size
        assert shown.width < 300 * crop.scale / 1.5
        pixels = np.asarray(shown)
    red = (pixels[..., 0] > 150) & (pixels[..., 1] < 60)
    assert red.sum() > 100, "the words are framed"


def test_a_relationship_is_found_by_its_identifier(bench: Workbench) -> None:
    edge = next(iter(bench.load(Relationships, DOCUMENT)))
    assert find_relationship(bench, DOCUMENT, edge.relationship) == edge
    assert find_relationship(bench, DOCUMENT, "nothing") is None
    assert find_mention(bench, DOCUMENT, "nothing") is None


def test_a_place_without_words_is_refused(bench: Workbench, tmp_path: Path) -> None:
    place = Place(document=DOCUMENT, version="v", start=0, end=1, page=1, last_page=1)
    with pytest.raises(ConfigurationError, match="no words"):
        write_crop(bench, place, tmp_path / "crop.png")
