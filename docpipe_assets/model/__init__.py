"""The nouns: one frozen record per asset, the stream that carries it, and places on a page.

Conventions, said once: pages count from 1; character offsets count Unicode code points from 0 and
ends are exclusive; boxes are PDF points with the origin at the top left of the page as a reader
sees it (rotation applied). The text of a document is the texts of its pages joined by one form
feed, so ``document_text[start:end] == quote`` holds for every span in every record.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict

PAGE_SEPARATOR = "\f"


class Record(BaseModel):
    """A row of an artifact."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Box(NamedTuple):
    """A rectangle in points, origin top left."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, boxes: Iterable["Box"]) -> "Box":
        """The box that holds all of them; there must be one."""
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return cls(min(lefts), min(tops), max(rights), max(bottoms))


# Words and boxes are by far the most numerous of all that is read: as slots they take 40 % of the memory
# that models do. They are checked when they are read, not when they are made.
@dataclass(frozen=True, slots=True)
class PageBox:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    page: int
    box: Box


class Place(Record):
    """Where evidence stands: document version, pages, character span, boxes and Bates label."""

    document: str
    version: str
    start: int
    end: int
    page: int
    last_page: int
    boxes: tuple[PageBox, ...] = ()
    """One for each line; for a chunk, one for each page."""
    bates: str | None = None
    """The label of the first page."""
    last_bates: str | None = None
    """That of the last page, where it is another one."""


class Blob(Record):
    """Bytes kept in the lake beside an artifact, addressed by key and verified by hash."""

    key: str
    size_bytes: int
    sha256: str


class RawPdf(Record):
    """One version of a source document that opened as a PDF with at least one page."""

    document: str
    version: str
    """SHA-256 of the source bytes, hexadecimal."""
    size_bytes: int
    etag: str
    last_modified: datetime
    pdf: Blob
    """The pinned bytes: later stages never read the intake bucket, which may change under them."""
    pages: int
    is_encrypted: bool = False
    """Encrypted, but opens without a password (an owner password restricts printing or copying)."""
    is_repaired: bool = False
    warnings: tuple[str, ...] = ()
    pdf_version: str | None = None
    producer: str | None = None
    title: str | None = None


class Page(Record):
    """What is known of a page before its text is read."""

    page: int
    width_points: float
    height_points: float
    rotation_degrees: int
    text_characters: int
    image_cover: float
    """Share of the page's area under images, 0 to 1."""
    bates: str | None = None
    failure: str | None = None
    """The code of the error that keeps the page from being read at all; its measures are then 0."""


class PageSplit(Record):
    """A window of consecutive pages as a PDF of its own, small enough to be worked on at once."""

    document: str
    version: str
    split: int
    first_page: int
    last_page: int
    part: Blob
    pages: tuple[Page, ...]


class TextMethod(StrEnum):
    TEXT_LAYER = "text_layer"
    OCR = "ocr"
    BOTH = "both"
    """The text layer, and behind it what OCR reads where no word of the layer stands."""
    BLANK = "blank"
    FAILED = "failed"


class PageFlag(StrEnum):
    """Why a page is worth a look before its text is relied on."""

    TEXT_LEFT = "text_left"
    """There is ink that looks like lines of text, and no word for it."""
    OTHER_SCRIPT = "other_script"
    """Mostly in a script that OCR can't read or that names are not looked for in."""
    MISREAD = "misread"
    """OCR guessed at it, or what it made of it is hardly words: another script, a page upside-down."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a page: its span in the page's text, its box, and the engine's confidence 0 to 1."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    start: int
    end: int
    box: Box
    confidence: float = 1.0


class Stamp(Record):
    """A production's number on a page."""

    prefix: str
    separator: str
    number: int
    digits: int
    """To which the number is padded."""
    suffix: str = ""
    box: Box | None = None
    """None where only the text layer knows of it, and tells no place."""
    read_as: str | None = None
    """What was read, where that is not the label: it was repaired from the stamps of the neighbours."""

    @property
    def label(self) -> str:
        return f"{self.prefix}{self.separator}{self.number:0{self.digits}d}{self.suffix}"


class MarkRole(StrEnum):
    STAMP = "stamp"
    LEGEND = "legend"
    HEADER = "header"
    FOOTER = "footer"


class Mark(Record):
    """A part of a page's text that is not of its body. It stays in the text."""

    start: int
    """In the page's text."""
    end: int
    role: MarkRole


class Legend(StrEnum):
    """What a page is labelled as by who produced it."""

    CONFIDENTIAL = "confidential"
    HIGHLY_CONFIDENTIAL = "highly_confidential"
    ATTORNEYS_EYES_ONLY = "attorneys_eyes_only"
    PROTECTIVE_ORDER = "protective_order"
    PRIVILEGED = "privileged"
    UNDER_SEAL = "under_seal"
    RESTRICTED = "restricted"


class PageProse(Record):
    """What a page says, and where that stands in the text of the document, for who asks for no boxes.

    To leave the words out when pages are read takes a quarter of the time.
    """

    model_config = ConfigDict(extra="ignore")

    document: str
    version: str
    page: int
    start: int
    end: int
    text: str
    method: TextMethod
    reason: str
    """Why this method was chosen or, for a failed page, the code of the error."""
    confidence: float
    engine: str
    """Of a page read by both, ``text_layer`` and the OCR engine, joined by a plus sign."""
    language: str | None = None
    """ISO 639 code of the language of most of it; None where there is too little text to tell."""
    flags: tuple[PageFlag, ...] = ()
    bates: str | None = None
    """The label that the page is cited by: the stamp of the document's own production."""
    stamps: tuple[Stamp, ...] = ()
    """All stamps on the page, the one of ``bates`` first."""
    legends: tuple[Legend, ...] = ()
    """What the page is labelled as, in alphabetical order."""
    marks: tuple[Mark, ...] = ()
    """Stamps, legends, and headers and footers that come again on other pages, in text order."""
    paragraphs: tuple[int, ...] = ()
    """Where one begins in the page's text, or another block: a heading, an address, an answer, a table."""


class OtherReading(Record):
    """What a second OCR engine, or the first one, made of a page and was not taken."""

    engine: str
    confidence: float
    text: str
    """Cut where it is longer than any ordinary page."""
    reason: str
    """By which rule the other one was taken."""


class PageText(PageProse):
    """The text of one page, and where each word of it stands."""

    model_config = ConfigDict(extra="forbid")

    words: tuple[Word, ...] = ()
    ocr_start: int | None = None
    """Of a page read by both: from this offset in the page's text on, OCR has read it."""
    other: OtherReading | None = None
    signals: dict[str, float] = {}
    """The measurements behind the decision, by name."""


class PageSpan(Record):
    """The part of a document span that lies on one page, in document offsets."""

    page: int
    start: int
    end: int
    bates: str | None = None


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


class NameForm(Record):
    """One way in which an entity is named, how often, and why it is held to be this entity."""

    text: str
    mentions: int
    reason: str
    first: Place | None = None
    """Where it stands first; None for the form that the entity's own first place shows."""


class CanonicalEntity(Record):
    document: str
    version: str
    entity: str
    """Identifier, unique in the document version and independent of the order of the mentions."""
    type: EntityType
    name: str
    forms: tuple[NameForm, ...]
    mentions: int
    first: Place


class RelationshipType(StrEnum):
    HAS_PAGE = "has_page"
    HAS_CHUNK = "has_chunk"
    HAS_MENTION = "has_mention"
    REFERS_TO = "refers_to"
    PARTY_TO = "party_to"
    OPPOSES = "opposes"
    REPRESENTS = "represents"
    CO_OCCURS_WITH = "co_occurs_with"


class Relationship(Record):
    """A directed edge between two nodes of a document, with the quote it rests on.

    ``subject`` and ``object`` name nodes as ``document``, ``page:<n>``, ``chunk:<n>``,
    ``mention:<id>`` or ``entity:<id>``.
    """

    document: str
    version: str
    relationship: str
    """Identifier, unique in the document version: subject, type and object."""
    type: RelationshipType
    subject: str
    object: str
    role: str | None = None
    score: float
    measure: str
    """What the score is, e.g. ``rule`` or ``distance_decay``."""
    count: int = 1
    """How many places support it; the quote and the place are those of the first one."""
    quote: str | None
    place: Place | None
    is_grounded: bool = True


# --- streams --------------------------------------------------------------------------------------

R = TypeVar("R", bound=Record)
V = TypeVar("V", bound=Record)


class Records(Generic[R]):
    """A lazy stream of records that can be read again, and the fingerprint of what it is made from.

    Nothing runs until the stream is iterated. A stage returns one; the lake compares its
    fingerprint with the artifact it already holds and iterates it only when they differ.
    """

    asset: ClassVar[str]
    record: ClassVar[type[Record]]
    schema_version: ClassVar[int] = 1

    def __init__(
        self,
        fingerprint: str,
        read: Callable[[], Iterator[R]],
        read_as: Callable[[type[Any]], Iterator[Any]] | None = None,
    ) -> None:
        self.fingerprint = fingerprint
        self._read = read
        self._read_as = read_as

    def __iter__(self) -> Iterator[R]:
        return self._read()

    def seen_as(self, view: type[V]) -> "Records[V]":
        """The same rows as records of a base class; what that does not have need not be read."""
        read_as = self._read_as or (lambda _: self._read())
        return Records(self.fingerprint, lambda: read_as(view))


class RawPdfs(Records[RawPdf]):
    """One record: the pinned document."""

    asset = "raw_pdf"
    record = RawPdf


class PageSplits(Records[PageSplit]):
    """In page order, without gaps."""

    asset = "page_splits"
    record = PageSplit


class PageTexts(Records[PageText]):
    """Every page of the document, in order."""

    asset = "ocr_text"
    record = PageText


class Chunks(Records[Chunk]):
    """In text order; neighbours may overlap."""

    asset = "chunks"
    record = Chunk


class Mentions(Records[Mention]):
    """In text order, no two alike."""

    asset = "mentions"
    record = Mention


class CanonicalEntities(Records[CanonicalEntity]):
    """By type, then by mentions, most first, then by name."""

    asset = "canonical_entities"
    record = CanonicalEntity


class Relationships(Records[Relationship]):
    """Structural edges in text order, then typed ones, then co-occurrence."""

    asset = "relationships"
    record = Relationship
