"""The benchmark documents are valid, have the declared content, and are never loaded completely."""

import hashlib
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageFile

from docpipe_assets_tests.benchmarks.documents import (
    LINES_OF_A_SCAN,
    MEGABYTE,
    scan_text,
    typed_text,
    write_huge_images,
    write_scan,
    write_text,
)

WRITERS: dict[str, Callable[[Path], None]] = {
    "scan": lambda path: write_scan(path, 6, 1.2),
    "text": lambda path: write_text(path, 6),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_the_same_arguments_give_the_same_bytes_of_a_valid_pdf(tmp_path: Path, kind: str) -> None:
    paths = [tmp_path / name for name in ("one.pdf", "other.pdf")]
    for path in paths:
        WRITERS[kind](path)
    assert len({hashlib.sha256(path.read_bytes()).digest() for path in paths}) == 1
    with pikepdf.open(paths[0]) as pdf:
        assert pdf.check_pdf_syntax() == []
        assert len(pdf.pages) == 6


def test_a_huge_image_needs_more_memory_than_a_page_should(tmp_path: Path) -> None:
    write_huge_images(tmp_path / "huge.pdf", 1)
    with pikepdf.open(tmp_path / "huge.pdf") as pdf:
        stored = pdf.pages[0].get_images()["/Scan"]
        assert isinstance(stored, pikepdf.Stream)
        image = pikepdf.PdfImage(stored)
        assert image.width * image.height * 3 > 220 * MEGABYTE
        assert image.colorspace == "/DeviceRGB"


def test_a_scan_has_the_requested_size(tmp_path: Path) -> None:
    write_scan(tmp_path / "scan.pdf", 20, 8)
    assert (tmp_path / "scan.pdf").stat().st_size == pytest.approx(8 * MEGABYTE, rel=0.01)


def test_scanned_pages_are_complete_images_that_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", False)  # a damaged image then raises
    write_scan(tmp_path / "scan.pdf", 3, 1.2)
    seen = set()
    with pikepdf.open(tmp_path / "scan.pdf") as pdf:
        for page in pdf.pages:
            stored = page.get_images()["/Scan"]
            assert isinstance(stored, pikepdf.Stream)
            image: Image.Image = pikepdf.PdfImage(stored).as_pil_image()
            ink = image.point(lambda tone: 255 * (tone < 120)).getbbox()
            assert ink is not None, "the page is empty"
            assert (ink[3] - ink[1]) / image.height > 0.8, "the image ends before its last line"
            seen.add(image.tobytes())
    assert len(seen) == 3
    assert len(scan_text(1).splitlines()) == LINES_OF_A_SCAN + 1


def test_typed_pages_contain_their_declared_text(tmp_path: Path) -> None:
    write_text(tmp_path / "text.pdf", 3)
    pdf = pypdfium2.PdfDocument(tmp_path / "text.pdf")
    for number in range(3):
        read = pdf[number].get_textpage().get_text_range()
        assert read.split() == typed_text(number + 1).split()
    pdf.close()


@pytest.mark.parametrize("write", [lambda p, n: write_scan(p, n, n * 0.4), write_text])
def test_memory_does_not_grow_with_the_pages(tmp_path: Path, write: Callable[[Path, int], None]) -> None:
    def peak(pages: int) -> int:
        tracemalloc.start()
        write(tmp_path / "made.pdf", pages)
        measured = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return measured

    peak(5)  # fonts and word lists are loaded once
    assert peak(100) < peak(5) + 500_000
