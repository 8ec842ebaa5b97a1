"""A mechanism from outside the package: its module, and a scenario that names it."""

from pathlib import Path

from tests.conftest import SCENARIOS

MODULE = '''"""Counts people, over and over."""

import numpy as np

from twin.world.mechanism import Every, Mechanism
from twin.world.metric import Metric
from twin.world.params import Duration, Params, par


class CensusParams(Params):
    """How to count."""

    every: Duration = par(86400, "time between counts", unit="s", low=600, grid=True)
    factor: float = par(1.0, "what a person counts as", low=0, high=10, lever=True)


class Census(Mechanism):
    """Adds up everybody who is there."""

    name = "census"
    Params = CensusParams
    metrics = (Metric("counted", "gauge", "1", "Sum of all counts.", "platform", "Census"),)

    def setup(self):
        """Nobody was counted yet."""
        self.keep["sum"] = np.zeros(1)

    def clocks(self):
        """The count."""
        return [Every(self.p.every, "people", self.count)]

    def count(self):
        """One count."""
        self.keep["sum"] += self.lever("factor") * self.read("consumers", "active").sum()

    def measure(self):
        """The sum."""
        self.world.board.set("counted", float(self.keep["sum"][0]))
'''
BLOCK = "mechanisms:\n  census: {class: own.census.Census, factor: 2.0}\n"


def write(folder: Path, text: str = BLOCK, module: str = MODULE) -> Path:
    """A scenario that extends base.yaml, and the module beside it."""
    (folder / "own").mkdir(parents=True, exist_ok=True)
    (folder / "own" / "census.py").write_text(module)
    (folder / "x.yaml").write_text(f"extends: base.yaml\n{text}")
    (folder / "base.yaml").write_text((SCENARIOS / "base.yaml").read_text())
    return folder / "x.yaml"
