"""A kind of hostile file: its name, description, generator, and acceptable outcomes."""

from collections.abc import Callable
from dataclasses import dataclass

TEXT = "TEXT"
"""Every page was read, and there is text."""
BLANK = "BLANK"
"""Every page was read, and none has text."""
PARTIAL = "PARTIAL"
"""There is text, or there are blank pages, and the pages that could not be read are listed."""

Make = Callable[[], bytes]


@dataclass(frozen=True)
class Kind:
    """``outcomes`` are TEXT, BLANK, PARTIAL or the full codes of errors."""

    name: str
    what: str
    outcomes: frozenset[str]
    make: Make
    shows: str = ""
    """Text that must be found if the outcome is TEXT or PARTIAL."""
    is_slow: bool = False
    """Exhausts one CPU budget after the other."""

    @property
    def file_name(self) -> str:
        return f"{self.name}.pdf"


class Collection:
    """Kinds in the order of their definition; each module has one collection."""

    def __init__(self) -> None:
        self.kinds: list[Kind] = []

    def kind(
        self, what: str, *outcomes: str, shows: str = "", is_slow: bool = False
    ) -> Callable[[Make], Make]:
        """Register a function that generates a file; the kind is named after the function."""

        def take(make: Make) -> Make:
            name = make.__name__.strip("_")
            self.kinds.append(Kind(name, what, frozenset(outcomes), make, shows, is_slow))
            return make

        return take
