"""Libraries that take long to import, imported when they are first asked for: most commands never
ask, and every command would wait."""

from __future__ import annotations

from types import ModuleType


def stats() -> ModuleType:
    """`scipy.stats`, which takes a second."""
    from scipy import stats as imported

    return imported
