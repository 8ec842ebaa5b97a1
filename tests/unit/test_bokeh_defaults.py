"""Defaults of Bokeh that are looked up once per class: the same pictures, in less time."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from bokeh.core.has_props import HasProps
from bokeh.core.property.descriptors import PropertyDescriptor
from bokeh.document import Document
from bokeh.models import Plot, Range1d
from bokeh.themes import Theme

from twin.readers import bokeh_defaults
from twin.readers.courses import courses
from twin.readers.lines import Line
from twin.readers.pictures import Section


@contextmanager
def bokehs_own() -> Iterator[None]:
    """Bokeh as it is without our look-ups."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PropertyDescriptor, "_get_default", bokeh_defaults._default)
        patch.setattr(PropertyDescriptor, "has_unstable_default", bokeh_defaults._unstable)
        patch.setattr(
            HasProps, "themed_values", lambda self: getattr(self, "__themed_values__", None)
        )
        yield


def drawn(theme: Theme | None = None) -> str:
    """A picture of two lines as the page holds it, with models numbered in order."""
    frame = Section(Range1d(0, 1e9), ())
    lines = [Line(name, np.arange(30.0), "#0072b2", error=np.ones(30)) for name in ("a", "b")]
    document = Document(theme=theme) if theme else Document()
    document.add_root(
        courses(np.arange(30).astype("datetime64[D]"), lines, "posts", frame).figure()
    )
    text, known = json.dumps(document.to_json(deferred=False)), {}
    document.clear()  # pictures share some models, which belong to one document at a time
    return re.sub(r"\bp\d+\b", lambda found: known.setdefault(found[0], f"m{len(known)}"), text)


def test_pictures_are_the_same() -> None:
    """With our look-ups and with Bokeh's own."""
    assert PropertyDescriptor._get_default is bokeh_defaults._get_default
    quick = drawn()
    with bokehs_own():
        assert PropertyDescriptor._get_default is bokeh_defaults._default
        own = drawn()
    same = quick == own  # alone, since a difference of two pages is nothing to print
    assert same and '"Line"' in own and '"VArea"' in own


def test_a_theme_is_heeded() -> None:
    """It reaches models whose defaults have been looked up before, and leaves the others."""
    drawn()
    theme = Theme(json={"attrs": {"Axis": {"axis_label_text_align": "right"}}})
    assert "axis_label_text_align" in drawn(theme) and "axis_label_text_align" not in drawn()


def test_what_can_change_is_never_shared() -> None:
    """Two models have ranges and lists of their own."""
    one, other = Plot(), Plot()
    assert one.x_range is not other.x_range and one.tags is not other.tags
    one.tags.append("mine")
    assert other.tags == [] == Plot().tags
