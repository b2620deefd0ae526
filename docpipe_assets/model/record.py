"""The base of all records: frozen models, lazy streams of them, and the page separator."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

PAGE_SEPARATOR = "\f"


class Record(BaseModel):
    """A row of an artifact."""

    model_config = ConfigDict(frozen=True, extra="forbid")


R = TypeVar("R", bound=Record)
V = TypeVar("V", bound=Record)


class Records(Generic[R]):
    """A lazy, re-iterable stream of records, with the fingerprint of its inputs.

    ``read_class`` returns the rows as records of another class: ``record`` or one of its base classes.
    Nothing runs until the stream is iterated. A stage returns one; the lake compares its fingerprint with
    that of the stored artifact and iterates it only if they differ.
    """

    asset: ClassVar[str]
    record: ClassVar[type[Record]]
    schema_version: ClassVar[int] = 1

    def __init__(
        self,
        fingerprint: str,
        read: Callable[[], Iterator[R]],
        read_class: Callable[[type[Any]], Iterator[Any]] | None = None,
    ) -> None:
        self.fingerprint = fingerprint
        self._read = read
        self._read_class = read_class

    def __iter__(self) -> Iterator[R]:
        return self._read()

    def view_as(self, view: type[V]) -> "Records[V]":
        """The same rows as records of a base class; fields that the base class lacks are not parsed."""
        read_class = self._read_class or (lambda _: self._read())
        return Records(self.fingerprint, lambda: read_class(view))
