"""Writes pages with their texts, for ``docpipe eval ocr --pairs``.

python -m docpipe_assets_tests.evaluation.ocr made FOLDER --seed N [--pages N] [--kinds KIND ...]
python -m docpipe_assets_tests.evaluation.ocr split FOLDER
"""

import argparse
from pathlib import Path

from docpipe_assets_tests.evaluation.ocr.generated_set import KINDS, generated_set, write
from docpipe_assets_tests.evaluation.ocr.split_pages import split_pages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("which", choices=["made", "split"], help="the generated set, or the test split")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pages", type=int, default=3, help="pages of each kind")
    parser.add_argument("--kinds", nargs="+", default=[], help=f"prefixes of kinds; of {', '.join(KINDS)}")
    options = parser.parse_args()
    if options.which == "made":
        samples = generated_set(options.seed, options.pages, tuple(options.kinds))
    else:
        samples = split_pages()
    print(f"{write(samples, options.folder)} pages in {options.folder}")


if __name__ == "__main__":
    main()
