"""The mechanisms that come with twin, one file (or folder) each. Importing this package imports
them all; a new file needs no line here."""

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from twin.ground.errors import StateError
from twin.world.mechanism import Mechanism

_found: dict[str, type[Mechanism[Any]]] = {}
for _place in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    _module = importlib.import_module(f"{__name__}.{_place}")
    for _kind in list(vars(_module).values()):
        # mechanisms defined in this module or folder, not those that it imports
        if (
            isinstance(_kind, type)
            and issubclass(_kind, Mechanism)
            and _kind.__module__.startswith(_module.__name__)
        ):
            if _kind.name in _found:
                raise StateError(f"two mechanisms are named {_kind.name}")
            _found[_kind.name] = _kind

REGISTRY: Mapping[str, type[Mechanism[Any]]] = MappingProxyType(_found)
"""Mechanisms by name. A scenario that brings its own has a registry of its own (see
`twin.scenario.checking`); this one never changes."""

__all__ = ["REGISTRY"]
