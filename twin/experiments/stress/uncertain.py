"""What is not known about people and creators: parameters with the range in which they may lie, and
why.

Worlds of a stress test are drawn from these ranges, each uniform or uniform in its logarithm,
independently. They hold parameters that rest on assumption, of consumers and creators and of
nothing that a platform decides; ``--uncertain`` states others. The ranges are themselves judgement:
about half to double or a third to triple of the default where its size was never measured, wider,
or to both sides of zero, where studies disagree. A statement of how likely a failure is holds under
these ranges and no others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from twin.experiments import design
from twin.experiments.design import Vary
from twin.ground.errors import ScenarioError, UsageError, nearest_path
from twin.ground.units import parse_duration, parse_rate
from twin.scenario.describe import Row, as_file, describe
from twin.scenario.loading import Scenario, load

REASONS = (
    # how people return, look and respond
    (
        "audience.return_effect=0.2..1.8:log",
        "how strongly content people come back; no published size, a third to triple",
    ),
    (
        "audience.leave_effect=1.0..10.0",
        "how steeply leaving for good answers to satisfaction; no published size, a fifth to "
        "double",
    ),
    (
        "audience.satisfaction_rate=0.03..0.3:log",
        "how fast opinion of the platform forms, from three sessions to thirty",
    ),
    (
        "audience.taste_spread=0.2..0.7",
        "how far tastes are a person's own; from tight communities to loose ones",
    ),
    ("audience.patience=0.75..0.93", "how far down people look: on average four posts to fourteen"),
    (
        "audience.responses.click.arousal=0.2..1.6",
        "how much arousal tempts; the sign is known, the size differs by platform",
    ),
    (
        "audience.responses.click.proof=0.01..0.3",
        "how far likes shown draw clicks; sign by experiments, size assumed",
    ),
    (
        "audience.responses.click.label=-0.8..0.1",
        "how a label that says AI is taken; studies find from clear aversion to none",
    ),
    (
        "audience.responses.glad.arousal=-3.0..-0.2",
        "how much people regret what aroused them; sign by surveys, size assumed",
    ),
    # what creators make, and when they give up
    (
        "creators.ai.skill_mean=-0.6..0.6",
        "quality of AI posts against human ones; blind comparisons go both ways",
    ),
    ("creators.ai.posts_mean=1.5/d..12.0/d:log", "how much an AI creator posts; a third to triple"),
    ("creators.quit=0.0003..0.003:log", "how readily a human creator gives up; a third to triple"),
    (
        "creators.quit_effect=2.0..12.0",
        "how steeply giving up answers to morale; a third to double",
    ),
    ("creators.burnout=0.005..0.08:log", "morale that effort costs; a quarter to four times"),
    # ties and opinions
    (
        "network.homophily=0.2..0.8",
        "how far people follow their own kind; differs widely between platforms",
    ),
    (
        "opinions.stubbornness_mean=0.1..0.8",
        "how far people keep to their first opinion; estimates range over most of 0..1",
    ),
)
"""Parameter with its range in the words of ``--uncertain``, and why that range."""
# what a run is, not what is unknown of its people
_FIXED = ("name", "start", "warm_up", "duration", "seed", "replicate", "metrics.every")


@dataclass(frozen=True)
class Uncertain:
    """A parameter with its range, as text and read, the reason for the range, and notes that a
    reader must know."""

    text: str
    vary: Vary
    reason: str = ""
    notes: tuple[str, ...] = ()

    def position(self, value: str) -> float:
        """Where a value lies in the range (0..1), on the scale that it is drawn on; the inverse of
        ``vary.at``."""
        vary = self.vary
        if vary.levels:
            # the middle of the part of the range in which `at` gives this level
            return (vary.levels.index(value) + 0.5) / len(vary.levels)
        if vary.suffix in design.TIMES:
            # `at` writes a duration in whatever unit is shortest
            number = parse_duration(value) / parse_duration(f"1{vary.suffix}")
        else:
            # not [:-n]: without a unit that would cut everything
            number = float(value[: len(value) - len(vary.suffix)])
        if vary.log:
            return math.log(number / vary.low) / math.log(vary.high / vary.low)
        return (number - vary.low) / (vary.high - vary.low)


def standard(scenario: Scenario) -> list[str]:
    """The ranges of `REASONS` whose parameters this scenario has."""
    known = {row.path for row in describe(scenario)}
    return [text for text, _ in REASONS if text.partition("=")[0] in known]


def read(
    texts: Iterable[str], scenario: Scenario, policies: Sequence[Mapping[str, Any]] = ()
) -> list[Uncertain]:
    """Ranges read, with notes: on levers, on what the policy sets itself, on ranges without the
    scenario's own value.

    Raises UsageError with the nearest parameter, for one given twice, and for what has no number.
    """
    rows = {row.path: row for row in describe(scenario) if row.path not in _FIXED}
    reasons = dict(REASONS)
    made: list[Uncertain] = []
    for text in texts:
        try:
            vary = design.parse(text)
        except UsageError as error:
            # the parser is that of sweeps, and names their flag
            raise UsageError(str(error).replace("--vary", "--uncertain", 1)) from None
        vary = replace(vary, path=vary.path.removeprefix("mechanisms."))
        if vary.path not in rows:
            mend = nearest_path(vary.path, rows)
            raise UsageError(f"--uncertain {text}: no such parameter ({mend})")
        # as sweeps do: durations lie on the grid of the scenario, whole numbers stay whole
        (vary,) = design.fitted([vary], scenario)
        if any(each.vary.path == vary.path for each in made):
            raise UsageError(f"--uncertain {text}: {vary.path} is given twice (leave one out)")
        if len(vary.levels) == 1:
            raise UsageError(
                f"--uncertain {text}: one value is certain (write LOW..HIGH, or several values)"
            )
        notes = [
            each
            for each in (_lever(rows[vary.path], policies), _outside(vary, rows[vary.path]))
            if each
        ]
        made.append(
            Uncertain(text, vary, reasons.get(text, "given on the command line"), tuple(notes))
        )
    if not made:
        raise UsageError(
            "--uncertain: this scenario has none of the parameters with a standard range (give "
            "some: PATH=LOW..HIGH)"
        )
    return made


def _lever(row: Row, policies: Sequence[Mapping[str, Any]]) -> str:
    if any(row.path in policy.get("set", {}) for policy in policies):
        return (
            f"{row.path} is set by the policy itself: in its branch the range holds up to then only"
        )
    if row.lever:
        return (
            f"{row.path} is a lever of policies, which somebody decides, not something that is "
            f"unknown about the world"
        )
    return ""


def _outside(vary: Vary, row: Row) -> str:
    """A note if the scenario's own value lies outside the range."""
    if vary.levels:
        return ""
    own = _plain(row.value)
    # in one unit, as the scenario may write the value in another than the range
    low, high = _plain(f"{vary.low!r}{vary.suffix}"), _plain(f"{vary.high!r}{vary.suffix}")
    if None in (own, low, high) or low <= own <= high:  # type: ignore[operator]
        return ""
    return (
        f"{row.path} is {row.value} in the scenario, outside the range that worlds are drawn from"
    )


def _plain(text: str) -> float | None:
    """A value as a number; rates per day, durations in seconds."""
    for read_as in (float, parse_rate, parse_duration):
        try:
            return float(read_as(text))
        except ValueError:
            continue
    return None


def check(scenario: Scenario, given: Sequence[Uncertain]) -> None:
    """Load the scenario at both ends of each range, and at all lower and all upper ends. Raises
    UsageError for ends out of bounds."""
    with as_file(scenario) as base:
        for each in given:
            ends = each.vary.levels or tuple(each.vary.at(share) for share in (0.0, 1.0))
            for value in ends:
                _try(base, f"--uncertain {each.text}", [f"{each.vary.path}={value}"])
        # together too, as bounds of one parameter may depend on others
        for share in (0.0, 1.0 - 1e-9):
            _try(
                base,
                "--uncertain: all ranges together",
                [f"{each.vary.path}={each.vary.at(share)}" for each in given],
            )


def _try(base: Path, flag: str, sets: Sequence[str]) -> None:
    try:
        load(base, sets)
    except ScenarioError as error:
        first = error.problems[0]
        mend = f" ({first.mend})" if first.mend else ""
        raise UsageError(
            f"{flag}: at {', '.join(sets[:1]) if len(sets) == 1 else 'one end'}: {first.path} "
            f"{first.reason}{mend}"
        ) from None
