"""Tables on disk for what grows with a document and is needed once more at its end."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from docpipe_assets.errors import DiskLimit
from docpipe_assets.protocols import Scratch

_CACHE_KIBIBYTES = 4096


@contextmanager
def open_tables(schema: str, scratch: Scratch | None) -> Iterator[sqlite3.Connection]:
    """Empty tables of this schema, in memory as far as 4 MB of it go; they vanish with the block.

    Without ``scratch`` SQLite chooses the folder for the rest. Raises DiskLimit for whatever SQLite
    fails with inside the block.
    """
    with ExitStack() as stack:
        path = stack.enter_context(scratch.folder()) / "table" if scratch else ""
        try:
            table = stack.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
            # Nothing is ever committed: the pages that the cache has no room for go to disk, no others.
            table.execute("PRAGMA journal_mode = OFF")
            table.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
            table.executescript(f"BEGIN EXCLUSIVE; {schema}")
            yield table
        except sqlite3.Error as error:
            raise DiskLimit(
                f"a temporary table failed ({error}); the disk of DOCPIPE_DATA_DIR may be full"
            ) from error
