"""Renders a place of a document: the surrounding region of the page, with its words framed."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from docpipe_assets.errors import ConfigurationError
from docpipe_assets.model import (
    Box,
    Mention,
    Mentions,
    PageSplit,
    PageSplits,
    Place,
    Relationship,
    Relationships,
)
from docpipe_assets.protocols import PageImage
from docpipe_assets.runtime.document_pipeline import DocumentPipeline

if TYPE_CHECKING:
    from PIL.Image import Image

DPI = 150
MARGIN_POINTS = 36.0
"""Margin around a place, in points of the page."""
_FRAME_POINTS = 2.0
_FRAME_PIXELS = 2
_FRAME_COLOUR = (200, 30, 30)
_MAX_PAGES = 4


class Crop(NamedTuple):
    """The image of a place on one page, and its area on the page."""

    page: int
    image: "Image"
    area: Box
    scale: float
    """Image pixels per point of the page."""


def find_mention(pipeline: DocumentPipeline, document: str, identifier: str) -> Mention | None:
    """A mention by its identifier as in rows and edges: ``person:120-134``."""
    return next((one for one in pipeline.load(Mentions, document) if one.mention == identifier), None)


def find_relationship(pipeline: DocumentPipeline, document: str, identifier: str) -> Relationship | None:
    """A relationship by its identifier: subject, type and object."""
    edges = pipeline.load(Relationships, document)
    return next((one for one in edges if one.relationship == identifier), None)


def write_crop(pipeline: DocumentPipeline, place: Place, target: Path) -> None:
    """Write a PNG of the place, at most four pages, one below the other."""
    from PIL import Image

    shown = [crop.image for crop in crops(pipeline, place)][:_MAX_PAGES]
    if not shown:
        raise ConfigurationError(
            f"{place.document}, {place.start}-{place.end}: page {place.page} has no word boxes at this place"
        )
    size = max(image.width for image in shown), sum(image.height for image in shown)
    sheet = Image.new("RGB", size, "white")
    top = 0
    for image in shown:
        sheet.paste(image, (0, top))
        top += image.height
    sheet.save(target, "PNG")


def crops(
    pipeline: DocumentPipeline, place: Place, *, dpi: float = DPI, has_frames: bool = True
) -> Iterator[Crop]:
    """The image of the place on each of its pages."""
    boxes: dict[int, list[Box]] = {}
    for one in place.boxes:
        boxes.setdefault(one.page, []).append(one.box)
    for split in pipeline.load(PageSplits, place.document):
        pages = [page for page in sorted(boxes) if split.first_page <= page <= split.last_page]
        if not pages:
            continue
        with pipeline.lake.parts(PageSplits.asset, place.document).fetch(split.part) as path:
            for page in pages:
                with pipeline.reader.render(path, page - split.first_page + 1, dpi) as image:
                    yield _crop(image, page, _width(split, page), boxes[page], has_frames)


def _width(split: PageSplit, page: int) -> float:
    return next(one.width_points for one in split.pages if one.page == page)


def _crop(image: PageImage, page: int, width_points: float, boxes: list[Box], has_frames: bool) -> Crop:
    from PIL import Image, ImageDraw

    with image.path.open("rb") as pixels:
        whole = Image.frombytes("L", (image.width, image.height), pixels.read(image.width * image.height))
    scale = image.width / width_points
    shown = whole.convert("RGB")
    draw = ImageDraw.Draw(shown)
    for box in boxes if has_frames else ():
        left, top, right, bottom = (side * scale for side in _grown(box, _FRAME_POINTS))
        draw.rectangle((left, top, right, bottom), outline=_FRAME_COLOUR, width=_FRAME_PIXELS)
    left, top, right, bottom = _grown(Box.around(boxes), MARGIN_POINTS)
    area = Box(max(left, 0.0), max(top, 0.0), min(right, width_points), min(bottom, image.height / scale))
    left, top, right, bottom = (round(side * scale) for side in area)
    return Crop(page, shown.crop((left, top, right, bottom)), area, scale)


def _grown(box: Box, points: float) -> Box:
    return Box(box.left - points, box.top - points, box.right + points, box.bottom + points)
