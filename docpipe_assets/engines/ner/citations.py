"""Case citations by eyecite. It is accurate but slow, so it runs only on text that looks like volume,
reporter, page.
"""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from docpipe_assets.errors import EngineError
from docpipe_assets.model import EntityType, FoundName
from docpipe_assets.protocols import NameContext

CODE_VERSION = "1"

# "571 U.S. 117", "717 F.3d at 770", "2019 WL 123456", "12 Cal. App. 5th 100"; a line may break inside.
# Only the volume is consumed, so that "at 12 Smith v. Jones, 500 F.2d 123" is tried at 12 and at 500.
_VOLUME = re.compile(
    r"(?<![\w$.,])\d{1,4}\s{1,3}"
    r"(?=(?P<rest>[A-Z](?:[\w.'’&]|\s(?=[\w.&])){0,30}?,?\s{1,3}(?:at\s{1,3})?(?:\d{1,9}|_{2,})(?!\w)))"
)
_WHITE = re.compile(r"\s")
_MONTH = re.compile(r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?\s", re.IGNORECASE)


def windows(text: str) -> Iterator[tuple[int, int]]:
    """Spans that look like a citation, from the volume to the page; they may overlap.

    The court and year after the page are excluded: eyecite spends most of its time on the court lookup, and
    the citation is the same without it.
    """
    for match in _VOLUME.finditer(text):
        if not _MONTH.match(match["rest"]):
            yield match.start(), match.end("rest")


class CitationNer:
    """Finds case citations; the value is the citation with its reporter in standard form."""

    name = "eyecite"

    def __init__(self) -> None:
        try:
            self.version = f"{CODE_VERSION}.{version('eyecite')}.{version('reporters-db')}"
        except PackageNotFoundError as exc:
            raise EngineError("eyecite is not installed; reinstall docpipe with its dependencies") from exc

    def find(self, text: str, context: NameContext) -> Iterator[FoundName]:
        last = 0
        for start, end in windows(text):
            for found in self._in_window(text, start, end):
                if found.start >= last:
                    last = found.end
                    yield found

    def _in_window(self, text: str, start: int, end: int) -> Iterator[FoundName]:
        from eyecite import get_citations
        from eyecite.models import FullCaseCitation, ShortCaseCitation

        # eyecite does not match across a line break; one space per whitespace character keeps the offsets.
        window = _WHITE.sub(" ", text[start:end])
        try:
            found: list[Any] = list(get_citations(window))
        except (
            ArithmeticError,
            AssertionError,
            AttributeError,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
        ) as exc:
            # eyecite has no error classes of its own; its parser can raise these.
            quote = " ".join(text[start : start + 60].split())
            raise EngineError(
                f"eyecite failed on {quote!r}: {type(exc).__name__}: {exc}; report the text as an issue"
            ) from exc
        kinds: tuple[Any, ...] = (FullCaseCitation, ShortCaseCitation)
        for citation in found:
            if isinstance(citation, kinds):
                left, right = citation.span()
                value = citation.corrected_citation()
                yield FoundName(start + left, start + right, EntityType.CASE_CITATION, 1.0, self.name, value)
