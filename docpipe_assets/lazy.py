"""Lazily computed values: computed at first use, exactly once, in a thread-safe way.

``functools.cached_property`` has no lock since Python 3.12 and ``functools.cache`` never had one: two threads
may compute the value concurrently, and an import inside the function may then see a partially initialized
module.
"""

from collections.abc import Callable
from functools import update_wrapper
from threading import RLock
from typing import Any, Generic, ParamSpec, Self, TypeVar, overload

T = TypeVar("T")
P = ParamSpec("P")


class lazy(Generic[T]):
    """A read-only property whose value is stored in the instance's ``__dict__`` after the first access.

    All instances of the class share one lock. It is reentrant, so a property may use other lazy properties.
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
        # Only reached while the value is missing: an entry in __dict__ takes precedence over this descriptor.
        if instance is None:
            return self
        with self._lock:
            values = instance.__dict__
            if self._name not in values:
                values[self._name] = self._compute(instance)
            found: T = values[self._name]
            return found


def once(compute: Callable[P, T]) -> Callable[P, T]:
    """Like ``functools.cache``, with a lock: computes once for each combination of hashable arguments."""
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
