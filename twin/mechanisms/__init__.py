"""The mechanisms, one file (or folder) each. Importing this package imports them all; a new file needs no line here."""

import importlib
import pkgutil

from twin.mechanism import REGISTRY

for _found in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_found}")

__all__ = ["REGISTRY"]
