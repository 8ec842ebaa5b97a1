"""Colours of the live page's pictures on a dark ground."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bokeh.plotting import figure

from twin.readers.pictures import (
    BLUE,
    FAINT,
    INK,
    MARK,
    ORANGE,
    PALETTE,
)

DARK = {
    **dict(
        zip(
            PALETTE,
            (
                "#58b0ea",
                "#f0b030",
                "#2bc295",
                "#e29ac2",
                "#a5d8f3",
                "#ff8a4c",
                "#c9bb45",
                "#a9b2bf",
            ),
            strict=True,
        )
    ),
    BLUE: "#58b0ea",
    ORANGE: "#f0b030",
    INK: "#c3cad4",
    FAINT: "#353d49",
    MARK: "#c79bff",
    "white": "#1b212a",
}
"""What the colours of `pictures` become on a dark ground."""
COLOURS = (
    "line_color",
    "fill_color",
    "text_color",
    "axis_line_color",
    "major_tick_line_color",
    "major_label_text_color",
    "axis_label_text_color",
    "grid_line_color",
    "label_text_color",
    "background_fill_color",
)


def _colours(model: Any) -> Iterator[tuple[str, str]]:
    for name in COLOURS:
        value = getattr(model, name, None) if name in model.properties() else None
        # Glyphs keep a fixed colour as {"value": colour}
        if isinstance(value, Mapping):
            value = value.get("value")
        if isinstance(value, str):
            yield name, value


def recolour(plot: figure) -> None:
    """Colours for a dark ground, in place."""
    for model in plot.references():
        for name, value in list(_colours(model)):
            if value in DARK:
                setattr(model, name, DARK[value])
