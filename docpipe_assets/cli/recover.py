"""Commands that act on failures: ``breaker``, ``retry`` and ``withdraw``."""

from typing import Annotated

import typer

from docpipe_assets.cli.app import DATA_DIR, DataDir, Reason, connect, console, errors_shown

breakers = typer.Typer(help="Who is held back, why, and until when.", no_args_is_help=True)


@breakers.command("list")
def breaker_list(data_dir: DataDir = DATA_DIR) -> None:
    """Every breaker that is not closed, of stages and of documents."""
    from docpipe_assets.cli.breakers_table import breakers_shown

    with errors_shown():
        bench, instance = connect(data_dir)
        with instance:
            console.print(breakers_shown(instance, bench))


@breakers.command("show")
def breaker_show(
    document: Annotated[str, typer.Argument(help="S3 key or partition key.")], data_dir: DataDir = DATA_DIR
) -> None:
    """One document's breaker, and what to do."""
    from docpipe_assets.cli.breakers_table import breaker_shown

    with errors_shown():
        bench, instance = connect(data_dir)
        with instance:
            console.print(breaker_shown(instance, bench, document))


@breakers.command("reset")
def breaker_reset(
    reason: Reason,
    documents: Annotated[list[str] | None, typer.Argument(help="S3 keys or partition keys.")] = None,
    stage: Annotated[str | None, typer.Option(help="Also, or only, the breaker of this stage.")] = None,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Say that an obstacle is gone: intake goes on with these at its next look."""
    from docpipe_assets.instance.records.interventions import reset

    with errors_shown():
        _, instance = connect(data_dir)
        with instance:
            count = reset(instance, documents=documents or [], stage=stage, reason=reason)
    console.print(f"{count} reset")


def retry(
    batch: Annotated[str, typer.Option("--batch", "-b", help="The batch.")],
    stage: Annotated[str | None, typer.Option(help="Only what failed in this stage.")] = None,
    code: Annotated[str | None, typer.Option(help="Only what failed with this code.")] = None,
    held: Annotated[bool, typer.Option("--held", help="Also the documents that are held.")] = False,
    quarantined: Annotated[bool, typer.Option("--quarantined", help="Also the quarantined ones.")] = False,
    reason: Reason = "retry of the batch",
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Have the failed documents of a batch tried again: the missing stages run, finished ones are left."""
    from docpipe_assets.instance.records.history import read_ledger
    from docpipe_assets.instance.records.interventions import reset
    from docpipe_assets.operations.ledger import State
    from docpipe_assets.operations.recovery import documents_to_retry

    states = [State.HELD] * held + [State.QUARANTINED] * quarantined
    with errors_shown():
        bench, instance = connect(data_dir)
        with instance:
            ledger = read_ledger(instance, bench, batch)
            found = documents_to_retry(ledger, stage=stage, code=code, states=states)
            reset(instance, documents=[entry.document for entry in found], stage=None, reason=reason)
    console.print(f"{len(found)} documents are due again; see: docpipe status -b {batch}")


def withdraw(
    document: Annotated[str, typer.Argument(help="S3 key or partition key.")],
    reason: Reason,
    undo: Annotated[bool, typer.Option("--undo", help="Put it back.")] = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Take a document out of the matter: recorded, kept in the ledger, and not processed any more."""
    from docpipe_assets.instance.records.recovery import withdraw as record

    with errors_shown():
        bench, instance = connect(data_dir)
        with instance:
            record(instance, bench, document, reason=reason, is_withdrawn=not undo)
    console.print(f"{document} is {'back in' if undo else 'withdrawn from'} the matter", markup=False)
