"""Is a scenario at rest? What its headline metrics do without policies, and how long a warm-up
would have to be.

Replicates r of the scenario run without its policies over days 1 .. D after the start (and after
its warm-up, if it has one); y_r(d) is a headline series' mean over day d, what is counted per day.
How a series is judged from these, and when it has settled: `twin.experiments.drifts`.

Two reasons for a drift stand in the table. What grows or shrinks only because the number of heads
behind it does counts as explained: a total whose amount per head is not shown to drift; heads are
those that the metric's declaration names (`Metric.of`: creators of that kind, users of an
assistant), else active people. And a declaration may state why a metric moves for months whatever
the feed does (`Metric.moves`).

The proposed warm-up is the scenario's plus the most days that MSER-5 cuts off a series which is not
at rest (what follows a number of heads is judged per head).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from twin.engine.simulation import Simulation
from twin.experiments.drifts import TOLERANCE, WINDOW, Drift, Estimate, Floats, judged
from twin.experiments.effects import window_means
from twin.ground.crew import asked, cores
from twin.ground.units import DAY, in_percent
from twin.mechanisms.policies import PoliciesParams
from twin.readers.panels import title
from twin.readers.text import human
from twin.record.results import per_day
from twin.running import warmed
from twin.scenario.loading import Scenario
from twin.world.metric import Metric

LEAST_DAYS = 60
TOTALS = ("consumers", "creators", "posts", "accounts")
"""Units of gauges that state how much there is, and so grow with the people; what is counted always
does."""
PEOPLE = "consumers_active"


def without_policies(scenario: Scenario, days: int, replicate: int) -> Scenario:
    """The scenario for a look at rest: no policies, so many days, read daily at least."""
    mechanisms = (
        {**scenario.mechanisms, "policies": PoliciesParams()}
        if "policies" in scenario.mechanisms
        else dict(scenario.mechanisms)
    )
    metrics = scenario.metrics.model_copy(
        # on the grid of the run's clocks, and daily at least: a day needs a reading
        update={"every": min(scenario.metrics.every, DAY // scenario.grid * scenario.grid)}
    )
    return replace(
        scenario,
        policies=(),
        mechanisms=mechanisms,
        duration=days * DAY,
        replicate=scenario.replicate + replicate,
        metrics=metrics,
    )


def daily(
    scenario: Scenario, shown: Sequence[int], progress: Callable[[int], None] = lambda day: None
) -> Floats:
    """Run a scenario; daily means of these series (days, series), what is counted per day."""
    # replicates run one after another, so each may use all cores
    simulation = Simulation(scenario, threads=asked(None, cores()))
    times: list[int] = []
    readings: list[Floats] = []

    def keep(now: int, values: Floats) -> None:
        times.append(now)
        readings.append(values[list(shown)])
        if now % DAY == 0:
            progress(now // DAY)

    simulation.on_measure = keep
    warmed.up(simulation)
    # `run` stops before its argument, and the reading at the end counts
    simulation.run(scenario.duration + 1)
    when, values = np.array(times, np.int64), np.array(readings)
    counted = np.array([simulation.world.board.rows[i][0].counts for i in shown], bool)
    values[:, counted] = per_day(when.astype("datetime64[s]"), values[:, counted])
    return np.array(
        [
            window_means(when, values, day * DAY, (day + 1) * DAY)
            for day in range(scenario.duration // DAY)
        ]
    )


def look(
    scenario: Scenario,
    days: int,
    replicates: int,
    progress: Callable[[float], None] = lambda share: None,
) -> list[Drift]:
    """Every headline series of the scenario at rest or not; ``progress`` hears the share that is
    done."""
    rows: list[tuple[Metric, Mapping[str, str]]] = list(scenario.series())
    shown = [
        i for i, (metric, _) in enumerate(rows) if metric.headline and metric.kind != "histogram"
    ]
    heads = {i: _heads(rows, i) for i in shown}
    # heads are read in the same runs; they come last, so that headlines keep their places
    asked_for = [*shown, *sorted({i for i in heads.values() if i is not None})]

    def done(replicate: int, day: int) -> None:
        progress((replicate + day / days) / replicates)

    found = np.array(
        [
            daily(without_policies(scenario, days, r), asked_for, partial(done, r))
            for r in range(replicates)
        ]
    )
    made = []
    for place, i in enumerate(shown):
        metric, _ = rows[i]
        # a day without a reading counts in no replicate
        read = np.isfinite(found[:, :, place]).all(0)
        # the first and the last window must not overlap
        if read.sum() < 2 * WINDOW:
            continue
        # with days left out, the days of the heads would not stand beside them
        head = heads[i] if read.all() else None
        made.append(
            judged(
                _title(rows[i]),
                f"{metric.unit}/d" if metric.counts else metric.unit,
                found[:, read, place],
                None if head is None else found[:, :, asked_for.index(head)],
                "" if head is None else _heads_name(rows[head]),
                metric.moves,
            )
        )
    return made


def _heads_name(row: tuple[Metric, Mapping[str, str]]) -> str:
    return "active people" if row[0].name == PEOPLE else _title(row)


def _title(row: tuple[Metric, Mapping[str, str]]) -> str:
    return title(row[0], ", ".join(row[1].values()))


def _heads(rows: Sequence[tuple[Metric, Mapping[str, str]]], i: int) -> int | None:
    """The series that counts the heads behind series i, if it is a total: the one that it names,
    else active people."""
    metric, labels = rows[i]
    if metric.name == PEOPLE or not (metric.counts or metric.unit in TOTALS):
        return None
    wanted = metric.of or PEOPLE
    return next(
        (
            j
            for j, (each, own) in enumerate(rows)
            # heads without labels stand behind every series, others behind that of their labels
            if each.name == wanted and (not own or own == labels)
        ),
        None,
    )


def proposed(scenario: Scenario, found: Sequence[Drift]) -> tuple[int, list[str]]:
    """Days of warm-up that would settle what is not at rest, and the drifting series that no such
    time was found for."""
    most, never = 0, []
    for each in found:
        settles = each.settles_per_person if each.per_person is not None else each.settles
        if each.verdict == "drifts" and settles is None:
            never.append(each.name)
        elif each.verdict in ("drifts", "unclear"):
            most = max(most, settles or 0)
    return scenario.warm_up // DAY + most, never


def check(
    scenario: Scenario,
    days: int,
    replicates: int,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[str, bool]:
    """The table, the proposal, and whether nothing drifts without a stated reason."""
    found = look(scenario, days, replicates, progress)
    wide = max([len(each.name) for each in found] + [8])
    lines = [
        f"{replicates} replicates without policies, {days} days from {scenario.start} on"
        + (
            f", after a warm-up of {scenario.warm_up // DAY} days"
            if scenario.warm_up
            else ", no warm-up"
        ),
        "",
        f"{'headline':{wide}}  {'days 1-30':>9s} {'last 30':>9s}  {'change [95 % interval]':28s} "
        f"{'per 30 days [95 % interval]':30s} {'MSER-5':>7s}  verdict",
    ]
    for each in found:
        settles = "-" if each.settles is None else f"{each.settles} d"
        lines.append(
            f"{each.name:{wide}}  {human(each.first, each.unit):>9s} "
            f"{human(each.last, each.unit):>9s}  {_share(each.change):28s} "
            f"{_range(each.slope):30s} {settles:>7s}  {_words(each)}"
        )
    good = not any(each.verdict == "drifts" for each in found)
    return "\n".join([*lines, "", *_advice(scenario, found, days)]), good


def _share(change: Estimate) -> str:
    if not all(map(math.isfinite, change)):
        return "from nothing"
    return "{:+.1f} % [{:+.1f}, {:+.1f}]".format(*(100 * each for each in change)).replace("-", "−")


def _range(slope: Estimate) -> str:
    return "{:+.3g} [{:+.3g}, {:+.3g}]".format(*slope).replace("-", "−")


def _words(each: Drift) -> str:
    if each.verdict == "follows" and each.per_person is not None:
        return f"follows the number of {each.heads}; per head {_share(each.per_person)}"
    if each.verdict == "moves":
        return f"moves: {each.why}"
    if each.verdict == "unclear":
        _, low, high = each.change
        return (
            f"moves, but not surely by {in_percent(TOLERANCE)}"
            if low > 0 or high < 0
            else "not distinguishable from rest"
        )
    return "at rest" if each.verdict == "at rest" else f"DRIFTS by {_share(each.change)}"


def _advice(scenario: Scenario, found: Sequence[Drift], days: int) -> list[str]:
    """The proposed warm-up in words."""
    need, never = proposed(scenario, found)
    lines = [
        f"At rest: the 95 % interval of the change lies within {in_percent(TOLERANCE)}. MSER-5: days after "
        f"which a series has settled (-: not within half of these {days} days)."
    ]
    if never:
        lines.append(
            f"No warm-up up to {days // 2} days settles: {', '.join(never)}. Look longer (--days), "
            f"or for what moves them."
        )
    if all(each.verdict in ("at rest", "follows", "moves") for each in found):
        return [*lines, f"Proposed warm_up: {scenario.warm_up // DAY}d, as it is."]
    return [*lines, f"Proposed warm_up: {need}d."]
