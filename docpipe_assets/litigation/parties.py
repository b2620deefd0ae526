"""Derives parties, opponents and representation from captions and counsel lines."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Self

from docpipe_assets.entities.co_occurrence import Named
from docpipe_assets.litigation.captions import (
    Caption,
    PartySpan,
    acts_for_another,
    captions,
    first_role,
    parts_of,
    roles_before_names,
)
from docpipe_assets.litigation.counsel_lines import CounselSpan, counsel
from docpipe_assets.model import EntityType, Mention, PageText, Place, RelationshipType
from docpipe_assets.protocols import Scratch
from docpipe_assets.streaming.disk_tables import open_tables
from docpipe_assets.streaming.text_window import PAGE_MARKS, PageWindow, mask_spans

MEASURE = "rule"
_PARTY_TYPES = frozenset({EntityType.PERSON, EntityType.ORGANISATION})
# States and cities are parties as well if they are named as such.
_PLACES_AS_PARTIES = (
    "united states",
    "state of",
    "people of",
    "commonwealth of",
    "city of",
    "county of",
    "town of",
)
# Scores of the rules: a caption with roles, a role before a name, a line "X v. Y".
_SCORES = {"caption": 0.95, "apposition": 0.9, "running": 0.7, "counsel": 0.9}


_SCHEMA = """
    CREATE TABLE evidence (
        type TEXT, subject TEXT, object TEXT, role TEXT, score REAL, quote TEXT, place TEXT,
        is_grounded INTEGER, start INTEGER, count INTEGER, PRIMARY KEY (type, subject, object)
    ) WITHOUT ROWID;
    CREATE INDEX in_text_order ON evidence (start, type, subject, object);
    CREATE TABLE waiting (
        side TEXT, number INTEGER PRIMARY KEY, type TEXT, subject TEXT, role TEXT, score REAL, quote TEXT,
        place TEXT, is_grounded INTEGER, UNIQUE (subject, side)
    );
    CREATE TABLE sides (side TEXT, entity TEXT, PRIMARY KEY (side, entity)) WITHOUT ROWID;
"""
# The first evidence is kept, but a stated role replaces an unknown one.
_TAKES_ITS_PLACE = "role IS NULL AND excluded.role IS NOT NULL"
_KEPT = ("score", "quote", "place", "is_grounded", "start", "role")
_KEEP = f"""
    INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1,
        {", ".join(f"{c} = CASE WHEN {_TAKES_ITS_PLACE} THEN excluded.{c} ELSE {c} END" for c in _KEPT)}
"""
_EVIDENCE = "type, subject, object, role, score, quote, place, is_grounded"


@dataclass(frozen=True)
class Evidence:
    """A typed relationship with its supporting quote; the length of captions and counsel lines bounds it."""

    type: RelationshipType
    subject: str
    object: str
    role: str | None
    score: float
    quote: str
    place: Place
    is_grounded: bool


class Parties:
    """Collects typed relationships page by page; results are kept on disk until the end of the document."""

    def __init__(self, window: PageWindow, tables: sqlite3.Connection) -> None:
        self._window = window
        self._tables = tables
        self._docket: str | None = None

    @classmethod
    @contextmanager
    def open(cls, window: PageWindow, scratch: Scratch | None) -> Iterator[Self]:
        with open_tables(_SCHEMA, scratch) as tables:
            yield cls(window, tables)

    def read_page(self, record: PageText, names: Sequence[Named]) -> None:
        """Process a page with the names that begin on it, in text order; the window must still contain the
        page.
        """
        # A stamp between the lines of a caption does not belong to it.
        text = mask_spans(record.text, ((m.start, m.end) for m in record.marks if m.role in PAGE_MARKS))
        page = _Page(record, names)
        case = page.docket() or self._docket
        self._docket = self._docket or case
        party_to = "document" if case is None else f"entity:{case}"
        for caption in captions(text):
            self._read_caption(page, caption, party_to)
        for role, start, name_start in roles_before_names(text):
            named = page.starting_at(name_start)
            if named is not None:
                self._add_party(named.entity, role, party_to, "apposition", page, (start, page.end_of(named)))
        for line in counsel(text):
            self._read_counsel(page, line, party_to)

    def evidence(self) -> Iterator[tuple[Evidence, int]]:
        """Every relationship once, with the number of places that support it, in text order."""
        waiting = (
            "SELECT type, subject, 'entity:' || entity, role, score, quote, place, is_grounded"
            " FROM waiting CROSS JOIN sides USING (side) WHERE subject != 'entity:' || entity ORDER BY number"
        )
        for row in self._tables.execute(waiting):
            self._keep(_evidence(*row))
        found = f"SELECT count, {_EVIDENCE} FROM evidence ORDER BY start, type, subject, object"
        for count, *columns in self._tables.execute(found):
            yield _evidence(*columns), count

    def _read_caption(self, page: "_Page", caption: Caption, party_to: str) -> None:
        left, right = page.parties_in(caption.left), page.parties_in(caption.right)
        if not caption.has_roles and not (left and right):
            return
        rule = "caption" if caption.has_roles else "running"
        for names, side in ((left, caption.left), (right, caption.right)):
            for named in names:
                span = page.start_of(named), max(page.end_of(named), side.end)
                self._add_party(named.entity, side.role, party_to, rule, page, span)
        for ours in left:
            for theirs in right:
                if ours.entity != theirs.entity:
                    ends = f"entity:{ours.entity}", f"entity:{theirs.entity}"
                    span = page.start_of(ours), page.end_of(theirs)
                    self._keep(self._shown(RelationshipType.OPPOSES, ends, None, rule, page, span))

    def _add_party(
        self, entity: str, role: str | None, party_to: str, rule: str, page: "_Page", span: tuple[int, int]
    ) -> None:
        ends = f"entity:{entity}", party_to
        if ends[0] == ends[1]:
            return
        for side in parts_of(role):
            self._tables.execute("INSERT OR IGNORE INTO sides VALUES (?, ?)", (side, entity))
        self._keep(self._shown(RelationshipType.PARTY_TO, ends, role, rule, page, span))

    def _read_counsel(self, page: "_Page", line: CounselSpan, party_to: str) -> None:
        clients = page.names_in(*line.client)
        client_ids = {c.entity for c in clients}
        attorneys = [n for n in page.names_in(*line.attorneys) if n.entity not in client_ids]
        side = first_role(line.role)
        for client in clients if attorneys and line.role else ():
            span = line.client[0], page.end_of(client)
            self._add_party(client.entity, line.role, party_to, "counsel", page, span)
        for attorney in attorneys:
            span = min(page.start_of(attorney), line.client[0]), max(page.end_of(attorney), line.client[1])
            ends = f"entity:{attorney.entity}", ""
            evidence = self._shown(RelationshipType.REPRESENTS, ends, line.role, "counsel", page, span)
            for client_id in sorted(client_ids):
                self._keep(replace(evidence, object=f"entity:{client_id}"))
            if not clients and side is not None:
                self._defer(evidence, side)

    def _shown(
        self,
        relationship: RelationshipType,
        ends: tuple[str, str],
        role: str | None,
        rule: str,
        page: "_Page",
        span: tuple[int, int],
    ) -> Evidence:
        record = page.record
        start, end = record.start + span[0], record.start + span[1]
        place = self._window.place(record.document, record.version, start, end)
        quote = record.text[span[0] : span[1]]
        return Evidence(
            relationship, *ends, role, _SCORES[rule], quote, place, self._window.text(start, end) == quote
        )

    def _keep(self, evidence: Evidence) -> None:
        self._tables.execute(_KEEP, (*_columns(evidence), evidence.place.start))

    def _defer(self, evidence: Evidence, side: str) -> None:
        """Defer until the entities on this side are known, which may be anywhere in the document."""
        kind, subject, _, *rest = _columns(evidence)
        self._tables.execute(
            "INSERT OR IGNORE INTO waiting VALUES (?, NULL, ?, ?, ?, ?, ?, ?, ?)",
            (side, kind, subject, *rest),
        )


def _columns(evidence: Evidence) -> tuple[object, ...]:
    return (
        evidence.type.value,
        evidence.subject,
        evidence.object,
        evidence.role,
        evidence.score,
        evidence.quote,
        evidence.place.model_dump_json(),
        evidence.is_grounded,
    )


def _evidence(
    kind: str,
    subject: str,
    target: str,
    role: str | None,
    score: float,
    quote: str,
    place: str,
    is_grounded: int,
) -> Evidence:
    return Evidence(
        RelationshipType(kind),
        subject,
        target,
        role,
        score,
        quote,
        Place.model_validate_json(place),
        bool(is_grounded),
    )


class _Page:
    """A page and the names that lie entirely on it, in page offsets."""

    def __init__(self, record: PageText, names: Sequence[Named]) -> None:
        self.record = record
        self._names = [n for n in names if self.start_of(n) >= 0 and self.end_of(n) <= len(record.text)]

    def start_of(self, named: Named) -> int:
        return named.mention.place.start - self.record.start

    def end_of(self, named: Named) -> int:
        return named.mention.place.end - self.record.start

    def docket(self) -> str | None:
        """The first case number on the page."""
        return next((n.entity for n in self._names if n.mention.type is EntityType.DOCKET_NUMBER), None)

    def names_in(self, start: int, end: int) -> list[Named]:
        """The people and organisations in a span."""
        held = [n for n in self._names if start <= self.start_of(n) and self.end_of(n) <= end]
        return [n for n in held if n.mention.type in _PARTY_TYPES]

    def starting_at(self, start: int) -> Named | None:
        return next(
            (n for n in self._names if self.start_of(n) == start and n.mention.type in _PARTY_TYPES), None
        )

    def parties_in(self, side: PartySpan) -> list[Named]:
        """The people and organisations named in a caption block, and the states and cities."""
        held = [n for n in self._names if side.holds(self.start_of(n), self.end_of(n))]
        return [
            n
            for n in held
            if (n.mention.type in _PARTY_TYPES and not self._acts_for_another(n, side))
            or (n.mention.type is EntityType.PLACE and _is_sovereign(n.mention))
        ]

    def _acts_for_another(self, named: Named, side: PartySpan) -> bool:
        start = self.start_of(named)
        before = [self.end_of(n) for n in self._names if self.end_of(n) <= start]
        return acts_for_another(self.record.text[max(side.start, start - 60, *before[-1:]) : start])


def _is_sovereign(mention: Mention) -> bool:
    return mention.quote.lower().startswith(_PLACES_AS_PARTIES)
