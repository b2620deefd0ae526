"""Processes every hostile file and prints its outcome as a Markdown table.

Arguments select kinds by name; without arguments, all are processed.
"""

import sys
import tempfile
from pathlib import Path

from docpipe_assets_tests.hostile.processing import open_pipeline, outcome_of
from docpipe_assets_tests.hostile.table import HEAD, row
from docpipe_assets_tests.hostile.written import write_hostile


def main(names: list[str]) -> int:
    with tempfile.TemporaryDirectory() as place:
        kinds = write_hostile(Path(place, "files"), names)
        files = {name: Path(place, "files", name) for name in kinds}
        surprises = 0
        print(HEAD)
        with open_pipeline(Path(place, "data"), files) as pipeline:
            for name, kind in kinds.items():
                outcome = outcome_of(pipeline, name)
                surprises += outcome.code not in kind.outcomes or (
                    outcome.code in ("TEXT", "PARTIAL") and kind.shows not in outcome.text
                )
                print(row(kind, outcome), flush=True)
        print(f"\n{len(kinds)} kinds, {surprises} with another outcome than expected")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
