"""Bokeh's defaults, looked up once per class: a report is written in half the time.

A report has some ninety pictures of forty models each, and Bokeh asks every model for the default
of every property, several times: it goes through all parent classes, copies and validates it. What
it finds is the same for all models of a class as long as no theme is set and the default cannot be
changed. Nothing else is kept, so the pages are the same to the byte.
"""

from __future__ import annotations

import functools
from typing import Any

from bokeh.core.has_props import HasProps
from bokeh.core.property.descriptors import PropertyDescriptor

IMMUTABLE = frozenset({type(None), bool, int, float, str})
"""Types of defaults that models may share."""
_default, _unstable = PropertyDescriptor._get_default, PropertyDescriptor.has_unstable_default
_found: dict[tuple[Any, type], Any] = {}
_made_anew: dict[tuple[Any, type], bool] = {}


def _has_unstable_default(self: Any, model: Any) -> bool:
    """Whether every model gets a default of its own; a class answers for its models."""
    key = self, type(model)
    if key not in _made_anew:
        _made_anew[key] = _unstable(self, model)
    return _made_anew[key]


def _get_default(self: Any, model: Any) -> Any:
    """The default of a property for a model."""
    if model.themed_values() is not None:
        return _default(self, model)
    key = self, type(model)
    if key not in _found:
        value = _default(self, model)
        if type(value) not in IMMUTABLE or self.has_unstable_default(model):
            return value
        _found[key] = value
    return _found[key]


def _themed_values(self: Any) -> dict[str, Any] | None:
    """What a theme sets. Without one, Bokeh's own look-up goes through its message on unknown
    attributes."""
    values: dict[str, Any] | None = self.__dict__.get("__themed_values__")
    return values


def quicken() -> None:
    """Put these look-ups in the place of Bokeh's; done again, it changes nothing."""
    models: Any = HasProps
    properties: Any = PropertyDescriptor
    if properties._get_default is _get_default:
        return
    overridden: Any = functools.cache(models._overridden_defaults.__func__)
    models._overridden_defaults = classmethod(overridden)
    models.themed_values = _themed_values
    properties.has_unstable_default = _has_unstable_default
    properties._get_default = _get_default


quicken()
