"""Every page has its text or a reason for its absence, and every word is at its span."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe_assets.errors import (
    AllPagesFailed,
    Crashed,
    DocpipeError,
    EngineError,
    MemoryLimit,
    UnreadablePdf,
)
from docpipe_assets.model import (
    PAGE_SEPARATOR,
    Blob,
    Box,
    Page,
    PageFlag,
    PageSplit,
    PageSplits,
    PageText,
    PageTexts,
    TextMethod,
)
from docpipe_assets.protocols import Checkpoints, PageContent, PageImage, PdfFacts, PdfPart, PlacedWord
from docpipe_assets.stages.splits_to_text import Fallback, splits_to_text
from docpipe_assets.text.page_text import assemble
from docpipe_assets.text.text_layer import decide, dictionary_share

SOUND = {
    "characters": 2000.0,
    "bad_character_share": 0.0,
    "cid_marks": 0.0,
    "one_letter_token_share": 0.02,
    "image_cover": 0.0,
    "vector_paths": 3.0,
    "hidden_text_share": 0.0,
}
HIDDEN = {"image_cover": 1.0, "hidden_text_share": 1.0}
SCANNED = {**SOUND, "characters": 0.0, "image_cover": 1.0}
PROSE = "the court finds that the shipment was late and that payment was due on delivery"
GARBLED = "tbe covrt fmds tbat tbc sbiprnent vvas 1ate anb tbat payrnent vvas bue"


def row(text: str, top: float = 100) -> tuple[PlacedWord, ...]:
    return tuple(
        PlacedWord(word, Box(72.0 + 40 * n, top, 110.0 + 40 * n, top + 10))
        for n, word in enumerate(text.split())
    )


def page(number: int, text: str = PROSE, **signals: float) -> PageContent:
    lines = tuple(row(line, 100.0 + 14 * n) for n, line in enumerate(text.splitlines()))
    return PageContent(number, 612.0, 792.0, lines, {**SOUND, **signals})


def scan(number: int) -> PageContent:
    return PageContent(number, 612.0, 792.0, (), SCANNED)


class Parts:
    """Every part is the same empty file: the readers in this module use only page numbers."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "part.pdf"
        self._path.touch()

    def keep(self, name: str, source: Path, sha256: str | None = None) -> Blob:
        raise AssertionError("this stage keeps no files")

    @contextmanager
    def fetch(self, blob: Blob) -> Iterator[Path]:
        yield self._path


class Reader:
    """Returns the given pages; this stage calls read, render and ink."""

    version = "reader 1"

    def __init__(self, *pages: PageContent) -> None:
        self._pages = pages

    def inspect(self, pdf: Path, max_pages: int) -> PdfFacts:
        raise AssertionError("this stage inspects no document")

    def survey(self, pdf: Path, pages: int) -> Iterator[Page]:
        raise AssertionError("this stage surveys no part")

    def split(
        self, pdf: Path, pages: int, pages_per_part: int, bytes_per_part: int, *, is_damaged: bool = False
    ) -> Iterator[PdfPart]:
        raise AssertionError("this stage cuts no document")

    def read(self, pdf: Path, first: int = 1) -> Iterator[PageContent]:
        yield from self._pages[first - 1 :]

    @contextmanager
    def render(self, pdf: Path, page: int, dpi: float) -> Iterator[PageImage]:
        scale = dpi / 72
        yield PageImage(pdf, round(612 * scale), round(792 * scale), dpi)

    def ink(self, image: PageImage, boxes: Sequence[Box]) -> dict[str, float]:
        return {"unread_line_inches": 0.0}


class CrashesOnPage(Reader):
    """The parser crashes at these pages, whenever they are reached."""

    def __init__(self, *fatal: int, pages: int, error: DocpipeError | None = None) -> None:
        super().__init__(*(page(n) for n in range(1, pages + 1)))
        self._fatal = fatal
        self._error = error or Crashed("the parser died")

    def read(self, pdf: Path, first: int = 1) -> Iterator[PageContent]:
        for content in super().read(pdf, first):
            if content.page in self._fatal:
                raise self._error
            yield content


class CannotRender(Reader):
    @contextmanager
    def render(self, pdf: Path, page: int, dpi: float) -> Iterator[PageImage]:
        raise MemoryLimit("page too large")
        yield


class Ocr:
    """Finds the same text on every page, in pixels of a 144 dpi image."""

    name = "double"
    version = "1"

    def __init__(self, text: str = PROSE, confidence: float = 0.9, top: float = 200) -> None:
        self._lines = tuple(
            tuple(word._replace(confidence=confidence) for word in row(line, top))
            for line in text.splitlines()
        )

    def read(self, image: PageImage) -> tuple[tuple[PlacedWord, ...], ...]:
        return self._lines


class OcrOfRotatedPages(Ocr):
    """Every word but the first is upside down."""

    def read(self, image: PageImage) -> tuple[tuple[PlacedWord, ...], ...]:
        first, *others = [word for line in self._lines for word in line]
        return ((first, *(word._replace(quarter_turns=2) for word in others)),)


class BrokenOcr(Ocr):
    def read(self, image: PageImage) -> tuple[tuple[PlacedWord, ...], ...]:
        raise EngineError("the model is gone")


class OcrOutOfMemory(Ocr):
    def read(self, image: PageImage) -> tuple[tuple[PlacedWord, ...], ...]:
        raise MemoryLimit("no memory left")


def split(first: int, last: int, bates: dict[int, str] | None = None) -> PageSplit:
    return PageSplit(
        document="acme/letters.pdf",
        version="v" * 64,
        split=first,
        first_page=first,
        last_page=last,
        part=Blob(key=f"{first}", size_bytes=0, sha256=""),
        pages=tuple(
            Page(
                page=n,
                width_points=612,
                height_points=792,
                rotation_degrees=0,
                text_characters=0,
                image_cover=0,
                bates=(bates or {}).get(n),
            )
            for n in range(first, last + 1)
        ),
    )


class NoCheckpoints:
    def load(self, made_from: str, first_page: int) -> None:
        return None

    def save(self, made_from: str, first_page: int, pages: Sequence[PageText]) -> None:
        pass


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path)


def texts_of(
    reader: Reader,
    parts: Parts,
    *splits: PageSplit,
    ocr: Ocr | None = None,
    checkpoints: Checkpoints | None = None,
    pages_at_once: int = 1,
    can_escalate: bool = False,
    fallback: Fallback | None = None,
) -> PageTexts:
    stream = PageSplits("made-from", lambda: iter(splits))
    return splits_to_text(
        stream,
        reader=reader,
        ocr=ocr or Ocr(),
        parts=parts,
        checkpoints=checkpoints or NoCheckpoints(),
        dpi=144,
        pages_at_once=pages_at_once,
        can_escalate=can_escalate,
        fallback=fallback,
    )


def document_text(texts: list[PageText]) -> str:
    return PAGE_SEPARATOR.join(text.text for text in texts)


def test_a_sound_text_layer_is_used_unchanged(parts: Parts) -> None:
    [text] = texts_of(Reader(page(1, "Dear Sir,\nwe write")), parts, split(1, 1))
    assert (text.text, text.method, text.confidence) == ("Dear Sir,\nwe write", TextMethod.TEXT_LAYER, 1.0)
    assert "14" not in text.reason
    assert "2,000 characters" in text.reason


@pytest.mark.parametrize(("ocr", "degrees"), [(Ocr(), 0.0), (OcrOfRotatedPages(), 180.0)])
def test_the_orientation_of_most_words_of_a_scan_is_a_signal(parts: Parts, ocr: Ocr, degrees: float) -> None:
    [text] = texts_of(Reader(scan(1)), parts, split(1, 1), ocr=ocr)
    assert text.signals["orientation_degrees"] == degrees


def test_a_scanned_page_is_read_by_ocr_with_boxes_in_points(parts: Parts) -> None:
    [text] = texts_of(Reader(scan(1)), parts, split(1, 1))
    assert (text.method, text.engine, text.confidence) == (TextMethod.OCR, "double", 0.9)
    assert text.reason == "no text, images cover 100% of the page"
    assert text.words[0].box == Box(36.0, 100.0, 55.0, 105.0)


def test_a_page_without_ink_is_blank(parts: Parts) -> None:
    [text] = texts_of(Reader(page(1, "", characters=0.0)), parts, split(1, 1))
    assert (text.method, text.text, text.words, text.confidence) == (TextMethod.BLANK, "", (), 1.0)


def test_a_scan_on_which_ocr_finds_nothing_is_blank_with_a_reason(parts: Parts) -> None:
    [text] = texts_of(Reader(scan(1)), parts, split(1, 1), ocr=Ocr(""))
    assert text.method is TextMethod.BLANK
    assert text.reason == "no text, images cover 100% of the page; OCR finds none either"
    assert text.signals["ocr_words"] == 0


def test_a_bad_layer_is_better_than_nothing(parts: Parts) -> None:
    [text] = texts_of(Reader(page(1, "a b", bad_character_share=0.5)), parts, split(1, 1), ocr=Ocr(""))
    assert (text.method, text.text) == (TextMethod.TEXT_LAYER, "a b")
    assert text.reason == "50% of the characters have no meaning; OCR finds no text: the text layer is kept"


def test_a_doubtful_layer_that_ocr_reads_no_better_is_kept(parts: Parts) -> None:
    names = (
        "Zlanvik Ombarque Trelsund Vaquoril Dristane Hoolmper Yexburne Ploothian Krevantz Uskarole Fnimwald"
    )
    [text] = texts_of(Reader(page(1, names)), parts, split(1, 1), ocr=Ocr(names))
    assert text.method is TextMethod.TEXT_LAYER
    assert "dictionary words" in text.reason
    assert "kept" in text.reason


def test_a_layer_in_another_language_is_judged_by_its_dictionary(parts: Parts) -> None:
    dutch = "de rechtbank heeft vastgesteld dat verzoekster binnen veertien dagen bezwaar had moeten maken"
    [text] = texts_of(Reader(page(1, dutch)), parts, split(1, 1), ocr=BrokenOcr())
    assert (text.method, text.language) == (TextMethod.TEXT_LAYER, "nl")
    assert text.signals["dictionary_share"] > 0.8


def test_a_garbled_layer_is_replaced_by_ocr(parts: Parts) -> None:
    [text] = texts_of(Reader(page(1, GARBLED, hidden_text_share=1.0)), parts, split(1, 1))
    assert (text.method, text.text) == (TextMethod.OCR, PROSE)
    assert text.signals["ocr_dictionary_share"] > text.signals["dictionary_share"]


STAMPED = {"characters": 28.0, "image_cover": 1.0}


def test_ocr_text_beside_a_sound_layer_follows_it(parts: Parts) -> None:
    ocr = Ocr("ELLSMOOR 000012\nthe other lines", confidence=0.8, top=1500)
    reader = Reader(page(1, "ELLSMOOR 000012 CONFIDENTIAL", **STAMPED))
    [text] = texts_of(reader, parts, split(1, 1), ocr=ocr)
    assert (text.method, text.engine) == (TextMethod.BOTH, "text_layer+double")
    assert text.text == "ELLSMOOR 000012 CONFIDENTIAL\nELLSMOOR 000012\nthe other lines"
    assert text.ocr_start == len("ELLSMOOR 000012 CONFIDENTIAL\n")
    assert [text.text[word.start : word.end] for word in text.words] == text.text.split()
    assert {word.confidence for word in text.words if word.start < text.ocr_start} == {1.0}
    assert {word.confidence for word in text.words if word.start >= text.ocr_start} == {0.8}


def test_a_word_of_the_layer_takes_precedence_over_ocr(parts: Parts) -> None:
    ocr = Ocr("ELLSM00R O00012", top=200)  # where the layer's words are, at twice the resolution
    [text] = texts_of(
        Reader(page(1, "ELLSMOOR 000012", **STAMPED)), parts, split(1, 1), ocr=DoubledWidth(ocr)
    )
    assert (text.method, text.text) == (TextMethod.TEXT_LAYER, "ELLSMOOR 000012")
    assert text.reason.endswith("OCR finds no more text: the text layer is kept")
    assert text.ocr_start is None


class DoubledWidth(Ocr):
    """The words of another engine with their boxes at twice the distance from the left edge."""

    def __init__(self, other: Ocr) -> None:
        self._lines = tuple(
            tuple(
                word._replace(
                    box=Box(2 * word.box.left, word.box.top, 2 * word.box.right, word.box.bottom + 10)
                )
                for word in line
            )
            for line in other._lines
        )


class LeavesInk(Reader):
    """Pages with three lines that are not covered by words."""

    def ink(self, image: PageImage, boxes: Sequence[Box]) -> dict[str, float]:
        return {"unread_line_inches": 18.0, "line_inches": 60.0}


class InkOutOfMemory(Reader):
    def ink(self, image: PageImage, boxes: Sequence[Box]) -> dict[str, float]:
        raise MemoryLimit("out of memory while measuring ink")


@pytest.mark.parametrize("reader", [LeavesInk, InkOutOfMemory])
def test_text_that_may_have_been_missed_is_flagged(parts: Parts, reader: type[Reader]) -> None:
    [text] = texts_of(reader(scan(1)), parts, split(1, 1))
    assert (text.method, text.flags) == (TextMethod.OCR, (PageFlag.TEXT_LEFT,))
    assert text.text == PROSE


def test_a_blank_scan_with_apparent_writing_is_flagged(parts: Parts) -> None:
    [text] = texts_of(LeavesInk(scan(1)), parts, split(1, 1), ocr=Ocr(""))
    assert (text.method, text.flags) == (TextMethod.BLANK, (PageFlag.TEXT_LEFT,))


def test_a_page_that_is_read_well_has_a_language_and_no_flag(parts: Parts) -> None:
    texts = list(texts_of(Reader(page(1), scan(2)), parts, split(1, 2)))
    assert [(text.language, text.flags) for text in texts] == [("en", ()), ("en", ())]


def test_a_layer_in_a_script_without_names_is_kept_and_flagged(parts: Parts) -> None:
    russian = "Свидетель показал, что компания не передала документы в срок, установленный судом для этого"
    [text] = texts_of(Reader(page(1, russian)), parts, split(1, 1))
    assert (text.method, text.language, text.flags) == (TextMethod.TEXT_LAYER, "ru", (PageFlag.OTHER_SCRIPT,))


GIBBERISH = "CBnAeTenb noKa3an, hto KoMnaHnR He nepeAana AoKyMeHTbI B cpoK, ycTaHoBneHHbIn cyAoM Ann 3Toro"


def test_a_scan_in_an_unsupported_script_is_flagged(parts: Parts) -> None:
    [text] = texts_of(Reader(scan(1)), parts, split(1, 1), ocr=Ocr(GIBBERISH, confidence=0.7))
    assert (text.method, text.flags) == (TextMethod.OCR, (PageFlag.MISREAD,))


def second(engine: Ocr) -> Fallback:
    engine.name = "second"
    return Fallback(engine, confidence_below=0.85)


def test_the_second_engine_is_not_used_if_the_first_is_confident(parts: Parts) -> None:
    [text] = texts_of(Reader(scan(1)), parts, split(1, 1), fallback=second(BrokenOcr()))
    assert (text.engine, text.other) == ("double", None)


def test_of_two_readings_the_better_one_is_used_and_the_other_kept(parts: Parts) -> None:
    unsure = Ocr(GARBLED, confidence=0.6)
    [text] = texts_of(Reader(scan(1)), parts, split(1, 1), ocr=unsure, fallback=second(Ocr(confidence=0.5)))
    assert (text.text, text.engine, text.confidence) == (PROSE, "second", 0.5)
    assert text.other is not None
    assert (text.other.text, text.other.engine, text.other.confidence) == (GARBLED, "double", 0.6)
    assert text.other.reason.startswith("confidence 0.60 is below 0.85; ")
    assert "second has more letters in dictionary words" in text.other.reason


@pytest.mark.parametrize("broken", [BrokenOcr, OcrOutOfMemory])
def test_a_failing_second_engine_does_not_lose_the_first_reading(parts: Parts, broken: type[Ocr]) -> None:
    unsure = Ocr(confidence=0.6)
    [text] = texts_of(Reader(scan(1)), parts, split(1, 1), ocr=unsure, fallback=second(broken()))
    assert (text.text, text.engine, text.confidence) == (PROSE, "double", 0.6)
    assert text.other is not None
    assert "second fails" in text.other.reason


def test_the_same_span_rule_applies_across_pages_and_splits(parts: Parts) -> None:
    reader = Reader(page(1, "Dear Sir,\nwe write"), scan(2), page(3, "", characters=0.0))
    texts = list(texts_of(reader, parts, split(1, 3), split(4, 6)))
    assert [text.page for text in texts] == [1, 2, 3, 4, 5, 6]
    whole = document_text(texts)
    for text in texts:
        assert whole[text.start : text.end] == text.text
    assert texts[-1].end == len(whole)


def test_a_crash_affects_one_page_only(parts: Parts) -> None:
    texts = list(texts_of(CrashesOnPage(4, pages=7), parts, split(11, 17)))
    assert [text.page for text in texts] == list(range(11, 18))
    assert [text.page for text in texts if text.method is TextMethod.FAILED] == [14]
    failed = texts[3]
    assert (failed.reason, failed.text, failed.confidence) == ("CRASHED:SIGSEGV", "", 0.0)
    assert all(text.text == PROSE for text in texts if text is not failed)


def test_first_and_last_pages_may_crash_too(parts: Parts) -> None:
    texts = list(texts_of(CrashesOnPage(1, 2, 5, pages=5), parts, split(1, 5)))
    assert [t.page for t in texts if t.method is TextMethod.FAILED] == [1, 2, 5]


def test_a_page_that_cannot_be_rendered_fails_alone(parts: Parts) -> None:
    texts = list(texts_of(CannotRender(page(1), scan(2), page(3)), parts, split(1, 3)))
    assert [text.method for text in texts] == [
        TextMethod.TEXT_LAYER,
        TextMethod.FAILED,
        TextMethod.TEXT_LAYER,
    ]
    assert texts[1].reason == "MEMORY_LIMIT"


def test_a_doubtful_text_layer_is_kept_if_its_page_cannot_be_rendered(parts: Parts) -> None:
    [text] = texts_of(CannotRender(page(1, PROSE, bad_character_share=0.5)), parts, split(1, 1))
    assert (text.method, text.text) == (TextMethod.TEXT_LAYER, PROSE)
    assert "can't be rendered (MEMORY_LIMIT)" in text.reason


def test_a_page_that_failed_during_splitting_is_not_read_again(parts: Parts) -> None:
    cut = split(1, 3)
    failed = cut.pages[1].model_copy(update={"failure": "CRASHED:SIGSEGV"})
    cut = cut.model_copy(update={"pages": (cut.pages[0], failed, cut.pages[2])})
    texts = list(texts_of(CrashesOnPage(2, pages=3), parts, cut))
    assert [text.method for text in texts] == [
        TextMethod.TEXT_LAYER,
        TextMethod.FAILED,
        TextMethod.TEXT_LAYER,
    ]
    assert texts[1].reason == "CRASHED:SIGSEGV"


def test_text_omitted_from_an_endless_page_is_reported(parts: Parts) -> None:
    [text] = texts_of(Reader(page(1, PROSE, characters_left_out=144_000.0)), parts, split(1, 1))
    assert "144,000 more" in text.reason


def test_a_page_too_large_for_the_ocr_engine_fails_alone(parts: Parts) -> None:
    texts = list(texts_of(Reader(scan(1), page(2)), parts, split(1, 2), ocr=OcrOutOfMemory()))
    assert texts[0].reason == "MEMORY_LIMIT"
    assert texts[1].method is TextMethod.TEXT_LAYER


def test_pages_missing_from_a_part_are_named_as_failed(parts: Parts) -> None:
    texts = list(texts_of(Reader(page(1), page(2)), parts, split(1, 4)))
    assert [text.reason for text in texts[2:]] == ["BAD_PAGE_TREE", "BAD_PAGE_TREE"]


def test_a_document_without_a_readable_page_is_not_a_success(parts: Parts) -> None:
    broken = CrashesOnPage(1, 2, pages=2, error=UnreadablePdf("no pages in here"))
    with pytest.raises(AllPagesFailed, match=r"acme/letters\.pdf: none of 2 pages .*UNREADABLE_PDF"):
        list(texts_of(broken, parts, split(1, 2)))


def test_a_larger_budget_is_requested_if_all_pages_exceed_the_budget(parts: Parts) -> None:
    heavy = CrashesOnPage(1, 2, pages=2, error=MemoryLimit("out of memory"))
    with pytest.raises(MemoryLimit, match=r"acme/letters\.pdf: none of 2 pages"):
        list(texts_of(heavy, parts, split(1, 2)))


def test_a_broken_engine_is_not_blamed_on_the_page(parts: Parts) -> None:
    with pytest.raises(EngineError, match=r"acme/letters\.pdf, page 2: the model is gone"):
        list(texts_of(Reader(page(1), scan(2)), parts, split(1, 2), ocr=BrokenOcr()))


def test_nothing_runs_until_pages_are_requested(parts: Parts) -> None:
    texts_of(CrashesOnPage(1, pages=1), parts, split(1, 1), ocr=BrokenOcr())


def test_the_stream_can_be_read_twice(parts: Parts) -> None:
    texts = texts_of(Reader(page(1), scan(2)), parts, split(1, 2))
    assert list(texts) == list(texts)


def test_the_fingerprint_depends_on_resolution_engines_and_input(parts: Parts) -> None:
    class NewerOcr(Ocr):
        version = "2"

    splits, others = PageSplits("a", lambda: iter(())), PageSplits("b", lambda: iter(()))
    made = [
        splits_to_text(splits, reader=Reader(), ocr=Ocr(), parts=parts, checkpoints=NoCheckpoints()),
        splits_to_text(splits, reader=Reader(), ocr=Ocr(), parts=parts, checkpoints=NoCheckpoints(), dpi=200),
        splits_to_text(splits, reader=Reader(), ocr=NewerOcr(), parts=parts, checkpoints=NoCheckpoints()),
        splits_to_text(others, reader=Reader(), ocr=Ocr(), parts=parts, checkpoints=NoCheckpoints()),
    ]
    assert len({texts.fingerprint for texts in made}) == 4
    again = splits_to_text(splits, reader=Reader(), ocr=Ocr(), parts=parts, checkpoints=NoCheckpoints())
    assert made[0].fingerprint == again.fingerprint


def test_bates_of_the_text_layer_is_kept_and_of_a_scan_is_read(parts: Parts) -> None:
    stamp = Ocr("CALDERA 000008", top=1540)
    reader = Reader(page(1), scan(2), scan(3))
    texts = list(texts_of(reader, parts, split(1, 3, {1: "CALDERA 000007", 3: "OLD 000099"}), ocr=stamp))
    assert [text.bates for text in texts] == ["CALDERA 000007", "CALDERA 000008", "OLD 000099"]


LINES = st.lists(
    st.lists(
        st.builds(
            PlacedWord,
            st.text(max_size=8),
            st.just(Box(0.0, 0.0, 1.0, 1.0)),
            st.floats(0, 1, allow_nan=False),
        ),
        max_size=6,
    ).map(tuple),
    max_size=6,
).map(tuple)


@given(LINES)
def test_words_are_in_order_and_their_spans_slice_the_text(lines: tuple[tuple[PlacedWord, ...], ...]) -> None:
    text, words, _ = assemble(lines)
    assert PAGE_SEPARATOR not in text
    assert text.split() == [text[word.start : word.end] for word in words]
    assert all(before.end < after.start for before, after in pairwise(words))
    text.encode()


@pytest.mark.parametrize(
    ("signals", "method"),
    [
        ({}, TextMethod.TEXT_LAYER),
        ({"characters": 0.0}, TextMethod.BLANK),
        ({"characters": 0.0, "image_cover": 0.04}, TextMethod.BLANK),
        ({"characters": 0.0, "image_cover": 0.05}, TextMethod.OCR),
        ({"characters": 0.0, "vector_paths": 100.0}, TextMethod.OCR),
        ({"bad_character_share": 0.05}, TextMethod.TEXT_LAYER),
        ({"bad_character_share": 0.06}, TextMethod.OCR),
        ({"cid_marks": 4.0}, TextMethod.TEXT_LAYER),
        ({"cid_marks": 5.0}, TextMethod.OCR),
        ({"one_letter_token_share": 0.7}, TextMethod.OCR),
        ({"image_cover": 1.0}, TextMethod.TEXT_LAYER),
        ({"image_cover": 0.5, "characters": 99.0}, TextMethod.BOTH),
        (
            {"image_cover": 0.5, "characters": 99.0, "hidden_text_share": 1.0, "dictionary_share": 0.1},
            TextMethod.OCR,
        ),
        ({"image_cover": 0.49, "characters": 99.0}, TextMethod.TEXT_LAYER),
        ({**HIDDEN, "ink_outside_words_share": 0.6}, TextMethod.OCR),
        ({**HIDDEN, "ink_outside_words_share": 0.4}, TextMethod.TEXT_LAYER),
        ({**HIDDEN, "words_without_ink_share": 0.3}, TextMethod.OCR),
        ({**HIDDEN, "gap_ink_ratio": 0.7}, TextMethod.OCR),
        ({**HIDDEN, "unread_line_inches": 60.0, "line_inches": 200.0}, TextMethod.OCR),
        ({**HIDDEN, "unread_line_inches": 1.5, "line_inches": 200.0}, TextMethod.TEXT_LAYER),
        ({"image_cover": 0.3, "unread_line_inches": 60.0, "line_inches": 200.0}, TextMethod.BOTH),
        ({"image_cover": 0.3, "unread_line_inches": 1.5, "line_inches": 200.0}, TextMethod.TEXT_LAYER),
        ({"vector_paths": 900.0, "unread_line_inches": 60.0, "line_inches": 90.0}, TextMethod.BOTH),
        ({"odd_character_share": 0.3}, TextMethod.OCR),
        ({"characters": 29.0, "vector_paths": 500.0}, TextMethod.BOTH),
        ({"characters": 30.0, "vector_paths": 500.0}, TextMethod.TEXT_LAYER),
        ({"dictionary_share": 0.44}, TextMethod.OCR),
        ({"dictionary_share": 0.45}, TextMethod.TEXT_LAYER),
        ({"dictionary_share": 0.64, "odd_joint_share": 0.1}, TextMethod.OCR),
        ({"dictionary_share": 0.66, "odd_joint_share": 0.1}, TextMethod.TEXT_LAYER),
        ({"dictionary_share": 0.81, "odd_joint_share": 0.5}, TextMethod.TEXT_LAYER),
        ({"dictionary_share": 0.79, "hidden_text_share": 1.0}, TextMethod.OCR),
        ({"dictionary_share": 0.8, "hidden_text_share": 1.0}, TextMethod.TEXT_LAYER),
    ],
)
def test_the_decision_for_a_page(signals: dict[str, float], method: TextMethod) -> None:
    decision = decide({**SOUND, **signals})
    assert decision.method is method
    assert decision.reason


def test_dictionary_share_distinguishes_prose_from_misreadings() -> None:
    good = dictionary_share(PROSE.split())
    bad = dictionary_share(GARBLED.split())
    assert good is not None
    assert bad is not None
    assert good > 0.9 > 0.6 > bad


def test_numbers_and_few_words_are_not_judged_by_the_dictionary() -> None:
    assert dictionary_share(["12,000", "$4.50", "2019", "A", "B"] * 10) is None
