"""The ledger as a table for the terminal and as JSON."""

from rich.console import Group
from rich.table import Table
from rich.text import Text

from docpipe_assets.operations.ledger import Entry, Ledger, State

_STYLES = {
    State.SUCCEEDED: "green",
    State.PARTIAL: "yellow",
    State.FAILED: "red",
    State.QUARANTINED: "red",
    State.IN_FLIGHT: "cyan",
    State.UNACCOUNTED: "bold red",
}


def as_text(ledger: Ledger) -> Group:
    """The documents as a table, followed by the sum over the states."""
    table = Table("document", "state", "pages", "last failure", expand=False)
    table.columns[2].justify = "right"
    for entry in ledger.entries:
        table.add_row(
            printable(entry.document),
            Text(entry.state.value, style=_STYLES.get(entry.state, "")),
            f"{entry.pages:,}" if entry.pages else "",
            printable(failure_text(entry)),
        )
    return Group(table, _sum(ledger))


def _sum(ledger: Ledger) -> Text:
    accounted = [state for state in State if state is not State.UNACCOUNTED]
    terms = " + ".join(f"{ledger.count(s)} {s.value.replace('_', ' ')}" for s in accounted if ledger.count(s))
    unaccounted = ledger.count(State.UNACCOUNTED)
    text = Text(f"{ledger.discovered} discovered = {terms or 0}; ")
    text.append(f"{unaccounted} unaccounted", style="bold red" if unaccounted else "green")
    if ledger.not_documents:
        text.append(f"; {ledger.not_documents} non-PDF keys")
    return text


def failure_text(entry: Entry) -> str:
    """The last failure and the time of the next attempt; empty if there was no failure."""
    if entry.error is None:
        return ""
    message = (entry.message or "").removeprefix(entry.document).lstrip(": ")
    text = f"{entry.error} in {entry.stage or 'its run'}" + (f": {message}" if message else "")
    if entry.next_attempt_at is not None:
        text += f" (next attempt {entry.next_attempt_at.astimezone():%H:%M:%S})"
    return text


def printable(text: str) -> Text:
    """Text from outside with non-printable characters replaced, so that it cannot control the terminal."""
    return Text("".join(c if c.isprintable() else "\ufffd" for c in text), overflow="fold")
