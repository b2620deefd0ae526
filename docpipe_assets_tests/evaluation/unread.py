"""Scores the detection of text that OCR missed.

    python -m docpipe_assets_tests.evaluation.unread [--pages 2]

Pages of many kinds are converted to scans and read by OCR. A page that is flagged as incompletely read is a
false alarm, unless OCR did miss text. Then lines are removed from the result, as if OCR had not found them:
each row shows the number of pages that are flagged.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from docpipe_assets.protocols import PlacedWord
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.settings import Settings
from docpipe_assets.text.ocr_readings import is_filled
from docpipe_assets.text.text_layer import leaves_lines
from docpipe_assets_tests.evaluation.text_layer import later, typeset, unseen
from docpipe_assets_tests.evaluation.text_layer.labelled import Kind

DPI = 200
KINDS: tuple[Kind, ...] = (
    typeset.letters,
    typeset.ruled_table,
    typeset.form,
    typeset.list_of_names,
    typeset.numbers_only,
    typeset.drawing_with_captions,
    typeset.watermark_image,
    typeset.letterhead_with_logo,
    typeset.photo_with_caption,
    typeset.signed_letter,
    unseen.two_columns,
    unseen.shaded_table,
    unseen.questionnaire,
    unseen.floor_plan,
    unseen.article_with_chart,
    unseen.photo_sheet,
    later.pleading_paper,
    later.invoice_with_barcode,
    later.map_with_labels,
    later.received_stamp,
)

Line = tuple[PlacedWord, ...]


def as_scan(pdf: bytes, seed: int) -> bytes:
    """The page as a slightly degraded image, without any text layer."""
    image = typeset.aged(typeset.image_of(pdf, DPI), seed)
    sheet = typeset.Sheet(seed, (image.width * 72 / DPI, image.height * 72 / DPI))
    sheet.picture(image, 0, 0, sheet.width, sheet.height)
    return sheet.pdf()


def without(lines: list[Line], count: int) -> list[Line]:
    """The lines without the ``count`` consecutive lines with the most text."""
    first = max(range(max(len(lines) - count + 1, 1)), key=lambda n: sum(map(_length, lines[n : n + count])))
    return lines[:first] + lines[first + count :]


def _length(line: Line) -> float:
    return sum(word.box.right - word.box.left for word in line)


CASES: dict[str, Callable[[list[Line]], list[Line]]] = {
    "as read": lambda lines: lines,
    "1 line lost": lambda lines: without(lines, 1),
    "2 lines lost": lambda lines: without(lines, 2),
    "4 lines lost": lambda lines: without(lines, 4),
    "all lost": lambda lines: [],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pages", type=int, default=2, help="of each kind")
    chosen = parser.parse_args()
    totals = dict.fromkeys(CASES, 0)
    print(f"{'flagged, of ' + str(chosen.pages) + ' pages':<26}" + "".join(f"{case:>14}" for case in CASES))
    with TemporaryDirectory() as name:
        pipeline, path = DocumentPipeline(Settings(data_dir=Path(name))), Path(name, "page.pdf")
        try:
            for kind in KINDS:
                flagged = dict.fromkeys(CASES, 0)
                for number in range(chosen.pages):
                    path.write_bytes(as_scan(kind(5000 + number), number))
                    with pipeline.reader.render(path, 1, DPI) as image:
                        lines = list(pipeline.ocr.read(image))
                        for case, lose in CASES.items():
                            boxes = [word.box for line in lose(lines) for word in line if is_filled(word)]
                            flagged[case] += leaves_lines(pipeline.reader.ink(image, boxes))
                print(f"{kind.__name__:<26}" + "".join(f"{flagged[case]:>14}" for case in CASES), flush=True)
                for case in CASES:
                    totals[case] += flagged[case]
        finally:
            pipeline.close()
    pages = chosen.pages * len(KINDS)
    print(f"{'all ' + str(pages):<26}" + "".join(f"{totals[case] / pages:>14.0%}" for case in CASES))


if __name__ == "__main__":
    main()
