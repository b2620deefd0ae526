"""The text of a page, how it was read, and what is marked on it."""

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
    signals: dict[str, float] = Field(default_factory=dict)
    """The measurements behind the decision, by name."""


class PageTexts(Records[PageText]):
    """Every page of the document, in order."""

    asset = "ocr_text"
    record = PageText
