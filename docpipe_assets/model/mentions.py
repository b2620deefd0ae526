"""Names, dates, amounts and citations, each at its place."""

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
    """What a NER engine returns: a span in the text it was given, not yet placed in a document."""

    start: int
    end: int
    type: EntityType
    score: float
    engine: str
    value: str | None = None
    """The normalised value: ISO date, ``USD 1250.00``, lower-cased e-mail; None where there is none."""


class Mention(Record):
    document: str
    version: str
    mention: str
    """Identifier, unique in the document version: the type and the span."""
    chunk: int
    type: EntityType
    quote: str
    value: str | None
    score: float
    engine: str
    place: Place
    is_grounded: bool = True
    """False where the quote is not what stands at the place: shown, never silently kept."""


class Mentions(Records[Mention]):
    """In text order, no two alike."""

    asset = "mentions"
    record = Mention
