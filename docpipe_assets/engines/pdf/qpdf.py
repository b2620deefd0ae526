"""qpdf: splits a PDF into part PDFs without loading it into memory. Runs inside the sandbox only."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pikepdf

from docpipe_assets.errors import BadPageTree, PasswordRequired, UnreadablePdf

_NO_DECODING: Final = pikepdf.StreamDecodeLevel.none


def split(
    path: str, pages: int, pages_per_part: int, bytes_per_part: int, is_pruned: bool, folder: str
) -> Iterator[dict[str, Any]]:
    """Write part PDFs below ``folder``; one value per part: first page, last page, path.

    A part has at most ``pages_per_part`` pages; one that is larger than ``bytes_per_part`` is split again,
    down to single pages. ``is_pruned``: parts do not contain resources that only other parts use. Raises
    BadPageTree if qpdf finds another number of pages than ``pages``.
    """
    size = Path(path).stat().st_size
    step = min(pages_per_part, max(1, math.floor(bytes_per_part / max(size / pages, 1))))
    prune = f"--remove-unreferenced-resources={'auto' if is_pruned else 'no'}"
    yield from _split(Path(path), 1, pages, step, bytes_per_part, Path(folder), prune)


def without_date(source: Path, target: Path) -> None:
    """Rewrite a PDF without its date and identifier, so that equal content gives equal bytes."""
    with pikepdf.open(source) as document:
        for key in ("/Info", "/ID"):
            if key in document.trailer:
                del document.trailer[key]
        document.save(target, deterministic_id=True, compress_streams=False, stream_decode_level=_NO_DECODING)


def _split(
    source: Path, first: int, count: int, step: int, bytes_per_part: int, folder: Path, prune: str
) -> Iterator[dict[str, Any]]:
    """Split ``source``, whose first page is page ``first`` of the document."""
    _run(
        [
            "--warning-exit-0",
            "--deterministic-id",  # the same document gives byte-identical parts
            f"--split-pages={step}",
            # Otherwise qpdf decompresses streams with several filters and compresses those without any.
            "--stream-data=preserve",
            prune,
            str(source),
            str(folder / "%d.pdf"),
        ]
    )
    digits = len(str(count))
    windows = [(start, min(start + step - 1, count)) for start in range(1, count + 1, step)]
    names = [
        f"{start:0{digits}d}" + (f"-{end:0{digits}d}" if step > 1 else "") + ".pdf" for start, end in windows
    ]
    found = sorted(file.name for file in folder.glob("*.pdf"))
    if found != names:
        raise BadPageTree(f"expected {count} pages, but qpdf finds others: its last part is {found[-1:]}")
    for (start, end), name in zip(windows, names, strict=True):
        part = folder / name
        if end > start and part.stat().st_size > bytes_per_part:
            below = folder / part.stem
            below.mkdir()
            pages = end - start + 1
            yield from _split(part, first + start - 1, pages, (pages + 1) // 2, bytes_per_part, below, prune)
            part.unlink(missing_ok=True)
        else:
            yield {"first_page": first + start - 1, "last_page": first + end - 1, "path": str(part)}


def _run(arguments: list[str]) -> None:
    try:
        pikepdf.Job(["qpdf", *arguments]).run()
    except pikepdf.PasswordError as error:
        raise PasswordRequired("encrypted, and can't be opened without a password") from error
    except (pikepdf.PikepdfError, RuntimeError, ValueError) as error:
        raise UnreadablePdf(f"can't be split into parts ({error})") from error
