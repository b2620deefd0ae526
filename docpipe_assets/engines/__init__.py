"""Engine adapters, one library per file. The modules in ``ocr`` and ``ner`` are the available engines."""

import importlib
import inspect
import pkgutil
from importlib import resources
from typing import Any

from docpipe_assets.errors import ConfigurationError


def available(kind: str) -> list[str]:
    """The engine names that a setting accepts: the modules in ``engines/<kind>``."""
    folder = resources.files(f"{__name__}.{kind}")
    return sorted(module.name for module in pkgutil.iter_modules([str(folder)]))


def load_engine(kind: str, name: str, method: str) -> Any:
    """The engine that a setting names: a module in ``engines/<kind>``, or ``module:Class`` of another
    package.

    The engine is the class with the method ``method``; creating it loads no model. Raises ConfigurationError
    if there is none.
    """
    path, _, class_name = name.partition(":")
    if not class_name:
        path = f"{__name__}.{kind}.{name}"
    try:
        module = importlib.import_module(path)
    except ImportError as error:
        raise ConfigurationError(
            f"{kind} engine {name!r} can't be loaded ({error}); "
            f"available: {', '.join(available(kind))}, or module:Class of another package"
        ) from error
    found = [
        member
        for member_name, member in inspect.getmembers(module, inspect.isclass)
        if hasattr(member, method)
        and (member_name == class_name or (not class_name and member.__module__ == path))
    ]
    if len(found) != 1:
        raise ConfigurationError(
            f"{kind} engine {name!r}: {path} has {len(found)} classes with a method {method!r}, expected one"
        )
    return found[0]()
