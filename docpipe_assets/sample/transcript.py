"""Typesets a deposition like a court reporter: 25 numbered lines per page, questions and answers."""

import io
import textwrap
from collections.abc import Iterator
from typing import Any

from reportlab.lib.pagesizes import LETTER
from reportlab.pdfgen.canvas import Canvas

from docpipe_assets.sample.people import CASE_NUMBER, COUNSEL, COURT_LINES
from docpipe_assets.sample.typeset import stamp

PAGE_WIDTH, PAGE_HEIGHT = LETTER
LINES_PER_PAGE = 25
LINE_WIDTH_CHARACTERS = 56
_LEADING = 25.0
_TOP = PAGE_HEIGHT - 84.0
_LEFT = 108.0


def typeset_transcript(text: str, witness: str, taken_on: str, reporter: str, first_bates: int) -> bytes:
    """The transcript as a PDF: cover, appearances, the examination and the reporter's certificate."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=LETTER, invariant=1, pageCompression=1)
    canvas.setTitle(f"Deposition of {witness}")
    examination = list(_numbered_lines(text))
    pages = [_cover(witness, taken_on, reporter), _appearances(witness)]
    opening = [
        f"{witness.upper()},",
        "having been first duly sworn, testified as follows:",
        "",
        "EXAMINATION",
    ]
    examination = [
        line.center(LINE_WIDTH_CHARACTERS) if line == "EXAMINATION" else line for line in examination
    ]
    opening[3] = opening[3].center(LINE_WIDTH_CHARACTERS)
    lines = opening + examination
    pages.extend(lines[at : at + LINES_PER_PAGE] for at in range(0, len(lines), LINES_PER_PAGE))
    pages.append(_certificate(witness, taken_on, reporter))
    for index, page in enumerate(pages):
        _draw_page(canvas, page, index + 1, witness, reporter)
        stamp(canvas, first_bates + index)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _numbered_lines(text: str) -> Iterator[str]:
    """Questions and answers with the hanging marks of a transcript, wrapped to its width."""
    for paragraph in text.strip().split("\n\n"):
        spoken = " ".join(paragraph.split())
        if spoken[:3] in ("Q. ", "A. "):
            first, rest = f"     {spoken[0]}.   ", ""
            spoken = spoken[3:]
        elif spoken.startswith(("BY ", "EXAMINATION")):
            first, rest = "", ""
        else:
            first, rest = " " * 10, ""
        yield from textwrap.wrap(
            spoken,
            LINE_WIDTH_CHARACTERS,
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=False,
        )


def _cover(witness: str, taken_on: str, reporter: str) -> list[str]:
    centered = [line.center(LINE_WIDTH_CHARACTERS) for line in COURT_LINES]
    title = [
        "VIDEOTAPED DEPOSITION UPON ORAL EXAMINATION OF".center(LINE_WIDTH_CHARACTERS),
        witness.upper().center(LINE_WIDTH_CHARACTERS),
        "",
        taken_on.center(LINE_WIDTH_CHARACTERS),
        "77 Grain Exchange Place, Port Alden, Oregon".center(LINE_WIDTH_CHARACTERS),
        "",
        f"Reported by: {reporter}",
    ]
    caption = [
        "",
        "MARISOL T. QUINTRELL and            )",
        "CALDERA COLD STORAGE, LLC,          )",
        "                   Plaintiffs,      )",
        "          v.                        ) Case No.",
        f"HARBOR POINT LOGISTICS, LLC;        ) {CASE_NUMBER}",
        "BRANNOCK FLEET SERVICES, INC.;      )",
        "and DENNIS R. LUNDQUIST,            )",
        "                   Defendants.      )",
        "",
        "",
    ]
    return centered + caption + title


def _appearances(witness: str) -> list[str]:
    lines = ["A P P E A R A N C E S".center(LINE_WIDTH_CHARACTERS), ""]
    for key in ("castellane", "dunmore", "ashcombe"):
        counsel = COUNSEL[key]
        lines.extend(textwrap.wrap(f"For {counsel.clients}:", LINE_WIDTH_CHARACTERS))
        lines.append(f"     {counsel.attorneys[0][0]}")
        lines.append(f"     {counsel.firm}")
        lines.append(f"     {counsel.phone}")
        lines.append("")
    lines.append(f"Also present: {witness}; Basil T. Orme, videographer")
    return lines


def _certificate(witness: str, taken_on: str, reporter: str) -> list[str]:
    wording = (
        f"I, {reporter}, a certified court reporter, certify that {witness} was duly sworn by me on "
        f"{taken_on}; "
        "that I took down the testimony in shorthand and that the foregoing pages are a true record of it; "
        "that "
        "reading and signing was requested; and that I am neither counsel for nor related to any party and "
        "have "
        "no interest in the outcome of this action."
    )
    body = textwrap.wrap(wording, LINE_WIDTH_CHARACTERS, initial_indent=" " * 5)
    heading = "C E R T I F I C A T E".center(LINE_WIDTH_CHARACTERS)
    return [heading, "", *body, "", f"s/ {reporter.split(',')[0]}", "Dated April 22, 2025"]


def _draw_page(canvas: Any, lines: list[str], number: int, witness: str, reporter: str) -> None:
    if len(lines) > LINES_PER_PAGE:
        raise ValueError(
            f"transcript of {witness}, page {number}: {len(lines)} lines, room for {LINES_PER_PAGE}"
        )
    bottom = _TOP - LINES_PER_PAGE * _LEADING
    canvas.setLineWidth(0.7)
    canvas.rect(_LEFT - 14, bottom - 2, PAGE_WIDTH - _LEFT - 32, LINES_PER_PAGE * _LEADING + 16)
    canvas.setFont("Courier", 11)
    canvas.drawString(_LEFT, PAGE_HEIGHT - 52, f"{witness}")
    canvas.drawRightString(PAGE_WIDTH - 60, PAGE_HEIGHT - 52, f"Page {number}")
    for index in range(LINES_PER_PAGE):
        baseline = _TOP - index * _LEADING - 8
        canvas.drawRightString(_LEFT - 22, baseline, str(index + 1))
        if index < len(lines) and lines[index].strip():
            canvas.drawString(_LEFT, baseline, lines[index].rstrip())
    canvas.setFont("Helvetica", 8)
    canvas.drawString(_LEFT, 34, f"{reporter}  |  Tideflat Reporting, (360) 555-0188")
