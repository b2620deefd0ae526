"""qpdf: cuts a PDF into parts without holding it. Runs inside the sandbox only."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf

from docpipe_assets.errors import PasswordRequired, UnreadablePdf


def split(
    path: str, pages: int, pages_per_part: int, bytes_per_part: int, folder: str
) -> Iterator[dict[str, Any]]:
    """Write part PDFs below ``folder``; one value a part: first page, last page, path.

    A part has at most ``pages_per_part`` pages; one that is larger than ``bytes_per_part`` is cut
    again, down to single pages.
    """
    size = Path(path).stat().st_size
    step = min(pages_per_part, max(1, math.floor(bytes_per_part / max(size / pages, 1))))
    yield from _split(Path(path), 1, pages, step, bytes_per_part, Path(folder))


def _split(
    source: Path, first: int, count: int, step: int, bytes_per_part: int, folder: Path
) -> Iterator[dict[str, Any]]:
    digits = len(str(count))
    _run(
        [
            "--warning-exit-0",
            f"--split-pages={step}",
            "--decode-level=none",
            str(source),
            str(folder / f"{first}-%d.pdf"),
        ]
    )
    for start in range(1, count + 1, step):
        end = min(start + step - 1, count)
        name = f"{start:0{digits}d}" if step == 1 else f"{start:0{digits}d}-{end:0{digits}d}"
        part = folder / f"{first}-{name}.pdf"
        if not part.exists():
            raise UnreadablePdf(f"pages {first + start - 1} to {first + end - 1} could not be cut out")
        if end > start and part.stat().st_size > bytes_per_part:
            yield from _split(
                part, first + start - 1, end - start + 1, (end - start + 2) // 2, bytes_per_part, folder
            )
            part.unlink(missing_ok=True)
        else:
            yield {"first_page": first + start - 1, "last_page": first + end - 1, "path": str(part)}


def _run(arguments: list[str]) -> None:
    try:
        pikepdf.Job(["qpdf", *arguments]).run()
    except pikepdf.PasswordError as error:
        raise PasswordRequired("encrypted, and does not open without a password") from error
    except (pikepdf.PdfError, pikepdf.JobUsageError, RuntimeError) as error:
        raise UnreadablePdf(f"can't be cut into parts ({error})") from error
