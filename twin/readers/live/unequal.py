"""How unequal creators are, on the live page: Lorenz curves before and now, beside who gains and who
loses. A page asks for them when that chapter is open; a folded one costs nothing."""

from __future__ import annotations

from dataclasses import dataclass

from bokeh.models import GlyphRenderer
from bokeh.plotting import figure

from twin.readers.baseline import Windows
from twin.readers.chapters import Chapter
from twin.readers.group_pictures import LORENZ, lorenz_curves
from twin.readers.groups import CURVE, lorenz
from twin.record.results import Metrics

KEY = "who_lorenz"


@dataclass(frozen=True)
class Unequal:
    """The picture, its words, and the sources of its curves, in the order of `now`."""

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
    for place, one in enumerate(drawn):
        one.data_source.name = f"curve {place}"
    words = (
        "Share of all that goes to the creators who have least of it, from left to right. Equal "
        "shares would lie on the straight line. Dashed: before; solid: now, both as the line under "
        "the headline numbers says."
    )
    return Unequal(plot, words, tuple(one.data_source.name for one in drawn))


def now(metrics: Metrics, windows: Windows) -> list[list[float]]:
    """Every curve of the picture as it is now, before and at the end by turns."""
    return [list(map(float, one)) for _, *both in lorenz(metrics, windows) for one in both]
