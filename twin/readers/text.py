"""Numbers as people read them, sparklines, and numbers as pages read them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_BLOCKS = "▁▂▃▄▅▆▇█"


def human(value: float, unit: str = "1") -> str:
    """Three significant digits with a thousands letter and a minus that is no hyphen; durations (unit
    s) in minutes, hours or days; bytes in MB."""
    if not math.isfinite(value):
        return "-"
    size = _size(abs(value), unit)
    # of what is nearly nothing no sign is known
    return f"−{size}" if value < 0 and not size.startswith("~") else size


def _size(value: float, unit: str) -> str:
    if unit == "s":
        for size, name in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
            if value >= size:
                return f"{value / size:.3g} {name}"
        return f"{value:.3g} s" if value >= 1e-4 or not value else f"{tiny(value)} s"
    for size, letter in _STEPS:
        if value >= size:
            return f"{value / size:.3g} {letter}" + ("B" if unit == "bytes" else "")
    # Of three decimals less than two digits would be left: 0.0005 is not 0.001
    if 0 < value < 0.01:
        return tiny(value)
    return f"{value:.3f}".rstrip("0").rstrip(".") if value < 1 else f"{value:.3g}"


def tiny(value: float) -> str:
    """Two digits of a positive number near zero, without an exponent, which is for machines:
    ``0.00042``; below a millionth ``~0``."""
    if value < 1e-6:
        return "~0"
    return f"{value:.{1 - math.floor(math.log10(value))}f}".rstrip("0")


def change(first: float, last: float) -> str:
    """How ``last`` differs from ``first``: in percent where that is meaningful, else the
    difference; ``±0``."""
    if not (math.isfinite(first) and math.isfinite(last)):
        return ""
    if first == last:
        return "±0"
    # Percent say little about a change from nothing, across zero, or by thousands
    if first <= 0 or last < 0 or last / first > 20:
        return f"{'+' if last > first else '−'}{human(abs(last - first))}"
    percent = (last / first - 1) * 100
    return (
        f"{percent:+.1f} %".replace("-", "−")
        if abs(percent) < 10
        else f"{percent:+.0f} %".replace("-", "−")
    )


def span(seconds: float) -> str:
    """Wall-clock time: ``22 s``, ``3:05 min``, ``2:10 h``."""
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60}:{minutes % 60:02d} h"
    return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"


def sparkline(values: Sequence[float] | NDArray[np.float64], width: int) -> str:
    """The course of a series in ``width`` block characters, scaled from its least to its greatest
    mean per block."""
    every = np.asarray(values, np.float64)
    known = every[np.isfinite(every)]
    if not len(known):
        return " " * width
    means = np.array([block.mean() for block in np.array_split(known, min(width, len(known)))])
    low, high = means.min(), means.max()
    level = np.zeros(len(means)) if high <= low else (means - low) / (high - low) * 7
    return "".join(_BLOCKS[round(float(each))] for each in level).ljust(width)


def short(text: str, most: int) -> str:
    """The text, cut to so many characters with an ellipsis where it is longer."""
    return text if len(text) <= most else text[: most - 1] + "…"


def compact(value: Any) -> bytes:
    """As JSON: floats in six digits, and null for those that JSON does not know."""
    return json.dumps(_plain(value), separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return (
            # Dates in milliseconds need all their digits
            float(f"{value:.6g}" if abs(value) < 1e9 else value) if math.isfinite(value) else None
        )
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
