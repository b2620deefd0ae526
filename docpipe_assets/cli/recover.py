"""Commands for operators: ``breaker``, ``retry`` and ``withdraw``."""

from typing import Annotated

import typer

from docpipe_assets.cli.app import DATA_DIR, DataDir, Reason, connect, console, errors_shown
from docpipe_assets.errors import ConfigurationError

breakers = typer.Typer(help="Show and reset circuit breakers.", no_args_is_help=True)


@breakers.command("list")
def breaker_list(data_dir: DataDir = DATA_DIR) -> None:
    """List the stage and document breakers that are not closed."""
    from docpipe_assets.cli.breakers_table import breaker_table

    with errors_shown():
        pipeline, instance = connect(data_dir)
        with instance:
            console.print(breaker_table(instance, pipeline))


@breakers.command("show")
def breaker_show(
    document: Annotated[str, typer.Argument(help="S3 key or partition key.")], data_dir: DataDir = DATA_DIR
) -> None:
    """Show the breaker of one document, with advice."""
    from docpipe_assets.cli.breakers_table import breaker_details

    with errors_shown():
        pipeline, instance = connect(data_dir)
        with instance:
            console.print(breaker_details(instance, pipeline, document))


@breakers.command("reset")
def breaker_reset(
    reason: Reason,
    documents: Annotated[list[str] | None, typer.Argument(help="S3 keys or partition keys.")] = None,
    stage: Annotated[str | None, typer.Option(help="Stage whose breaker to reset.")] = None,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Reset breakers after the cause is fixed. Intake requests the documents at its next tick."""
    from docpipe_assets.instance.records.interventions import reset

    with errors_shown():
        if not documents and stage is None:
            raise ConfigurationError(
                "name the documents or a stage: docpipe breaker reset DOCUMENT --reason TEXT"
            )
        _, instance = connect(data_dir)
        with instance:
            done = reset(instance, documents=documents or [], stage=stage, reason=reason)
    console.print(f"Reset {len(done)} breaker{'' if len(done) == 1 else 's'}")


def retry(
    batch: Annotated[str, typer.Option("--batch", "-b", help="Batch to retry.")],
    stage: Annotated[str | None, typer.Option(help="Only failures in this stage.")] = None,
    code: Annotated[
        str | None, typer.Option(help="Only failures with this code; the detail after ':' is ignored.")
    ] = None,
    held: Annotated[bool, typer.Option("--held", help="Include held documents.")] = False,
    quarantined: Annotated[
        bool, typer.Option("--quarantined", help="Include quarantined documents.")
    ] = False,
    reason: Reason = "retry of the batch",
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Reset the breakers of the failed documents of a batch, so that intake requests them at its next tick.

    Finished stages are not repeated.
    """
    from docpipe_assets.instance.records.history import read_ledger
    from docpipe_assets.instance.records.interventions import reset
    from docpipe_assets.operations.ledger import State
    from docpipe_assets.operations.recovery import documents_to_retry

    states = [State.HELD] * held + [State.QUARANTINED] * quarantined
    with errors_shown():
        pipeline, instance = connect(data_dir)
        with instance:
            ledger = read_ledger(instance, pipeline, batch)
            found = documents_to_retry(ledger, stage=stage, code=code, states=states)
            reset(instance, documents=[entry.document for entry in found], stage=None, reason=reason)
    console.print(f"{len(found)} documents will be requested; see: docpipe status -b {batch}")


def withdraw(
    document: Annotated[str, typer.Argument(help="S3 key or partition key.")],
    reason: Reason,
    undo: Annotated[bool, typer.Option("--undo", help="Reinstate the document.")] = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Withdraw a document from the matter. It stays in the ledger, and intake no longer requests it.

    Its artifacts are kept, and a run that a user launches still processes it. Undo with --undo.
    """
    from docpipe_assets.instance.records.recovery import withdraw as record

    with errors_shown():
        pipeline, instance = connect(data_dir)
        with instance:
            record(instance, pipeline, document, reason=reason, is_withdrawn=not undo)
    console.print(f"{document} is {'reinstated in' if undo else 'withdrawn from'} the matter", markup=False)
