"""The stated truth about the sample production: page counts of valid files, failures of damaged ones."""

from docpipe_assets.sample.documents import EXHIBITS, numbered_exhibits

_AFTER_LAST = sum(exhibit.pages for exhibit in EXHIBITS) + 1

LOCKED_NAME = "Settlement memo - PRIVILEGED.pdf"
CUT_SHORT_NAME = f"CALDERA {_AFTER_LAST:06d}-{_AFTER_LAST + 5:06d}.pdf"
EMPTY_NAME = f"CALDERA {_AFTER_LAST + 6:06d}-{_AFTER_LAST + 11:06d}.pdf"
NO_PAGES_NAME = "Index of exhibits.pdf"
PORTAL_PAGE_NAME = "portal download (3).pdf"
LOAD_NOTE_NAME = "README load note.txt"

BAD_FILES = {
    LOCKED_NAME: "PASSWORD_REQUIRED",
    CUT_SHORT_NAME: "NO_PAGES",
    EMPTY_NAME: "EMPTY_FILE",
    NO_PAGES_NAME: "NO_PAGES",
    PORTAL_PAGE_NAME: "NOT_A_PDF",
}


def expected() -> dict[str, int | str]:
    """File name -> page count if it is valid, else its failure code; the load note is left out."""
    pages: dict[str, int | str] = {}
    for first_bates, exhibit in numbered_exhibits():
        pages[exhibit.file_name(first_bates)] = exhibit.pages
        if exhibit.also_named:
            pages[exhibit.also_named] = exhibit.pages
    return pages | BAD_FILES
