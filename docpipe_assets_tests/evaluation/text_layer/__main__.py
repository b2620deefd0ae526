"""Scores the decision between text layer and OCR.

    python -m docpipe_assets_tests.evaluation.text_layer [--half tune] [--seed 1]

Counts the decision that is made before any OCR: *recall* is the share of the pages that need OCR and get it,
*false OCR* the share of the pages with a sound and complete layer, or without any content, that get it too.
"""

import argparse
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from docpipe_assets.model import TextMethod
from docpipe_assets.protocols import PdfReader
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.settings import Settings
from docpipe_assets.text.text_layer import Decision, decide, word_measures
from docpipe_assets_tests.evaluation.text_layer import later, typeset, unseen
from docpipe_assets_tests.evaluation.text_layer.labelled import CorrectMethod, LabelledPage

HALVES = {"tune": typeset.pages, "test": unseen.pages, "later": later.pages}


@dataclass(frozen=True)
class PageDecision:
    page: LabelledPage
    decision: Decision
    signals: dict[str, float]

    @property
    def gets_ocr(self) -> bool:
        return self.decision.method in (TextMethod.OCR, TextMethod.BOTH)


def decision_on(page: LabelledPage, reader: PdfReader, folder: Path) -> PageDecision:
    path = folder / "page.pdf"
    path.write_bytes(page.pdf)
    (content,) = reader.read(path)
    words = [word.text for line in content.lines for word in line]
    signals = {**content.signals, **word_measures(words)}
    return PageDecision(page, decide(signals), signals)


def rates(found: list[PageDecision]) -> tuple[float, float]:
    """Recall of OCR, and the share of false OCR."""
    needed = [one.gets_ocr for one in found if one.page.right.needs_ocr]
    not_needed = [
        one.gets_ocr for one in found if one.page.right in (CorrectMethod.LAYER, CorrectMethod.BLANK)
    ]
    return sum(needed) / len(needed), sum(not_needed) / len(not_needed)


def show(half: str, found: list[PageDecision], *, with_errors: bool, with_kinds: bool) -> None:
    methods = [TextMethod.TEXT_LAYER, TextMethod.OCR, TextMethod.BOTH, TextMethod.BLANK]
    print(f"\n{half}: {len(found)} pages of {len({one.page.kind for one in found})} kinds")
    print(f"{'right':<28}{'pages':>6}" + "".join(f"{method.value:>12}" for method in methods))
    rows = [(right.value, [one for one in found if one.page.right is right]) for right in CorrectMethod]
    if with_kinds:
        kinds = dict.fromkeys((one.page.kind, one.page.right) for one in found)
        rows += [
            (f"{kind} ({right.value})", [one for one in found if one.page.kind == kind])
            for kind, right in kinds
        ]
    for label, chosen in rows:
        counts = Counter(one.decision.method for one in chosen)
        print(f"{label:<28}{len(chosen):>6}" + "".join(f"{counts[method]:>12}" for method in methods))
    recall, false = rates(found)
    exact = sum(one.page.right.allows(one.decision.method) for one in found)
    print(f"OCR recall {recall:.1%}, false OCR {false:.1%}, correct method {exact} of {len(found)}")
    if with_errors:
        for one in found:
            if not one.page.right.allows(one.decision.method):
                print(f"  {one.page.kind} {one.page.number}: right {one.page.right}, {one.decision.method}")
                print(f"    {one.decision.reason}\n    {one.signals}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--half", choices=HALVES, action="append")
    parser.add_argument("--seed", type=int, default=0, help="other pages of the same kinds")
    parser.add_argument("--kinds", action="store_true", help="a row for each kind of page")
    parser.add_argument("--errors", action="store_true", help="list wrong decisions with their signals")
    chosen = parser.parse_args()
    with TemporaryDirectory() as name:
        pipeline = DocumentPipeline(Settings(data_dir=Path(name)))
        try:
            for half in chosen.half or HALVES:
                began = time.monotonic()
                made = list(HALVES[half](seed=chosen.seed))
                seconds = time.monotonic() - began
                found = [decision_on(page, pipeline.reader, Path(name)) for page in made]
                show(half, found, with_errors=chosen.errors, with_kinds=chosen.kinds)
                print(f"made in {seconds:.0f} s, read in {time.monotonic() - began - seconds:.0f} s")
        finally:
            pipeline.close()


if __name__ == "__main__":
    main()
