"""How far a calibration can be believed, by truths that are in no way part of it: `python -m
tests.benchmarks.bench_calibration BANK FRESH [--quiet-days N]` (some minutes).

BANK and FRESH are two finished calibrations to the same observed folder, which differ in their seed
alone (`--set seed=N`): every world of FRESH is observed as if it were the platform, and asked for
from the worlds of BANK. Printed: coverage and uniform ranks of the parameters, widths over the
prior, how long a refit takes, a backtest of the days ahead beside the naive forecasters and beside
one who knows each world's mean of the days to come (nobody can be much better than that: the rest is
the luck of days), and how often days on which nothing happened raise the alarm of `twin sync`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.experiments.backtest import scores
from twin.experiments.calibrate import again, fit, prior, reading
from twin.experiments.calibrate.again import Calibration
from twin.experiments.calibrate.coverage import LEAST_RANKS, LEVELS, Coverage, ranked
from twin.experiments.calibrate.fit import Asked, Fit
from twin.experiments.sync import alarm
from twin.observing.daily import Seen

ALONE: tuple[None, None] = (None, None)


@dataclass(frozen=True)
class Worlds:
    """Worlds of a calibration, those that ran: where they lie in the prior (worlds, parameters), and
    what is seen of them by day."""

    of: Calibration
    places: Sequence[int]

    @classmethod
    def opened(cls, folder: str) -> Worlds:
        """From its folder."""
        of = again.opened(folder, quiet=True)
        seen = reading.read(of.experiment, of.bank, of.bank.until, False, ALONE)
        return cls(of, [world for world, each in enumerate(seen) if each is not None])

    @property
    def points(self) -> np.ndarray:
        """Of the worlds that ran."""
        return self.of.bank.points[[*self.places]]

    def seen(self, day: dt.date) -> list[Seen]:
        """Of the worlds that ran, until a day."""
        found = reading.read(self.of.experiment, self.of.bank, day, False, ALONE)
        return [each for world in self.places if (each := found[world]) is not None]


def asked(bank: Worlds, seen: Sequence[Seen], truth: Seen, until: dt.date) -> Fit:
    """The posterior of a truth, by the very code of `twin calibrate`."""
    given = bank.of.bank.given
    what = Asked(tuple(each.vary.path for each in given), bank.points, prior.scales(given))
    future = fit.future(seen, until, bank.of.bank.last, truth.daily)
    return fit.fit(what, seen, truth.statistics, dict(fit.ahead(future)), len(future.days))


def posteriors(bank: Worlds, fresh: Worlds) -> tuple[Coverage, list[dict[str, Any]], list[float]]:
    """Coverage of the parameters over fresh truths, scores of the days ahead, and seconds of
    processor a refit."""
    until, last = bank.of.bank.until, bank.of.bank.last
    seen, points = bank.seen(until), fresh.points
    ranks, widths, off = [], [], []
    rows: list[dict[str, Any]] = []
    spent = []
    for place, truth in enumerate(fresh.seen(until)):
        began = time.process_time()
        found = asked(bank, seen, truth, until)
        spent.append(time.process_time() - began)
        many = len(found.parameters)
        draws, own = found.draws[:, :many], found.worlds.x[:, :many]
        at = np.array(
            [float(scale.of(points[place, k : k + 1])[0]) for k, scale in enumerate(found.scales)]
        )
        ranks.append(ranked(draws, at))
        widths.append(draws.std(0, ddof=1) / own.std(0, ddof=1))
        off.append((draws.mean(0) - at) / own.std(0, ddof=1))
        rows += scores.rows(found, truth, until, last)
        names = found.parameters
    errors = np.sqrt((np.array(off) ** 2).mean(0))
    return Coverage(names, np.array(ranks), np.median(widths, axis=0), errors), rows, spent


def knowing(rows: Sequence[dict[str, Any]], quantity: str, truths: int) -> float:
    """Mean error of one who knows the mean of the days to come of each truth."""
    came = [row["observed"] for row in rows if _is(row, quantity)]
    days = np.array_split(np.array(came), truths)
    return float(np.mean([np.abs(each - each.mean()).mean() for each in days]))


def _is(row: dict[str, Any], quantity: str) -> bool:
    return bool(row["quantity"] == quantity and row["forecaster"] == scores.TWIN)


def quiet(bank: Worlds, fresh: Worlds, days: int) -> Iterator[alarm.Day]:
    """Days of fresh truths on which nothing happened, held against what was foretold the day before;
    about so many, spread over all truths."""
    until, last = bank.of.bank.until, bank.of.bank.last
    span = (last - until).days
    for ahead in range(span):
        day = until + dt.timedelta(days=ahead)
        seen, truths = bank.seen(day), fresh.seen(day)
        # every day of the span asks other truths
        some = range(ahead % 3, len(truths), max(1, span * len(truths) // days))
        for place in some:
            found = asked(bank, seen, truths[place], day)
            if (told := alarm.check(found, truths[place], day + dt.timedelta(days=1))) is not None:
                yield told


def main() -> None:
    """Print everything."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("bank")
    given.add_argument("fresh")
    given.add_argument("--quiet-days", type=int, default=300)
    args = given.parse_args()
    bank, fresh = Worlds.opened(args.bank), Worlds.opened(args.fresh)
    held, rows, spent = posteriors(bank, fresh)
    print(f"{len(bank.places)} worlds of the bank, {len(held.ranks)} fresh truths")
    print(f"a refit: median {np.median(spent):.2f} s of processor, longest {max(spent):.2f} s")
    pooled = ", ".join(f"{100 * at:g} %: {held.pooled(at):.3f}" for at in LEVELS)
    print(f"parameters, pooled coverage: {pooled}; {held.verdict}")
    print(f"  {'parameter':<42}{'50 %':>7}{'80 %':>7}{'90 %':>7}{'KS p':>8}{'width':>7}{'rmse':>7}")
    inside = [held.inside(at) for at in (0.5, 0.8, 0.9)]
    for k, name in enumerate(held.quantities):
        told = "" if held.identified[k] else "  not identified"
        uneven = "  ranks not uniform" if held.uniform[k] < LEAST_RANKS else ""
        print(
            f"  {name:<42}{inside[0][k]:7.2f}{inside[1][k]:7.2f}{inside[2][k]:7.2f}"
            f"{held.uniform[k]:8.3f}{held.widths[k]:7.2f}{held.errors[k]:7.2f}{told}{uneven}"
        )
    print("days ahead, beside the best of five naive forecasters:")
    for each in scores.summaries(rows):
        shares = " ".join(f"{level} %: {share:.2f}" for level, share in each.held.items())
        if each.leads == "all":
            least = knowing(rows, each.quantity, len(held.ranks)) / each.nearest[1]
            shares += f"; one who knows the mean: {least:.2f}"
        print(
            f"  {each.quantity:<12} {each.leads:<12} error {each.error:.4f}, "
            f"{each.error / each.nearest[1]:.2f} of {each.nearest[0]}; score "
            f"{each.crps / each.best[1]:.2f} of {each.best[0]}; held {shares}"
        )
    told_days = list(quiet(bank, fresh, args.quiet_days)) if args.quiet_days else []
    if told_days:
        alarms = sum(day.alarm for day in told_days)
        print(
            f"alarms on {len(told_days)} quiet days: {alarms} ({alarms / len(told_days):.4f} a day)"
        )


if __name__ == "__main__":
    main()
