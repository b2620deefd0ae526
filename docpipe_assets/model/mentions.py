"""Names, dates, amounts and citations, each with its place."""

from enum import StrEnum
from typing import NamedTuple

from docpipe_assets.model.places import Place
from docpipe_assets.model.record import Record, Records


class EntityType(StrEnum):
    PERSON = "person"
    ORGANISATION = "organisation"
    PLACE = "place"
    DATE = "date"
    MONEY = "money"
    CASE_CITATION = "case_citation"
    STATUTE = "statute"
    DOCKET_NUMBER = "docket_number"
    COURT = "court"
    BATES = "bates"
    EMAIL = "email"
    PHONE = "phone"
    ADDRESS = "address"


class FoundName(NamedTuple):
    """A name that a NER engine found: a span in the given text, without a place in the document."""

    start: int
    end: int
    type: EntityType
    score: float
    engine: str
    value: str | None = None
    """The normalized value: ISO date, ``USD 1250.00``, lower-case e-mail address; None if there is none."""


class Mention(Record):
    document: str
    version: str
    mention: str
    """Identifier, unique in the document version: type and span."""
    chunk: int
    type: EntityType
    quote: str
    value: str | None
    score: float
    engine: str
    place: Place
    is_grounded: bool = True
    """False if the text at the place differs from the quote. Such rows are marked, never dropped silently."""


class Mentions(Records[Mention]):
    """In text order, without duplicates."""

    asset = "mentions"
    record = Mention
