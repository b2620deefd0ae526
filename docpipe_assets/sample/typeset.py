"""Typesets a marked-up text as born-digital PDF pages: pleading paper, business paper, forms and e-mail
prints.

Every page gets its Bates label at the bottom right. The output depends on the arguments alone.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import LETTER, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Frame,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from docpipe_assets.sample.markup import Block, inline, parse
from docpipe_assets.sample.people import (
    BATES_PREFIX,
    CASE_NUMBER,
    COUNSEL,
    COURT_LINES,
    DEFENDANTS,
    JUDGE,
    PLAINTIFFS,
)

PAGE_WIDTH, PAGE_HEIGHT = LETTER
TURNED_MARGIN = 50.0
PLEADING_LINES = 25
PLEADING_LEADING = 24.0
PLEADING_TOP = PAGE_HEIGHT - 54.0
PLEADING_LEFT = 104.0
PLEADING_RIGHT = PAGE_WIDTH - 42.0


@dataclass(frozen=True)
class Layout:
    """The paper and type of a kind of document; sizes are in points."""

    font: str
    size: float
    leading: float
    is_pleading: bool = False
    space_after: float = 7.0
    first_line_indent: float = 0.0
    margin: float = 72.0

    @property
    def bold_font(self) -> str:
        return "Times-Bold" if self.font == "Times-Roman" else f"{self.font}-Bold"


LAYOUTS = {
    "pleading": Layout(
        "Times-Roman", 12, PLEADING_LEADING, is_pleading=True, space_after=0, first_line_indent=36
    ),
    "letter": Layout("Times-Roman", 11.5, 15),
    "business": Layout("Helvetica", 10, 14),
    "form": Layout("Helvetica", 9.5, 12.5, margin=50),
    "typewriter": Layout("Courier", 10.5, 14),
}


def bates_label(number: int) -> str:
    return f"{BATES_PREFIX} {number:06d}"


def stamp(canvas: Any, number: int, page_width: float = PAGE_WIDTH) -> None:
    """Put the Bates label where the trade puts it, at the bottom right."""
    canvas.setFont("Helvetica-Bold", 9)
    canvas.drawRightString(page_width - 30, 20, bates_label(number))


def typeset(text: str, layout_name: str, title: str, firm: str, first_bates: int) -> bytes:
    """The text as a PDF; `title` and `firm` are in the footer, `firm` as a key of COUNSEL or free text."""
    layout = LAYOUTS[layout_name]
    buffer = io.BytesIO()
    document = BaseDocTemplate(
        buffer, pagesize=LETTER, invariant=1, title=title, author="", pageCompression=1
    )
    width, height = landscape(LETTER)
    if layout.is_pleading:
        upright = Frame(
            PLEADING_LEFT,
            PLEADING_TOP - PLEADING_LINES * PLEADING_LEADING - 1,
            PLEADING_RIGHT - PLEADING_LEFT,
            PLEADING_LINES * PLEADING_LEADING + 1,
            **_NO_PADDING,
        )
    else:
        margin = layout.margin
        upright = Frame(margin, 60, PAGE_WIDTH - 2 * margin, PAGE_HEIGHT - 60 - margin, **_NO_PADDING)
    turned = Frame(TURNED_MARGIN, 60, width - 2 * TURNED_MARGIN, height - 110, **_NO_PADDING)

    def decorate(canvas: Any, _: Any, page_width: float = PAGE_WIDTH) -> None:
        if layout.is_pleading:
            _draw_pleading_paper(canvas, title, firm)
        else:
            canvas.setFont("Helvetica", 8)
            canvas.drawString(layout.margin, 34, f"{title}  |  page {canvas.getPageNumber()}")
        stamp(canvas, first_bates + canvas.getPageNumber() - 1, page_width)

    document.addPageTemplates(
        [
            PageTemplate("upright", [upright], onPage=decorate, pagesize=LETTER),
            PageTemplate(
                "landscape", [turned], onPage=partial(decorate, page_width=width), pagesize=landscape(LETTER)
            ),
        ]
    )
    document.build(list(_flowables(text, layout)))
    return buffer.getvalue()


_NO_PADDING = {"leftPadding": 0, "rightPadding": 0, "topPadding": 0, "bottomPadding": 0}


def _draw_pleading_paper(canvas: Any, title: str, firm: str) -> None:
    counsel = COUNSEL[firm]
    bottom = PLEADING_TOP - PLEADING_LINES * PLEADING_LEADING
    canvas.setLineWidth(0.6)
    for x in (PLEADING_LEFT - 12, PLEADING_LEFT - 9, PLEADING_RIGHT + 10):
        canvas.line(x, 30, x, PAGE_HEIGHT - 24)
    canvas.setFont("Times-Roman", 12)
    for line in range(PLEADING_LINES):
        # The offset is the one the typesetter leaves between the top of a line and its baseline.
        canvas.drawRightString(PLEADING_LEFT - 20, PLEADING_TOP - line * PLEADING_LEADING - 12, str(line + 1))
    canvas.setFont("Times-Roman", 8.5)
    canvas.drawString(PLEADING_LEFT, bottom - 24, f"{title.upper()} - {canvas.getPageNumber()}")
    canvas.drawString(PLEADING_LEFT, bottom - 35, f"Case No. {CASE_NUMBER}")
    firm_lines = (counsel.firm.upper(), *counsel.address_lines, counsel.phone)
    for index, firm_line in enumerate(firm_lines):
        canvas.drawRightString(PLEADING_RIGHT, bottom - 24 - 10 * index, firm_line)


def _flowables(text: str, layout: Layout) -> Iterator[Any]:
    upright_width = PLEADING_RIGHT - PLEADING_LEFT if layout.is_pleading else PAGE_WIDTH - 2 * layout.margin
    frame_width = upright_width
    for block in parse(text):
        if block == Block("instruction", ("landscape",)):
            frame_width = PAGE_HEIGHT - 2 * TURNED_MARGIN
        elif block == Block("instruction", ("upright",)):
            frame_width = upright_width
        for flowable in _block_flowables(block, layout, frame_width):
            yield flowable
            # On pleading paper every block ends on a numbered line, or the text would drift from the numbers.
            if layout.is_pleading and isinstance(flowable, Paragraph | Table):
                height = flowable.wrap(frame_width, 10_000)[1]
                odd_points = height % PLEADING_LEADING
                if 0.01 < odd_points < PLEADING_LEADING - 0.01:
                    yield Spacer(0, PLEADING_LEADING - odd_points)


def _block_flowables(block: Block, layout: Layout, width: float) -> Iterator[Any]:
    if block.kind == "instruction":
        yield from _instruction_flowables(block, layout, width)
    elif block.kind == "heading":
        yield CondPageBreak(4 * layout.leading)
        yield Paragraph(f"<b>{inline(block.text)}</b>", _style(layout, alignment=TA_CENTER))
    elif block.kind == "subheading":
        yield CondPageBreak(3 * layout.leading)
        yield Paragraph(f"<b>{inline(block.text)}</b>", _style(layout))
    elif block.kind == "lines":
        yield Paragraph("<br/>".join(inline(line) for line in block.lines), _single_spaced(layout))
    elif block.kind == "quotation":
        yield Paragraph(inline(block.text), _single_spaced(layout, leftIndent=36, rightIndent=30))
    elif block.kind == "item":
        for line in block.lines:
            style = _single_spaced(
                layout, leftIndent=24, bulletIndent=10, spaceAfter=min(3, layout.space_after)
            )
            yield Paragraph(inline(line), style, bulletText="\u2022")
        yield Spacer(0, layout.space_after)
    elif block.kind == "table":
        yield _ruled_table(block.rows, layout, width)
        yield Spacer(0, layout.space_after)
    elif block.kind == "form":
        for row in block.rows:
            yield _form_row(row, layout, width)
        yield Spacer(0, layout.space_after)
    else:
        yield Paragraph(inline(block.text), _style(layout, firstLineIndent=layout.first_line_indent))


def _instruction_flowables(block: Block, layout: Layout, width: float) -> Iterator[Any]:
    name, _, argument = block.text.partition(" ")
    if name == "caption":
        yield from _caption(argument, layout, width)
    elif name == "title":
        large = _style(layout, alignment=TA_CENTER, fontSize=layout.size + 3, leading=layout.leading + 4)
        yield Paragraph(f"<b>{inline(argument)}</b>", large)
    elif name == "center":
        yield Paragraph(inline(argument), _style(layout, alignment=TA_CENTER))
    elif name == "page":
        yield PageBreak()
    elif name in ("landscape", "upright"):
        yield NextPageTemplate(name)
        yield PageBreak()
    elif name == "sign":
        firm, _, dated = argument.partition(" ")
        lines = COUNSEL[firm].block_lines(dated)
        style = _single_spaced(layout, leftIndent=width * 0.42)
        yield CondPageBreak(len(lines) * style.leading + layout.leading)
        yield Paragraph("<br/>".join(inline(line) for line in lines), style)
        yield Spacer(0, layout.leading)
    else:
        raise ValueError(
            f"sample text: unknown instruction @{name}; see markup.py and _instruction_flowables"
        )


def _caption(title: str, layout: Layout, width: float) -> Iterator[Any]:
    """Court, parties and docket number as local rules require: parties left of the rule, title right."""
    small = ParagraphStyle("caption", fontName=layout.font, fontSize=12, leading=12)
    yield Paragraph(inline(JUDGE), ParagraphStyle("judge", parent=small, alignment=2, leading=24))
    court = "<br/>".join(COURT_LINES)
    yield Paragraph(
        court, ParagraphStyle("court", parent=small, alignment=TA_CENTER, leading=14, spaceAfter=0)
    )
    left = [
        Paragraph(inline(PLAINTIFFS), small),
        Paragraph("<br/>Plaintiffs,", ParagraphStyle("role", parent=small, leftIndent=110)),
        Paragraph("<br/>v.<br/><br/>", ParagraphStyle("versus", parent=small, leftIndent=48)),
        Paragraph(inline(DEFENDANTS), small),
        Paragraph("<br/>Defendants.<br/>&nbsp;", ParagraphStyle("role", parent=small, leftIndent=110)),
    ]
    right = [
        Paragraph(f"Case No. {CASE_NUMBER}<br/>&nbsp;", small),
        Paragraph(f"<b>{inline(title)}</b>", small),
    ]
    table = Table([[left, right]], colWidths=[width * 0.54, width * 0.46])
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (0, 0), "TOP"),
                ("VALIGN", (1, 0), (1, 0), "MIDDLE"),
                ("LINEAFTER", (0, 0), (0, 0), 0.8, colors.black),
                ("LINEBELOW", (0, 0), (0, 0), 0.8, colors.black),
                ("LEFTPADDING", (0, 0), (0, 0), 0),
                ("LEFTPADDING", (1, 0), (1, 0), 14),
            ]
        )
    )
    yield table


def _ruled_table(rows: list[list[str]], layout: Layout, width: float) -> Any:
    """A table whose first row is the header; column widths follow the longest cells, numbers are
    right-aligned.
    """
    size = min(layout.size, 9.5)
    style = ParagraphStyle("cell", fontName=layout.font, fontSize=size, leading=size + 2.5)
    widths = _column_widths(rows, layout.bold_font, size, width)
    cells = [[Paragraph(inline(f"**{cell}**" if cell else ""), style) for cell in rows[0]]]
    right = ParagraphStyle("number", parent=style, alignment=2)
    for row in rows[1:]:
        cells.append([Paragraph(inline(cell), right if _is_amount(cell) else style) for cell in row])
    table = Table(cells, colWidths=widths, repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
                ("BACKGROUND", (0, 0), (-1, 0), colors.Color(0.9, 0.9, 0.9)),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                ("LEFTPADDING", (0, 0), (-1, -1), 4),
                ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            ]
        )
    )
    return table


def _column_widths(rows: list[list[str]], font: str, size: float, width: float) -> list[float]:
    """Widths with the sum `width`: no column narrower than its longest word, the rest in proportion."""
    padding = 10.0
    longest_words, longest_cells = [], []
    for column in zip(*rows, strict=True):
        words = [word.strip("*") for cell in column for word in cell.split()] or [""]
        longest_words.append(max(stringWidth(word, font, size) for word in words) + padding)
        longest_cells.append(max(stringWidth(cell.strip("*"), font, size) for cell in column) + padding)
    if sum(longest_cells) <= width:
        return [cell * width / sum(longest_cells) for cell in longest_cells]
    share = (width - sum(longest_words)) / (sum(longest_cells) - sum(longest_words))
    return [word + (cell - word) * share for word, cell in zip(longest_words, longest_cells, strict=True)]


def _is_amount(cell: str) -> bool:
    return cell.lstrip("-(").startswith("$")


def _form_row(cells: list[str], layout: Layout, width: float) -> Any:
    """A row of boxes, each `Label: value` with the label small above the value."""
    label = ParagraphStyle("label", fontName=layout.font, fontSize=6.5, leading=8)
    value = ParagraphStyle("value", fontName="Courier", fontSize=9.5, leading=11)
    boxes = []
    for cell in cells:
        name, _, content = cell.partition(": ")
        boxes.append([Paragraph(inline(name.upper()), label), Paragraph(inline(content) or "&nbsp;", value)])
    lengths = [max(len(cell), 12) for cell in cells]
    table = Table([boxes], colWidths=[width * length / sum(lengths) for length in lengths])
    table.setStyle(
        TableStyle(
            [
                ("BOX", (0, 0), (-1, -1), 0.5, colors.black),
                ("INNERGRID", (0, 0), (-1, -1), 0.5, colors.black),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("TOPPADDING", (0, 0), (-1, -1), 1),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                ("LEFTPADDING", (0, 0), (-1, -1), 3),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
            ]
        )
    )
    return table


def _style(layout: Layout, **changes: Any) -> Any:
    settings: dict[str, Any] = {
        "fontName": layout.font,
        "fontSize": layout.size,
        "leading": layout.leading,
        "spaceAfter": layout.space_after,
        "allowWidows": 1,
        "allowOrphans": 1,
    }
    return ParagraphStyle("text", **(settings | changes))


def _single_spaced(layout: Layout, **changes: Any) -> Any:
    """Signature blocks, quotations and lists are single-spaced even on double-spaced paper."""
    return _style(
        layout, **({"leading": PLEADING_LEADING / 2 if layout.is_pleading else layout.leading} | changes)
    )
