"""A sheet of paper with text at exact positions, which are the ground truth."""

from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

PAPER, INK = 255, 12

FONTS = {
    # Debian's fonts-liberation, fonts-urw-base35 and fonts-dejavu-core: metric equivalents or relatives of
    # the fonts of letters, pleadings and forms. Pillow finds them by name in the system's font folders.
    "times": "LiberationSerif-Regular.ttf",
    "times-bold": "LiberationSerif-Bold.ttf",
    "arial": "LiberationSans-Regular.ttf",
    "arial-bold": "LiberationSans-Bold.ttf",
    "narrow": "LiberationSansNarrow-Regular.ttf",
    "courier": "LiberationMono-Regular.ttf",
    "courier-bold": "LiberationMono-Bold.ttf",
    "schoolbook": "C059-Roman.otf",
    "schoolbook-bold": "C059-Bold.otf",
    "palatino": "P052-Roman.otf",
    "bookman": "URWBookman-Light.otf",
    "nimbus-courier": "NimbusMonoPS-Regular.otf",
    "helvetica": "NimbusSans-Regular.otf",
    "dejavu": "DejaVuSerif.ttf",
    "verdana": "DejaVuSans.ttf",
    # Included in Python packages, for tests that must run anywhere.
    "vera": "Vera.ttf",
}


class Run(NamedTuple):
    """A fragment of text; ``x`` is its left edge and ``y`` its baseline, in points from the top left."""

    x: float
    y: float
    text: str
    font: str
    size: float


@dataclass
class Sheet:
    width: float = 612.0
    height: float = 792.0
    runs: list[Run] = field(default_factory=list)
    rules: list[tuple[float, float, float, float]] = field(default_factory=list)
    """From x, y to x, y."""
    lines: list[str] = field(default_factory=list)
    """The text of the sheet in reading order."""
    paragraphs: list[int] = field(default_factory=list)
    """The lines that begin a paragraph or another block."""

    def write(self, x: float, y: float, text: str, font: str, size: float) -> None:
        """Draw without adding a line to the text."""
        self.runs.append(Run(x, y, text, font, size))

    def line(self, x: float, y: float, text: str, font: str, size: float) -> None:
        self.write(x, y, text, font, size)
        self.lines.append(text)

    def begin(self) -> None:
        """The next line begins a paragraph."""
        self.paragraphs.append(len(self.lines))

    def box(self, left: float, top: float, right: float, bottom: float) -> None:
        self.rules += [
            (left, top, right, top),
            (left, bottom, right, bottom),
            (left, top, left, bottom),
            (right, top, right, bottom),
        ]

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    def image(self, dpi: float) -> Image.Image:
        scale = dpi / 72
        page = Image.new("L", (round(self.width * scale), round(self.height * scale)), PAPER)
        draw = ImageDraw.Draw(page)
        for x0, y0, x1, y1 in self.rules:
            thickness = max(1, round(0.6 * scale))
            draw.line((x0 * scale, y0 * scale, x1 * scale, y1 * scale), INK, thickness)
        for run in self.runs:
            place = (run.x * scale, run.y * scale)
            draw.text(place, run.text, INK, font_of(run.font, run.size * scale), anchor="ls")
        return page


@cache
def font_of(name: str, size: float) -> ImageFont.FreeTypeFont:
    """Raises OSError if the font is not installed."""
    if name == "vera":
        from reportlab import rl_config

        folder = next(f for f in rl_config.TTFSearchPath if f.endswith("/reportlab/fonts"))
        return ImageFont.truetype(f"{folder}/{FONTS[name]}", size)
    return ImageFont.truetype(FONTS[name], size, layout_engine=ImageFont.Layout.BASIC)


def path_of(name: str) -> str:
    """The file of a font. Raises OSError if it is not installed."""
    return str(font_of(name, 100.0).path)


def width_of(text: str, font: str, size: float) -> float:
    """In points; measured at a large size, so that it is the same at every resolution."""
    return font_of(font, 100.0).getlength(text) * size / 100


def wrapped(text: str, width: float, font: str, size: float) -> list[str]:
    """The lines of a paragraph in a column; words are never broken."""
    lines, current = [], ""
    for word in text.split():
        longer = f"{current} {word}".strip()
        if current and width_of(longer, font, size) > width:
            lines.append(current)
            current = word
        else:
            current = longer
    return [*lines, current] if current else lines
