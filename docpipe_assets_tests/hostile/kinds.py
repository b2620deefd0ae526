"""A kind of hostile file: its name, description, generator, and acceptable outcomes."""

from collections.abc import Callable
from dataclasses import dataclass

TEXT = "TEXT"
"""Every page was read, and there is text."""
BLANK = "BLANK"
"""Every page was read, and none has text."""
PARTIAL = "PARTIAL"
"""There is text, or there are blank pages, and the pages that could not be read are named."""

Make = Callable[[], bytes]


@dataclass(frozen=True)
class Kind:
    """``outcomes`` are TEXT, BLANK, PARTIAL or the full codes of errors."""

    name: str
    what: str
    outcomes: frozenset[str]
    make: Make
    shows: str = ""
    """Text that must be found when the outcome is TEXT or PARTIAL."""
    is_slow: bool = False
    """Uses up one budget of CPU seconds after the other."""

    @property
    def file_name(self) -> str:
        return f"{self.name}.pdf"


class Collection:
    """Kinds in the order in which they are defined; a module keeps one."""

    def __init__(self) -> None:
        self.kinds: list[Kind] = []

    def kind(
        self, what: str, *outcomes: str, shows: str = "", is_slow: bool = False
    ) -> Callable[[Make], Make]:
        """Take a function that makes a file; its name is the name of the kind."""

        def take(make: Make) -> Make:
            name = make.__name__.strip("_")
            self.kinds.append(Kind(name, what, frozenset(outcomes), make, shows, is_slow))
            return make

        return take
