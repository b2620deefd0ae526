"""All kinds of hostile files, and a function that writes them to a folder."""

from collections.abc import Collection
from pathlib import Path

from docpipe_assets_tests.hostile import attachments, bombs, foreign, locked, structure, texts
from docpipe_assets_tests.hostile.kinds import Kind


def all_kinds() -> list[Kind]:
    kinds = [
        kind
        for module in (foreign, structure, bombs, texts, attachments, locked)
        for kind in module.COLLECTION.kinds
    ]
    assert len({kind.name for kind in kinds}) == len(kinds), "two kinds of the same name"
    return kinds


def write_hostile(folder: Path, names: Collection[str] = ()) -> dict[str, Kind]:
    """Write one file of each kind (or of those named); the kinds by file name."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    for kind in all_kinds():
        if names and kind.name not in names:
            continue
        (folder / kind.file_name).write_bytes(kind.make())
        made[kind.file_name] = kind
    return made
