"""A generated sample production of a fictional case: input of the demo and reference for tests."""

from pathlib import Path


def write_production(folder: Path) -> list[Path]:
    """Write the whole production, valid and damaged files, to the folder: the same bytes on each call."""
    from docpipe_assets.sample.production import write_files

    return write_files(folder)


def write_text_pdfs(folder: Path, count: int, pages: int = 1) -> list[Path]:
    """Write `count` different born-digital letters, memos and invoices of `pages` pages to the folder."""
    from docpipe_assets.sample.correspondence import write_correspondence

    return write_correspondence(folder, count, pages)


def expected() -> dict[str, int | str]:
    """The stated truth about `write_production`: page count of each valid PDF, error code of each damaged
    one.
    """
    from docpipe_assets.sample.truth import expected as stated

    return stated()
