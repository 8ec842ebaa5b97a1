"""The sentences of a stress test, for terminal and report; every number in them comes from its
verdicts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from twin.experiments import effects
from twin.experiments.page import Summary, Words, listed
from twin.experiments.stress.uncertain import Uncertain
from twin.experiments.stress.verdicts import Direction, Fresh, Verdict
from twin.experiments.words import signed, two_digits, unsafe
from twin.readers.text import human

MOST = 4
"""Most parameters of a sentence."""


def share(value: float) -> str:
    """A share in percent, unsigned."""
    return f"{100 * value:.3g} %"


def margin(verdict: Verdict, value: float) -> str:
    """A margin with sign and unit."""
    unit = "percentage points" if verdict.goal.percent else verdict.goal.unit
    return f"{signed(value)} {unit}".rstrip() if math.isfinite(value) else "not known"


def how_often(verdict: Verdict) -> Words:
    """How likely the goal fails under the ranges."""
    drawn = verdict.drawn
    lost = (
        f" In {drawn.unknown} more it is not known (a run failed, or nothing was read)."
        if drawn.unknown
        else ""
    )
    if not drawn.n:
        said = (
            f"Nothing can be said: in none of the {drawn.unknown} worlds drawn is it known whether "
            f"the goal was kept."
        )
        return [(said, "bad")]
    # no failure seen is not no failure, so the bound stands beside it
    if not drawn.fails:
        return [
            (f"It held in all {drawn.n} worlds drawn", "good"),
            (
                f": this excludes, with 95 % confidence, that it fails in more than "
                f"{share(drawn.bound)} of the worlds of these ranges (by the rule of three about "
                f"3/{drawn.n}), and no less than that. It does not say that the policy is "
                f"safe.{lost}",
                "",
            ),
        ]
    return [
        (f"It failed in {drawn.fails} of {drawn.n} worlds drawn", "bad"),
        (
            f": {share(drawn.share)} [{share(drawn.low)}, {share(drawn.high)}] of the worlds of "
            f"these ranges.{lost}",
            "",
        ),
    ]


def searched(verdict: Verdict) -> list[Words]:
    """What the search found beyond those drawn."""
    rate = verdict.searched
    if not rate.n + rate.unknown:
        return []
    said = (
        f"The search, aimed at the worst, found it failing in {rate.fails} of {rate.n} further "
        f"worlds; this shows where failure is, not how often."
    )
    return [[(said, "")]]


def fresh(verdict: Verdict, one: Fresh, name: str) -> Words:
    """An extreme world on fresh luck."""
    start = f"The {name} world (number {one.point}) had a margin of {margin(verdict, one.found)}"
    n = len(one.each)
    if n < 2:
        return [(f"{start}; with fresh seeds it is not known.", "")]
    again = (
        f"; with {n} fresh seeds {margin(verdict, one.mean)} [{signed(one.low)}, "
        f"{signed(one.high)}], failing in {one.fails} of {n}: "
    )
    # first where it failed when found, then where it held
    if one.found < 0:
        end = {
            "fails": ("the failure is confirmed.", "bad"),
            "holds": ("the failure was bad luck, that world keeps the goal.", "good"),
            "": ("on average, a failure of that world is not distinguishable from noise.", "flat"),
        }[one.confirmed]
    else:
        end = {
            "fails": ("on average it fails there.", "bad"),
            "holds": ("it holds there on average.", "good"),
            "": ("on average, holding there is not distinguishable from noise.", "flat"),
        }[one.confirmed]
    return [(start + again, ""), end]


def where(verdict: Verdict) -> Words:
    """The direction in which failure lies, from what is distinguishable from noise
    only."""
    sure = [each for each in verdict.directions if each.sure]
    tested = sum(math.isfinite(each.p) for each in verdict.directions)
    doubt = _doubt(verdict, tested, tested - len(sure))
    if not sure:
        said = f"Which way it lies is not established for any of the {tested} parameters tested."
        return [(f"{said}{doubt}", "flat")]
    # where all fail or none does, no border was seen, only a slope
    start = (
        "It fails where "
        if verdict.drawn.fails and verdict.drawn.fails < verdict.drawn.n
        else "Its margin is smallest where "
    )
    ends = [
        f"{listed(names)} {'are' if len(names) > 1 else 'is'} {end}"
        for end in ("high", "low")
        if (names := [each.parameter for each in sure[:MOST] if each.towards == end])
    ]
    strengths = ", ".join(_strength(each) for each in sure[:MOST])
    rest = f"; {len(sure) - MOST} weaker ones are in the table" if len(sure) > MOST else ""
    return [
        (f"{start}{listed(ends)}", "bad" if verdict.drawn.fails else ""),
        (f" (rank correlation with the margin: {strengths}{rest}).{doubt}", ""),
    ]


def _doubt(verdict: Verdict, tested: int, unsure: int) -> str:
    """What is said of the parameters that are not established."""
    hints = [each for each in verdict.directions if each.standing == effects.SUGGESTIVE]
    said = ""
    if hints:
        rest = f" and {len(hints) - MOST} more" if len(hints) > MOST else ""
        said += f" Suggestive, {unsafe(f'the {tested}')}: {', '.join(_strength(each) for each in hints[:MOST])}{rest}."
    if noise := unsure - len(hints):
        least = effects.smallest_correlation(verdict.drawn.n)
        seen = (
            f" ({verdict.drawn.n} worlds would have shown a rank correlation of ±{least:.2g})"
            if math.isfinite(least)
            else ""
        )
        said += f" Not distinguishable from noise: {noise} of {tested} parameters{seen}."
    return said


def _strength(each: Direction) -> str:
    return f"{each.parameter} {signed(each.correlation)}, q {two_digits(each.q)}"


def about(verdict: Verdict) -> list[Words]:
    """All sentences on a goal."""
    made = [how_often(verdict), where(verdict), *searched(verdict)]
    if verdict.worst:
        made.append(fresh(verdict, verdict.worst, "worst"))
    # a single known world is both
    if verdict.best and verdict.worst and verdict.best.point != verdict.worst.point:
        made.append(fresh(verdict, verdict.best, "least bad"))
    return made


def summary(verdicts: Sequence[Verdict]) -> list[Summary]:
    """The summary of the report."""
    return [Summary(verdict.goal.text, about(verdict)) for verdict in verdicts]


def setting(given: Sequence[Uncertain], one: Fresh) -> str:
    """A world in the words of ``--set``."""
    return ", ".join(
        f"{each.vary.path}={value}" for each, value in zip(given, one.values, strict=True)
    )


def lines(verdicts: Sequence[Verdict], given: Sequence[Uncertain]) -> list[str]:
    """What the terminal shows."""
    made = []
    for verdict in verdicts:
        made += ["", verdict.goal.text]
        made += ["  " + "".join(words for words, _ in sentence) for sentence in about(verdict)]
        if verdict.worst:
            made.append(f"  the worst world: {setting(given, verdict.worst)}")
    ranges = ", ".join(human_range(each) for each in given)
    return [*made, "", f"All of this under the stated ranges, and no others: {ranges}."]


def human_range(each: Uncertain) -> str:
    """A parameter with its range."""
    return f"{each.vary.path} {ends(each)}"


def ends(each: Uncertain) -> str:
    """A range: its levels, or its two ends."""
    vary = each.vary
    if vary.levels:
        return f"one of {', '.join(vary.levels)}"
    scale = " (log)" if vary.log else ""
    return f"{human(vary.low)} to {human(vary.high)}{vary.suffix}{scale}"
