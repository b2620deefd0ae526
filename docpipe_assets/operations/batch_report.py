"""The batch report: the ledger by batch, its pages, the unfinished documents with reasons, and duplicates."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from docpipe_assets.bates.batch import batch_findings
from docpipe_assets.bates.findings import BatesFault, BatesSummary
from docpipe_assets.identity import batch_of
from docpipe_assets.model import TextMethod
from docpipe_assets.operations.breaker import advice_on
from docpipe_assets.operations.ledger import Entry, Ledger, State, duplicates

_DONE = (State.SUCCEEDED, State.PARTIAL)
_ROWS = 100
"""Maximum number of table rows in the UI; the JSON lists all of them."""


@dataclass(frozen=True)
class ReadDocument:
    """The recorded page data of one document."""

    version: str
    """SHA-256 of the source bytes."""
    pages: int
    read_version: str | None = None
    """SHA-256 of the bytes whose text was read; None if there is no text yet."""
    pages_by_method: Mapping[str, int] | None = None
    bates: BatesSummary | None = None
    """Summary of the Bates labels of its pages; None if there is no text yet."""
    pages_flagged: int = 0


@dataclass
class PageLedger:
    """Every discovered page in exactly one category."""

    discovered: int = 0
    text_layer: int = 0
    ocr: int = 0
    both: int = 0
    blank: int = 0
    failed: int = 0
    in_open_documents: int = 0
    """Pages of documents that are not finished: failed, waiting or withdrawn."""
    unaccounted: int = 0
    flagged: int = 0
    """Pages that were read but may lack text. They are counted above as well."""

    def add(self, document: ReadDocument, is_done: bool) -> None:
        self.discovered += document.pages
        counts = document.pages_by_method or {}
        if not is_done:
            self.in_open_documents += document.pages
            return
        if document.read_version == document.version:
            for method in TextMethod:
                setattr(self, method.value, getattr(self, method.value) + counts.get(method.value, 0))
            self.unaccounted += abs(document.pages - sum(counts.values()))
            self.flagged += document.pages_flagged
        else:
            self.unaccounted += document.pages


class LabelFinding(NamedTuple):
    """A finding with its batch and document; a finding about several documents names them in its text."""

    batch: str
    document: str
    fault: BatesFault
    what: str

    def as_json(self) -> dict[str, str]:
        return {**self._asdict(), "fault": self.fault.value}


@dataclass(frozen=True)
class BatchReport:
    """The ledger with page counts, duplicates and Bates findings, ready for rendering."""

    ledger: Ledger
    pages: PageLedger
    duplicates: tuple[tuple[str, ...], ...]
    pageless: tuple[str, ...]
    """Finished documents without a recorded page count."""
    bates: tuple[LabelFinding, ...] = ()
    """Bates label findings by batch; findings about several documents come last."""

    @property
    def unaccounted(self) -> int:
        """Number of documents and pages that no state explains. It has to be zero."""
        return self.ledger.count(State.UNACCOUNTED) + len(self.pageless) + self.pages.unaccounted

    def as_json(self) -> dict[str, Any]:
        return {
            **self.ledger.as_json(),
            "batches": {
                batch: {state.value: counts[state] for state in State}
                for batch, counts in _by_batch(self.ledger).items()
            },
            "pages": asdict(self.pages),
            "duplicates": [list(group) for group in self.duplicates],
            "documents_without_pages": list(self.pageless),
            "bates": [one.as_json() for one in self.bates],
        }


def report_on(ledger: Ledger, read: Mapping[str, ReadDocument]) -> BatchReport:
    """Build the report; ``read`` is keyed by document."""
    pages = PageLedger()
    pageless = []
    for entry in ledger.entries:
        found = read.get(entry.document)
        if found is not None:
            pages.add(found, entry.state in _DONE)
        elif entry.state in _DONE:
            pageless.append(entry.document)
    there = {e.document for e in ledger.entries if e.state is not State.WITHDRAWN}
    alike = duplicates({document: one.version for document, one in read.items() if document in there})
    return BatchReport(ledger, pages, alike, tuple(pageless), tuple(label_findings(ledger, read)))


def label_findings(ledger: Ledger, read: Mapping[str, ReadDocument]) -> Iterator[LabelFinding]:
    """Bates label findings, batch by batch.

    Of several documents with identical bytes, which are reported as duplicates, only the first is checked.
    """
    batches: dict[str, dict[str, BatesSummary | None]] = {}
    versions: set[tuple[str, str]] = set()
    for entry in sorted(ledger.entries, key=lambda entry: entry.document):
        document, batch = entry.document, batch_of(entry.document)
        found = None if entry.state is State.WITHDRAWN else read.get(document)
        if found is not None:
            if (batch, found.version) in versions:
                continue
            versions.add((batch, found.version))
        is_read = found is not None and found.read_version == found.version
        batches.setdefault(batch, {})[document] = found.bates if found is not None and is_read else None
    for batch, summaries in sorted(batches.items()):
        for document, summary in summaries.items():
            for one in summary.findings if summary is not None else ():
                yield LabelFinding(batch, document, *one)
        for one in batch_findings(summaries):
            yield LabelFinding(batch, "", *one)


def batches_table(report: BatchReport) -> str:
    """Markdown: one row per batch, one column per state that occurs."""
    counts = _by_batch(report.ledger)
    states = [s for s in State if s is State.UNACCOUNTED or report.ledger.count(s)]
    rows = [
        [batch or "(no batch)", sum(of.values()), *(of[state] for state in states)]
        for batch, of in counts.items()
    ]
    return _table(["batch", "discovered", *(s.value.replace("_", " ") for s in states)], rows)


def unfinished_table(report: BatchReport) -> str:
    """Markdown: the documents that are neither finished nor queued or running, with advice."""
    moving = (State.QUEUED, State.IN_FLIGHT)
    entries = [e for e in report.ledger.entries if e.state not in (State.SUCCEEDED, *moving)]
    rows = [[e.document, e.state.value, e.stage or "", e.error or "", _advice(e)] for e in entries[:_ROWS]]
    table = _table(["document", "state", "stage", "error", "advice"], rows)
    left_out = len(entries) - len(rows)
    return f"{table}\n\nThe JSON lists {left_out:,} more." if left_out else table


def duplicates_table(report: BatchReport) -> str:
    return _table(
        ["documents with identical bytes"], [["; ".join(group)] for group in report.duplicates[:_ROWS]]
    )


def bates_table(report: BatchReport) -> str:
    """Markdown: the Bates label findings."""
    rows = [
        [one.batch, one.document or "(between documents)", one.fault.value, one.what] for one in report.bates
    ]
    table = _table(["batch", "document", "finding", "description"], rows[:_ROWS])
    left_out = len(rows) - _ROWS
    return f"{table}\n\nThe JSON lists {left_out:,} more." if left_out > 0 else table


def _advice(entry: Entry) -> str:
    if entry.state is State.PARTIAL:
        return "The evidence check of its relationships lists the failed pages."
    if entry.state is State.UNACCOUNTED:
        return "Check the ticks of the intake sensor, then the last run of the document."
    if entry.error is not None:
        return advice_on(entry.error)
    return entry.reason or ""


def _by_batch(ledger: Ledger) -> dict[str, dict[State, int]]:
    counts: dict[str, dict[State, int]] = {}
    for entry in ledger.entries:
        of = counts.setdefault(batch_of(entry.document), dict.fromkeys(State, 0))
        of[entry.state] += 1
    return dict(sorted(counts.items()))


def _table(head: list[str], rows: list[list[Any]]) -> str:
    if not rows:
        return "none"
    return "\n".join(
        "| " + " | ".join(_cell(value) for value in row) + " |" for row in [head, ["---"] * len(head), *rows]
    )


def _cell(value: object) -> str:
    """Escape a cell: names come from outside and must not end the cell, or act as markup or a link."""
    text = "".join(c if c.isprintable() else "\ufffd" for c in str(value))
    return "".join(f"\\{c}" if c in "\\|[]<>`*_!" else c for c in text) if text != "---" else text
