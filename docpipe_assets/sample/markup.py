"""The light markup of the sample texts: a stream of typed blocks for the typesetter.

A text consists of blocks separated by blank lines. The first character of a block determines its type: `@name
argument` is an instruction, `#` and `##` are headings, `~` keeps its line breaks, `>` is a quotation, `-` an
item, `|` a table row and `!` a row of form boxes. Anything else is a paragraph. `*text*` is italic and
`**text**` bold.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Literal

Kind = Literal[
    "instruction", "heading", "subheading", "lines", "quotation", "item", "table", "form", "paragraph"
]

_KIND_OF_MARK: dict[str, Kind] = {
    "@": "instruction",
    "#": "heading",
    "##": "subheading",
    "~": "lines",
    ">": "quotation",
    "-": "item",
    "|": "table",
    "!": "form",
}


@dataclass(frozen=True)
class Block:
    """One block: its kind and its lines without the marker."""

    kind: Kind
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.lines)

    @property
    def rows(self) -> list[list[str]]:
        """The cells of a table or form block, row by row."""
        return [[cell.strip() for cell in line.removesuffix("|").split("|")] for line in self.lines]


def parse(text: str) -> Iterator[Block]:
    """The blocks of a text, in order."""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines = [line.rstrip() for line in paragraph.splitlines()]
        mark = re.match(r"##?(?= )|[@~>|!]|-(?= )", lines[0])
        if mark is None:
            yield Block("paragraph", tuple(lines))
        else:
            kind = _KIND_OF_MARK[mark.group()]
            yield Block(kind, tuple(line.removeprefix(mark.group()).strip() for line in lines))


def inline(text: str) -> str:
    """The text in the typesetter's own tags: escaped, with italic and bold."""
    tagged = escape(text, quote=False)
    tagged = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", tagged)
    return re.sub(r"\*(.+?)\*", r"<i>\1</i>", tagged)
