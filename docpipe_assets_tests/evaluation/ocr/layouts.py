"""Lays out marked-up text on a sheet: letters, pleadings, transcripts, columns, forms, tables.

Blocks are separated by blank lines. ``# `` begins a centered heading; lines that begin with ``> `` keep their
line breaks; ``| a | b |`` is a row of a table; ``! Label: value | Label: value`` is a row of a form; ``@ ``
begins the footer of the page. All other blocks are paragraphs with joined lines.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

from docpipe_assets_tests.evaluation.ocr.sheet import Sheet, width_of, wrapped

LETTER = (612.0, 792.0)
PLEADING_LINES = 28
TRANSCRIPT_LINES = 25


class DoesNotFit(Exception):
    """The text does not fit on the page."""


@dataclass(frozen=True)
class Type:
    font: str
    size: float

    @property
    def leading(self) -> float:
        return self.size * 1.22

    @property
    def bold(self) -> str:
        return {"times": "times-bold", "arial": "arial-bold", "schoolbook": "schoolbook-bold"}.get(
            self.font, self.font
        )


@dataclass(frozen=True)
class Block:
    kind: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.lines)


def parse(text: str) -> list[Block]:
    blocks = []
    marks = {"# ": "heading", "> ": "verbatim", "| ": "table", "! ": "form", "@ ": "foot"}
    for piece in text.strip().split("\n\n"):
        lines = [line.rstrip() for line in piece.strip("\n").splitlines() if line.strip()]
        if not lines:
            continue
        kind = marks.get(lines[0][:2], "paragraph")
        if kind in ("verbatim", "heading", "form", "foot"):
            lines = [line[2:] for line in lines]
        blocks.append(Block(kind, tuple(lines)))
    return blocks


class _Setting(TypedDict, total=False):
    """Font and position of a line in its column."""

    font: str
    indent: float
    is_centred: bool


@dataclass
class _Column:
    """Lines of text from the top to the bottom of a strip of the sheet."""

    sheet: Sheet
    type: Type
    left: float
    top: float
    width: float
    bottom: float

    def __post_init__(self) -> None:
        self.y = self.top

    def has_room(self, lines: float = 1) -> bool:
        return self.y + lines * self.type.leading <= self.bottom

    def put(self, text: str, *, font: str | None = None, indent: float = 0, is_centred: bool = False) -> None:
        if not self.has_room():
            raise DoesNotFit(text)
        font = font or self.type.font
        x = self.left + indent
        if is_centred:
            x = self.left + (self.width - width_of(text, font, self.type.size)) / 2
        self.y += self.type.leading
        self.sheet.line(x, self.y - 0.3 * self.type.size, text, font, self.type.size)

    def skip(self, lines: float) -> None:
        self.y += lines * self.type.leading


def prose(
    text: str,
    type_: Type,
    size: tuple[float, float] = LETTER,
    margin: float = 72,
    *,
    gap: float = 0.6,
    indent: float = 0,
) -> Sheet:
    """One column of paragraphs, headings, verbatim lines and tables.

    ``gap`` is the white space between blocks in lines, ``indent`` that before a first line in points.
    """
    sheet = Sheet(*size)
    column = _Column(sheet, type_, margin, margin * 0.8, size[0] - 2 * margin, size[1] - margin * 0.9)
    for block in parse(text):
        sheet.begin()
        if block.kind == "table":
            _table(column, block.lines)
        elif block.kind == "foot":
            _foot(sheet, block, type_)
        else:
            for line, options in _lines_of(block, type_, column.width, indent):
                column.put(line, **options)
        column.skip(gap)
    return sheet


def columns(text: str, type_: Type, count: int, gutter: float = 22, margin: float = 54) -> Sheet:
    """A heading across the page if the text begins with one, then the rest in columns side by side."""
    sheet = Sheet(*LETTER)
    blocks = parse(text)
    top = margin
    if blocks and blocks[0].kind == "heading":
        large = Type(type_.bold, type_.size * 1.7)
        head = _Column(sheet, large, margin, margin * 0.7, LETTER[0] - 2 * margin, 300)
        sheet.begin()
        for line in blocks.pop(0).lines:
            head.put(line, is_centred=True)
        top = head.y + 14
    feet = [block for block in blocks if block.kind == "foot"]
    blocks = [block for block in blocks if block.kind != "foot"]
    width = (LETTER[0] - 2 * margin - (count - 1) * gutter) / count
    strips = iter(
        _Column(sheet, type_, margin + n * (width + gutter), top, width, LETTER[1] - margin)
        for n in range(count)
    )
    # Balanced columns, as in a newspaper, instead of a full column next to an empty one.
    height = (
        sum(sum(1 for _ in _lines_of(block, type_, width)) + 0.6 for block in blocks) * type_.leading / count
    )
    column = next(strips)
    column.bottom = min(column.bottom, top + height + 2 * type_.leading)
    bottom = column.bottom
    for block in blocks:
        sheet.begin()
        for line, options in _lines_of(block, type_, width):
            if not column.has_room():
                following = next(strips, None)
                if following is None:
                    raise DoesNotFit(line)
                column = following
                column.bottom = bottom
            column.put(line, **options)
        column.skip(0.6)
    for block in feet:
        sheet.begin()
        _foot(sheet, block, type_)
    return sheet


def pleading(text: str, type_: Type) -> Sheet:
    """Numbered lines, 28 to the page, double-spaced, between vertical rules."""
    return _numbered(text, type_, PLEADING_LINES, 24.0, LETTER)


def transcript(text: str, type_: Type, size: tuple[float, float] = LETTER) -> Sheet:
    """A page of testimony: 25 numbered lines, questions and answers with hanging marks."""
    return _numbered(text, type_, TRANSCRIPT_LINES, 25.5, size)


def _numbered(text: str, type_: Type, count: int, leading: float, size: tuple[float, float]) -> Sheet:
    sheet = Sheet(*size)
    left, top = 110.0, 62.0
    width = size[0] - left - 60
    lines: list[str] = []
    feet = []
    for block in parse(text):
        if block.kind == "foot":
            feet.append(block)
            continue
        sheet.paragraphs.append(len(lines))
        lines += [line for line, _ in _lines_of(block, type_, width)]
    if len(lines) > count:
        raise DoesNotFit(lines[count])
    sheet.rules.append((left - 12, 40, left - 12, size[1] - 40))
    for n, line in enumerate(lines, start=1):
        y = top + n * leading
        number = str(n)
        sheet.write(left - 24 - width_of(number, type_.font, type_.size), y, number, type_.font, type_.size)
        sheet.line(left, y, line, type_.font, type_.size)
        sheet.lines[-1] = f"{number} {line}"
    for block in feet:
        sheet.begin()
        _foot(sheet, block, type_)
    return sheet


def form(text: str, type_: Type) -> Sheet:
    """Boxes with a small label above each value."""
    sheet = Sheet(*LETTER)
    label = Type(type_.font, max(7.0, type_.size * 0.75))
    left, right, y = 40.0, LETTER[0] - 40.0, 40.0
    for block in parse(text):
        if block.kind == "heading":
            for line in block.lines:
                width = width_of(line, type_.bold, type_.size * 1.3)
                sheet.line((LETTER[0] - width) / 2, y + 14, line, type_.bold, type_.size * 1.3)
                y += 20
        elif block.kind == "form":
            for row in block.lines:
                y = _form_row(sheet, row, (label, type_), left, right, y)
            y += 6
        else:
            for line, _ in _lines_of(block, type_, right - left):
                y += type_.leading
                sheet.line(left, y, line, type_.font, type_.size)
            y += 10
        if y > LETTER[1] - 40:
            raise DoesNotFit(block.text)
    return sheet


def _form_row(
    sheet: Sheet, row: str, types: tuple[Type, Type], left: float, right: float, top: float
) -> float:
    """Draws the boxes of a row; returns where the next row begins."""
    label, value = types
    cells = [cell.strip().partition(": ") for cell in row.split(" | ")]
    weights = [
        max(width_of(name, label.font, label.size), width_of(value_text, "courier", value.size)) + 8
        for name, _, value_text in cells
    ]
    if sum(weights) > right - left:
        raise DoesNotFit(row)
    bottom = top + label.leading + value.leading + 5
    x = left
    for (name, _, value_text), weight in zip(cells, weights, strict=True):
        width = weight * (right - left) / sum(weights)
        sheet.box(x, top, x + width, bottom)
        sheet.line(x + 3, top + label.leading, name, label.font, label.size)
        if value_text:
            sheet.line(x + 3, top + label.leading + value.leading, value_text, "courier", value.size)
        x += width
    return bottom


def two_up(texts: Sequence[str], type_: Type, kind: Callable[[str, Type], Sheet]) -> Sheet:
    """Two pages side by side on a landscape sheet, as they are printed to save paper."""
    sheet = Sheet(LETTER[1], LETTER[0])
    share = sheet.width / 2 / LETTER[0]
    for n, text in enumerate(texts):
        page = kind(text, type_)
        shift = n * sheet.width / 2
        for run in page.runs:
            sheet.write(run.x * share + shift, run.y * share + 40, run.text, run.font, run.size * share)
        sheet.rules += [
            (x0 * share + shift, y0 * share + 40, x1 * share + shift, y1 * share + 40)
            for x0, y0, x1, y1 in page.rules
        ]
        sheet.paragraphs += [len(sheet.lines) + begin for begin in page.paragraphs]
        sheet.lines += page.lines
    return sheet


def _lines_of(block: Block, type_: Type, width: float, indent: float = 0) -> Iterator[tuple[str, _Setting]]:
    """The lines of a block, and the font and position of each."""
    if block.kind == "verbatim":
        for line in block.lines:
            if width_of(line, type_.font, type_.size) > width:
                raise DoesNotFit(line)
            yield line, {}
    elif block.kind == "heading":
        for text in block.lines:
            for line in wrapped(text, width, type_.bold, type_.size):
                yield line, {"font": type_.bold, "is_centred": True}
    else:
        first, *_ = wrapped(block.text, width - indent, type_.font, type_.size)
        yield first, {"indent": indent}
        for line in wrapped(block.text[len(first) :], width, type_.font, type_.size):
            yield line, {}


def _table(column: _Column, rows: Sequence[str]) -> None:
    """Each row is a line of the text with its cells in order; each cell has the width of its column."""
    cells = [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in rows]
    size, font = column.type.size, column.type.font
    widths = [max(width_of(cell, font, size) for cell in of) + 10 for of in zip(*cells, strict=True)]
    if sum(widths) > column.width:
        raise DoesNotFit(rows[0])
    spare = (column.width - sum(widths)) / len(widths)
    widths = [width + spare for width in widths]
    sheet, top = column.sheet, column.y
    for row in cells:
        if not column.has_room(1.3):
            raise DoesNotFit(row[0])
        column.y += 1.3 * column.type.leading
        x = column.left
        for cell, width in zip(row, widths, strict=True):
            is_amount = cell[:1] in "$-(" or cell.replace(",", "").replace(".", "").isdigit()
            shift = width - 6 - width_of(cell, font, size) if is_amount else 4
            sheet.write(x + shift, column.y - 0.45 * size, cell, font, size)
            x += width
        sheet.lines.append(" ".join(cell for cell in row if cell))
        sheet.rules.append((column.left, column.y, column.left + column.width, column.y))
    sheet.rules.append((column.left, top, column.left + column.width, top))


def _foot(sheet: Sheet, block: Block, type_: Type) -> None:
    size = min(type_.size, 9.0)
    for n, line in enumerate(block.lines):
        x = (sheet.width - width_of(line, type_.font, size)) / 2
        sheet.line(x, sheet.height - 34 + n * size * 1.2, line, type_.font, size)
