"""The sentences of an audit's report; every number in them comes from its tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from twin.experiments import effects
from twin.experiments.audit.forces import Force
from twin.experiments.audit.scoring import Score
from twin.experiments.page import Summary, Words, listed
from twin.experiments.words import bracketed, hundredths, two_digits, unsafe, would_tell
from twin.readers.text import human

MOST = 6
"""Most steps that the summary describes one by one."""


def interval(score: Score) -> str:
    """Effect with interval in words."""
    return f"{hundredths(score.effect)} sd [{hundredths(score.low)}, {hundredths(score.high)}]"


def tone(score: Score, sure: bool) -> str:
    """Good or bad for the side where that is sure, flat where it may be noise."""
    return {1: "good", -1: "bad", 0: ""}[score.sign] if sure else "flat"


def summary(forces: Sequence[Force], manifest: dict[str, Any]) -> list[Summary]:
    """The sentences on top: what is sure, what takes from one side and gives to the other, and what
    stays open."""
    sure = [force for force in forces if force.sure]
    parts = [
        Summary(
            "Which engineering is political, and towards whom",
            _established(sure, len(forces)),
            what="Strongest first.",
        )
    ]
    split = [force.step for force in sure if force.producer.sign * force.consumer.sign < 0]
    if split:
        heading = "What takes from one side and gives to the other"
        parts.append(Summary(heading, [[(f"{listed(split)}.", "")]]))
    parts.append(Summary("What stays open, and what the result rests on", _open(forces, manifest)))
    return parts


def _established(sure: Sequence[Force], many: int) -> list[Words]:
    """A sentence on each of the strongest steps, and one on the rest."""
    sentences: list[Words] = [_sentence(force) for force in sure[:MOST]]
    if len(sure) > MOST:
        rest = listed(f"{force.step} ({force.towards})" for force in sure[MOST:])
        sentences.append([(f"Less strongly: {rest}.", "")])
    if not sure:
        said = f"None of the {many} steps is distinguishable from noise."
        sentences.append([(said, "flat")])
    return sentences


def _sentence(force: Force) -> Words:
    verb = " is" if force.towards.startswith(("for", "against")) else ":"
    return [
        (f"{force.step} ({force.set}){verb} {force.towards}: ", ""),
        (f"creators {interval(force.producer)}", tone(force.producer, True)),
        (", ", ""),
        (f"consumers {interval(force.consumer)}", tone(force.consumer, True)),
        (f"; q {two_digits(force.q)}.", ""),
    ]


def _hint(force: Force, steps: int) -> str:
    """A suggestive step, with how many more worlds would establish what it does to the side where
    it is surest."""
    more = min(
        effects.more_worlds(side.effect, side.low, side.high, force.n, 2 * steps)
        for side in (force.producer, force.consumer)
    )
    return f"{force.step}{bracketed(would_tell(more))}"


def _least(force: Force) -> float:
    """The smallest effect, in sd, that its worlds would have shown on the surer side."""
    return min(
        effects.smallest(side.low, side.high, force.n) for side in (force.producer, force.consumer)
    )


def _open(forces: Sequence[Force], manifest: dict[str, Any]) -> list[Words]:
    """What may be noise, what does nothing, what was left out, and how many runs there were."""
    moved = [force for force in forces if not force.untouched]
    hints = [force for force in moved if force.standing == effects.SUGGESTIVE]
    noise = [force for force in moved if force.standing == effects.NOISE]
    still = [force.step for force in forces if force.untouched]
    fixed = [force.step for force in forces if force.fixed]
    said = []
    if hints:
        said.append(
            f"Suggestive, {unsafe(f'the {len(forces)} steps')}: "
            f"{listed(_hint(force, len(forces)) for force in hints)}."
        )
    if noise:
        shown = [_least(force) for force in noise]
        said.append(
            f"Not distinguishable from noise: {listed(force.step for force in noise)}. Half of "
            f"them would have shown effects of ±{human(np.nanmedian(shown))} sd or more on a side "
            f"four times in five: smaller ones would mostly be missed."
        )
    if still:
        said.append(f"No world differs to the last bit after: {listed(still)}.")
    if left := manifest.get("left"):
        said.append(
            f"{len(left)} {'step was' if len(left) == 1 else 'steps were'} left out: this scenario "
            f"cannot take them, or has these values already (below)."
        )
    if fixed:
        said.append(
            f"Fixed for a run, and so set from its start and not from the fork: {listed(fixed)}."
        )
    runs = f"All this rests on {manifest.get('runs', 0)} runs."
    return [*([(sentence, "flat")] for sentence in said), [(runs, "")]]
