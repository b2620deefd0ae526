"""The error tree: the failure classes of all stages, with their reactions as class attributes.

``operations.breaker.reactions`` derives the reaction of intake from them and adds the codes of runs.

DocpipeError
├── DocumentError            the document is the cause: quarantined at the first attempt
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
├── ResourceError            a budget was exceeded: retried once in the large lane
│   ├── MemoryLimit          MEMORY_LIMIT
│   ├── CpuTimeout           CPU_TIMEOUT_PAGE, CPU_TIMEOUT_DOCUMENT
│   ├── WallTimeout          WALL_TIMEOUT
│   ├── DiskLimit            DISK_LIMIT
│   └── OutputTooLarge       OUTPUT_TOO_LARGE
├── StoreError               S3 or another store
│   ├── ObjectGone           OBJECT_GONE          the intake key was deleted
│   ├── ObjectChanged        OBJECT_CHANGED       overwritten during the read: retried as the new version
│   ├── TransferCut          TRANSFER_CUT         not all bytes arrived: retried, stage breaker
│   ├── AccessDenied         ACCESS_DENIED        retried by intake only, stage breaker
│   ├── Throttled            THROTTLED            retried, stage breaker
│   └── StoreUnavailable     STORE_UNAVAILABLE    retried, stage breaker
├── ArtifactError            an upstream asset must be rebuilt
│   ├── ArtifactMissing      ARTIFACT_MISSING
│   └── ArtifactDamaged      ARTIFACT_DAMAGED
├── EngineError              ENGINE_FAILED        an OCR or NER engine failed: retried, stage breaker
├── ConfigurationError       CONFIGURATION        an operator must change a setting; no document is the cause
└── InternalError            INTERNAL_ERROR       a defect in docpipe
"""

import copy
import re
import signal
from enum import StrEnum
from typing import ClassVar, Self

from docpipe_assets.lanes import LARGE


class Breaker(StrEnum):
    """The circuit breaker that a failure counts for."""

    NONE = "none"
    DOCUMENT = "document"
    STAGE = "stage"


class DocpipeError(Exception):
    """A failure with a code, a message and the reaction of the system.

    The message names what failed and which object is affected; ``advice`` says what to do.
    """

    code: ClassVar[str]
    advice: ClassVar[str]
    is_retryable: ClassVar[bool] = False
    """Retried within the same run; intake may retry other failures too."""
    counts_for: ClassVar[Breaker] = Breaker.NONE
    """STAGE: counts for the breaker of the stage, and not against the document. The breaker of the document
    counts all other failures that intake retries."""
    next_lane: ClassVar[str | None] = None
    """The lane of the one retry with a larger budget."""
    quarantines: ClassVar[bool] = False
    """No automatic attempt follows, because the document is the cause."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def with_context(self, what: str) -> Self:
        """The same error with ``what``, the affected object, as the prefix of its message."""
        named = copy.copy(self)
        named.message = f"{what}: {self.message}"
        named.args = (named.message,)
        return named

    @property
    def full_code(self) -> str:
        """The code with its detail, e.g. ``CRASHED:SIGSEGV``."""
        return self.code


class DocumentError(DocpipeError):
    """The document bytes are the cause: another attempt would fail in the same way."""

    quarantines = True
    counts_for = Breaker.DOCUMENT


class EmptyFile(DocumentError):
    code = "EMPTY_FILE"
    advice = "The object is empty. Upload the document again from its source."


class NotAPdf(DocumentError):
    code = "NOT_A_PDF"
    advice = "Request the document as a PDF, or delete the key from the intake bucket."


class UnreadablePdf(DocumentError):
    code = "UNREADABLE_PDF"
    advice = "The file is damaged beyond repair. Compare it with its source and upload an intact copy."


class PasswordRequired(DocumentError):
    code = "PASSWORD_REQUIRED"
    advice = "Ask the producing party for the password or for a copy without one, then upload that copy."


class UnsupportedEncryption(DocumentError):
    code = "UNSUPPORTED_ENCRYPTION"
    advice = "Ask the producing party for a copy without encryption."


class NoPages(DocumentError):
    code = "NO_PAGES"
    advice = (
        "No page was found, even after repair. Compare the file with its source and upload an intact copy."
    )


class BadPageTree(DocumentError):
    code = "BAD_PAGE_TREE"
    advice = "The page tree is damaged. Compare the page count with the source and upload an intact copy."


class TooManyPages(DocumentError):
    code = "TOO_MANY_PAGES"
    advice = "Split the document, or raise DOCPIPE_MAX_PAGES if this size is intended."


class AllPagesFailed(DocumentError):
    code = "ALL_PAGES_FAILED"
    advice = (
        "Every page failed; the message has the code of the first one. Fix the cause or upload another copy."
    )


class Crashed(DocumentError):
    """The parser was killed by a signal; the worker keeps running."""

    code = "CRASHED"
    advice = (
        "The file crashes the PDF parser. Keep it as evidence of a hostile or damaged file; try a clean copy."
    )

    def __init__(self, message: str, signal_number: int = signal.SIGSEGV) -> None:
        super().__init__(message)
        self.signal_number = signal_number

    @property
    def full_code(self) -> str:
        return f"{self.code}:{signal.Signals(self.signal_number).name}"


class ResourceError(DocpipeError):
    """The document exceeded a budget."""

    next_lane = LARGE
    counts_for = Breaker.DOCUMENT


class MemoryLimit(ResourceError):
    code = "MEMORY_LIMIT"
    advice = "Retried automatically in the large lane. If it fails again, inspect the page in its message."


class CpuTimeout(ResourceError):
    """A page or the whole call exceeded its CPU budget."""

    code = "CPU_TIMEOUT_DOCUMENT"
    advice = "Retried automatically in the large lane. If it fails again, inspect the page in its message."

    def __init__(self, message: str, *, is_page: bool = False) -> None:
        super().__init__(message)
        self.is_page = is_page

    @property
    def full_code(self) -> str:
        return "CPU_TIMEOUT_PAGE" if self.is_page else self.code


class WallTimeout(ResourceError):
    code = "WALL_TIMEOUT"
    advice = (
        "Retried automatically in the large lane. If many documents fail with it, the machine is overloaded."
    )


class DiskLimit(ResourceError):
    code = "DISK_LIMIT"
    advice = "Free disk space in DOCPIPE_DATA_DIR, or check the document for a decompression bomb."


class OutputTooLarge(ResourceError):
    code = "OUTPUT_TOO_LARGE"
    advice = "The parser returned too much data for a document. Check it for a decompression bomb."


class StoreError(DocpipeError):
    """A store refused a request, failed, or returned unexpected content."""


class ObjectGone(StoreError):
    code = "OBJECT_GONE"
    advice = "The key was deleted while its run was queued. No action is needed if that was intended."


class ObjectChanged(StoreError):
    code = "OBJECT_CHANGED"
    is_retryable = True
    advice = "The object was overwritten during the read. The new version is processed automatically."


class TransferCut(StoreError):
    code = "TRANSFER_CUT"
    is_retryable = True
    counts_for = Breaker.STAGE
    advice = "Retried automatically. If it persists, check the network and the S3 endpoint."


class AccessDenied(StoreError):
    code = "ACCESS_DENIED"
    counts_for = Breaker.STAGE
    advice = "Check the credentials and the bucket policy; then retry the batch."


class Throttled(StoreError):
    code = "THROTTLED"
    is_retryable = True
    counts_for = Breaker.STAGE
    advice = "Retried automatically. If it persists, reduce the number of workers."


class StoreUnavailable(StoreError):
    code = "STORE_UNAVAILABLE"
    is_retryable = True
    counts_for = Breaker.STAGE
    advice = "Check that the S3 endpoint responds and that the bucket exists; then retry the batch."


class ArtifactError(DocpipeError):
    """An input of a stage is missing or damaged."""


class ArtifactMissing(ArtifactError):
    code = "ARTIFACT_MISSING"
    advice = "Materialize the upstream asset of this document first."


class ArtifactDamaged(ArtifactError):
    code = "ARTIFACT_DAMAGED"
    advice = "Materialize the named asset of this document again; the stored object is damaged."


class EngineError(DocpipeError):
    """An OCR or NER engine failed, regardless of the document."""

    code = "ENGINE_FAILED"
    is_retryable = True
    counts_for = Breaker.STAGE
    advice = "Check the engine's installation and models on the workers; then retry the batch."


class ConfigurationError(DocpipeError):
    code = "CONFIGURATION"
    counts_for = Breaker.STAGE
    advice = "Correct the named setting and restart."


class InternalError(DocpipeError):
    code = "INTERNAL_ERROR"
    counts_for = Breaker.DOCUMENT
    advice = "This is a defect in docpipe. Report it with the name of the document."


def _subclasses(root: type[DocpipeError]) -> list[type[DocpipeError]]:
    return [root, *(leaf for child in root.__subclasses__() for leaf in _subclasses(child))]


def error_class(full_code: str) -> type[DocpipeError]:
    """The class of a recorded code; InternalError for an unknown code.

    Also for the codes of runs without an error class, for example ``WORKER_LOST``: their reaction and advice
    are those of ``reaction_to`` and ``advice_on`` in ``operations.breaker``.
    """
    code = re.split(":", full_code, maxsplit=1)[0]
    if code == "CPU_TIMEOUT_PAGE":
        return CpuTimeout
    return next((c for c in _subclasses(DocpipeError) if c.__dict__.get("code") == code), InternalError)


def error_from_code(full_code: str, message: str) -> DocpipeError:
    """The error of a recorded code, with another message."""
    kind = error_class(full_code)
    if kind is CpuTimeout:
        return CpuTimeout(message, is_page=full_code == "CPU_TIMEOUT_PAGE")
    if kind is Crashed:
        return Crashed(message, signal.Signals[full_code.partition(":")[2]])
    return kind(message)
