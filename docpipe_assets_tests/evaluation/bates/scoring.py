"""Compares the findings in a generated production with the seeded faults."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from docpipe_assets.bates.batch import batch_findings
from docpipe_assets.bates.checks import DocumentBates
from docpipe_assets.bates.findings import BatesFault, BatesSummary
from docpipe_assets.model import PageText
from docpipe_assets_tests.evaluation.bates.production import Production


@dataclass
class Score:
    pages: int = 0
    right: int = 0
    """Pages whose label equals the stamp, or that have neither."""
    repaired: int = 0
    repaired_wrong: int = 0
    wrong: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    """The kinds of the seeded faults that were found."""
    not_found: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [
            f"labels right: {self.right:,} of {self.pages:,} pages ({self.right / max(self.pages, 1):.2%})",
            f"repaired: {self.repaired:,}, of them wrong: {self.repaired_wrong:,}",
            f"faults found: {len(self.found)} of {len(self.found) + len(self.not_found)}",
            *(f"  not found: {kind}" for kind in self.not_found),
            f"faults invented: {len(self.invented)}",
            *(f"  invented: {what}" for what in self.invented),
            *(f"  wrong label: {what}" for what in self.wrong),
        ]
        return "\n".join(lines)


def compare(production: Production, texts: Mapping[str, Sequence[PageText]]) -> Score:
    """``texts`` are the pages of each document as returned by the stage, by the document's name."""
    score = Score()
    for document in production.documents:
        for label, page in zip(document.labels, texts[document.name], strict=True):
            score.pages += 1
            is_repaired = bool(page.bates and page.stamps[0].read_as)
            score.repaired += is_repaired
            if page.bates == label:
                score.right += 1
            else:
                score.repaired_wrong += is_repaired
                score.wrong.append(f"{document.name}, page {page.page}: {page.bates} for {label}")
    summaries = {name: summary_of(pages) for name, pages in texts.items()}
    judge(production, summaries, score)
    return score


def summary_of(pages: Iterable[PageText]) -> BatesSummary:
    checked = DocumentBates()
    for page in pages:
        checked.add_page(page)
    return checked.summary()


def judge(production: Production, summaries: Mapping[str, BatesSummary], score: Score) -> None:
    """Adds the reported and unreported seeded faults, and the findings without a seeded fault."""
    reported = list(_findings(summaries))
    for seeded in production.seeded:
        is_found = seeded.expected[0] in [(name, fault) for name, fault, _ in reported]
        (score.found if is_found else score.not_found).append(seeded.kind)
    allowed = [one for seeded in production.seeded for one in seeded.expected]
    for name, fault, what in reported:
        if (name, fault) in allowed:
            allowed.remove((name, fault))  # each fault is one finding
        else:
            score.invented.append(f"{fault} {name}: {what}")


def _findings(summaries: Mapping[str, BatesSummary]) -> Iterator[tuple[str, BatesFault, str]]:
    for name, summary in summaries.items():
        for fault, what in summary.findings:
            yield name, fault, what
    for fault, what in batch_findings(summaries):
        yield "", fault, what
