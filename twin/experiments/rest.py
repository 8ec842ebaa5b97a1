"""Is a scenario at rest? What its headline metrics do without policies, and how long a warm-up
would have to be.

Replicates r of the scenario run without its policies over days 1 .. D after the start (and after
its warm-up, if it has one); y_r(d) is a headline series' mean over day d, what is counted per day.
With a_r its mean over days 1 to 30 and b_r over the last 30,

    change = mean over r of (b_r - a_r) / |mean over r of a_r|      interval: +- t(n - 1) sd(b_r - a_r) / sqrt n, on the same scale
    slope  = mean over r of the least-squares slope of y_r, per 30 days, its interval likewise

Days of one run are not independent, runs are: so intervals come from replicates alone (independent
replications: Law, Simulation Modeling and Analysis, 5th ed. 2015, section 9.5.2), and no
autocorrelation has to be modelled. The verdict is

    at rest     the whole interval of the change lies within +- TOLERANCE (an equivalence test:
                Schuirmann 1987)
    drifts      the interval excludes 0 and the change is larger than TOLERANCE
    unclear     neither: not distinguishable from rest, nor shown to be at rest; more replicates
                tell

Two reasons for a drift stand in the table. What grows or shrinks only because those who make it up
become more or fewer counts as explained: a total whose amount per head is not shown to drift; heads
are those that the metric's declaration names (`Metric.of`: creators of that kind, users of an
assistant), else active people. And a declaration may say why a metric moves for months whatever the
feed does (`Metric.moves`).

Truncation: MSER-5 (White, Simulation 69:323, 1997; White, Cobb & Spratt, WSC 2000). With z_1 .. z_m
the means of m batches of five days (of the mean over replicates), cut the first k batches that

    k* = argmin over k of  sum over i > k of (z_i - mean of z_(k+1) .. z_m)^2 / (m - k)^2

with LEFT batches left at least (fewer can be alike by chance: Hoad, Robinson & Davies, J. Oper.
Res. Soc. 61:69, 2010); where k* lies beyond the half of the series, it has not settled in these
days. The proposed warm-up is the scenario's plus the most days that MSER-5 cuts off a series which
is not at rest (what follows a number of heads is judged per head).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twin.engine.simulation import Simulation
from twin.experiments import effects
from twin.experiments.effects import window_means
from twin.ground.crew import asked, cores
from twin.ground.units import DAY
from twin.mechanisms.policies import PoliciesParams
from twin.readers.panels import title
from twin.readers.text import human
from twin.record.results import per_day
from twin.running import warmed
from twin.scenario.loading import Scenario
from twin.world.metric import Metric
from twin.world.params import value_at

Floats = NDArray[np.float64]
LEAST_DAYS = 60
WINDOW = 30
"""Days of the first and of the last window."""
TOLERANCE = 0.05
"""The largest change that counts as rest, as a share of the first window's mean."""
BATCH, LEFT = 5, 5
TOTALS = ("consumers", "creators", "posts", "accounts")
"""Units of gauges that say how much there is, and so grow with the people; what is counted always
does."""
PEOPLE = "consumers_active"


@dataclass(frozen=True)
class Drift:
    """What one headline series does: means, change (a share) and slope (per 30 days), each with its
    interval; ``settles`` in days."""

    name: str
    unit: str
    first: float
    last: float
    change: tuple[float, float, float]
    slope: tuple[float, float, float]
    settles: int | None
    per_person: tuple[float, float, float] | None = None
    """The change per active person, of what grows with the people."""
    settles_per_person: int | None = None
    heads: str = "active people"
    """Who these persons are."""
    why: str = ""
    """Why it moves whatever the feed does, as declared; empty for what should be at rest."""

    @property
    def explained(self) -> bool:
        """Whether it drifts only as the number of those does who make it up."""
        return (
            self.per_person is not None
            and _verdict(self.change) == "drifts"
            and _verdict(self.per_person) != "drifts"
        )

    @property
    def verdict(self) -> str:
        """``at rest``, ``drifts``, ``unclear``; ``follows`` where the number of heads explains it,
        ``moves`` where its declaration does."""
        if self.explained:
            return "follows"
        found = _verdict(self.change)
        return "moves" if self.why and found == "drifts" else found


def _verdict(change: tuple[float, float, float]) -> str:
    middle, low, high = change
    if low >= -TOLERANCE and high <= TOLERANCE:
        return "at rest"
    return "drifts" if (low > 0 or high < 0) and abs(middle) > TOLERANCE else "unclear"


def mser(values: Floats, batch: int = BATCH) -> int | None:
    """How many observations MSER cuts off the begin of a series; None where its least lies beyond
    the half, so that it has not settled.

    ``values`` float64 (n,), equally spaced; what is left of the last batch does not count.
    """
    count = len(values) // batch
    if count < 2:
        return None
    z = np.asarray(values[: count * batch], float).reshape(count, batch).mean(1)
    score = [
        ((z[k:] - z[k:].mean()) ** 2).sum() / (count - k) ** 2
        for k in range(max(count - LEFT + 1, 1))
    ]
    best = int(np.argmin(score))
    return best * batch if best <= count // 2 else None


def slopes(days: Floats) -> Floats:
    """Least-squares slope per day of each row: (replicates, days) -> (replicates,)."""
    t = np.arange(days.shape[1]) - (days.shape[1] - 1) / 2
    return np.asarray(days @ t / (t @ t), np.float64)


def _with_interval(values: Floats, scale: float) -> tuple[float, float, float]:
    """Mean of one number per replicate and its interval, in units of ``scale``."""
    made = effects.paired(values[:, None], np.zeros((len(values), 1)))
    middle, low, high = (float(each[0]) for each in (made.effect, made.low, made.high))
    if scale:
        return middle / scale, low / scale, high / scale
    middle, low, high = (
        math.copysign(math.inf, each) if each else 0.0 for each in (middle, low, high)
    )
    return middle, low, high


def judged(
    name: str,
    unit: str,
    days: Floats,
    people: Floats | None = None,
    heads: str = "active people",
    why: str = "",
) -> Drift:
    """What a series does, from its daily means (replicates, days); ``people`` likewise, of the
    ``heads`` that make up a total; ``why`` it moves by its declaration."""
    first, last = days[:, :WINDOW].mean(1), days[:, -WINDOW:].mean(1)
    base = abs(float(first.mean()))
    middle, low, high = _with_interval(slopes(days) * 30, 1.0)
    made = Drift(
        name,
        unit,
        float(first.mean()),
        float(last.mean()),
        _with_interval(last - first, base),
        (middle, low, high),
        mser(days.mean(0)),
        heads=heads,
        why=why,
    )
    if people is None:
        return made
    each = judged(name, unit, days / np.maximum(people, 1.0))
    return replace(made, per_person=each.change, settles_per_person=each.settles)


def without_policies(scenario: Scenario, days: int, replicate: int) -> Scenario:
    """The scenario for a look at rest: no policies, so many days, read daily at least."""
    mechanisms = (
        {**scenario.mechanisms, "policies": PoliciesParams()}
        if "policies" in scenario.mechanisms
        else dict(scenario.mechanisms)
    )
    grid = int(value_at(scenario.mechanisms["recommender"], "refresh"))
    metrics = scenario.metrics.model_copy(
        update={"every": min(scenario.metrics.every, DAY // grid * grid)}
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
    asked_for = [*shown, *sorted({i for i in heads.values() if i is not None})]

    def told(replicate: int, day: int) -> None:
        progress((replicate + day / days) / replicates)

    found = np.array(
        [
            daily(without_policies(scenario, days, r), asked_for, partial(told, r))
            for r in range(replicates)
        ]
    )
    made = []
    for place, i in enumerate(shown):
        metric, _ = rows[i]
        values = found[:, :, place]
        values = values[
            :, np.isfinite(values).all(0)
        ]  # a day without a reading counts in no replicate
        if values.shape[1] < 2 * WINDOW:
            continue
        head = heads[i] if values.shape[1] == days else None
        made.append(
            judged(
                _title(rows[i]),
                f"{metric.unit}/d" if metric.counts else metric.unit,
                values,
                None if head is None else found[:, :, asked_for.index(head)],
                ""
                if head is None
                else "active people"
                if rows[head][0].name == PEOPLE
                else _title(rows[head]),
                metric.moves,
            )
        )
    return made


def _title(row: tuple[Metric, Mapping[str, str]]) -> str:
    return title(row[0], ", ".join(row[1].values()))


def _heads(rows: Sequence[tuple[Metric, Mapping[str, str]]], i: int) -> int | None:
    """The series that counts those who make up series i, if it is a total: the one that it names,
    else active people."""
    metric, labels = rows[i]
    if metric.name == PEOPLE or not (metric.counts or metric.unit in TOTALS):
        return None
    wanted = metric.of or PEOPLE
    return next(
        (
            j
            for j, (each, own) in enumerate(rows)
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
    """The table, the proposal, and whether nothing drifts but for a reason that stands there."""
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
        f"{'per 30 days [95 % interval]':30s} "
        f"{'MSER-5':>7s}  verdict",
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


def _share(change: tuple[float, float, float]) -> str:
    if not all(map(math.isfinite, change)):
        return "from nothing"
    return "{:+.1f} % [{:+.1f}, {:+.1f}]".format(*(100 * each for each in change)).replace("-", "−")


def _range(slope: tuple[float, float, float]) -> str:
    return "{:+.3g} [{:+.3g}, {:+.3g}]".format(*slope).replace("-", "−")


def _words(each: Drift) -> str:
    if each.verdict == "follows" and each.per_person is not None:
        return f"follows the number of {each.heads}; per head {_share(each.per_person)}"
    if each.verdict == "moves":
        return f"moves: {each.why}"
    if each.verdict == "unclear":
        _, low, high = each.change
        return (
            f"moves, but not surely by {TOLERANCE:.0%}"
            if low > 0 or high < 0
            else "not distinguishable from rest"
        )
    return "at rest" if each.verdict == "at rest" else f"DRIFTS by {_share(each.change)}"


def _advice(scenario: Scenario, found: Sequence[Drift], days: int) -> list[str]:
    """The proposed warm-up in words."""
    need, never = proposed(scenario, found)
    lines = [
        f"At rest: the 95 % interval of the change lies within {TOLERANCE:.0%}. MSER-5: days after "
        f"which a series has settled (-: not "
        f"within half of these {days} days)."
    ]
    if never:
        lines.append(
            f"No warm-up up to {days // 2} days settles: {', '.join(never)}. Look longer (--days), "
            f"or for what moves them."
        )
    if all(each.verdict in ("at rest", "follows", "moves") for each in found):
        return [*lines, f"Proposed warm_up: {scenario.warm_up // DAY}d, what it is."]
    return [*lines, f"Proposed warm_up: {need}d."]
