"""Windows of whole sentences."""

from docpipe_assets.model.places import PageSpan
from docpipe_assets.model.record import Record, Records


class Chunk(Record):
    document: str
    version: str
    chunk: int
    start: int
    end: int
    text: str
    tokens: int
    pages: tuple[PageSpan, ...]
    heading: str | None = None


class Chunks(Records[Chunk]):
    """In text order; neighbours may overlap."""

    asset = "chunks"
    record = Chunk
