"""Generates pages of every kind from a seed, with their texts, for tuning and evaluation."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from docpipe_assets_tests.evaluation.ocr import layouts
from docpipe_assets_tests.evaluation.ocr.conditions import CONDITIONS, Scan
from docpipe_assets_tests.evaluation.ocr.generated_texts import Texts
from docpipe_assets_tests.evaluation.ocr.layouts import DoesNotFit, Type
from docpipe_assets_tests.evaluation.ocr.sheet import Sheet

PRINT_FONTS = ("times", "arial", "schoolbook", "palatino", "bookman", "helvetica", "dejavu", "verdana")
TYPED_FONTS = ("courier", "nimbus-courier")
DEGRADED = tuple(name for name in CONDITIONS if name not in ("clean", "ordinary"))


@dataclass(frozen=True)
class Sample:
    """The image of a page, and its text."""

    kind: str
    name: str
    scan: Scan
    text: str


def write(samples: Iterator[Sample], folder: Path) -> int:
    """Write each page to the folder of its kind, with its text next to it; return the number of pages."""
    count = 0
    for sample in samples:
        count += 1
        path = folder / sample.kind / f"{sample.name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        sample.scan.image.save(path, dpi=sample.scan.dpi, compress_level=1)
        path.with_suffix(".txt").write_text(sample.text, "utf-8")
    return count


def generated_set(seed: int, pages: int, kinds: tuple[str, ...] = ()) -> Iterator[Sample]:
    """``pages`` pages of each kind, or of the named ones; the pages of a kind are independent of others."""
    for kind, make in KINDS.items():
        if kinds and not kind.startswith(kinds):
            continue
        for number in range(1, pages + 1):
            key = f"{seed} {kind} {number}"
            yield make(kind, f"{number:02d}", Texts(random.Random(key).randrange(2**32)), random.Random(key))


def aged(
    kind: str, name: str, sheet: Sheet, condition: str, dpi: int, seed: int, quarter_turns: int = 0
) -> Sample:
    """A sheet as a scan, rotated clockwise by ``quarter_turns``."""
    scan = CONDITIONS[condition](sheet.image(dpi), dpi, np.random.default_rng(seed))
    text = sheet.text + (f"{scan.added}\n" if scan.added else "")
    if quarter_turns:
        turns = (Image.Transpose.ROTATE_270, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_90)
        across, down = scan.dpi
        turned = scan.image.transpose(turns[quarter_turns - 1])
        scan = Scan(turned, (down, across) if quarter_turns % 2 else (across, down), scan.added)
    return Sample(kind, name, scan, text)


def fitting(text: str, set_: Callable[[str], Sheet]) -> Sheet:
    """The sheet with as much of the text as fits; blocks before the footer are removed one by one."""
    blocks = text.split("\n\n")
    while True:
        try:
            return set_("\n\n".join(blocks))
        except DoesNotFit:
            del blocks[-2 if blocks[-1].startswith("@ ") else -1]


_Make = Callable[[str, str, Texts, random.Random], Sample]


def _single(condition: str, dpi: tuple[int, ...], quarter_turns: int = 0) -> _Make:
    """A letter or a pleading in one column."""

    def make(kind: str, name: str, texts: Texts, chance: random.Random) -> Sample:
        type_ = Type(chance.choice((*PRINT_FONTS, *TYPED_FONTS)), chance.choice((10.0, 11.0, 12.0)))
        if chance.random() < 0.25:
            sheet = fitting(texts.pleading(), lambda text: layouts.pleading(text, Type(type_.font, 12.0)))
        else:
            sheet = fitting(texts.letter(), lambda text: layouts.prose(text, type_))
        return aged(kind, name, sheet, condition, chance.choice(dpi), chance.randrange(2**32), quarter_turns)

    return make


def _columns(count: int) -> _Make:
    def make(kind: str, name: str, texts: Texts, chance: random.Random) -> Sample:
        type_ = Type(chance.choice(PRINT_FONTS), chance.choice((8.5, 9.0, 9.5)))
        gutter = chance.choice((14.0, 18.0, 24.0))
        sheet = fitting(texts.newsletter(), lambda text: layouts.columns(text, type_, count, gutter))
        return aged(kind, name, sheet, "ordinary", chance.choice((200, 300)), chance.randrange(2**32))

    return make


def _form(dpi: int) -> _Make:
    def make(kind: str, name: str, texts: Texts, chance: random.Random) -> Sample:
        type_ = Type(chance.choice(("arial", "helvetica", "times")), chance.choice((9.0, 10.0, 11.0)))
        sheet = fitting(texts.form(), lambda text: layouts.form(text, type_))
        return aged(kind, name, sheet, "ordinary", dpi, chance.randrange(2**32))

    return make


def _testimony(kind: str, name: str, texts: Texts, chance: random.Random) -> Sample:
    type_ = Type(chance.choice(TYPED_FONTS), 11.0)
    sheet = fitting(texts.testimony(), lambda text: layouts.transcript(text, type_))
    return aged(kind, name, sheet, "ordinary", chance.choice((200, 300)), chance.randrange(2**32))


def _table(kind: str, name: str, texts: Texts, chance: random.Random) -> Sample:
    type_ = Type(chance.choice(PRINT_FONTS), 9.5)
    sheet = fitting(texts.table(), lambda text: layouts.prose(text, type_, margin=50))
    return aged(kind, name, sheet, "ordinary", chance.choice((200, 300)), chance.randrange(2**32))


def _landscape(kind: str, name: str, texts: Texts, chance: random.Random) -> Sample:
    type_, size = Type(chance.choice(("times", "arial", "palatino")), 9.5), (792.0, 612.0)
    text = chance.choice((texts.ledger, texts.letter))()
    sheet = fitting(text, lambda text: layouts.prose(text, type_, size, margin=50))
    return aged(kind, name, sheet, "ordinary", chance.choice((200, 300)), chance.randrange(2**32))


def _two_up(kind: str, name: str, texts: Texts, chance: random.Random) -> Sample:
    is_testimony = chance.random() < 0.5
    type_ = Type("courier", 11.0) if is_testimony else Type(chance.choice(PRINT_FONTS), 12.0)
    set_ = layouts.transcript if is_testimony else layouts.prose
    halves = []
    for _ in range(2):
        blocks = (texts.testimony() if is_testimony else texts.letter()).split("\n\n")
        while True:
            try:
                set_("\n\n".join(blocks), type_)
                break
            except DoesNotFit:
                del blocks[-2]
        halves.append("\n\n".join(blocks))
    sheet = layouts.two_up(halves, type_, set_)
    return aged(kind, name, sheet, "ordinary", 300, chance.randrange(2**32))


KINDS: dict[str, _Make] = {
    "clean": _single("clean", (300,)),
    "ordinary": _single("ordinary", (200, 300)),
    **{f"degraded/{name}": _single(name, (200, 300)) for name in DEGRADED},
    "degraded/150dpi": _single("ordinary", (150,)),
    "columns/two": _columns(2),
    "columns/three": _columns(3),
    "forms/100dpi": _form(100),
    "forms/200dpi": _form(200),
    "testimony": _testimony,
    "tables": _table,
    "landscape": _landscape,
    "two-up": _two_up,
    "turned/90": _single("ordinary", (200, 300), 1),
    "turned/180": _single("ordinary", (200, 300), 2),
    "turned/270": _single("ordinary", (200, 300), 3),
}
