"""Pictures of lines that are filled into a stencil: what Bokeh would have written."""

import json
import re
from typing import Any

import numpy as np
import pytest
from bokeh.core.serialization import Serializer
from bokeh.models import Range1d

from tests.unit.test_story import POLICY
from twin.readers.courses import Courses, courses
from twin.readers.lines import Line, styled
from twin.readers.pictures import PALETTE, Section, drawn_marks

TIMES = np.datetime64("2025-01-01") + np.arange(30)
X_RANGE = Range1d(1.7e12, 1.8e12)


def some(count: int, band: bool, *, seed: int = 3, **how: Any) -> Courses:
    """A picture of so many lines, with bands or without."""
    values = np.random.default_rng(seed).normal(50, 1, (count, 30))  # the axis does not begin at 0
    values[0, 7] = np.nan
    lines = styled(
        [(how.pop("name", f"metric {place}"), "") for place in range(count)],
        list(values),
        [np.full(30, 0.1) if band else None for _ in range(count)],
    )
    frame = Section(X_RANGE, how.pop("marks", ()))
    return courses(TIMES, lines, how.pop("unit", "posts"), frame, **how)


def numbered(node: Any) -> Any:
    """JSON with its models numbered in order."""
    known: dict[str, str] = {}
    text = json.dumps(node)
    return json.loads(
        re.sub(r'"p\d+"', lambda at: known.setdefault(at[0], f'"m{len(known)}"'), text)
    )


@pytest.mark.parametrize("band", [False, True])
@pytest.mark.parametrize(
    ("count", "how"),
    [
        (1, {}),
        (2, {"unit": "1"}),
        (3, {"name": "of a name that is longer than two columns have room for"}),
        (len(PALETTE) + 2, {"height": 320}),
        (3, {"zero_line": True, "scale_from": 4}),
        (2, {"marks": drawn_marks(POLICY, X_RANGE)}),
    ],
)
def test_filled_and_drawn_are_the_same(count: int, how: dict[str, Any], band: bool) -> None:
    """A picture as Bokeh draws it; the stencil was cut from another one."""
    some(count, band, seed=8, **how).to_serializable(Serializer(deferred=False))
    picture = some(count, band, **how)
    filled = picture.to_serializable(Serializer(deferred=False))
    drawn = Serializer(deferred=False).encode(picture.figure())
    assert numbered(filled) == numbered(drawn)
    assert filled["attributes"]["height"] >= 230


def test_what_pictures_share_is_written_once() -> None:
    """The range of time and the marks of a part are whole in the first picture, and named in the
    next."""
    marks = drawn_marks(POLICY, X_RANGE)
    serializer = Serializer(deferred=False)
    one, other = (json.dumps(serializer.encode(some(2, False, marks=marks))) for _ in range(2))
    for model in (X_RANGE, *marks):
        whole = re.compile(rf'"name": "{type(model).__name__}", "id": "{model.id}"')
        assert whole.search(one) and not whole.search(other) and f'"{model.id}"' in other
    ids = [set(re.findall(r'"id": "(p\d+)"', text)) for text in (one, other)]
    assert {model.id for model in (X_RANGE, *marks)} < ids[0] & ids[1]


def test_a_name_that_is_a_blank_of_another_stays_a_name() -> None:
    """Words of a picture are filled in and never read again."""
    frame = Section(X_RANGE, ())
    lines = [Line(name, np.arange(30.0), "#010201") for name in ("name 1", "colour 0")]
    text = json.dumps(courses(TIMES, lines, "", frame).to_serializable(Serializer(deferred=False)))
    assert '"name 1"' in text and '"colour 0"' in text and "#010200" not in text
