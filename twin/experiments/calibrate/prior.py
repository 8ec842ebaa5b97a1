"""Which parameters a calibration asks for, and what is believed of them beforehand.

A prior is a range, uniform or uniform in the logarithm, as `twin stress` writes ranges. The standard
ones are wide: about a third to triple of the default, or what is possible. A parameter that a log
cannot tell keeps its prior, and is called not identified.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from twin.experiments import design
from twin.experiments.calibrate import ensemble
from twin.experiments.calibrate.ensemble import Array, Scale
from twin.experiments.stress import uncertain
from twin.experiments.stress.uncertain import Uncertain
from twin.ground.digest import sha
from twin.ground.errors import UsageError
from twin.scenario.describe import describe
from twin.scenario.loading import Scenario

STANDARD = (
    ("audience.again=0.05..0.6", "whether people come again on the same day"),
    ("audience.patience=0.75..0.97", "how far down people look"),
    ("audience.patience_sd=0.3..1.6", "how much they differ in that"),
    ("audience.return_a=0.25..2.5:log", "how likely people are to come back on a next day"),
    ("audience.return_b=0.4..4.0:log", "and how much they differ in it"),
    ("audience.eagerness_sd=0.2..1.6", "how much people differ in how readily they react"),
    ("audience.responses.click.intercept=-4.0..0.0", "how readily people click"),
    ("audience.responses.click.quality=0.0..1.5", "how far quality decides"),
    ("audience.responses.click.match=0.5..4.5", "how far taste decides"),
    ("audience.responses.like.intercept=-7.0..-4.0", "how readily people like"),
    ("recommender.explore_slots=0..12", "slots that the feed keeps for what is new"),
    ("creators.human.posts_mean=0.1/d..1.5/d:log", "how much people post"),
)
"""Parameter with its range, and what it is."""
GRID = 2001
"""Points of a scale."""


def ranges(texts: Iterable[str], scenario: Scenario) -> list[Uncertain]:
    """Priors from texts, or the standard ones that the scenario has. Raises UsageError with the
    flag."""
    given = list(texts)
    known = {row.path for row in describe(scenario)}
    chosen = given or [text for text, _ in STANDARD if text.partition("=")[0] in known]
    try:
        return uncertain.read(chosen, scenario)
    except UsageError as error:
        raise UsageError(str(error).replace("--uncertain", "--vary", 1)) from None


def shares(given: Sequence[Uncertain], worlds: int, seed: int) -> Array:
    """Where each world lies in every range (worlds, parameters), 0 .. 1: a Latin hypercube. A
    parameter's column is drawn by its name, so a further range leaves the others as they were."""
    columns = [
        design.sample(1, "lhs", worlds, int(sha([seed, each.vary.path], 16), 16))[:, 0]
        for each in given
    ]
    return np.column_stack(columns)


def scales(given: Sequence[Uncertain]) -> list[list[Scale]]:
    """Scales on which each parameter might be asked for: normal scores, shares of the range, and,
    where values allow, logarithms and log-odds. Statistics answer to some parameters along a
    straight line on one of them alone."""
    made = []
    grid = np.linspace(0.0, 1.0, GRID)
    for each in given:
        low, high, log = each.vary.low, each.vary.high, each.vary.log
        found = [Scale(grid, ensemble.scores(grid)), Scale(grid, grid)]
        # levels have no values in between; a range of a logarithm is uniform in it already
        if low > 0 and not log:
            found.append(Scale(grid, np.log(low + grid * (high - low))))
        if low > 0 and high < 1:
            value = low * (high / low) ** grid if log else low + grid * (high - low)
            found.append(Scale(grid, np.log(value / (1 - value))))
        made.append(found)
    return made


MARGIN = 0.25
"""Of the way from the lowest draw to the highest, that a narrower range goes beyond either."""


def within(given: Sequence[Uncertain], draws: Array) -> tuple[str, ...]:
    """Priors cut off to where a posterior lies, as ``--vary`` takes them; ``draws`` (draws,
    parameters) as shares of the ranges. Levels stay as they are. Only where no draw of the
    posterior is cut off is the next posterior that of the whole prior."""
    made = []
    for each, own in zip(given, draws.T, strict=True):
        vary = each.vary
        room = MARGIN * float(own.max() - own.min())
        ends = max(0.0, float(own.min()) - room), min(1.0, float(own.max()) + room)
        if vary.levels or ends[1] - ends[0] > NARROWER:
            made.append(each.text)
            continue
        low, high = (
            vary.low * (vary.high / vary.low) ** end
            if vary.log
            else vary.low + end * (vary.high - vary.low)
            for end in ends
        )
        if vary.whole:
            low, high = np.floor(low), np.ceil(high)
        log = ":log" if vary.log else ""
        made.append(f"{vary.path}={low:.6g}{vary.suffix}..{high:.6g}{vary.suffix}{log}")
    return tuple(made)


NARROWER = 0.95
"""A range is only cut off if less of it is left."""


def texts(given: Sequence[Uncertain], point: Array) -> tuple[str, ...]:
    """Values of a point (parameters,) as ``--set`` takes them."""
    return design.sets(
        [each.vary for each in given],
        [each.vary.at(float(share)) for each, share in zip(given, point, strict=True)],
    )
