"""The sentences of a comparison's report; every number in them comes from its tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.experiments import effects
from twin.experiments.compare import groups
from twin.experiments.compare.data import Data
from twin.experiments.compare.rows import EARLY, MONTH, Row, name_of
from twin.experiments.compare.verdicts import ends, more_needed, would_show
from twin.experiments.forks import WINDOW
from twin.experiments.page import TONES, Summary, Words, between, listed, percent
from twin.experiments.words import SIDES, Key, bracketed, signed, unsafe
from twin.ground.units import DAY, at
from twin.readers import drift
from twin.readers.text import human

PAYS = 3.0
"""So many times narrower the interval must be for the pairing to have paid."""


def summary(data: Data) -> list[Summary]:
    """What each policy does to each side."""
    what = {each["name"]: each["describe"] for each in data.args["policies"]}
    return [
        Summary(
            branch,
            [
                *_where_in_effect(data, branch),
                *(_side(data, branch, side) for side in SIDES if data.reported(branch, side)),
                *groups.summary(data.groups, branch),
            ],
            data.colours[branch],
            what[branch],
        )
        for branch in data.branches
    ]


def _where_in_effect(data: Data, branch: str) -> list[Words]:
    """A sentence if the policy did not take effect everywhere."""
    # only a policy that waits for a condition can fail to take effect
    if not any(
        "when" in policy
        for each in data.args["policies"]
        if each["name"] == branch
        for policy in each["policies"]
    ):
        return []
    held = data.experiment.manifest.get("took_effect", {}).get(branch, data.n)
    # worlds that failed say nothing of the condition
    worlds = min(data.n, max((row.n for row in data.rows if row.branch == branch), default=data.n))
    if held >= worlds:
        return []
    said = (
        f"It took effect in {held} of {worlds} worlds; in the others its condition was not met, "
        f"and nothing differs."
    )
    return [[(said, "flat")]]


def _side(data: Data, branch: str, side: str) -> Words:
    rows = data.reported(branch, side)
    parts: list[tuple[str, str]] = [(f"{SIDES[side]}: ", "flat")]
    sure = [row for row in rows if row.sure]
    for place, row in enumerate(sure):
        parts += [("; " if place else "", ""), *_phrase(data, row)]
    if sure:
        parts.append((". ", ""))
    if restless := _restless(data, sure):
        parts.append((restless, "flat"))
    hints = [row for row in rows if row.standing == effects.SUGGESTIVE and not row.untouched]
    if hints:
        # each by itself clears zero: what keeps it from being sure is their number
        tested = sum(row.branch == branch and row.p == row.p for row in data.rows)
        what = "Suggestive" if sure else "suggestive"
        parts.append(
            (
                f"{what}, {unsafe(f'the {tested} series')}: {listed(_hint(row, tested) for row in hints)}. ",
                "",
            )
        )
    unsure = [row for row in rows if row.standing == effects.NOISE and not row.untouched]
    if unsure:
        none = "nothing is distinguishable from noise here"
        what = "Not distinguishable from noise" if sure or hints else none
        parts.append((f"{what}: {listed(_doubt(row) for row in unsure)}. ", ""))
    still = [row for row in rows if row.untouched]
    if still:
        what = "Untouched" if sure or hints or unsure else "untouched"
        parts.append(
            (f"{what} to the last bit: {listed(_lower(name_of(row)) for row in still)}.", "")
        )
    return parts


def _restless(data: Data, rows: Sequence[Row]) -> str:
    """A sentence on those of the reported effects whose series were moving before the fork, by much
    of the effect."""
    found = []
    for row in rows:
        moves = data.moving.get(row.key)
        share = drift.part(moves, row.effect) if moves is not None else None
        if share is not None and moves is not None:
            way = "rising" if moves > 0 else "falling"
            found.append(
                f"{_lower(name_of(row))} had been {way}, by {drift.amount(share)} the effect at "
                f"that pace"
            )
    if not found:
        return ""
    return (
        f"Not at rest in the weeks before the fork: {listed(found)}; both branches share that, but "
        f"the world that the policy met was still settling. "
    )


def _phrase(data: Data, row: Row) -> Words:
    """One effect: what it is, by how much, how sure, from when on."""
    # no verb, which would have to agree in number with the name of the series
    way = "up" if row.effect > 0 else "down"
    unit = "" if row.unit == "1" else f" {row.unit}"
    share = [row.percent(value) for value in (row.effect, row.low, row.high)]
    # percent where the base allows it, else the unit
    if np.isfinite(share).all():
        ends = between(percent(share[1]), percent(share[2]))
        by = f" by {percent(abs(share[0]), signed=False)} {ends}"
    else:
        by = f" by {human(abs(row.effect))}{unit} {between(signed(row.low), signed(row.high))}"
    # the last window is longer than a week, so it can show what no week does
    if row.appears_s is None:
        since = ", though the last week alone does not show it"
    else:
        since = (
            " at once" if row.appears_s == data.fork_s else f" from {day(data, row.appears_s)} on"
        )
    return [
        (f"{_lower(name_of(row))} ", ""),
        (f"{way}{by}", TONES.get(row.verdict, "")),
        (f" ({human(row.base)} to {human(row.value)}{unit}){since}", ""),
    ]


def day(data: Data, second: int) -> str:
    """A day as people write it."""
    when = at(data.start, second)
    return f"{when.day} {when:%B %Y}"


def _doubt(row: Row) -> str:
    """A series that may be noise, with what it may be, and what would have shown."""
    return f"{_interval(row)}{bracketed(would_show(row))}"


def _hint(row: Row, tested: int) -> str:
    """A suggestive series, with how many more worlds would establish it."""
    return f"{_interval(row)}{bracketed(more_needed(row, tested))}"


def _interval(row: Row) -> str:
    return f"{_lower(name_of(row))} {ends(row)}"


def _lower(name: str) -> str:
    # AI and the like keep their capitals
    return name if name[:2].isupper() else name[0].lower() + name[1:]


def shows(data: Data, key: Key) -> str:
    """From when on each policy's effect on a series shows."""
    clear: dict[int, list[str]] = {}
    unclear, still = [], []
    for branch in data.branches:
        row = data.of[branch, key]
        if row.appears_s is not None:
            clear.setdefault(row.appears_s, []).append(branch)
        elif row.untouched:
            still.append(branch)
        else:
            unclear.append(branch)
    parts = [
        *(
            f"Shows {'at once' if second == data.fork_s else f'from {day(data, second)} on'}: "
            f"{listed(clear[second])}."
            for second in sorted(clear)
        ),
        f"Not distinguishable from noise to the end: {listed(unclear)}." if unclear else "",
        f"Untouched at the end: {listed(still)}." if still else "",
    ]
    return " ".join(text for text in parts if text)


def window(data: Data) -> str:
    """How long the window is over which means are taken."""
    return f"{min(WINDOW, data.scenario.duration - data.fork_s) / DAY:.3g} days"


def moment(data: Data) -> str:
    """Where the pairing is judged."""
    left = data.scenario.duration - data.fork_s
    return (
        f"{MONTH // DAY} days after the fork"
        if left >= MONTH
        else f"the end, {left / DAY:.3g} days after the fork"
    )


def paid(data: Data, branch: str) -> str:
    """On which headline series pairing made the interval three times narrower thirty days after the
    fork, and how long that lasts."""
    rows = data.headlines()
    made: list[tuple[Row, float]] = []
    still: list[Row] = []
    for row in rows:
        pairs = data.pairs[EARLY][branch, row.key]
        ratio = float(effects.paired(pairs.value[:, None], pairs.base[:, None]).narrower[0])
        if np.isfinite(ratio):
            made.append((row, ratio))
        else:
            still.append(row)
    good = [(row, ratio) for row, ratio in made if ratio >= PAYS]
    rest = [(row, ratio) for row, ratio in made if ratio < PAYS]
    text = (
        f"{branch}: in the week to {moment(data)}, the pairing made the interval at least "
        f"{PAYS:.0f} times narrower for {len(good)} of {len(made)} headline series that the policy "
        f"touches"
    )
    if good:
        text += f" ({_ratios(good)})"
    text += f"; not for {_ratios(rest)}." if rest else "."
    if still:
        names = listed(_lower(name_of(row)) for row in still)
        text += f" Not touched by then, so known exactly: {names}."
    return f"{text} {_lasting(data, branch, [row for row, _ in made])}".strip()


def _ratios(found: Sequence[tuple[Row, float]]) -> str:
    return listed(
        f"{_lower(name_of(row))} {ratio:.3g}"
        for row, ratio in sorted(found, key=lambda pair: -pair[1])
    )


def _lasting(data: Data, branch: str, rows: Sequence[Row]) -> str:
    """When the middle one of the series has lost what pairing gave."""
    if not rows:
        return ""
    courses = [data.courses[branch, row.key] for row in rows]
    ratios = np.array(
        # weeks that are equal to the last bit count as infinitely narrower
        [np.where(np.isfinite(each.narrower), each.narrower, np.inf) for each in courses]
    )
    middle = np.median(ratios, 0)
    # from which week on to the end, not a dip on the way
    below = np.logical_and.accumulate((middle < PAYS)[::-1])[::-1]
    if not below.any():
        return f"The middle one of them is still {middle[-1]:.3g} times narrower in the last week."
    first = int(below.argmax())
    when = (
        "from the first week on"
        if first == 0
        else f"from the week to {courses[0].time[first]:%d %B %Y} on"
    )
    return (
        f"Chaos: the middle one of them is less than {PAYS:.0f} times narrower {when}, and "
        f"{middle[-1]:.3g} times in the last."
    )


def sd(value: float) -> str:
    """A size as text."""
    return "∞" if np.isinf(value) else "" if np.isnan(value) else f"{value:+.2f}".replace("-", "−")


def saved(row: Row) -> str:
    """Independent runs saved, as text."""
    return "" if not np.isfinite(row.runs_saved) else human(round(row.runs_saved))
