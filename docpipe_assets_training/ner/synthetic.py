"""Synthetic litigation text with known names, for training: templates filled with invented names."""

import random
import re
from dataclasses import dataclass
from pathlib import Path

from docpipe_assets_training.ner.invented_names import Filler, Names, WordLists

TEMPLATES = Path(__file__).parent / "templates.txt"
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class LabelledText:
    """A text and its names as (start, end, tag), where tag is P, O or L."""

    text: str
    names: tuple[tuple[int, int, str], ...]


_KINDS_OF_TAG = {
    "P": "person full last first last_first last_initial initial_last",
    "O": "org short_org firm hospital police bank agency acronym union university jail patrol",
    "L": "city state state_code country county road",
}
_TAG_OF_KIND = {kind: tag for tag, kinds in _KINDS_OF_TAG.items() for kind in kinds.split()}


def read_templates(path: Path = TEMPLATES) -> list[str]:
    return [block.strip("\n") for block in path.read_text("utf-8").split("\n----\n")]


def _expand_addresses(template: str, rng: random.Random) -> str:
    forms = (
        "{house} {street}, {city}, {state} {zip}",
        "{house} {street}\n{city}, {state_code} {zip}",
        "{house} {street}, Suite {suite}, {city}, {state_code} {zip}",
        "{house} {street}, Suite {suite}\n{city}, {state} {zip}",
    )
    return re.sub(r"\{address\}", lambda _: rng.choice(forms), template)


def fill(template: str, names: Names, filler: Filler, rng: random.Random) -> LabelledText:
    """Fill the slots of a template; an upper-case slot gets an upper-case value."""
    template = _expand_addresses(template, rng)
    parts: list[str] = []
    spans: list[tuple[int, int, str]] = []
    length = last = 0
    for match in _SLOT.finditer(template):
        before, slot = template[last : match.start()], match.group(1)
        kind = slot.lower()
        tag = _TAG_OF_KIND.get(kind)
        value = names.draw(kind) if tag else filler.draw(kind)
        value = value.upper() if slot.isupper() else value
        parts += [before, value]
        start = length + len(before)
        length = start + len(value)
        if tag:
            spans.append((start, length, tag))
        last = match.end()
    parts.append(template[last:])
    return LabelledText("".join(parts), tuple(spans))


def documents(lists: WordLists, count: int, seed: int) -> list[LabelledText]:
    """Synthetic documents of a few concatenated templates each; one in ten is entirely upper-case."""
    rng = random.Random(seed)
    names, filler, templates = Names(lists, rng), Filler(rng), read_templates()
    made: list[LabelledText] = []
    for _ in range(count):
        names.begin_document()
        text, spans = "", list[tuple[int, int, str]]()
        for template in rng.choices(templates, k=rng.randint(1, 6)):
            block = fill(template, names, filler, rng)
            gap = rng.choice(("\n\n", "\n\n", "\n", " ")) if text else ""
            spans += [(s + len(text) + len(gap), e + len(text) + len(gap), tag) for s, e, tag in block.names]
            text += gap + block.text
        if rng.random() < 0.1 and len(text.upper()) == len(text):
            text = text.upper()
        made.append(LabelledText(text, tuple(spans)))
    return made
