"""The ledger for people and for machines."""

from typing import Any

from rich.table import Table

from docpipe_assets.ledger import Ledger, State

_STYLES = {
    State.SUCCEEDED: "green",
    State.PARTIAL: "yellow",
    State.FAILED: "red",
    State.QUARANTINED: "red",
    State.IN_FLIGHT: "cyan",
    State.UNACCOUNTED: "bold red",
}


def as_json(ledger: Ledger) -> dict[str, Any]:
    """Counts by state, and every document."""
    return {
        "discovered": ledger.discovered,
        **{state.value: ledger.count(state) for state in State},
        "not_documents": ledger.not_documents,
        "documents": [
            {
                "document": entry.document,
                "state": entry.state.value,
                "stage": entry.stage,
                "error": entry.error,
                "message": entry.message,
                "pages": entry.pages,
            }
            for entry in ledger.entries
        ],
    }


def as_tables(ledger: Ledger) -> list[Table]:
    """The documents, then the counts."""
    documents = Table("document", "state", "pages", "stage", "what happened")
    documents.columns[2].justify = "right"
    documents.columns[0].overflow = documents.columns[4].overflow = "fold"
    for entry in ledger.entries:
        documents.add_row(
            _plain(entry.document),
            f"[{_STYLES.get(entry.state, 'default')}]{entry.state.value}[/]",
            f"{entry.pages:,}" if entry.pages else "",
            entry.stage or "",
            _plain(f"{entry.error}: {entry.message or ''}" if entry.error else ""),
        )
    counts = Table("discovered", *(state.value for state in State), "not PDFs")
    counts.add_row(
        str(ledger.discovered), *(str(ledger.count(state)) for state in State), str(ledger.not_documents)
    )
    return [documents, counts]


def _plain(text: str) -> str:
    """Without markup of rich's or of the terminal's: names come from outside."""
    visible = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return visible.replace("[", "\\[")
