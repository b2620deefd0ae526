"""The sample production is reproducible; its valid documents are valid, the others damaged as declared."""

import hashlib
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2
import pytest

from docpipe_assets.sample import expected, write_production, write_text_pdfs
from docpipe_assets.sample.damaged import LOCKED_PASSWORD, lock
from docpipe_assets.sample.documents import EXHIBITS, Exhibit, numbered_exhibits
from docpipe_assets.sample.people import CASE_NUMBER, COMPANIES, PEOPLE
from docpipe_assets.sample.truth import (
    BAD_FILES,
    CUT_SHORT_NAME,
    EMPTY_NAME,
    LOAD_NOTE_NAME,
    LOCKED_NAME,
    NO_PAGES_NAME,
    PORTAL_PAGE_NAME,
)
from docpipe_assets.sample.typeset import bates_label

GOOD_FILES = {name: pages for name, pages in expected().items() if isinstance(pages, int)}
NUMBERED = {exhibit.text: (first_bates, exhibit) for first_bates, exhibit in numbered_exhibits()}


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("production")
    write_production(folder)
    return folder


@pytest.fixture
def opened(production: Path) -> Iterator[Callable[[str], pypdfium2.PdfDocument]]:
    documents: list[pypdfium2.PdfDocument] = []

    def open_file(name: str) -> pypdfium2.PdfDocument:
        documents.append(pypdfium2.PdfDocument(production / name))
        return documents[-1]

    yield open_file
    for document in documents:
        document.close()


def text_of_page(document: pypdfium2.PdfDocument, number: int) -> str:
    text_page = document[number - 1].get_textpage()
    return " ".join(text_page.get_text_range().split())


def hashes(paths: list[Path]) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_a_second_call_writes_the_same_bytes(production: Path, tmp_path: Path) -> None:
    assert hashes(write_production(tmp_path)) == hashes(sorted(production.iterdir()))


def test_every_written_file_is_declared_and_vice_versa(production: Path) -> None:
    assert {path.name for path in production.iterdir()} == {*expected(), LOAD_NOTE_NAME}


def test_the_production_stays_small(production: Path) -> None:
    assert sum(path.stat().st_size for path in production.iterdir()) < 15_000_000


@pytest.mark.parametrize("name", GOOD_FILES)
def test_a_good_file_opens_with_its_declared_pages(
    name: str, opened: Callable[[str], pypdfium2.PdfDocument]
) -> None:
    assert len(opened(name)) == GOOD_FILES[name]


@pytest.mark.parametrize(("first_bates", "exhibit"), NUMBERED.values(), ids=NUMBERED)
def test_born_digital_pages_carry_their_bates_label_and_scans_have_no_text(
    first_bates: int, exhibit: Exhibit, opened: Callable[[str], pypdfium2.PdfDocument]
) -> None:
    document = opened(exhibit.file_name(first_bates))
    for number in range(1, exhibit.pages + 1):
        text = text_of_page(document, number)
        if number in exhibit.scanned:
            assert text == ""
        else:
            assert bates_label(first_bates + number - 1) in text
            assert len(text) > 150


@pytest.mark.parametrize("name", [name for name in GOOD_FILES if name.startswith("CALDERA ")])
def test_a_bates_range_in_a_name_covers_the_pages(name: str) -> None:
    first, last = name.removeprefix("CALDERA ").removesuffix(".pdf").split("-")
    assert int(last) - int(first) + 1 == GOOD_FILES[name]


def test_there_are_all_kinds_of_pages_and_few_scans() -> None:
    scanned_pages = sum(len(exhibit.scanned) for exhibit in EXHIBITS)
    assert len(EXHIBITS) >= 14
    assert 8 <= scanned_pages <= 14
    assert any(exhibit.scanned and exhibit.born_digital for exhibit in EXHIBITS)
    assert max(exhibit.pages for exhibit in EXHIBITS) == 300


def test_the_complaint_has_a_caption_and_a_signature_block(
    opened: Callable[[str], pypdfium2.PdfDocument],
) -> None:
    first_bates, exhibit = NUMBERED["complaint"]
    document = opened(exhibit.file_name(first_bates))
    first_page = text_of_page(document, 1)
    for part in (
        "IN THE UNITED STATES DISTRICT COURT",
        "MARISOL T. QUINTRELL",
        "Plaintiffs,",
        "v.",
        "Defendants.",
    ):
        assert part in first_page
    assert f"Case No. {CASE_NUMBER}" in first_page
    assert "Attorneys for Plaintiffs Marisol T. Quintrell" in text_of_page(document, exhibit.pages)


def test_everyone_of_the_cast_is_named_on_some_born_digital_page(
    opened: Callable[[str], pypdfium2.PdfDocument],
) -> None:
    pages = [
        text_of_page(opened(exhibit.file_name(first_bates)), number)
        for first_bates, exhibit in NUMBERED.values()
        if exhibit.layout != "log"
        for number in exhibit.born_digital
    ]
    text = " ".join(pages)
    missing = [name for name in (*(person.name for person in PEOPLE), *COMPANIES) if name not in text]
    assert missing == []


@pytest.mark.parametrize(("text", "number"), [("invoice", 2), ("expert_report", 3)])
def test_a_rotated_page_is_stored_upright_and_shown_landscape(
    text: str, number: int, opened: Callable[[str], pypdfium2.PdfDocument]
) -> None:
    first_bates, exhibit = NUMBERED[text]
    page = opened(exhibit.file_name(first_bates))[number - 1]
    assert page.get_rotation() == 90
    assert page.get_mediabox() == (0, 0, 612, 792)
    assert page.get_size() == (792, 612)


def test_a_sideways_scan_is_set_upright_by_its_rotation(
    opened: Callable[[str], pypdfium2.PdfDocument],
) -> None:
    first_bates, exhibit = NUMBERED["demand_letter"]
    page = opened(exhibit.file_name(first_bates))[1]
    assert page.get_rotation() == 90
    assert page.get_size() == (612, 792)
    # The title is near the top and most of the sheet below is empty: the ink in rows shows the orientation.
    tone = page.render(scale=1, grayscale=True).to_numpy().reshape(792, 612)
    ink = (tone < 120)[40:, 40:].sum(axis=1)
    assert ink[:330].sum() > 5 * ink[330:660].sum()


@pytest.mark.parametrize("text", ["police_report", "medical_record", "bank_statement"])
def test_a_scan_is_a_noisy_skewed_jpeg(text: str, production: Path) -> None:
    first_bates, exhibit = NUMBERED[text]
    with pikepdf.open(production / exhibit.file_name(first_bates)) as document:
        for page in document.pages:
            image = page.obj.Resources.XObject.Scan
            assert isinstance(image, pikepdf.Stream)
            assert image.Filter == pikepdf.Name.DCTDecode
            tone = np.asarray(pikepdf.PdfImage(image).as_pil_image(), dtype=np.float32)
            assert tone.shape == (2200, 1700)
            bare_strip = tone[1700:1900, 300:1400]
            assert 1.0 < bare_strip.std() < 20.0


def test_the_log_differs_from_page_to_page(opened: Callable[[str], pypdfium2.PdfDocument]) -> None:
    first_bates, exhibit = NUMBERED["dispatch_log"]
    document = opened(exhibit.file_name(first_bates))
    bodies = {text_of_page(document, number).split("of 300", 1)[1] for number in range(1, exhibit.pages + 1)}
    assert len(bodies) == exhibit.pages
    assert any("it rolled. Marisol is hurt bad" in body for body in bodies)


def test_the_same_invoice_exists_under_two_names(production: Path) -> None:
    _, exhibit = NUMBERED["invoice"]
    assert (production / exhibit.also_named).read_bytes() == (production / exhibit.name).read_bytes()


def test_one_good_file_has_a_name_with_special_characters() -> None:
    (name,) = (name for name in GOOD_FILES if "#" in name)
    assert all(character in name for character in ",'#% é")


def test_the_locked_file_opens_with_its_password_only(production: Path) -> None:
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(production / LOCKED_NAME)
    with pikepdf.open(production / LOCKED_NAME, password=LOCKED_PASSWORD) as document:
        assert document.encryption.R == 6
        assert document.encryption.bits == 256
        assert len(document.pages) == 1


def test_a_locked_file_needs_the_password(production: Path) -> None:
    locked = lock((production / "Brannock invoice 20417.pdf").read_bytes())
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(locked)
    with pikepdf.open(io.BytesIO(locked), password=LOCKED_PASSWORD) as document:
        assert len(document.pages) == 2


def test_the_truncated_file_is_a_pdf_without_readable_pages(production: Path) -> None:
    content = (production / CUT_SHORT_NAME).read_bytes()
    assert content.startswith(b"%PDF-")
    assert b"%%EOF" not in content
    assert len(content) > 100_000
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(content)
    assert pages_seen_by_mupdf(production / CUT_SHORT_NAME) == 0


def test_the_file_without_pages_is_well_formed(production: Path) -> None:
    with pikepdf.open(production / NO_PAGES_NAME) as document:
        assert len(document.pages) == 0
        assert document.check_pdf_syntax() == ["ERROR: file does not contain any pages"]
    assert pages_seen_by_mupdf(production / NO_PAGES_NAME) == 0


def test_the_empty_file_the_web_page_and_the_note_match_their_names(production: Path) -> None:
    assert (production / EMPTY_NAME).read_bytes() == b""
    assert (production / PORTAL_PAGE_NAME).read_bytes().startswith(b"<!DOCTYPE html>")
    assert not (production / LOAD_NOTE_NAME).read_bytes().startswith(b"%PDF")
    assert LOAD_NOTE_NAME not in expected()


def test_bad_files_are_declared_with_codes_and_have_no_pages() -> None:
    assert sorted(BAD_FILES.values()) == [
        "EMPTY_FILE",
        "NOT_A_PDF",
        "NO_PAGES",
        "NO_PAGES",
        "PASSWORD_REQUIRED",
    ]
    assert GOOD_FILES.keys().isdisjoint(BAD_FILES)


def test_small_documents_differ_and_are_reproducible(tmp_path: Path) -> None:
    first = hashes(write_text_pdfs(tmp_path / "first", 60))
    again = hashes(write_text_pdfs(tmp_path / "again", 60))
    assert first == again
    assert len(set(first.values())) == 60


def test_small_documents_have_the_requested_pages(tmp_path: Path) -> None:
    for path in write_text_pdfs(tmp_path, 6, pages=3):
        document = pypdfium2.PdfDocument(path)
        try:
            assert len(document) == 3
            assert all(len(text_of_page(document, number)) > 300 for number in (1, 2, 3))
        finally:
            document.close()


def test_importing_the_sample_loads_no_typesetter() -> None:
    program = (
        "import sys, docpipe_assets.sample; "
        "print([name for name in ('reportlab', 'PIL', 'pikepdf') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def pages_seen_by_mupdf(path: Path) -> int:
    """Runs in a separate process, because MuPDF's warnings and caches are global."""
    program = "import sys, pymupdf; print(pymupdf.open(sys.argv[1], filetype='pdf').page_count)"
    answer = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    return int(answer.stdout.splitlines()[-1])
