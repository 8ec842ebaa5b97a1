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

from bokeh.core.serialization import Serializer
from bokeh.document import Document
from bokeh.resources import Resources
from bokeh.util.serialization import make_globally_unique_css_safe_id, make_globally_unique_id
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
        serializer = Serializer(deferred=False)
        drawn = {name: serializer.encode(one) for name, one in figures.items()}
        places = {name: make_globally_unique_css_safe_id() for name in drawn}
        roots = {one["id"]: places[name] for name, one in drawn.items()}
        document = {**Document().to_json(deferred=False), "roots": list(drawn.values())}
        name = make_globally_unique_id()
        item = {"docid": name, "roots": roots, "root_ids": list(roots)}
        text = json.dumps({"docs": {name: document}, "item": item}, separators=(",", ":"))
        # "<" is nowhere in JSON but within strings: so the data can never end its element
        data[part] = Markup(text.replace("<", "\\u003c"))
        for name, one in drawn.items():
            # as high as it will be, so that nothing moves when it is drawn
            divs[name] = Markup(
                '<div id="{}" data-root-id="{}" data-part="{}" style="min-height: {}px"></div>'
            ).format(places[name], one["id"], part, one["attributes"].get("height") or 0)
    return Embedded(divs, data)


def bokeh(*components: str) -> Markup:
    """Bokeh itself, inline, so that a page opens offline."""
    resources = Resources(mode="inline", components=["bokeh", *components])
    return Markup(resources.render_js())
