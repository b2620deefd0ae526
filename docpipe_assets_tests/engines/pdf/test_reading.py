"""Documents are opened, split and read completely; damage is reported and affects nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from docpipe_assets.engines.pdf.reader import IsolatedPdfReader
from docpipe_assets.errors import (
    CpuTimeout,
    DocpipeError,
    NoPages,
    NotAPdf,
    PasswordRequired,
    TooManyPages,
    UnsupportedEncryption,
)
from docpipe_assets.protocols import PdfPart
from docpipe_assets_tests.hostile import all_kinds
from docpipe_assets_tests.hostile.tiny_pdf import RESOURCES, SENTENCE, TinyPdf, show, simple, with_pages

Write = Callable[[bytes], Path]

KINDS = {kind.name: kind for kind in all_kinds()}


def pages_of_text(count: int) -> bytes:
    return simple(*(show(f"Page {number}. {SENTENCE}") for number in range(1, count + 1)))


def heavy_pages(count: int, size_bytes: int) -> bytes:
    """Pages of one incompressible image each."""
    noise = (KINDS["noise"].make() * (size_bytes // 65_536 + 1))[:size_bytes]
    pdf = TinyPdf()
    tree = pdf.reserve()
    pages = []
    for shift in range(count):
        entries = b"/Type /XObject /Subtype /Image /Width %d /Height 1 " % size_bytes
        image = pdf.stream(
            noise[shift:] + noise[:shift], entries + b"/ColorSpace /DeviceGray /BitsPerComponent 8"
        )
        contents = pdf.stream(b"q 612 0 0 792 0 0 cm /Im Do Q")
        uses = b"/Resources << /XObject << /Im %d 0 R >> >>" % image
        pages.append(pdf.page(tree, b"%d 0 R" % contents, uses))
    kids = b" ".join(b"%d 0 R" % page for page in pages)
    pdf.objects[tree] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count)
    return pdf.written(pdf.add(b"<< /Type /Catalog /Pages %d 0 R >>" % tree))


def cut(
    reader: IsolatedPdfReader, path: Path, pages: int, per_part: int, size_bytes: int = 10**9
) -> list[tuple[PdfPart, int, list[str]]]:
    """Each part with its size and the first words of its pages, read while its file exists."""
    found = []
    for part in reader.split(path, pages, per_part, size_bytes):
        texts = [
            " ".join(word.text for word in page.lines[0][:2]) if page.lines else ""
            for page in reader.read(part.path)
        ]
        found.append((part, part.path.stat().st_size, texts))
    return found


def test_parts_are_consecutive_and_contain_all_pages(reader: IsolatedPdfReader, written: Write) -> None:
    parts = cut(reader, written(pages_of_text(11)), pages=11, per_part=4)
    assert [(part.first_page, part.last_page) for part, *_ in parts] == [(1, 4), (5, 8), (9, 11)]
    assert [text for *_, texts in parts for text in texts] == [f"Page {number}." for number in range(1, 12)]


def test_a_parts_file_is_deleted_when_the_next_is_requested(
    reader: IsolatedPdfReader, written: Write
) -> None:
    paths: list[Path] = []
    for part in reader.split(written(pages_of_text(4)), 4, 2, 10**9):
        assert part.path.exists()
        assert not any(path.exists() for path in paths)
        paths.append(part.path)


def test_parts_are_bounded_by_bytes_down_to_single_pages(reader: IsolatedPdfReader, written: Write) -> None:
    path = written(heavy_pages(8, 50_000))
    parts = cut(reader, path, pages=8, per_part=8, size_bytes=120_000)
    sizes = [size for _, size, _ in parts]
    assert max(sizes) <= 120_000
    assert sum(part.last_page - part.first_page + 1 for part, *_ in parts) == 8
    single = cut(reader, path, pages=8, per_part=8, size_bytes=10_000)
    assert [(part.first_page, part.last_page) for part, *_ in single] == [(n, n) for n in range(1, 9)]


def test_parts_together_are_as_large_as_the_document(reader: IsolatedPdfReader, written: Write) -> None:
    path = written(heavy_pages(12, 40_000))
    sizes = [size for _, size, _ in cut(reader, path, pages=12, per_part=5)]
    assert sum(sizes) == pytest.approx(path.stat().st_size, rel=0.03)


def test_parts_with_large_pages_are_split_again(reader: IsolatedPdfReader, written: Write) -> None:
    pdf, root = with_pages(*(show(f"Page {n}. {SENTENCE}") for n in range(1, 9)))
    large = show("Page 2. x") + b"% " + KINDS["noise"].make().hex().encode() * 4
    pdf.objects[4] = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(large), large)
    parts = cut(reader, written(pdf.written(root)), pages=8, per_part=4, size_bytes=150_000)
    assert [text for *_, texts in parts for text in texts] == [f"Page {number}." for number in range(1, 9)]
    assert (2, 2) in [(part.first_page, part.last_page) for part, *_ in parts]


def test_a_file_without_xref_is_flagged_and_read(reader: IsolatedPdfReader, written: Write) -> None:
    path = written(KINDS["no_xref"].make())
    facts = reader.inspect(path, 5000)
    assert facts.is_repaired
    assert facts.warnings
    (part,) = reader.split(path, facts.pages, 25, 10**9, is_damaged=True)
    assert part.missing == ()


def test_damage_detected_only_while_splitting_is_repaired_then(
    reader: IsolatedPdfReader, written: Write
) -> None:
    ((part, _, texts),) = cut(reader, written(KINDS["deep_page_tree"].make()), pages=1, per_part=25)
    assert (part.missing, texts) == ((), ["The witness"])


@pytest.mark.parametrize("strength", ["rc4_40", "rc4_128", "aes_128", "aes_256"])
def test_an_owner_password_is_flagged_and_does_not_prevent_reading(
    reader: IsolatedPdfReader, written: Write, strength: str
) -> None:
    path = written(KINDS[f"owner_password_{strength}"].make())
    assert reader.inspect(path, 5000).is_encrypted
    ((_, _, texts),) = cut(reader, path, pages=1, per_part=25)
    assert texts == ["The witness"]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("password_aes_256", PasswordRequired),
        ("encryption_unknown", UnsupportedEncryption),
        ("no_pages", NoPages),
        ("png", NotAPdf),
        ("too_many_pages", TooManyPages),
    ],
)
def test_a_file_that_cannot_be_processed_is_an_error_of_its_class(
    reader: IsolatedPdfReader, written: Write, name: str, error: type[DocpipeError]
) -> None:
    with pytest.raises(error):
        reader.inspect(written(KINDS[name].make()), 5000)


def test_twenty_thousand_pages_are_opened_and_split_if_allowed(
    reader: IsolatedPdfReader, written: Write
) -> None:
    pdf = TinyPdf()
    tree, contents = pdf.reserve(), b"%d 0 R" % pdf.stream(show())
    kids = b" ".join(b"%d 0 R" % pdf.page(tree, contents) for _ in range(20_000))
    pdf.objects[tree] = b"<< /Type /Pages /Kids [%s] /Count 20000 >>" % kids
    path = written(pdf.written(pdf.add(b"<< /Type /Catalog /Pages %d 0 R >>" % tree)))
    assert reader.inspect(path, 20_000).pages == 20_000
    cut = [(part.first_page, part.last_page) for part in reader.split(path, 20_000, 8_000, 2**24)]
    assert cut == [(1, 8_000), (8_001, 16_000), (16_001, 20_000)]


def test_pages_are_counted_regardless_of_the_declared_number(
    reader: IsolatedPdfReader, written: Write
) -> None:
    low = reader.inspect(written(KINDS["count_too_low"].make()), 5000)
    absurd = reader.inspect(written(KINDS["count_absurd"].make()), 5000)
    assert (low.pages, low.is_repaired) == (3, True)
    assert (absurd.pages, absurd.is_repaired) == (1, True)


def test_missing_pages_are_named_and_affect_no_other_page(reader: IsolatedPdfReader, written: Write) -> None:
    path = written(KINDS["count_too_high"].make())
    facts = reader.inspect(path, 5000)
    assert facts.pages == 100
    assert "99, 100" in facts.warnings[0]
    parts = list(reader.split(path, 100, 40, 10**9, is_damaged=True))
    assert [part.missing for part in parts] == [(), (), (99, 100)]


def with_endless_page() -> bytes:
    """Three pages; the second one draws nested forms a million times."""
    pdf, root = with_pages(*(show(f"Page {n}. {SENTENCE}") for n in (1, 2, 3)))
    below = pdf.stream(show(), b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] " + RESOURCES)
    for _ in range(8):
        uses = b"/Resources << /XObject << /X %d 0 R >> >>" % below
        below = pdf.stream(b"/X Do " * 10, b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] " + uses)
    pdf.objects[5] = pdf.objects[5].replace(RESOURCES, b"/Resources << /XObject << /X %d 0 R >> >>" % below)
    pdf.objects[4] = b"<< /Length 5 >>\nstream\n/X Do\nendstream"
    return pdf.written(root)


def test_an_endless_page_fails_alone_in_the_survey(reader: IsolatedPdfReader, written: Write) -> None:
    pages = list(reader.survey(written(with_endless_page()), 3))
    assert [page.page for page in pages] == [1, 2, 3]
    assert [bool(page.failure) for page in pages] == [False, True, False]
    assert pages[2].text_characters > 50


def test_reading_continues_after_an_endless_page(reader: IsolatedPdfReader, written: Write) -> None:
    path = written(with_endless_page())
    contents = reader.read(path)
    assert next(contents).page == 1
    with pytest.raises(CpuTimeout):
        next(contents)
    assert [content.page for content in reader.read(path, 3)] == [3]


def test_pages_missing_from_a_part_are_failures(reader: IsolatedPdfReader, written: Write) -> None:
    pages = list(reader.survey(written(pages_of_text(2)), 4))
    assert [page.failure for page in pages] == [None, None, "BAD_PAGE_TREE", "BAD_PAGE_TREE"]


def test_pdfium_reads_where_mupdf_fails(reader: IsolatedPdfReader, written: Write) -> None:
    (content,) = reader.read(written(KINDS["deep_dictionaries_in_content"].make()))
    assert content.signals["read_by_pdfium"] == 1
    assert content.lines[0][1].text == "witness"


def test_a_file_that_only_pdfium_opens_has_a_warning(reader: IsolatedPdfReader, written: Write) -> None:
    facts = reader.inspect(written(KINDS["deep_arrays"].make()), 5000)
    assert facts.pages == 1
    assert facts.is_repaired
    assert "opened by PDFium only" in facts.warnings
