"""The sentences of the report of `twin audit --method morris` or ``sobol``; every number in them
comes from ``results.parquet``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from twin.experiments.audit.indices import INDEX, LEAST
from twin.experiments.audit.levers import LUCK
from twin.experiments.audit.maps import Rows
from twin.experiments.audit.sensitivity import BLOCKS
from twin.experiments.page import Summary, Words, listed
from twin.experiments.words import WHO

SHOWN = {
    "mu_star": "mu*",
    "mu_star_conf": "± mu*",
    "mu": "mu",
    "mu_low": "mu low",
    "mu_high": "mu high",
    "sigma": "sigma",
    "S1": "S1",
    "S1_conf": "± S1",
    "ST": "ST",
    "ST_conf": "± ST",
    "trend": "Trend",
    "trend_low": "Trend low",
    "trend_high": "Trend high",
}
"""Columns of ``results.parquet`` as headings."""
BETTER, WORSE, NEITHER = "more of it is better", "more of it is worse", "no one way"
TONES = {BETTER: "good", WORSE: "bad", NEITHER: ""}


def way(row: Mapping[str, Any], method: str) -> str:
    """Whether more of a lever is better for the side, as far as its interval shows."""
    # mu* and ST have no direction; these do
    name = "mu" if method == "morris" else "trend"
    if row[f"{name}_low"] > 0:
        return BETTER
    return WORSE if row[f"{name}_high"] < 0 else NEITHER


def summary(rows: Rows, method: str, manifest: Mapping[str, Any]) -> list[Summary]:
    """The sentences on top: what moves each side's score, and what stays open."""
    heading = "What stays open, and what the result rests on"
    return [
        *(_side(rows, method, side) for side in WHO),
        Summary(heading, _open(rows, method, manifest)),
    ]


def _side(rows: Rows, method: str, side: str) -> Summary:
    index, luck = INDEX[method], rows[LUCK][side]
    moving = sorted(
        (row[side] for lever, row in rows.items() if lever != LUCK and _distinct(row[side])),
        key=lambda row: -row[index],
    )
    items: list[Words] = []
    if luck["n"] < LEAST:
        said = f"Too few {BLOCKS[method]} are left ({luck['n']}) to say anything."
        items.append([(said, "flat")])
    items += [_sentence(row, method) for row in moving]
    if luck["n"] >= LEAST and not moving:
        items.append([("No lever is distinguishable from luck.", "flat")])
    if np.isfinite(luck[index]):
        said = f"Luck alone, a parameter that sets nothing, has {_with_interval(luck, index)}."
        items.append([(said, "flat")])
    return Summary(
        f"What moves the score of {WHO[side]}",
        items,
        what="Levers distinguishable from luck, strongest first.",
    )


def _distinct(row: Mapping[str, Any]) -> bool:
    return bool(row["distinguishable"])


def _sentence(row: Mapping[str, Any], method: str) -> Words:
    found = way(row, method)
    start = f"{row['lever']} ({row['low']} to {row['high']}, now {row['now']}): "
    return [
        (f"{start}{_with_interval(row, INDEX[method])}, ", ""),
        (found, TONES[found]),
        (".", ""),
    ]


def _with_interval(row: Mapping[str, Any], index: str) -> str:
    value, spread = row[index], row[f"{index}_conf"]
    return f"{SHOWN[index]} {value:.2f} [{value - spread:.2f}, {value + spread:.2f}]"


def _open(rows: Rows, method: str, manifest: Mapping[str, Any]) -> list[Words]:
    """Which levers may be luck on both sides, which points were refused, and how many runs there
    were."""
    neither = [
        lever
        for lever, sides in rows.items()
        if lever != LUCK and not any(_distinct(sides[side]) for side in WHO)
    ]
    said = []
    if neither:
        said.append(
            f"{len(neither)} of {len(rows) - 1} levers are not distinguishable from luck on either "
            f"side: {listed(neither)}."
        )
    if manifest.get("refused"):
        said.append(
            f"{manifest['refused']} points are refused by the scenario; their {BLOCKS[method]} are "
            f"left out."
        )
    runs = f"All this rests on {manifest.get('runs', 0)} runs."
    return [*([(sentence, "flat")] for sentence in said), [(runs, "")]]
