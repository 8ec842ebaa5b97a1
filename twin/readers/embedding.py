"""Bokeh's figures within a page, drawn when they come near the screen.

A page is made of parts: figures that share ranges of time and marks, and so pan and zoom together.
Each part is data in the page, and becomes figures when one of them comes into sight, is unfolded or
printed (``pictures.html``). So the first screen is there at once, however long the page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bokeh.document import Document
from bokeh.embed.util import standalone_docs_json_and_render_items
from bokeh.resources import Resources
from markupsafe import Markup


@dataclass(frozen=True)
class Embedded:
    """What a template needs: ``divs`` (one per figure, by its id), and ``parts``: name and data of
    each part."""

    divs: Mapping[str, Markup]
    parts: Mapping[str, Markup]


def embedded(parts: Mapping[str, Mapping[str, Any]]) -> Embedded:
    """Figures by part and id, as HTML and data; an id is unique in the page."""
    divs: dict[str, Markup] = {}
    data: dict[str, Markup] = {}
    for part, figures in parts.items():
        if not figures:
            continue
        document = Document()
        with document.models.freeze():  # else adding a figure visits all before it
            for drawn in figures.values():
                document.add_root(drawn)
        models = list(figures.values())
        docs, (item,) = standalone_docs_json_and_render_items(models)
        text = json.dumps({"docs": docs, "item": item.to_json()}, separators=(",", ":"))
        # "<" is nowhere in JSON but within strings: so the data can never end its element
        data[part] = Markup(text.replace("<", "\\u003c"))
        for name, (root, place) in zip(figures, item.roots.to_json().items(), strict=True):
            # as high as it will be, so that nothing moves when it is drawn
            divs[name] = Markup(
                '<div id="{}" data-root-id="{}" data-part="{}" style="min-height: {}px"></div>'
            ).format(place, root, part, getattr(figures[name], "height", None) or 0)
        document.clear()  # a formatter belongs to one document at a time, and all figures share it
    return Embedded(divs, data)


def bokeh(*components: str) -> Markup:
    """Bokeh itself, inline, so that a page opens offline."""
    resources = Resources(mode="inline", components=["bokeh", *components])
    return Markup(resources.render_js())
