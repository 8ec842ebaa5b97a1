"""Verdicts with their claims, as rows, lines for the terminal, and a scoreboard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twin.experiments.experiment import Experiment
from twin.experiments.findings.kit.claims import Claim
from twin.experiments.findings.kit.declare import Examined, Finding
from twin.experiments.findings.kit.power import in_words
from twin.experiments.findings.kit.verdicts import (
    Standing,
    Verdict,
    controls_of,
    standing,
    standings,
    undecided,
    verdict,
)
from twin.readers.text import span

COLUMNS = (
    "says",
    "role",
    "kind",
    "expected",
    "effect",
    "low",
    "high",
    "n",
    "p",
    "margin",
    "state",
    "why",
    "of",
    "beside",
    "unit",
)
MARKS = {"holds": "+", "null": "0", "reversed": "-", "fails": "-", "confounded": "!", "open": "?"}
"""Of claims and their controls, in the terminal."""


@dataclass(frozen=True)
class Judged:
    """A finding, its settled claims, and the readings of its parts."""

    finding: Finding
    claims: Sequence[Claim]
    parts: Sequence[Examined]

    @property
    def verdict(self) -> Verdict:
        """By the rule."""
        return verdict(self.claims)

    @property
    def score(self) -> str:
        """How many primary claims hold, how many of their controls vanish, and how many secondary
        claims hold with theirs."""
        primary = standings(self.claims)
        controls = [each for claim, _ in primary for each in controls_of(claim, self.claims)]
        made = [
            f"{_count(result == 'holds' for _, result in primary)} primary claims hold",
            f"{_count(each.state == 'holds' for each in controls)} of their controls",
            f"{_count(result == 'holds' for _, result in self.secondary)} secondary claims",
        ]
        # What there is none of is left out: F8 has no controls.
        return ", ".join(each for each in made if not each.startswith("0 of 0"))

    @property
    def secondary(self) -> list[tuple[Claim, Standing]]:
        """Secondary claims, and how each comes out with its controls."""
        return [
            (claim, standing(claim, controls_of(claim, self.claims)))
            for claim in self.claims
            if claim.role == "secondary"
        ]


def _count(held: Iterable[bool]) -> str:
    each = list(held)
    return f"{sum(each)} of {len(each)}"


def shown(claim: Claim) -> str:
    """Effect and interval as text."""
    if claim.kind == "exact":
        return f"{claim.effect:.7g}"
    # NaN is not equal to itself: without an interval only the effect is shown.
    ends = f" [{claim.low:+.3g}, {claim.high:+.3g}]" if claim.low == claim.low else ""
    return f"{claim.effect:+.3g}{ends}" + (f" {claim.unit}" if claim.unit != "1" else "")


def least(claim: Claim) -> str:
    """The smallest effect of interest, or what a control may be away from zero, as text; of a band
    its bounds."""
    if claim.kind == "band":
        return f"{claim.low_bound:.3g} to {claim.high_bound:.3g}"
    return f"±{claim.margin:.3g}" if claim.margin > 0 else "exact"


def lines(judged: Sequence[Judged]) -> list[str]:
    """Lines for the terminal: verdicts, and primary claims with their controls. The report has all
    claims."""
    made = [""]
    for each in judged:
        made.append(
            f"{each.finding.key}  {each.verdict.upper():12s}  {each.finding.title} "
            f"({each.finding.evidence}): {each.score}"
        )
        for claim, result in standings(each.claims):
            made.append(f"   {MARKS[result]} {_line(claim)}")
            made += [
                f"       {MARKS[control.state]} control: {_line(control)}"
                for control in controls_of(claim, each.claims)
            ]
    return [
        *made,
        "",
        "+ holds, 0 null (an effect that matters is excluded), - reversed or failed, ! confounded "
        "(a "
        "control fails), ? open. Brackets: 95 % intervals; ±: the smallest effect that matters, or "
        "what may be left in a control. Secondary claims are in the report.",
        "",
    ]


def _line(claim: Claim) -> str:
    rest = [claim.why, in_words(claim)]
    return (
        f"{claim.says}: {shown(claim)}, {least(claim)}, expected {claim.expected}, n {claim.n}"
        + "".join(f"; {each}" for each in rest if each)
    )


def scoreboard(experiment: Experiment, judged: Sequence[Judged]) -> list[str]:
    """The scoreboard as Markdown: a table of verdicts, and below it the set, seed and version."""
    manifest: Mapping[str, Any] = experiment.manifest
    made = [
        "| finding | evidence | verdict | primary claims: effect [95 % interval], smallest effect "
        "of interest | their controls, and what may be left | secondary claims that hold |",
        "|---|---|---|---|---|---|",
    ]
    for each in judged:
        primary = standings(each.claims)
        rows = [
            f"{claim.says}: {shown(claim)}, {least(claim)}, n {claim.n}: **{result}**"
            + (f" ({undecided(claim, each.claims)})" if result == "open" else "")
            for claim, result in primary
        ]
        controls = [
            f"{control.says}: {shown(control)}, {least(control)}: {_vanished(control)}"
            + (f" ({in_words(control)})" if in_words(control) else "")
            for claim, _ in primary
            for control in controls_of(claim, each.claims)
        ]
        made.append(
            f"| {each.finding.key} {each.finding.title} | {each.finding.evidence} | "
            f"**{each.verdict}** | {'<br>'.join(rows)} | {'<br>'.join(controls)} | "
            f"{_count(result == 'holds' for _, result in each.secondary)} |"
        )
    size = "quick" if manifest["args"]["quick"] else "full"
    made += [
        "",
        f"The {size} set, seed {manifest['seed']}, twin {manifest['versions']['twin']}, "
        f"{manifest['runs']} worlds and studies in "
        f"{span(float(manifest['wall_s']))}.",
    ]
    return made


def _vanished(control: Claim) -> str:
    if control.state == "holds":
        return "vanishes" if control.kind == "vanishes" else "holds"
    return control.why or control.state
