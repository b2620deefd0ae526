"""Precision, recall and F1 of found names against labels: exact spans, and spans that overlap."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from docpipe_assets.model import EntityType, FoundName
from docpipe_assets_tests.evaluation.ner.labelled import Label, LabelledDocument


@dataclass
class Tally:
    """Counts for one type: a label is missed or found, a found name is correct or wrong."""

    labels: int = 0
    found: int = 0
    exact: int = 0
    found_overlapping: int = 0
    labels_overlapping: int = 0

    def precision_recall_f1(self, is_relaxed: bool = False) -> tuple[float, float, float]:
        right = self.found_overlapping if is_relaxed else self.exact
        hit = self.labels_overlapping if is_relaxed else self.exact
        precision = right / self.found if self.found else 0.0
        recall = hit / self.labels if self.labels else 0.0
        total = precision + recall
        return precision, recall, 2 * precision * recall / total if total else 0.0

    def add(self, other: "Tally") -> None:
        self.labels += other.labels
        self.found += other.found
        self.exact += other.exact
        self.found_overlapping += other.found_overlapping
        self.labels_overlapping += other.labels_overlapping


@dataclass
class Scores:
    by_type: dict[EntityType, Tally] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def total(self, types: Sequence[EntityType] | None = None) -> Tally:
        total = Tally()
        for entity_type, tally in self.by_type.items():
            if types is None or entity_type in types:
                total.add(tally)
        return total


def _overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def score_document(document: LabelledDocument, found: Sequence[FoundName], scores: Scores) -> None:
    """Adds one document. Names found in an ignored span are not counted."""
    kept = [f for f in found if not any(_overlap(f[:2], i) for i in document.ignored)]
    spans = Counter((f.start, f.end, f.type) for f in kept)
    for label in document.labels:
        tally = scores.by_type.setdefault(label.type, Tally())
        tally.labels += 1
        if spans[label.start, label.end, label.type]:
            tally.exact += 1
        else:
            scores.errors.append(f"{document.name}\tmissed\t{label.type}\t{_quote(document, label)}")
        tally.labels_overlapping += any(f.type == label.type and _overlap(f[:2], label[:2]) for f in kept)
    gold = {(label.start, label.end, label.type) for label in document.labels}
    for name in kept:
        tally = scores.by_type.setdefault(name.type, Tally())
        tally.found += 1
        tally.found_overlapping += any(
            name.type == label.type and _overlap(name[:2], label[:2]) for label in document.labels
        )
        if (name.start, name.end, name.type) not in gold:
            scores.errors.append(
                f"{document.name}\twrong\t{name.type}\t{_quote(document, name)}\t{name.score:.2f}"
            )


def _quote(document: LabelledDocument, span: Label | FoundName) -> str:
    return " ".join(document.text[span.start : span.end].split())
