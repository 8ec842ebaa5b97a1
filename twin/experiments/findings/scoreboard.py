"""Verdicts with their claims, as rows, lines for the terminal, and a scoreboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twin.experiments.experiment import Experiment
from twin.experiments.findings.kit.claims import Claim
from twin.experiments.findings.kit.declare import Examined, Finding
from twin.experiments.findings.kit.judging import Verdict, verdict
from twin.readers.text import span

COLUMNS = (
    "says",
    "kind",
    "expected",
    "effect",
    "low",
    "high",
    "n",
    "state",
    "why",
    "aside",
    "beside",
    "unit",
)


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
        """How many of the claims hold, and how many controls vanish."""
        counted = [claim for claim in self.claims if not claim.aside]
        own, controls = (
            [claim for claim in counted if claim.control == which] for which in (False, True)
        )
        held = [sum(claim.state == "holds" for claim in group) for group in (own, controls)]
        return f"{held[0]} of {len(own)} claims hold" + (
            f", {held[1]} of {len(controls)} controls vanish" if controls else ""
        )


def shown(claim: Claim) -> str:
    """Effect and interval as text."""
    if claim.kind == "exact":
        return f"{claim.effect:.7g}"
    # NaN is not equal to itself: without an interval only the effect is shown.
    ends = f" [{claim.low:+.3g}, {claim.high:+.3g}]" if claim.low == claim.low else ""
    return f"{claim.effect:+.3g}{ends}" + (f" {claim.unit}" if claim.unit != "1" else "")


def lines(judged: Sequence[Judged]) -> list[str]:
    """Lines for the terminal: verdicts, the main effect, and every claim that does not hold. The
    report has all claims."""
    made = [""]
    for each in judged:
        made.append(
            f"{each.finding.key}  {each.verdict.upper():12s}  {each.finding.title} "
            f"({each.finding.evidence}): {each.score}"
        )
        first = main(each.claims)
        for claim in each.claims:
            # A screenful: what holds is in the report, what does not needs attention.
            if claim is first or (claim.state != "holds" and not claim.aside):
                mark = {"holds": "+", "fails": "-", "open": "?"}[claim.state]
                made.append(
                    f"   {mark} {claim.says}: {shown(claim)}, expected {claim.expected}, n "
                    f"{claim.n}" + (f": {claim.why}" if claim.why else "")
                )
    return [
        *made,
        "",
        "+ holds, - fails, ? open. Claims that hold, and what was measured beside them, are in the "
        "report.",
        "",
    ]


def main(claims: Sequence[Claim]) -> Claim | None:
    """The claim that a table shows: the first that is measured rather than an exact number."""
    counted = [claim for claim in claims if not claim.aside and not claim.control]
    return next(
        (claim for claim in counted if claim.kind != "exact"), counted[0] if counted else None
    )


def scoreboard(experiment: Experiment, judged: Sequence[Judged]) -> list[str]:
    """The scoreboard as Markdown: a table of verdicts, and below it the set, seed and version."""
    manifest: Mapping[str, Any] = experiment.manifest
    made = [
        "| finding | evidence | verdict | claims | main effect | its controls |",
        "|---|---|---|---|---|---|",
    ]
    for each in judged:
        counted = [claim for claim in each.claims if not claim.aside]
        first = main(each.claims)
        # One control stands for all; how many vanish is in the score.
        control = next((claim for claim in counted if claim.control), None)
        made.append(
            f"| {each.finding.key} {each.finding.title} | {each.finding.evidence} | "
            f"**{each.verdict}** | {each.score} | "
            + (f"{first.says}: {shown(first)}, n {first.n}" if first else "")
            + " | "
            + (f"{control.says}: {shown(control)}" if control else "")
            + " |"
        )
    size = "quick" if manifest["args"]["quick"] else "full"
    made += [
        "",
        f"The {size} set, seed {manifest['seed']}, twin {manifest['versions']['twin']}, "
        f"{manifest['runs']} worlds and studies in "
        f"{span(float(manifest['wall_s']))}.",
    ]
    return made
