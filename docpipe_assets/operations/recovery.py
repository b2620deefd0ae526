"""Selects failed documents by batch, stage and code."""

from collections.abc import Sequence

from docpipe_assets.operations.ledger import Entry, Ledger, State

_RETRIED = (State.FAILED, State.QUEUED)


def documents_to_retry(
    ledger: Ledger, *, stage: str | None = None, code: str | None = None, states: Sequence[State] = ()
) -> list[Entry]:
    """The failed documents; held and quarantined ones only where ``states`` names them."""
    wanted = {*_RETRIED, *states}
    return [
        entry
        for entry in ledger.entries
        if entry.state in wanted
        and entry.error is not None
        and stage in (None, entry.stage)
        and (code is None or entry.error.split(":")[0] == code.split(":")[0])
    ]
