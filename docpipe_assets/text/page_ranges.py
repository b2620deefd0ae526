"""Formats page numbers as ranges."""

from collections.abc import Iterable


def ranges(pages: Iterable[int], limit: int = 40) -> str:
    """Page numbers as ranges, ``3-5, 9``; ends with the number of pages that are not shown."""
    runs: list[list[int]] = []
    for page in sorted(pages):
        if runs and page == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], page]
        else:
            runs.append([page])
    shown = ", ".join("-".join(map(str, run)) for run in runs[:limit])
    left_out = sum(run[-1] - run[0] + 1 for run in runs[limit:])
    return f"{shown} and {left_out:,} more" if left_out else shown
