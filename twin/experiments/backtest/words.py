"""What a backtest says in the terminal and on top of its report."""

from __future__ import annotations

from collections.abc import Sequence

from twin.experiments.backtest.scores import Summary


def lines(found: Sequence[Summary], origins: int) -> list[str]:
    """The result in lines."""
    every = [each for each in found if each.leads == "all"]
    made = [f"{origins} origin{'s' if origins > 1 else ''}, {every[0].days} days foretold"]
    made += [f"{each.quantity}: {verdict(each)}" for each in every]
    return made


def verdict(each: Summary) -> str:
    """A quantity in a sentence."""
    name, score = each.best
    said = (
        f"better than naive by {100 * each.skill:.0f} %"
        if each.skill > 0
        else f"worse than naive ({name}) by {-100 * each.skill:.0f} %"
    )
    held = ", ".join(f"{level} % held {100 * share:.0f} %" for level, share in each.held.items())
    return (
        f"{said} (CRPS {each.crps:.3g}, the best naive, {name}, {score:.3g}; off by "
        f"{each.error:.3g}, the nearest naive, {each.nearest[0]}, by {each.nearest[1]:.3g}); "
        f"intervals: {held}"
    )
