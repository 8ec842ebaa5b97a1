"""Compile the kernels that most tests need, before several workers compile them each for itself:
`python -m tests.kernels`.

Compiled code is kept beside the package (`twin/ground/compiled.py`), so that every worker and every
process that tests start takes it from there.
"""

from tests.conftest import SCENARIOS, SMALL, history
from tests.worlds.shared import EVERYTHING
from twin.scenario.loading import load

if __name__ == "__main__":
    world = load(SCENARIOS / "everything.yaml", (*SMALL, *EVERYTHING, "duration=20d"))
    history(world)
    history(load(SCENARIOS / "base.yaml", (*SMALL, "duration=2d")), reference=True)
