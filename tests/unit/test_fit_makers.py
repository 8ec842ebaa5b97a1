"""The fit of how fast makers learn: it finds what it should, by the product's own rule, and the
default is what it finds."""

from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from tests.conftest import SCENARIOS
from twin.experiments.fitting import makers as fit_makers
from twin.ground.errors import UsageError
from twin.scenario.loading import load


def human(**changes: Any) -> Any:
    """The human creators of the default world, with changes."""
    creators: Any = load(SCENARIOS / "base.yaml").mechanisms["creators"]
    return creators.human.model_copy(update=changes)


def test_one_post_alike_makers_in_closed_form() -> None:
    """Makers all alike with one post a day at most: effect = learning x sigma x log 2 x the
    half-normal mean / arousal."""
    day = fit_makers.days(
        human(posts_mean=1e-3, posts_log_sd=0.0, learning_log_sd=0.0), 0.0, 50_000_000 // 100
    )
    assert len(day.score) > 300
    day = day._replace(score=np.zeros(len(day.score)), doubled=(day.doubled - day.score))
    wanted = 0.05 * 0.1 * day.doubled.mean() / 0.30
    assert fit_makers.effect(day, 0.05) == pytest.approx(wanted, rel=1e-9)
    assert day.doubled.mean() == pytest.approx(np.log(2) * np.sqrt(2 / np.pi), rel=0.1)


def test_solution_has_the_effect() -> None:
    """The effect rises with the rate and is the target at the solution; a target out of reach is an
    error."""
    day = fit_makers.days(human(), 0.1, 50_000)
    rates = (0.0, 0.05, 0.2, 0.8)
    effects = [fit_makers.effect(day, rate) for rate in rates]
    assert effects[0] == 0 and effects == sorted(effects)
    assert fit_makers.effect(day, fit_makers.solve(day, 0.025)) == pytest.approx(0.025, abs=1e-4)
    with pytest.raises(UsageError, match="no learning rate"):
        fit_makers.solve(day, 0.9)
    with pytest.raises(UsageError, match="no creator posts"):
        fit_makers.days(human(posts_mean=0.0), 0.1, 1000)


def test_the_default_is_what_the_script_finds() -> None:
    """The rate in the default world is within the range that the study's 2 to 3 % allow, and near
    its middle."""
    done = CliRunner().invoke(fit_makers.main, [str(SCENARIOS / "base.yaml"), "--makers", "100000"])
    assert done.exit_code == 0
    found = float(done.stdout.rpartition("learning: ")[2])
    assert human().learning == pytest.approx(found, rel=0.1)
