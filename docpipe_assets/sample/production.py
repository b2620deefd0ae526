"""Generates the sample production: each exhibit typeset, aged if it is a scan, and the damaged files."""

from pathlib import Path

from docpipe_assets.sample import damaged
from docpipe_assets.sample.dispatch_log import typeset_dispatch_log
from docpipe_assets.sample.documents import Exhibit, numbered_exhibits, text_of
from docpipe_assets.sample.scan import scan_pages, turn_landscape_pages
from docpipe_assets.sample.transcript import typeset_transcript
from docpipe_assets.sample.truth import (
    CUT_SHORT_NAME,
    EMPTY_NAME,
    LOAD_NOTE_NAME,
    LOCKED_NAME,
    NO_PAGES_NAME,
    PORTAL_PAGE_NAME,
)
from docpipe_assets.sample.typeset import typeset


def write_files(folder: Path) -> list[Path]:
    """Write all files of the production to the folder and return their paths, valid ones first."""
    folder.mkdir(parents=True, exist_ok=True)
    contents: dict[str, bytes] = {}
    scans: list[bytes] = []
    for first_bates, exhibit in numbered_exhibits():
        pdf = made(exhibit, first_bates)
        contents[exhibit.file_name(first_bates)] = pdf
        if exhibit.also_named:
            contents[exhibit.also_named] = pdf
        if len(exhibit.scanned) == exhibit.pages:
            scans.append(pdf)
    contents[LOCKED_NAME] = damaged.locked()
    contents[CUT_SHORT_NAME] = damaged.cut_short(max(scans, key=len))
    contents[EMPTY_NAME] = b""
    contents[NO_PAGES_NAME] = damaged.without_pages()
    contents[PORTAL_PAGE_NAME] = damaged.PORTAL_PAGE.encode("utf-8")
    contents[LOAD_NOTE_NAME] = damaged.LOAD_NOTE.encode("utf-8")
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]


def made(exhibit: Exhibit, first_bates: int) -> bytes:
    """One exhibit as produced; raises ValueError if it does not have its stated number of pages."""
    if exhibit.layout == "log":
        pdf = typeset_dispatch_log(exhibit.pages, first_bates)
    elif exhibit.layout == "transcript":
        pdf = typeset_transcript(
            text_of(exhibit),
            "Dennis R. Lundquist",
            "April 8, 2025",
            "Lorna J. Mapplethwaite, CCR 3142",
            first_bates,
        )
    else:
        pdf = typeset(text_of(exhibit), exhibit.layout, exhibit.title, exhibit.firm, first_bates)
    _require_pages(exhibit, pdf)
    if exhibit.scanned:
        return scan_pages(pdf, exhibit.scanned, exhibit.sideways, seed=first_bates)
    return turn_landscape_pages(pdf)


def _require_pages(exhibit: Exhibit, pdf: bytes) -> None:
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        pages = len(document)
    finally:
        document.close()
    if pages != exhibit.pages:
        raise ValueError(
            f"sample exhibit {exhibit.text}: typeset to {pages} pages, stated as {exhibit.pages}; "
            "state the new number in documents.py, the Bates ranges of the later files follow from it"
        )
