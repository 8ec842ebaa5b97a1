"""Classes that stand in for mechanisms of twin's: the examples of the page, and wrong ones made from
them."""

import re
from pathlib import Path

from tests.conftest import ROOT, SCENARIOS, SMALL
from twin.mechanisms import REGISTRY
from twin.scenario.loading import Scenario, load

PAGE = (ROOT / "docs" / "how-to" / "own-models.md").read_text(encoding="utf-8")
HARDENING, CLIMBERS = (
    re.findall(rf"```python\n(# my/{name}\.py\n.*?)```", PAGE, re.DOTALL)[0]
    for name in ("hardening", "climbers")
)
BOTH = """mechanisms:
  opinions: {class: my.hardening.Hardening, habit: 500.0}
  creators: {class: my.climbers.Climbers, step: 0.3}
"""
SAME = "\n\n".join(
    [
        '"""Classes that change nothing."""',
        *(
            f"from {kind.__module__} import {kind.__name__} as Twins{kind.__name__}\n\n"
            f'class {kind.__name__}(Twins{kind.__name__}):\n    """The same."""\n'
            for kind in REGISTRY.values()
            if kind.replaced_by != "none"
        ),
    ]
)
"""A module of classes that derive from each mechanism that may be replaced."""


def write(
    folder: Path, text: str = BOTH, opinions: str = HARDENING, creators: str = CLIMBERS
) -> Path:
    """A scenario that extends base.yaml, with the modules beside it."""
    (folder / "my").mkdir(parents=True, exist_ok=True)
    (folder / "my" / "hardening.py").write_text(opinions)
    (folder / "my" / "climbers.py").write_text(creators)
    (folder / "my" / "same.py").write_text(SAME)
    (folder / "base.yaml").write_text((SCENARIOS / "base.yaml").read_text())
    (folder / "x.yaml").write_text(f"extends: base.yaml\n{text}")
    return folder / "x.yaml"


def own(folder: Path, *sets: str, text: str = BOTH) -> Scenario:
    """The small world with both."""
    return load(write(folder, text), (*SMALL, "duration=8d", *sets))
