"""Values that are computed at their first use, exactly once, whichever thread comes first.

``functools.cached_property`` has no lock since Python 3.12 and ``functools.cache`` never had one: two
threads that come first at the same moment compute twice, and an import within such a function may then
meet a half-initialised module.
"""

from collections.abc import Callable
from functools import update_wrapper
from threading import RLock
from typing import Any, Generic, ParamSpec, Self, TypeVar, overload

T = TypeVar("T")
P = ParamSpec("P")


class lazy(Generic[T]):
    """A read-only property, kept in the instance's ``__dict__`` once it is computed.

    One lock serves all instances of the class. It is reentrant, so a property may use others.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self._lock = RLock()
        update_wrapper(self, compute)  # type: ignore[arg-type]  # for the docstring

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Self | T:
        # Only reached while the value is missing: an entry in __dict__ comes before this descriptor.
        if instance is None:
            return self
        with self._lock:
            values = instance.__dict__
            if self._name not in values:
                values[self._name] = self._compute(instance)
            found: T = values[self._name]
            return found


def once(compute: Callable[P, T]) -> Callable[P, T]:
    """Computes once for each combination of hashable arguments, as ``functools.cache`` does."""
    known: dict[Any, T] = {}
    lock = RLock()

    def found(*args: P.args, **kwargs: P.kwargs) -> T:
        key = (args, *sorted(kwargs.items())) if kwargs else args
        if key not in known:
            with lock:
                if key not in known:
                    known[key] = compute(*args, **kwargs)
        return known[key]

    return update_wrapper(found, compute)
