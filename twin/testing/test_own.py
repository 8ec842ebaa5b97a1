"""The contract for one mechanism of one's own, also of one that stands in for twin's:

    TWIN_MECHANISM=my.bounded.Bounded pytest --pyargs twin.testing

TWIN_SCENARIO may name the scenario in whose small worlds it is tried (the quickstart otherwise). A
class that cannot be used at all is one failure, which says why.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from twin.ground.errors import ScenarioError
from twin.mechanisms import REGISTRY
from twin.scenario.importing import Trouble
from twin.scenario.loading import load
from twin.scenario.outside import find
from twin.testing.suite import SMALL, MechanismTests, ReplacementTests

OWN = os.environ.get("TWIN_MECHANISM", "")
SCENARIO = os.environ.get("TWIN_SCENARIO", "quickstart")


def _named() -> tuple[str, str]:
    """The name of the mechanism, and why it cannot be tried, or ""."""
    if not OWN:
        return "", "TWIN_MECHANISM names no class (write TWIN_MECHANISM=package.module.Class)"
    try:
        name = find(OWN, [Path()])[0].name
        load(SCENARIO, (*SMALL, "policies=[]", f"{name}.class={OWN}"))
    except Trouble as trouble:
        return "", f"{OWN}: {trouble.reason} ({trouble.mend})"
    except ScenarioError as error:
        return "", str(error)
    return name, ""


NAME, WRONG = _named()

if WRONG:

    def test_it_can_be_used() -> None:
        """The class is found, and brings what others use."""
        pytest.fail(WRONG, pytrace=False)

else:

    class TestMechanism(ReplacementTests if NAME in REGISTRY else MechanismTests):  # type: ignore[misc]
        """The class that TWIN_MECHANISM names."""

        scenario, mechanism = SCENARIO, NAME
        settings = (*SMALL, "policies=[]", f"{NAME}.class={OWN}")
