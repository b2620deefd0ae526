"""Temporary tables on disk, for data that grows with a document and is needed again at its end."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from docpipe_assets.errors import DiskLimit
from docpipe_assets.protocols import Scratch

_CACHE_KIBIBYTES = 4096


@contextmanager
def open_tables(schema: str, scratch: Scratch | None) -> Iterator[sqlite3.Connection]:
    """Empty tables of this schema, with up to 4 MB in memory; deleted when the block ends.

    Without ``scratch`` SQLite chooses the folder for the rest. Raises DiskLimit for any SQLite error inside
    the block.
    """
    with ExitStack() as stack:
        path = stack.enter_context(scratch.folder()) / "table" if scratch else ""
        try:
            table = stack.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
            # Nothing is ever committed: only pages that exceed the cache are written to disk.
            table.execute("PRAGMA journal_mode = OFF")
            table.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
            table.executescript(f"BEGIN EXCLUSIVE; {schema}")
            yield table
        except sqlite3.Error as error:
            raise DiskLimit(
                f"a temporary table failed ({error}); the disk of DOCPIPE_DATA_DIR may be full"
            ) from error
