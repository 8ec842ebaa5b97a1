"""The story of a side in a few plain sentences, by rule, every number from the readings.

Two windows are compared, see `baseline`. A change counts when it exceeds `NOISE` standard errors of
the two means and `LEAST` of the value before; the largest is the one with the largest
|log(after / before)|. A move around a policy counts when the mean of the second week after it
differs from the week before it by more than `BREAK` times what three weeks usually do to that
series. Where a series was already moving before the policy, a sentence beside its change says how
much of it that pace explains (see `drift`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.ground.units import in_percent
from twin.readers import drift
from twin.readers.baseline import WEEK, Windows
from twin.readers.chapters import Chapter
from twin.readers.moves import (
    LEAST,
    Move,
    break_around,
    drawn_series,
    moves_of_side,
    phrase,
    with_unit,
)
from twin.readers.pictures import Mark
from twin.readers.text import short

MARKS_REPORTED = 3


def story(found: Sequence[Chapter], windows: Windows, marks: Sequence[Mark]) -> list[str]:
    """A few sentences on the chapters of a side; none before there is anything to compare."""
    if len(windows.times) < 8:
        return []
    moves = sorted(moves_of_side(found, windows), key=lambda move: -move.size)
    heads = [move for move in moves if move.one.metric.headline]
    sentences: list[str] = []
    used: set[str] = set()

    def add(start: str, chosen: Sequence[Move]) -> None:
        if chosen:
            sentences.append(f"{start}{'; '.join(move.sentence for move in chosen)}.")
            sentences.extend(restless(chosen, windows))
            used.update(move.one.metric.name for move in chosen)

    add(f"From {windows.name} to {windows.last}, ", _various(heads, 3, used))
    # headlines that did not move stand right after those that did
    after_heads = len(sentences)
    add("Other improvements: ", _various([move for move in moves if move.better], 2, used))
    add(
        "Other deteriorations: ",
        _various([move for move in moves if move.better is False], 2, used),
    )
    steady = [
        one
        for _, one in drawn_series(found)
        if one.metric.headline and all(one is not move.one for move in heads)
    ]
    if steady:
        sentences.insert(
            after_heads or min(1, len(sentences)),
            f"No change beyond noise or {in_percent(LEAST)}: "
            + ", ".join(
                f"{phrase(one.metric, one.label)} "
                f"({with_unit(windows.values(one.values)[1], one.metric)})"
                for one in steady
            )
            + ".",
        )
    return sentences + _around(found, windows, marks)


def restless(moves: Sequence[Move], windows: Windows) -> list[str]:
    """A sentence on those of the reported changes that had begun before the policy."""
    if windows.policy is None:
        return []
    found = []
    for move in moves:
        pace = drift.pace(windows.times, move.one.values, windows.policy)
        seconds = float((windows.times[-1] - windows.policy) / np.timedelta64(1, "s"))
        share = drift.part(pace * seconds, move.after - move.before) if pace is not None else None
        if share is not None and pace is not None:
            found.append(drift.words(phrase(move.one.metric, move.one.label), share, pace > 0))
    return (
        [f"Not at rest in the weeks before {windows.called}: {'; '.join(found)}."] if found else []
    )


def _various(moves: Sequence[Move], most: int, used: set[str]) -> list[Move]:
    """The first few: no two of one metric or of the same numbers, and but for headlines one per
    heading."""
    chosen: list[Move] = []
    for move in moves:
        if (
            move.one.metric.name not in used
            and all(
                move.heading != other.heading for other in chosen if not move.one.metric.headline
            )
            and all(move.one.metric.name != other.one.metric.name for other in chosen)
            and all((move.before, move.after) != (other.before, other.after) for other in chosen)
            and len(chosen) < most
        ):
            chosen.append(move)
    return chosen


def _around(
    chapters_found: Sequence[Chapter], windows: Windows, marks: Sequence[Mark]
) -> list[str]:
    """Breaks in series around the policies, if there were any."""
    times = windows.times
    found: list[tuple[float, str, str]] = []
    calm: list[str] = []
    for when, name in marks:
        moment = np.datetime64(when.replace(tzinfo=None), "s")
        if moment - WEEK < times[0] or moment + 2 * WEEK > times[-1]:
            # too near an end of the run to compare
            continue
        best: tuple[float, Move] | None = None
        for heading, one in drawn_series(chapters_found):
            move = break_around(one, heading, times, moment)
            if move and (best is None or move[0] > best[0]):
                best = move
        if best:
            found.append((best[0], f"“{short(name, 60)}” ({when:%d %B})", best[1].sentence))
        else:
            calm.append(f"“{short(name, 60)}”")
    # the largest few, in the order of time
    kept = sorted(sorted(found, key=lambda each: -each[0])[:MARKS_REPORTED], key=found.index)
    sentences = []
    if kept:
        sentences.append(
            "Around the policies (which need not be the cause): "
            + "; ".join(f"within two weeks of {name}, {words}" for _, name, words in kept)
            + "."
        )
    if calm:
        sentences.append(f"No series here has a break around {', '.join(calm)}.")
    return [" ".join(sentences)] if sentences else []
