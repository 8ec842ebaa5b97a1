"""Imports with the collector of garbage at rest.

What a command imports is a million objects that stay until the process ends. While they are made,
the collector looks through all of them again and again, and later does so at every full pass: a
third of the processor time of a command that runs a small world. So it rests during the import,
and what is there after it is never looked at again (``gc.freeze``).
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def for_good() -> Iterator[None]:
    """What is imported in the block stays to the end of the process, and is not looked through."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    before = len(sys.modules)
    try:
        yield
    finally:
        # without a new module nothing is frozen: what others made is theirs to collect
        if len(sys.modules) > before:
            gc.freeze()
        gc.enable()


def call(module: str, function: str, *arguments: Any) -> Any:
    """Call a function of a module that is imported so: the target of a process that begins, which
    would import the function's module by itself before anything of it runs."""
    with for_good():
        found = importlib.import_module(module)
    return getattr(found, function)(*arguments)
