"""How unequal creators are, on the live page: Lorenz curves before and now, beside who gains and who
loses. A page asks for them when that chapter is open; a folded one costs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from bokeh.models import GlyphRenderer
from bokeh.plotting import figure
from numpy.typing import NDArray

from twin.readers.baseline import Windows
from twin.readers.chapters import Chapter
from twin.readers.group_pictures import LORENZ, lorenz_curves
from twin.readers.groups import CURVE, lorenz
from twin.record.results import Metrics

KEY = "who_lorenz"
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Unequal:
    """The picture, its words, and the sources of its curves, named as in `now`."""

    plot: figure
    help: str
    sources: tuple[str, ...]

    title = LORENZ


def unequal(chapter: Chapter, metrics: Metrics, windows: Windows) -> Unequal | None:
    """The picture, in the chapter that draws the shares of tenths; None where these are not read in
    both spans of time."""
    here = any(one.split == CURVE for picture in chapter.pictures for one in picture.metrics)
    curves = lorenz(metrics, windows) if here else []
    if not curves:
        return None
    plot = lorenz_curves(curves, ("before", "now"))
    # the first is the straight line of equal shares
    drawn = [one for one in plot.renderers if isinstance(one, GlyphRenderer)][1:]
    for one, name in zip(drawn, _named(curves), strict=True):
        one.data_source.name = name
    words = (
        "Share of all that goes to the creators who have least of it, from left to right. Equal "
        "shares would lie on the straight line. Dashed: before; solid: now, both as the line under "
        "the headline numbers says."
    )
    return Unequal(plot, words, tuple(one.data_source.name for one in drawn))


def now(metrics: Metrics, windows: Windows) -> dict[str, list[float]]:
    """Every curve of the picture as it is now, by the name of its source: also of what was not read
    yet when the picture was made."""
    return _named(lorenz(metrics, windows))


def _named(curves: Sequence[tuple[str, Array, Array]]) -> dict[str, list[float]]:
    return {
        f"curve {what} {when}": list(map(float, one))
        for what, *both in curves
        for when, one in zip(("before", "now"), both, strict=True)
    }
