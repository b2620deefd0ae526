"""A sample production of a fictional case, made on the spot: what the demo ingests and tests measure by."""

from pathlib import Path


def write_production(folder: Path) -> list[Path]:
    """Write the whole production, good files and bad, into the folder: the same bytes at each call."""
    from docpipe_assets.sample.production import write_files

    return write_files(folder)


def write_text_pdfs(folder: Path, count: int, pages: int = 1) -> list[Path]:
    """Write `count` different born-digital letters, memos and invoices of `pages` pages into the folder."""
    from docpipe_assets.sample.correspondence import write_correspondence

    return write_correspondence(folder, count, pages)


def expected() -> dict[str, int | str]:
    """The known truth about `write_production`: pages of each good PDF, error code of each bad one."""
    from docpipe_assets.sample.truth import expected as stated

    return stated()
