"""Page splits -> page texts: give every page its text, from its text layer where that is good, else by OCR.

Text is kept as read: no character is replaced by a likelier one. Control characters and lone
surrogates are taken out of each word and the rest is put in Unicode's composed form (NFC) before
offsets are counted, so that a word's span cuts out exactly that word.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from docpipe_assets.errors import (
    AllPagesFailed,
    BadPageTree,
    DocpipeError,
    DocumentError,
    ResourceError,
    UnreadablePdf,
)
from docpipe_assets.identity import fingerprint
from docpipe_assets.model import (
    PAGE_SEPARATOR,
    Box,
    PageSplit,
    PageSplits,
    PageText,
    PageTexts,
    TextMethod,
    Word,
)
from docpipe_assets.protocols import OcrEngine, PageContent, PageImage, PartStore, PdfReader, PlacedWord
from docpipe_assets.rules.bates import bates_label
from docpipe_assets.rules.text_layer import Decision, decide, dictionary_share

VERSION = "1"

TEXT_LAYER_ENGINE = "text_layer"

Lines = tuple[tuple[PlacedWord, ...], ...]


def splits_to_text(
    splits: PageSplits, *, reader: PdfReader, ocr: OcrEngine, parts: PartStore, dpi: float = 300
) -> PageTexts:
    """One record for each page of each split, in order; nothing runs until they are asked for.

    A page that can't be read becomes a record with the method ``FAILED`` and the error's code as its
    reason. Raises AllPagesFailed after the last page when no page could be read.
    """
    settings = {
        "dpi": dpi,
        "reader": reader.version,
        "ocr": f"{ocr.name} {ocr.version}",
        "wordfreq": version("wordfreq"),
    }
    made_from = fingerprint(PageTexts.asset, VERSION, settings, [splits.fingerprint])
    pages = _PageReader(reader, ocr, dpi)

    def read() -> Iterator[PageText]:
        start, total = 0, 0
        failures: list[DocpipeError] = []
        for split in splits:
            with parts.fetch(split.part) as path:
                for number, found in pages.read(path, split):
                    if found.failure is not None:
                        failures.append(found.failure)
                    text = found.placed(split, number, start)
                    start = text.end + len(PAGE_SEPARATOR)
                    total += 1
                    yield text
            document = split.document
        if total and len(failures) == total:
            if all(isinstance(failure, ResourceError) for failure in failures):
                # A larger budget may read what this one did not.
                raise failures[0].about(f"{document}: none of {total} pages could be read")
            raise AllPagesFailed(
                f"{document}: none of {total} pages could be read; the first one failed with "
                f"{failures[0].full_code}: {failures[0].message}"
            ) from failures[0]

    return PageTexts(made_from, read)


@dataclass(frozen=True)
class _Found:
    """What was read of a page, before it is placed in the document."""

    method: TextMethod
    reason: str
    signals: dict[str, float]
    engine: str = ""
    lines: Lines = ()
    bates: str | None = None
    failure: DocpipeError | None = None

    def placed(self, split: PageSplit, number: int, start: int) -> PageText:
        text, words = assemble(self.lines)
        return PageText(
            document=split.document,
            version=split.version,
            page=number,
            start=start,
            end=start + len(text),
            text=text,
            method=self.method,
            reason=self.reason,
            confidence=0.0 if self.failure else _confidence(words),
            engine=self.engine,
            words=words,
            bates=self.bates,
            signals=self.signals,
        )


class _PageReader:
    """Reads the pages of one part after the other, and goes on behind a page that fails."""

    def __init__(self, reader: PdfReader, ocr: OcrEngine, dpi: float) -> None:
        self._reader = reader
        self._ocr = ocr
        self._dpi = dpi

    def read(self, path: Path, split: PageSplit) -> Iterator[tuple[int, _Found]]:
        """Each page of the split, by its number in the document, exactly once."""
        known = {page.page: page for page in split.pages}
        pages = split.last_page - split.first_page + 1
        contents = self._reader.read(path)
        for local in range(1, pages + 1):
            number = split.first_page + local - 1
            page = known.get(number)
            try:
                if page and page.failure:
                    raise UnreadablePdf(f"page {number} failed with {page.failure} when the document was cut")
                content = next(contents, None)
                if content is None or content.page != local:
                    raise BadPageTree(f"page {number} can't be found in its part of the document")
                found = self._page(path, content, page.bates if page else None)
            except (DocumentError, ResourceError) as error:
                reason = (page and page.failure) or error.full_code
                found = _Found(TextMethod.FAILED, reason, {}, failure=error)
                contents = self._reader.read(path, local + 1) if local < pages else iter(())
            except DocpipeError as error:
                raise error.about(f"{split.document}, page {number}") from error
            yield number, found

    def _page(self, path: Path, content: PageContent, bates: str | None) -> _Found:
        words = [word.text for line in content.lines for word in line]
        signals = dict(content.signals)
        share = dictionary_share(words)
        if share is not None:
            signals["dictionary_share"] = share
        decision = decide(signals)
        if left_out := signals.get("characters_left_out"):
            reason = f"{decision.reason}, without {left_out:,.0f} more that are too many for a page"
            decision = decision._replace(reason=reason)
        layer = _Found(
            decision.method,
            decision.reason,
            signals,
            TEXT_LAYER_ENGINE if decision.method is TextMethod.TEXT_LAYER else "",
            content.lines,
            bates,
        )
        return self._by_ocr(path, content, decision, layer) if decision.method is TextMethod.OCR else layer

    def _by_ocr(self, path: Path, content: PageContent, decision: Decision, layer: _Found) -> _Found:
        try:
            with self._reader.render(path, content.page, self._dpi) as image:
                lines = _in_points(self._ocr.read(image), image, content)
        except (DocumentError, ResourceError) as error:
            if not layer.lines:
                raise
            return _kept(layer, f"{decision.reason}; can't be rendered ({error.full_code})", layer.signals)
        words = [word for line in lines for word in line]
        signals = {**layer.signals, "ocr_words": float(len(words))}
        share = dictionary_share(word.text for word in words)
        if share is not None:
            signals["ocr_dictionary_share"] = share
        if not words:
            return _without_ocr_text(layer, decision, signals)
        if decision.is_doubtful and (share or 0.0) <= signals["dictionary_share"]:
            return _kept(layer, f"{decision.reason}, no more of what OCR reads", signals)
        bates = layer.bates or bates_label(words, content.width_points, content.height_points)
        return _Found(TextMethod.OCR, decision.reason, signals, self._ocr.name, lines, bates)


def _kept(layer: _Found, reason: str, signals: dict[str, float]) -> _Found:
    """The text layer, for want of something better."""
    return replace(
        layer,
        method=TextMethod.TEXT_LAYER,
        reason=f"{reason}: the text layer is kept",
        signals=signals,
        engine=TEXT_LAYER_ENGINE,
    )


def _without_ocr_text(layer: _Found, decision: Decision, signals: dict[str, float]) -> _Found:
    """What to make of a page on which OCR finds no word."""
    if layer.lines:
        return _kept(layer, f"{decision.reason}; OCR finds no text", signals)
    reason = f"{decision.reason}; OCR finds none either"
    return replace(layer, method=TextMethod.BLANK, reason=reason, signals=signals)


def _in_points(lines: Lines, image: PageImage, content: PageContent) -> Lines:
    """Words with their boxes in points of the page instead of pixels of its image."""
    x, y = content.width_points / image.width, content.height_points / image.height
    return tuple(
        tuple(
            word._replace(
                box=Box(word.box.left * x, word.box.top * y, word.box.right * x, word.box.bottom * y)
            )
            for word in line
        )
        for line in lines
    )


def assemble(lines: Lines) -> tuple[str, tuple[Word, ...]]:
    """The text of a page, lines joined by newlines and words by spaces, and each word's place in it."""
    texts: list[str] = []
    words: list[Word] = []
    offset = 0
    for line in lines:
        kept = [(text, word) for word in line if (text := _printable(word.text))]
        for text, word in kept:
            words.append(
                Word(start=offset, end=offset + len(text), box=_rounded(word.box), confidence=_share(word))
            )
            offset += len(text) + 1
        if kept:
            texts.append(" ".join(text for text, _ in kept))
    return "\n".join(texts), tuple(words)


def _printable(text: str) -> str:
    """Without control characters and white space, which would be taken for the ends of words and pages."""
    kept = (
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) == "Cs" else character
        for character in text
        if unicodedata.category(character) != "Cc" and not character.isspace()
    )
    return unicodedata.normalize("NFC", "".join(kept))


def _rounded(box: Box) -> Box:
    return Box(*(round(value, 2) for value in box))


def _share(word: PlacedWord) -> float:
    return round(min(max(word.confidence, 0.0), 1.0), 4)


def _confidence(words: tuple[Word, ...]) -> float:
    """The mean over words by their length; a page without words is certain."""
    characters = sum(word.end - word.start for word in words)
    if not characters:
        return 1.0
    return round(sum(word.confidence * (word.end - word.start) for word in words) / characters, 4)
