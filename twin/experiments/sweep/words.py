"""The sentences of a sweep's report: what each parameter goes with, as far as rank correlations are
distinguishable from noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from twin.experiments import effects
from twin.experiments.design import Vary
from twin.experiments.page import Summary, Words, listed
from twin.experiments.sweep.points import LEAST, Swept
from twin.experiments.words import EXTRA, SIDES, Key, hundredths, series_name, two_digits, unsafe
from twin.readers.text import human

MOST = 5
"""Most outcomes per parameter that the summary describes one by one."""
LISTED = 8
"""Most values of a parameter that are listed."""
Rank = Mapping[str, Any]
"""A row of ``ranks.parquet``: one parameter with one outcome."""
Ranks = Mapping[tuple[str, Key], Rank]
"""Rows of ``ranks.parquet`` by parameter and outcome."""


def shown(swept: Swept) -> list[tuple[int, Key]]:
    """Headline outcomes, and what creators live on, with any value: both sides first."""
    found = [
        (i, key)
        for i, (key, metric) in enumerate(swept.series.items())
        if (metric.headline or key in EXTRA) and np.isfinite(swept.values[:, :, i]).any()
    ]
    order = list(SIDES)
    # a stable sort: within a side series stay in the order of the board
    return sorted(found, key=lambda each: order.index(swept.series[each[1]].side))


def sure(row: Rank | None) -> bool:
    """Whether a rank correlation is distinguishable from noise, all rows considered."""
    return row is not None and effects.established(row["q"])


def name(row: Rank) -> str:
    """Its outcome as people read it."""
    return series_name(row["metric"], row["labels"])


def verdict(row: Rank) -> str:
    """What more of the parameter goes with: ``better`` or ``worse`` for the outcome's side, ``more``
    or ``less`` of what is neither; empty where it may be noise."""
    if not sure(row):
        return ""
    # above zero where more of the parameter goes with more of what is good
    good = {"up": 1, "down": -1}.get(row["good"], 0) * row["correlation"]
    if good:
        return "better" if good > 0 else "worse"
    return "more" if row["correlation"] > 0 else "less"


def summary(swept: Swept, ranks: Ranks) -> list[Summary]:
    """The sentences on top: one part per parameter."""
    keys = [key for _, key in shown(swept)]
    return [
        _parameter(
            swept, place, each, [ranks[each.path, key] for key in keys if (each.path, key) in ranks]
        )
        for place, each in enumerate(swept.varied)
    ]


def _parameter(swept: Swept, place: int, vary: Vary, mine: Sequence[Rank]) -> Summary:
    """All about one parameter; ``mine``: its rank correlations with the outcomes shown."""
    established = sorted(
        (row for row in mine if sure(row)),
        key=lambda row: (-abs(row["correlation"]), row["metric"], row["labels"]),
    )
    items: list[Words] = [_sentence(swept, place, row) for row in established[:MOST]]
    if len(established) > MOST:
        rest = listed(name(row) for row in established[MOST:])
        items.append([(f"The same holds, less strongly, for {rest}.", "")])
    items += _doubts([row for row in mine if not sure(row)])
    if not mine:
        known = np.isfinite(swept.numbers(place)).any()
        few = f"fewer than {LEAST} points are known, or nothing varies"
        why = few if known else "its values are no numbers"
        items.append([(f"No rank correlation was made: {why}. See the pictures.", "flat")])
    return Summary(vary.path, items, what=_tried(swept, place, vary))


def _doubts(rows: Sequence[Rank]) -> list[Words]:
    """What is said of the outcomes whose answer is not established."""
    by: dict[str, list[Rank]] = {effects.SUGGESTIVE: [], effects.NOISE: []}
    for row in rows:
        by[effects.standing_of_test(row["q"], row["p"])].append(row)
    said = []
    if hints := by[effects.SUGGESTIVE]:
        found = listed(f"{name(row)} ({hundredths(row['correlation'])})" for row in hints)
        said.append(f"Suggestive, {unsafe('all that were')}: {found}.")
    if noise := by[effects.NOISE]:
        # of the outcome that was read in the fewest points
        least = effects.smallest_correlation(min(row["n"] for row in noise))
        seen = f" (a rank correlation of ±{least:.2g} would have shown)" if least == least else ""
        said.append(f"Not distinguishable from noise{seen}: {listed(name(row) for row in noise)}.")
    return [[(sentence, "flat")] for sentence in said]


def _sentence(swept: Swept, place: int, row: Rank) -> Words:
    """How one outcome answers: which way, and its means at both ends of the parameter."""
    numbers = swept.numbers(place)
    values = swept.means()[:, list(swept.series).index((row["metric"], row["labels"]))]
    low, high = (
        float(np.nanmean(values[numbers == end]))
        for end in (np.nanmin(numbers), np.nanmax(numbers))
    )
    way = "rises" if row["correlation"] > 0 else "falls"
    tone = {"better": "good", "worse": "bad"}.get(verdict(row), "")
    ends = f"{human(low)} at its lowest point, {human(high)} at its highest"
    strength = f"rank correlation {hundredths(row['correlation'])}, q {two_digits(row['q'])}"
    return [(f"{name(row)} ", ""), (way, tone), (f" with it: {ends} ({strength}).", "")]


def _tried(swept: Swept, place: int, vary: Vary) -> str:
    """Which values were tried."""
    values = list(dict.fromkeys(point[place] for point in swept.points))
    if len(values) <= LISTED:
        return f"Tried: {', '.join(values)}"
    if vary.levels:
        return f"Tried: {len(values)} levels from {values[0]} to {values[-1]}"
    return f"Tried: {len(values)} values from {vary.at(0.0)} to {vary.at(1.0)}"
