"""Fit how fast human creators learn, to what feedback on an outraged post does to the next day's
posts.

    python -m twin.experiments.fitting.makers [SCENARIO] [--target 0.025] [--makers 20000]

The target is Brady et al. 2021 (Science Advances 7, eabe5641), as in FINDINGS.md: creators who get
twice the positive feedback on an outraged post show 2 to 3 % more outrage the next day. The twin's
creators live through one such day by the rule of the product (`learned`). Each creator's rate of
posting and responsiveness are drawn as in the scenario, and n settled posts of the day are Poisson,
n >= 1. One of them is more aroused than its creator's mean and brings twice what it would have
brought. All else, luck included, is the same. The reward is log(1 + pay), so where pay is well
above 1 the surprise is greater by log 2. The effect is

    mean over creators of (arousal after the day with twice the feedback - without)
        / mean arousal without

and the fit finds the learning rate at which it is the target. The study leaves two things open,
which are assumed here. An outraged post lies above its creator's mean by the half-normal mean, 0.8
exploration sd. Days are drawn as they come, so creators who post more have more of them. The script
also prints the rates at both ends of the target.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import yaml
from numpy.typing import NDArray

from twin.experiments.fitting import evidence
from twin.ground.errors import UsageError
from twin.ground.units import in_percent
from twin.mechanisms.creators.declared import STRATEGY
from twin.mechanisms.creators.strategy import learned
from twin.scenario.loading import load

Floats = NDArray[np.float64]
PUBLISHED = evidence.sized("brady_2021")
TARGET, ENDS = PUBLISHED.value, (PUBLISHED.value - PUBLISHED.se, PUBLISHED.value + PUBLISHED.se)
MAKERS, PRECISION = 200_000, 1e-4
PAY_SD = 0.8
"""Sd of log pay within a creator, measured in the default world: the other surprises of the day."""
BOUNDS = STRATEGY[0][1], STRATEGY[0][2]


class Days(NamedTuple):
    """One day of each creator, with and without twice the feedback on one post."""

    arousal: Floats  # (n,)
    responsiveness: Floats  # (n,)
    exploration: float
    score: Floats  # (n,), mean of surprise x noise over the day's posts
    doubled: Floats  # (n,), the same with log 2 more for the outraged post


def days(human: Any, strategy_sd: float, makers: int, seed: int = 1) -> Days:
    """Draw the days of so many creators like a scenario's human ones; those who post nothing that
    day are left out. Raises UsageError where nobody ever posts."""
    rng = np.random.default_rng(seed)
    # Lognormal with the declared mean, hence half the variance off the log.
    rate = np.minimum(
        human.posts_mean
        * np.exp(human.posts_log_sd * rng.normal(size=makers) - human.posts_log_sd**2 / 2),
        human.posts_most,
    )
    posts = rng.poisson(rate)
    # who posts nothing gets no feedback on that day
    posts = posts[posts > 0]
    if not len(posts):
        raise UsageError(
            "no creator posts on any day; give creators.human.posts_mean a rate above 0"
        )
    # posts of all days lie in one array: here each day begins in it
    first = np.concatenate([[0], np.cumsum(posts)[:-1]])
    tried = rng.normal(size=posts.sum())
    # The first post of each day is the outraged one: above its creator's mean.
    tried[first] = np.abs(tried[first])
    surprise = PAY_SD * rng.normal(size=posts.sum())
    score = np.add.reduceat(surprise * tried, first) / posts
    arousal = np.clip(human.arousal + strategy_sd * rng.normal(size=len(posts)), *BOUNDS)
    # lognormal with mean 1
    responsiveness = np.exp(
        human.learning_log_sd * rng.normal(size=len(posts)) - human.learning_log_sd**2 / 2
    )
    return Days(
        arousal,
        responsiveness,
        float(human.exploration),
        score,
        # twice the pay is log 2 more surprise: times that post's noise, in the mean of the day
        score + np.log(2) * tried[first] / posts,
    )


def effect(day: Days, learning: float) -> float:
    """Relative change of mean arousal the day after."""
    rate, sigma = learning * day.responsiveness, np.full(len(day.arousal), day.exploration)
    # The same noise in both, so that only the feedback differs.
    plain, more = (
        learned(day.arousal, rate, sigma, score, BOUNDS) for score in (day.score, day.doubled)
    )
    return float((more - plain).mean() / plain.mean())


def solve(day: Days, target: float, most: float = 10.0) -> float:
    """The learning rate at which the effect is the target, by bisection. Raises UsageError where no
    rate up to ``most`` reaches it."""
    # the effect grows with the rate, so a target below this one lies in between
    if effect(day, most) < target:
        raise UsageError(
            f"no learning rate up to {most:g} moves arousal by {in_percent(target, 1)} (is exploration too "
            f"small?)"
        )
    low, high = 0.0, most
    while high - low > PRECISION:
        middle = (low + high) / 2
        low, high = (middle, high) if effect(day, middle) < target else (low, middle)
    return high


@click.command()
@click.argument(
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=Path("scenarios/base.yaml"),
)
@click.option(
    "--target",
    default=TARGET,
    show_default=True,
    help="increase of outrage the day after, as a share",
)
@click.option("--makers", default=MAKERS, show_default=True, help="creators whose day is drawn")
def main(path: Path, target: float, makers: int) -> None:
    """Fit creators.human.learning, and print it as YAML."""
    creators: Any = load(path).mechanisms["creators"]
    day = days(creators.human, creators.strategy_sd, makers)
    for goal in sorted({*ENDS, target}):
        click.echo(
            f"{in_percent(goal, 1)} more outrage the day after: learning {solve(day, goal):.3f}",
            err=True,
        )
    block = {"human": {"learning": round(solve(day, target), 3)}}
    click.echo(yaml.safe_dump({"mechanisms": {"creators": block}}, sort_keys=False))


if __name__ == "__main__":
    main()
