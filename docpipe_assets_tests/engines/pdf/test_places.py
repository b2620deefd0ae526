"""Words, labels and ink have the positions that a reader of the page sees, in every library."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from docpipe_assets.engines.pdf.plain import clean, fitting_dpi, number
from docpipe_assets.engines.pdf.reader import IsolatedPdfReader, Runner
from docpipe_assets.errors import UnreadablePdf
from docpipe_assets.sandbox import Sandbox
from docpipe_assets.storage.scratch import ScratchFolder
from docpipe_assets_tests.hostile.tiny_pdf import LETTER, RESOURCES, TinyPdf, show, simple

Write = Callable[[bytes], Path]

BOXES = {
    "upright": LETTER,
    "turned by 90": LETTER + b" /Rotate 90",
    "turned by 180": LETTER + b" /Rotate 180",
    "turned by 270": LETTER + b" /Rotate 270",
    "cropped": LETTER + b" /CropBox [50 100 500 750]",
    "cropped and turned": LETTER + b" /CropBox [50 100 500 750] /Rotate 90",
    "off the origin": b"/MediaBox [-100 -200 512 592]",
    "in units of two points": LETTER + b" /UserUnit 2",
}
LIBRARIES = ("pymupdf", "pdfium")
LINE = show("HHHH", x=72, y=400, size=40)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", BOXES)
def test_a_words_box_is_where_its_ink_is(
    reader: IsolatedPdfReader, run: Runner, written: Write, library: str, name: str
) -> None:
    path = written(simple(LINE, box=BOXES[name]))
    arguments = {"first": 1} if library == "pymupdf" else {"page": 1}
    (found,) = run(f"docpipe_assets.engines.pdf.{library}:read", {"path": str(path), **arguments})
    ((word, (left, top, right, bottom), _),) = found["lines"][0]
    with reader.render(path, 1, 144) as image:
        pixels = np.frombuffer(image.path.read_bytes(), np.uint8).reshape(image.height, image.width)
    x, y = image.width / found["width_points"], image.height / found["height_points"]
    rows, columns = np.nonzero(pixels < 128)
    assert word == "HHHH"
    assert rows.size > 0
    assert left - 2 <= columns.min() / x
    assert columns.max() / x <= right + 2
    assert top - 2 <= rows.min() / y
    assert rows.max() / y <= bottom + 2
    area_of_ink = (np.ptp(columns) / x) * (np.ptp(rows) / y)
    assert area_of_ink > 0.3 * (right - left) * (bottom - top)


@pytest.mark.parametrize("library", LIBRARIES)
def test_both_libraries_report_the_same_size_and_rotation(run: Runner, written: Write, library: str) -> None:
    path = written(simple(LINE, box=LETTER + b" /CropBox [0 0 600 700] /Rotate 90"))
    arguments = {"first": 1} if library == "pymupdf" else {"page": 1}
    (page,) = run(f"docpipe_assets.engines.pdf.{library}:survey", {"path": str(path), **arguments})
    assert (page["width_points"], page["height_points"], page["rotation_degrees"]) == (700, 600, 90)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("rotation", [0, 90])
def test_a_bates_stamp_in_the_corner_is_the_pages_label(
    run: Runner, written: Write, library: str, rotation: int
) -> None:
    stamp = show("WOMBAT 000454", x=500, y=20, size=10)
    if rotation:
        stamp = b"BT /F1 10 Tf 0 1 -1 0 592 690 Tm (WOMBAT 000454) Tj ET\n"
    path = written(simple(show() + stamp, box=LETTER + b" /Rotate %d" % rotation))
    arguments = {"first": 1} if library == "pymupdf" else {"page": 1}
    (page,) = run(f"docpipe_assets.engines.pdf.{library}:survey", {"path": str(path), **arguments})
    assert page["bates"] == "WOMBAT 000454"


def scan(text: bytes) -> bytes:
    """A page whose image covers it, black in its upper half; ``text`` is drawn invisibly over it."""
    pdf = TinyPdf()
    image = b"/Width 1 /Height 2 /ColorSpace /DeviceGray /BitsPerComponent 8 /Type /XObject /Subtype /Image"
    number_of_image = pdf.stream(b"\x00\xff", image)
    tree = pdf.reserve()
    contents = pdf.stream(b"q 612 0 0 792 0 0 cm /Im Do Q BT 3 Tr ET " + text)
    uses = RESOURCES[:-2] + b"/XObject << /Im %d 0 R >> >>" % number_of_image
    page = pdf.page(tree, b"%d 0 R" % contents, uses)
    pdf.objects[tree] = b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % page
    return pdf.written(pdf.add(b"<< /Type /Catalog /Pages %d 0 R >>" % tree))


@pytest.mark.parametrize("library", LIBRARIES)
def test_invisible_text_over_a_scan_is_measured(run: Runner, written: Write, library: str) -> None:
    path = written(scan(show()))
    arguments = {"first": 1} if library == "pymupdf" else {"page": 1}
    (found,) = run(f"docpipe_assets.engines.pdf.{library}:read", {"path": str(path), **arguments})
    assert found["signals"]["hidden_text_share"] == 1.0
    assert found["signals"]["image_cover"] == pytest.approx(1.0, abs=0.01)


def test_ink_that_no_word_covers_is_measured(reader: IsolatedPdfReader, written: Write) -> None:
    def outside(text: bytes) -> float:
        (found,) = reader.read(written(scan(text)))
        return found.signals["ink_outside_words_share"]

    assert outside(b"") == 1.0
    assert outside(show("HHHHHHHHH", x=0, y=500, size=100)) < 0.8
    assert outside(show("HHHHHHHHH", x=0, y=100, size=100)) > 0.99


def test_visible_text_is_not_classified_as_hidden(reader: IsolatedPdfReader, written: Write) -> None:
    (found,) = reader.read(written(simple()))
    assert found.signals["hidden_text_share"] == 0
    assert found.signals["image_cover"] == 0


def test_a_page_too_large_for_its_resolution_is_rendered_smaller(
    reader: IsolatedPdfReader, written: Write
) -> None:
    with reader.render(written(simple(LINE, box=b"/MediaBox [0 0 8500 8500]")), 1, 300) as image:
        assert image.dpi < 60
        assert 35_000_000 < image.width * image.height <= 40_100_000


@pytest.fixture(scope="module")
def huge_scan() -> bytes:
    """A page whose left half is black: 63 megapixels, which are 63 MB when decoded."""
    image = Image.new("L", (7_000, 9_000), 255)
    image.paste(0, (0, 0, 3_500, 9_000))
    packed = io.BytesIO()
    image.save(packed, "JPEG", quality=50)
    pdf = TinyPdf()
    entries = b"/Type /XObject /Subtype /Image /Width 7000 /Height 9000 /ColorSpace /DeviceGray"
    shown = pdf.stream(packed.getvalue(), entries + b" /BitsPerComponent 8 /Filter /DCTDecode")
    tree = pdf.reserve()
    contents = b"%d 0 R" % pdf.stream(b"q 612 0 0 792 0 0 cm /X Do Q")
    page = pdf.page(tree, contents, b"/Resources << /XObject << /X %d 0 R >> >>" % shown)
    pdf.objects[tree] = b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % page
    return pdf.written(pdf.add(b"<< /Type /Catalog /Pages %d 0 R >>" % tree))


def black_half(reader: IsolatedPdfReader, path: Path) -> float:
    """The share of black pixels in the left half minus that in the right half."""
    with reader.render(path, 1, 100) as image:
        pixels = np.frombuffer(image.path.read_bytes(), np.uint8).reshape(image.height, image.width)
    left, right = np.array_split(pixels < 128, 2, axis=1)
    return float(left.mean() - right.mean())


def test_a_huge_image_is_decoded_no_larger_than_it_is_shown(
    reader: IsolatedPdfReader, sandbox: Sandbox, written: Write, huge_scan: bytes
) -> None:
    with reader.render(written(simple(LINE)), 1, 100):
        without_image = sandbox.last_usage.peak_rss_bytes
    assert black_half(reader, written(huge_scan)) > 0.99
    assert sandbox.last_usage.peak_rss_bytes < without_image + 40_000_000


def test_a_huge_image_that_mupdf_fails_on_is_rendered_by_pdfium(
    run: Runner, written: Write, huge_scan: bytes
) -> None:
    def without_mupdf(function: str, *arguments: Any, **options: Any) -> Iterator[Any]:
        if "pymupdf:render" in function:
            raise UnreadablePdf("MuPDF fails")
        return run(function, *arguments, **options)

    path = written(huge_scan)
    reader = IsolatedPdfReader(without_mupdf, ScratchFolder(path.parent / "scratch"))
    assert black_half(reader, path) > 0.99


def test_a_page_too_large_for_any_resolution_is_rejected() -> None:
    assert fitting_dpi(1e6, 1e6, 300) is None
    assert fitting_dpi(612, 792, 300) == 300


def test_values_from_a_child_are_finite_and_printable() -> None:
    assert number(float("nan")) == 0
    assert number(float("inf")) == 1e9
    assert clean("a\x00b\ud800\x9f ") == "a b\ufffd"
