"""What a comparison says of each headline series, for readers that know no experiments; see
`twin.record.verdicts`. Numbers and words are those of the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from twin.experiments import effects
from twin.experiments.compare.rows import Row, name_of
from twin.experiments.page import TONES, between, percent
from twin.experiments.words import SIDES, signed, would_tell
from twin.ground.units import in_percent
from twin.readers.text import human
from twin.record.verdicts import Found, Verdict

UNTOUCHED = "untouched, to the last bit"
NOTE = (
    f"[ ]: {in_percent(effects.LEVEL)} interval of this series alone. q: share of false alarms among all "
    f"series as sure as this (Benjamini-Hochberg). Established: q < {1 - effects.LEVEL:.2g}; "
    f"suggestive: its own interval clears zero, and no more."
)
"""How to read a row of a comparison."""


def lead(rows: Sequence[Row]) -> str:
    """How many series of a branch differ."""
    # p is NaN, which is not equal to itself, where nothing was tested
    tested = sum(row.p == row.p for row in rows)
    sure = sum(row.sure for row in rows)
    return f"{sure} of {tested} series that it touches differ, established beyond noise"


def found(rows: Sequence[Row], describe: Mapping[str, str]) -> list[Found]:
    """What each branch does; ``describe`` has its policies in words, by branch."""
    made = []
    for branch in dict.fromkeys(row.branch for row in rows):
        mine = [row for row in rows if row.branch == branch]
        tested = sum(row.p == row.p for row in mine)
        made.append(
            Found(
                branch,
                describe.get(branch, ""),
                f"{lead(mine)}.",
                NOTE,
                tuple(_verdicts(mine, tested)),
            )
        )
    return made


def _verdicts(rows: Sequence[Row], tested: int) -> Iterator[Verdict]:
    """Those of the series that summaries mention."""
    for side in SIDES:
        for row in rows:
            # an interval takes two pairs at least
            if row.side == side and row.reported and row.n > 1:
                unit = "" if row.unit == "1" else f" {row.unit}"
                yield Verdict(
                    side,
                    name_of(row),
                    human(row.base),
                    f"{human(row.value)}{unit}",
                    "" if row.untouched else change(row),
                    "" if row.untouched else ends(row),
                    UNTOUCHED if row.untouched else row.standing,
                    TONES.get(row.verdict, "flat"),
                    _note(row, tested),
                )


def _note(row: Row, tested: int) -> str:
    """How far from sure it is."""
    if row.untouched or row.standing == effects.ESTABLISHED:
        return ""
    return more_needed(row, tested) if row.standing == effects.SUGGESTIVE else would_show(row)


def would_show(row: Row) -> str:
    """The smallest effect that these worlds would have shown; empty where that is not known."""
    least = effects.smallest(row.low, row.high, row.n)
    share = row.percent(least)
    told = percent(share, signed=False) if np.isfinite(share) else human(least)
    return f"±{told} would have shown" if np.isfinite(least) else ""


def more_needed(row: Row, tested: int) -> str:
    """How many more worlds would establish an effect among so many tested; empty where none
    would."""
    return would_tell(effects.more_worlds(row.effect, row.low, row.high, row.n, tested))


def change(row: Row) -> str:
    """An effect, in percent where the base allows it."""
    share = row.percent(row.effect)
    return percent(share) if np.isfinite(share) else signed(row.effect)


def ends(row: Row) -> str:
    """The interval of an effect, in the same unit."""
    share = [row.percent(value) for value in (row.low, row.high)]
    return between(
        *(
            [percent(value) for value in share]
            if np.isfinite(share).all()
            else [signed(row.low), signed(row.high)]
        )
    )
