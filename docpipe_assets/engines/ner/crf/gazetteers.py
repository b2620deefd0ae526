"""Word lists with the classes of words: first name, surname, town, company suffix."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import zstandard

FILE_NAME = "gazetteer.txt.zst"


@dataclass(frozen=True)
class Gazetteer:
    """Classes of single words, and places of two to four words.

    All keys are lower-case. ``phrases`` maps the first word of a place to the remaining words.
    """

    words: dict[str, tuple[str, ...]]
    phrases: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> "Gazetteer":
        """Reads lines of ``class<TAB>name``."""
        words: dict[str, list[str]] = {}
        phrases: dict[str, list[tuple[str, ...]]] = {}
        for line in lines:
            name_class, _, name = line.rstrip("\n").partition("\t")
            first, *rest = name.split()
            if rest:
                phrases.setdefault(first, []).append(tuple(rest))
            else:
                words.setdefault(first, []).append(name_class)
        return cls(
            words={word: tuple(classes) for word, classes in words.items()},
            # Longest first, so that "new york city" wins over "new york".
            phrases={
                first: tuple(sorted(set(rests), key=lambda rest: (-len(rest), rest)))
                for first, rests in phrases.items()
            },
        )

    @classmethod
    def load(cls, folder: Path) -> "Gazetteer":
        packed = (folder / FILE_NAME).read_bytes()
        return cls.from_lines(zstandard.ZstdDecompressor().decompress(packed).decode("utf-8").splitlines())
