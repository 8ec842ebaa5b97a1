"""The contract that every mechanism keeps, for tests of mechanisms of your own.

    from twin.testing import MechanismTests

    class TestSurveys(MechanismTests):
        scenario, mechanism = "surveyed-town.yaml", "surveys"

That is a whole test file: pytest collects the class and runs every check of the contract in small
worlds. The checks are also plain functions (`twin.testing.contract`), which raise AssertionError
with a sentence; nothing that they need imports pytest. `ReplacementTests` is for a class that stands
in for a mechanism of twin's. Without a test file of one's own:

    TWIN_MECHANISM=my.surveys.Surveys pytest --pyargs twin.testing
"""

from twin.testing.contract import grown, history
from twin.testing.suite import SMALL, MechanismTests, ReplacementTests

__all__ = ["SMALL", "MechanismTests", "ReplacementTests", "grown", "history"]
"""Names for test files."""
