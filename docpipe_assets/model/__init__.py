"""The records: one frozen record per asset, the stream that carries it, and places on a page.

Conventions: pages count from 1; character offsets count Unicode code points from 0 and ends are exclusive;
boxes are PDF points with the origin at the top left of the page as a reader sees it (rotation applied). The
text of a document is the texts of its pages joined by one form feed, so ``document_text[start:end] == quote``
holds for every span in every record.
"""

from docpipe_assets.model.chunks import Chunk, Chunks
from docpipe_assets.model.documents import Page, PageSplit, PageSplits, RawPdf, RawPdfs
from docpipe_assets.model.entities import CanonicalEntities, CanonicalEntity, NameForm
from docpipe_assets.model.mentions import EntityType, FoundName, Mention, Mentions
from docpipe_assets.model.pages import (
    Legend,
    Mark,
    MarkRole,
    OtherReading,
    PageFlag,
    PageProse,
    PageText,
    PageTexts,
    Stamp,
    TextMethod,
    Word,
)
from docpipe_assets.model.places import Blob, Box, PageBox, PageSpan, Place
from docpipe_assets.model.record import PAGE_SEPARATOR, R, Record, Records, V
from docpipe_assets.model.relationships import Relationship, Relationships, RelationshipType

__all__ = [
    "PAGE_SEPARATOR",
    "Blob",
    "Box",
    "CanonicalEntities",
    "CanonicalEntity",
    "Chunk",
    "Chunks",
    "EntityType",
    "FoundName",
    "Legend",
    "Mark",
    "MarkRole",
    "Mention",
    "Mentions",
    "NameForm",
    "OtherReading",
    "Page",
    "PageBox",
    "PageFlag",
    "PageProse",
    "PageSpan",
    "PageSplit",
    "PageSplits",
    "PageText",
    "PageTexts",
    "Place",
    "R",
    "RawPdf",
    "RawPdfs",
    "Record",
    "Records",
    "Relationship",
    "RelationshipType",
    "Relationships",
    "Stamp",
    "TextMethod",
    "V",
    "Word",
]
