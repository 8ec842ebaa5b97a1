"""What is said of advice in the terminal and on top of its report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import numpy as np

from twin.experiments.page import percent
from twin.experiments.recommend import advice
from twin.experiments.recommend.advice import SURE, Advice, Effect, Fan, Measure
from twin.experiments.words import SIDES, is_reported, series_name, signed
from twin.ground.units import in_percent

CLEAR = 0.9
"""Probability of a direction from which on an effect is named as a gain or a loss."""


def lines(made: Sequence[Advice], last: dt.date) -> list[str]:
    """The result in lines."""
    said = [verdict(made, last)]
    for each in made:
        said += ["", f"{each.policy}: {chances(each)}", f"  it sets: {each.describe}"]
        for side, name in SIDES.items():
            shown = [effect for effect in reported(each) if effect.metric.side == side]
            if shown:
                said += [f"  {name}", *(f"    {line(effect)}" for effect in shown)]
        said.append(f"  to see that it works: {see(each.measure, last)}")
    return said


def verdict(made: Sequence[Advice], last: dt.date) -> str:
    """What is recommended, and until when that holds."""
    best = advice.best(made)
    if best is None:
        return (
            f"recommended: none of these policies (none keeps all goals with a probability of "
            f"{in_percent(SURE)})"
        )
    return (
        f"recommended: {best.policy} (keeps all goals with a probability of {in_percent(best.keeps)}). "
        f"{expiry(last)}"
    )


def expiry(last: dt.date) -> str:
    """How long advice holds."""
    return f"This advice expires on {last}, or at the first alarm of twin sync."


def chances(each: Advice) -> str:
    """Probability of the goals."""
    if len(each.goals) == 1:
        return f"keeps {each.goals[0][0]!r} with a probability of {in_percent(each.keeps)}"
    parts = ", ".join(f"{text!r} {in_percent(share)}" for text, share in each.goals)
    return f"keeps all goals with a probability of {in_percent(each.keeps)} ({parts})"


def reported(each: Advice) -> Iterator[Effect]:
    """Effects that summaries mention."""
    for effect in each.effects:
        if is_reported(effect.metric.headline, (effect.metric.name, effect.labels)):
            yield effect


def line(effect: Effect) -> str:
    """An effect in a line: median with the central 80 %."""
    _, low, middle, high, _ = effect.quantiles
    name = series_name(effect.metric.name, effect.labels)
    share = percent(effect.percent)
    return (
        f"{name:32s} {share:>9s}  {signed(middle):>9s} {f'[{signed(low)}, {signed(high)}]':22s} "
        f"{direction(effect)}"
    ).rstrip()


def direction(effect: Effect) -> str:
    """Whether a side gains, where that is clear."""
    better = effect.better
    if np.isnan(better):
        return ""
    if better >= CLEAR:
        return f"better, {in_percent(better)}"
    return f"worse, {in_percent(1 - better)}" if better <= 1 - CLEAR else "not clear"


def see(measure: Measure | None, last: dt.date) -> str:
    """What to measure."""
    if measure is None:
        return (
            f"no quantity that the log has would show it by {last} (give it to a share of people and "
            f"compare)"
        )
    return (
        f"{measure.quantity}, mean of {measure.days} d: {fan(measure.with_)} with it, "
        f"{fan(measure.without)} without"
    )


def fan(ends: Fan) -> str:
    """Median and central 80 % as text."""
    low, middle, high = ends
    return f"{middle:.3g} [{low:.3g}, {high:.3g}]"
