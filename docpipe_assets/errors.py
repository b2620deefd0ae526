"""Every failure as a tree; the reaction stands on the class.

DocpipeError
├── DocumentError            the document is at fault: quarantined at the first attempt
│   ├── EmptyFile            EMPTY_FILE
│   ├── NotAPdf              NOT_A_PDF
│   ├── UnreadablePdf        UNREADABLE_PDF
│   ├── PasswordRequired     PASSWORD_REQUIRED
│   ├── UnsupportedEncryption UNSUPPORTED_ENCRYPTION
│   ├── NoPages              NO_PAGES
│   ├── BadPageTree          BAD_PAGE_TREE
│   ├── TooManyPages         TOO_MANY_PAGES
│   ├── AllPagesFailed       ALL_PAGES_FAILED
│   └── Crashed              CRASHED:<signal>
├── ResourceError            a budget was too small: once more in the large lane
│   ├── MemoryLimit          MEMORY_LIMIT
│   ├── CpuTimeout           CPU_TIMEOUT_PAGE, CPU_TIMEOUT_DOCUMENT
│   ├── WallTimeout          WALL_TIMEOUT
│   ├── DiskLimit            DISK_LIMIT
│   └── OutputTooLarge       OUTPUT_TOO_LARGE
├── StoreError               S3 or another store
│   ├── ObjectGone           OBJECT_GONE          the intake key was deleted
│   ├── ObjectChanged        OBJECT_CHANGED       overwritten while it was read: retried as the new version
│   ├── TransferCut          TRANSFER_CUT         fewer or other bytes than announced: retried
│   ├── AccessDenied         ACCESS_DENIED        counts for the stage breaker
│   ├── Throttled            THROTTLED            retried
│   └── StoreUnavailable     STORE_UNAVAILABLE    retried, counts for the stage breaker
├── ArtifactError            an upstream asset must be made (again)
│   ├── ArtifactMissing      ARTIFACT_MISSING
│   └── ArtifactDamaged      ARTIFACT_DAMAGED
├── EngineError              ENGINE_FAILED        an OCR or NER engine broke: retried, stage breaker
├── ConfigurationError       CONFIGURATION        nobody's document: a person must change a setting
└── InternalError            INTERNAL_ERROR       a defect in docpipe
"""

import copy
import re
import signal
from enum import StrEnum
from typing import ClassVar, Self

from docpipe_assets.lanes import LARGE


class Breaker(StrEnum):
    """Which circuit breaker a failure counts for."""

    NONE = "none"
    DOCUMENT = "document"
    STAGE = "stage"


class DocpipeError(Exception):
    """A failure with a code, a message for a person, and the reaction of the system.

    The message says what, which and what to do.
    """

    code: ClassVar[str]
    advice: ClassVar[str]
    is_retryable: ClassVar[bool] = False
    counts_for: ClassVar[Breaker] = Breaker.NONE
    next_lane: ClassVar[str | None] = None
    quarantines: ClassVar[bool] = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def about(self, what: str) -> Self:
        """The same error with a message that begins with what it is about."""
        named = copy.copy(self)
        named.message = f"{what}: {self.message}"
        named.args = (named.message,)
        return named

    @property
    def full_code(self) -> str:
        """The code with its detail, e.g. ``CRASHED:SIGSEGV``."""
        return self.code


class DocumentError(DocpipeError):
    """The bytes themselves are at fault: another attempt would fail in the same way."""

    quarantines = True
    counts_for = Breaker.DOCUMENT


class EmptyFile(DocumentError):
    code = "EMPTY_FILE"
    advice = "The object holds no bytes. Upload the document again from its source."


class NotAPdf(DocumentError):
    code = "NOT_A_PDF"
    advice = "Ask for the document as PDF, or remove the key from the intake bucket."


class UnreadablePdf(DocumentError):
    code = "UNREADABLE_PDF"
    advice = "Compare the file with its source; it is damaged beyond repair. Upload a good copy."


class PasswordRequired(DocumentError):
    code = "PASSWORD_REQUIRED"
    advice = "Ask the producing party for the password or for a copy without one, then upload that copy."


class UnsupportedEncryption(DocumentError):
    code = "UNSUPPORTED_ENCRYPTION"
    advice = "Ask the producing party for a copy without encryption."


class NoPages(DocumentError):
    code = "NO_PAGES"
    advice = "No page could be found, even after repair. Compare with the source and upload a good copy."


class BadPageTree(DocumentError):
    code = "BAD_PAGE_TREE"
    advice = "The list of pages is damaged. Compare the page count with the source and upload a good copy."


class TooManyPages(DocumentError):
    code = "TOO_MANY_PAGES"
    advice = "Split the document, or raise DOCPIPE_MAX_PAGES if this size is meant."


class AllPagesFailed(DocumentError):
    code = "ALL_PAGES_FAILED"
    advice = "Every page failed; the pages' own errors are on the ocr_text asset."


class Crashed(DocumentError):
    """The parser died by a signal; the worker lives on."""

    code = "CRASHED"
    advice = (
        "The file breaks the PDF parser. Keep it as evidence of a hostile or damaged file; try a clean copy."
    )

    def __init__(self, message: str, signal_number: int = signal.SIGSEGV) -> None:
        super().__init__(message)
        self.signal_number = signal_number

    @property
    def full_code(self) -> str:
        return f"{self.code}:{signal.Signals(self.signal_number).name}"


class ResourceError(DocpipeError):
    """A budget was too small for the document."""

    next_lane = LARGE
    counts_for = Breaker.DOCUMENT


class MemoryLimit(ResourceError):
    code = "MEMORY_LIMIT"
    advice = "Goes to the large lane by itself; if it fails there too, look at the page it names."


class CpuTimeout(ResourceError):
    """The CPU budget of a page or of the whole call is spent."""

    code = "CPU_TIMEOUT_DOCUMENT"
    advice = "Goes to the large lane by itself; if it fails there too, look at the page it names."

    def __init__(self, message: str, is_page: bool = False) -> None:
        super().__init__(message)
        self.is_page = is_page

    @property
    def full_code(self) -> str:
        return "CPU_TIMEOUT_PAGE" if self.is_page else self.code


class WallTimeout(ResourceError):
    code = "WALL_TIMEOUT"
    advice = "Goes to the large lane by itself; if many documents show it, the machine is overloaded."


class DiskLimit(ResourceError):
    code = "DISK_LIMIT"
    advice = "Give DOCPIPE_DATA_DIR more room, or look for a decompression bomb."


class OutputTooLarge(ResourceError):
    code = "OUTPUT_TOO_LARGE"
    advice = "The document yields more than a document should; look for a decompression bomb."


class StoreError(DocpipeError):
    """A store refused, failed, or did not hold what it should."""


class ObjectGone(StoreError):
    code = "OBJECT_GONE"
    advice = "The key was deleted while its run waited. Nothing to do if that was meant."


class ObjectChanged(StoreError):
    code = "OBJECT_CHANGED"
    is_retryable = True
    advice = "Overwritten while it was read; the new version is processed by itself."


class TransferCut(StoreError):
    code = "TRANSFER_CUT"
    is_retryable = True
    counts_for = Breaker.STAGE
    advice = "Retried by itself; if it stays, check the network and the S3 endpoint."


class AccessDenied(StoreError):
    code = "ACCESS_DENIED"
    counts_for = Breaker.STAGE
    advice = "Check the credentials and the bucket policy; then retry the batch."


class Throttled(StoreError):
    code = "THROTTLED"
    is_retryable = True
    counts_for = Breaker.STAGE
    advice = "Retried by itself; if it stays, lower the number of workers."


class StoreUnavailable(StoreError):
    code = "STORE_UNAVAILABLE"
    is_retryable = True
    counts_for = Breaker.STAGE
    advice = "Check that the S3 endpoint answers and that the bucket exists; then retry the batch."


class ArtifactError(DocpipeError):
    """An input of a stage is not there or not whole."""


class ArtifactMissing(ArtifactError):
    code = "ARTIFACT_MISSING"
    advice = "Materialize the upstream asset of this document first."


class ArtifactDamaged(ArtifactError):
    code = "ARTIFACT_DAMAGED"
    advice = "Materialize the named asset of this document again; the old object is not whole."


class EngineError(DocpipeError):
    """An OCR or NER engine broke, whatever the document."""

    code = "ENGINE_FAILED"
    is_retryable = True
    counts_for = Breaker.STAGE
    advice = "Check the engine's installation and models on the workers; then retry the batch."


class ConfigurationError(DocpipeError):
    code = "CONFIGURATION"
    counts_for = Breaker.STAGE
    advice = "Correct the named setting and start again."


class InternalError(DocpipeError):
    code = "INTERNAL_ERROR"
    counts_for = Breaker.DOCUMENT
    advice = "Report this with the document's name; it is a defect in docpipe."


def _subclasses(root: type[DocpipeError]) -> list[type[DocpipeError]]:
    return [root, *(leaf for child in root.__subclasses__() for leaf in _subclasses(child))]


def error_class(full_code: str) -> type[DocpipeError]:
    """The class that a recorded code stands for; an unknown code is an InternalError."""
    code = re.split(":", full_code, maxsplit=1)[0]
    if code == "CPU_TIMEOUT_PAGE":
        return CpuTimeout
    return next((c for c in _subclasses(DocpipeError) if c.__dict__.get("code") == code), InternalError)


def error_of(full_code: str, message: str) -> DocpipeError:
    """The error that a recorded code stands for, with another message."""
    kind = error_class(full_code)
    if kind is CpuTimeout:
        return CpuTimeout(message, is_page=full_code == "CPU_TIMEOUT_PAGE")
    if kind is Crashed:
        return Crashed(message, signal.Signals[full_code.partition(":")[2]])
    return kind(message)
