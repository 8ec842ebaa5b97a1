"""The contract that every mechanism keeps, for tests of mechanisms of your own.

    from twin.testing import MechanismTests

    class TestSurveys(MechanismTests):
        scenario, mechanism = "surveyed-town.yaml", "surveys"

That is a whole test file: pytest collects the class and runs every check of the contract in small
worlds. The checks are also plain functions (`twin.testing.contract`), which raise AssertionError
with a sentence. Nothing here imports pytest.
"""

from twin.testing.contract import grown, history
from twin.testing.suite import SMALL, MechanismTests

__all__ = ["SMALL", "MechanismTests", "grown", "history"]
"""Names for test files."""
