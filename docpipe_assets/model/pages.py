"""The text of a page, the method of reading, and the marks on it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from pydantic import ConfigDict, Field

from docpipe_assets.model.places import Box
from docpipe_assets.model.record import Record, Records


class TextMethod(StrEnum):
    TEXT_LAYER = "text_layer"
    OCR = "ocr"
    BOTH = "both"
    """The text layer, followed by the words that OCR reads where the layer has none."""
    BLANK = "blank"
    FAILED = "failed"


class PageFlag(StrEnum):
    """Why a page should be checked before its text is relied on."""

    TEXT_LEFT = "text_left"
    """There is ink that looks like lines of text and has no words."""
    OTHER_SCRIPT = "other_script"
    """Mostly in a script that OCR does not read or in which no names are detected."""
    MISREAD = "misread"
    """OCR had low confidence, or few of its words are in a dictionary: another script, or an upside-down
    page."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a page: its span in the page's text, its box, and the engine's confidence 0 to 1."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    start: int
    end: int
    box: Box
    confidence: float = 1.0


class Stamp(Record):
    """A Bates stamp on a page."""

    prefix: str
    separator: str
    number: int
    digits: int
    """Width to which the number is zero-padded."""
    suffix: str = ""
    box: Box | None = None
    """None if only the text layer contains the stamp, without a position."""
    read_as: str | None = None
    """The text as read, if it differs from the label: the label was repaired from the stamps of neighbouring
    pages."""

    @property
    def label(self) -> str:
        return f"{self.prefix}{self.separator}{self.number:0{self.digits}d}{self.suffix}"


class MarkRole(StrEnum):
    STAMP = "stamp"
    LEGEND = "legend"
    HEADER = "header"
    FOOTER = "footer"


class Mark(Record):
    """A span of the page text that does not belong to the body. It stays in the text."""

    start: int
    """Offset in the page text."""
    end: int
    role: MarkRole


class Legend(StrEnum):
    """A confidentiality legend that the producing party put on a page."""

    CONFIDENTIAL = "confidential"
    HIGHLY_CONFIDENTIAL = "highly_confidential"
    ATTORNEYS_EYES_ONLY = "attorneys_eyes_only"
    PROTECTIVE_ORDER = "protective_order"
    PRIVILEGED = "privileged"
    UNDER_SEAL = "under_seal"
    RESTRICTED = "restricted"


class PageProse(Record):
    """The text of a page and its span in the document, without word boxes.

    Skipping the words reduces the time to read a page to a quarter.
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
    """Why this method was chosen; for a failed page, the error code."""
    confidence: float
    engine: str
    """The engine that read the page; for method ``both``, ``text_layer`` and the OCR engine joined by a plus
    sign."""
    language: str | None = None
    """ISO 639 code of the predominant language; None if there is too little text."""
    flags: tuple[PageFlag, ...] = ()
    bates: str | None = None
    """The label by which the page is cited: the stamp of the document's own production."""
    stamps: tuple[Stamp, ...] = ()
    """All stamps on the page, the stamp of ``bates`` first."""
    legends: tuple[Legend, ...] = ()
    """The legends of the page, in alphabetical order."""
    marks: tuple[Mark, ...] = ()
    """Stamps, legends, and headers and footers that repeat on other pages, in text order."""
    paragraphs: tuple[int, ...] = ()
    """Offsets in the page text at which a paragraph or another block begins: a heading, address, answer or
    table."""


class OtherReading(Record):
    """The rejected reading of a page, if two OCR engines read it."""

    engine: str
    confidence: float
    text: str
    """Truncated if it is longer than an ordinary page."""
    reason: str
    """The rule by which the other reading was selected."""


class PageText(PageProse):
    """The text of one page, with the span and box of each word."""

    model_config = ConfigDict(extra="forbid")

    words: tuple[Word, ...] = ()
    ocr_start: int | None = None
    """For method ``both``: offset in the page text at which the OCR words begin."""
    other: OtherReading | None = None
    signals: dict[str, float] = Field(default_factory=dict)
    """The measurements behind the decision, by name."""


class PageTexts(Records[PageText]):
    """Every page of the document, in order."""

    asset = "ocr_text"
    record = PageText
