"""``python -m docpipe_assets_tests.evaluation.ner [--errors tune]``: scores of the shipped engines."""

import argparse
import re
from collections.abc import Iterable

from docpipe_assets.engines.ner.citations import CitationNer
from docpipe_assets.engines.ner.crf import CrfNer
from docpipe_assets.engines.ner.patterns import PatternNer
from docpipe_assets.model import EntityType, FoundName
from docpipe_assets.protocols import NameContext, NerEngine
from docpipe_assets_tests.evaluation.ner.labelled import HALVES, read_half
from docpipe_assets_tests.evaluation.ner.scoring import Scores, Tally, score_document

NAMES = (EntityType.PERSON, EntityType.ORGANISATION, EntityType.PLACE)


def without_overlaps(found_by_engine: Iterable[list[FoundName]]) -> list[FoundName]:
    """Removes overlapping names; earlier engines take precedence over later ones."""
    kept: list[FoundName] = []
    for found in found_by_engine:
        kept += [f for f in found if not any(f.start < k.end and k.start < f.end for k in kept)]
    return sorted(kept)


def context_of(text: str) -> NameContext:
    # The lower-case domain of an e-mail address would make its company look like a common word.
    without_addresses = re.sub(r"\S+@\S+", " ", text)
    return NameContext(frozenset(w for w in re.findall(r"[^\W\d_]+", without_addresses) if w.islower()))


def score_half(half: str, engines: Iterable[NerEngine]) -> Scores:
    scores = Scores()
    for document in read_half(half):
        context = context_of(document.text)
        found = without_overlaps([list(engine.find(document.text, context)) for engine in engines])
        score_document(document, found, scores)
    return scores


def _row(name: str, tally: Tally) -> str:
    figures = [*tally.precision_recall_f1(), *tally.precision_recall_f1(is_relaxed=True)]
    return f"{name:<20}{tally.labels:>7}{tally.found:>7}  " + "".join(f"{100 * x:>7.1f}" for x in figures)


def main() -> None:
    arguments = argparse.ArgumentParser(
        description="Scores of the shipped name engines on our labelled documents."
    )
    arguments.add_argument("--errors", choices=HALVES, help="also list the errors of this half")
    wanted = arguments.parse_args()
    engines: list[NerEngine] = [CitationNer(), PatternNer(), CrfNer()]
    for half in HALVES:
        scores = score_half(half, engines)
        print(f"\n{half} half: {len(read_half(half))} documents        exact P/R/F1         overlap P/R/F1")
        print(f"{'type':<20}{'labels':>7}{'found':>7}  " + "".join(f"{x:>7}" for x in ("P", "R", "F1") * 2))
        for entity_type in EntityType:
            if entity_type in scores.by_type:
                print(_row(entity_type, scores.by_type[entity_type]))
        print(_row("names (CRF)", scores.total(NAMES)))
        print(_row("regular types", scores.total([t for t in EntityType if t not in NAMES])))
        print(_row("all", scores.total()))
        if wanted.errors == half:
            print("\n".join(scores.errors))


if __name__ == "__main__":
    main()
