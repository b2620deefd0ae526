"""Counts the name forms of a document, with the first place of each.

The counts are on disk: amounts of money, Bates labels and the like may be as numerous as pages.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, Self

from docpipe_assets.model import EntityType, Place
from docpipe_assets.protocols import Scratch
from docpipe_assets.streaming.disk_tables import open_tables

_SCHEMA = """
    CREATE TABLE forms (
        type INTEGER, key TEXT, text TEXT, mentions INTEGER, start INTEGER, end INTEGER, place TEXT,
        PRIMARY KEY (type, key, text)
    ) WITHOUT ROWID;
    CREATE TABLE ranks (
        type INTEGER, rank INTEGER, name TEXT, entity TEXT, key TEXT, PRIMARY KEY (type, rank, name, entity)
    ) WITHOUT ROWID;
"""
_ADD = """
    INSERT INTO forms VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
        mentions = mentions + excluded.mentions,
        end = CASE WHEN excluded.start < start THEN excluded.end ELSE end END,
        place = CASE WHEN excluded.start < start THEN excluded.place ELSE place END,
        start = min(start, excluded.start)
"""
_FORMS = "SELECT key, text, mentions, start, end, place FROM forms WHERE type = ?"
_TYPES = {entity_type: number for number, entity_type in enumerate(EntityType)}
_FORMS_AT_ONCE = 1_000


class Form(NamedTuple):
    """A surface form, its count, and its first place."""

    text: str
    mentions: int
    start: int
    end: int
    place: str
    """The first place as JSON."""


class FormCounts:
    """Forms by entity type and by a key that all forms of one thing share."""

    def __init__(self, table: sqlite3.Connection) -> None:
        self._table = table
        # The latest forms are counted in memory, because most forms recur soon.
        self._counts: dict[tuple[EntityType, str, str], tuple[int, Place]] = {}

    @classmethod
    @contextmanager
    def open(cls, scratch: Scratch | None) -> Iterator[Self]:
        with open_tables(_SCHEMA, scratch) as table:
            yield cls(table)

    def add(self, entity_type: EntityType, key: str, text: str, place: Place) -> None:
        """Count one mention."""
        known = self._counts.get((entity_type, key, text))
        if known is None:
            if len(self._counts) >= _FORMS_AT_ONCE:
                self._write()
            self._counts[entity_type, key, text] = 1, place
        else:
            first = place if place.start < known[1].start else known[1]
            self._counts[entity_type, key, text] = known[0] + 1, first

    def counts(self, entity_type: EntityType) -> dict[str, int]:
        """The forms of a type, whatever their keys, with their counts."""
        self._write()
        rows = self._table.execute("SELECT text, mentions FROM forms WHERE type = ?", (_TYPES[entity_type],))
        return dict(rows)

    def under(self, entity_type: EntityType, key: str, text: str | None = None) -> list[Form]:
        """The forms of a key, or the one of them with this text."""
        self._write()
        where, values = ("AND key = ?", (key,)) if text is None else ("AND key = ? AND text = ?", (key, text))
        rows = self._table.execute(f"{_FORMS} {where} ORDER BY text", (_TYPES[entity_type], *values))
        return [Form(*row[1:]) for row in rows]

    def ranked(
        self, entity_type: EntityType, named: Callable[[str, list[Form]], tuple[str, str]]
    ) -> Iterator[tuple[str, str, list[Form]]]:
        """Each key of a type with its name and forms: by number of mentions, descending, then by name and
        identifier.

        ``named`` returns the name and the identifier for a key and its forms.
        """
        self._write()
        number = _TYPES[entity_type]
        rows = self._table.execute(f"{_FORMS} ORDER BY key, text", (number,))
        for key, group in groupby(rows, key=itemgetter(0)):
            forms = [Form(*row[1:]) for row in group]
            rank = -sum(form.mentions for form in forms)
            self._table.execute(
                "INSERT INTO ranks VALUES (?, ?, ?, ?, ?)", (number, rank, *named(key, forms), key)
            )
        ranks = "SELECT key, name FROM ranks WHERE type = ? ORDER BY rank, name, entity"
        for key, name in self._table.execute(ranks, (number,)):
            yield key, name, self.under(entity_type, key)

    def _write(self) -> None:
        self._table.executemany(
            _ADD,
            (
                (_TYPES[entity_type], key, text, mentions, place.start, place.end, place.model_dump_json())
                for (entity_type, key, text), (mentions, place) in self._counts.items()
            ),
        )
        self._counts.clear()
