"""`import twin`: what it offers, and what its values mean."""

from pathlib import Path

import numpy as np
import pytest

import twin
from twin.public import runs


def test_every_public_name_is_there() -> None:
    """And nothing else; each is what its file calls it."""
    assert {name for name in dir(twin) if not name.startswith("_")} == {
        name for name in twin.__all__ if not name.startswith("_")
    }
    for name in twin.__all__:
        assert getattr(twin, name) is not None
    assert twin.open is runs.open_run
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        _ = twin.lod  # type: ignore[attr-defined]


def test_values_of_python(tmp_path: Path) -> None:
    """Numbers, truth values, lists and texts mean what they mean in YAML."""
    values = {
        "a": 4,
        "b": 0.25,
        "c": True,
        "d": None,
        "e": "90d",
        "f": [1, "x"],
        "g": np.float32(0.5),
    }
    assert runs.settings(values) == (
        "a=4",
        "b=0.25",
        "c=true",
        "d=null",
        "e=90d",
        "f=[1, x]",
        "g=0.5",
    )
