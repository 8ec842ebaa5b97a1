"""`twin findings`: run the experiments of the findings, judge them by their rules, and keep the scoreboard.

    results.parquet  one row per claim: finding, part, says, kind, expected, effect, low, high, n, state, why, aside, beside
    scoreboard.md    the same as a table, with date, seed, versions and run time, as the README has it
    report.html      see `twin.experiments.findings.report`
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from twin.experiments.experiment import Experiment
from twin.experiments.findings import above, seen
from twin.experiments.findings.declare import Finding
from twin.experiments.findings.judging import Claim, Verdict, settled, verdict
from twin.experiments.findings.seen import Seen
from twin.ground.errors import UsageError, nearest
from twin.readers.text import span

KEYS = ("F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8")
COLUMNS = ("says", "kind", "expected", "effect", "low", "high", "n", "state", "why", "aside", "beside", "unit")


@dataclass(frozen=True)
class Judged:
    """A finding, its settled claims, and what parts saw, each with the key of its own finding."""

    finding: Finding
    claims: Sequence[Claim]
    parts: Sequence[tuple[str, Seen]]

    @property
    def verdict(self) -> Verdict:
        """By the rule."""
        return verdict(self.claims)

    @property
    def score(self) -> str:
        """How many of the claims hold, and how many controls vanish."""
        counted = [claim for claim in self.claims if not claim.aside]
        own, controls = ([claim for claim in counted if claim.control == which] for which in (False, True))
        held = [sum(claim.state == "holds" for claim in group) for group in (own, controls)]
        return f"{held[0]} of {len(own)} claims hold" + (f", {held[1]} of {len(controls)} controls vanish" if controls else "")


def chosen(wanted: Sequence[str]) -> list[str]:
    """Keys of findings, all if none is named. Raises UsageError."""
    for key in wanted:
        if key.upper() not in KEYS:
            raise UsageError(f"no finding {key} ({nearest(key.upper(), KEYS)})")
    return [key for key in KEYS if not wanted or key in {each.upper() for each in wanted}]


def finding(key: str) -> Finding:
    """A finding by its key."""
    if key == "F8":
        return above.FINDING
    found: Finding = importlib.import_module(f"twin.experiments.findings.{key.lower()}").FINDING
    return found


def needed(keys: Sequence[str]) -> list[Finding]:
    """Findings whose worlds have to be run: F8 asks of all others."""
    return [finding(key) for key in KEYS[:-1] if key in keys or "F8" in keys]


def go_on(experiment: Experiment, on: str | None) -> None:
    """Do what is left, judge, tell and write it."""
    args = experiment.manifest["args"]
    parts = [part for each in needed(args["keys"]) for part in each.parts]
    wanted = seen.tasks(parts, args["quick"], experiment.scenario.seed, args["data"])
    experiment.run(wanted, on, "worlds and studies")
    judged = judge(experiment)
    rows = [{"finding": each.finding.key, "part": claim.part, **{name: getattr(claim, name) for name in COLUMNS}}
            for each in judged for claim in each.claims]
    experiment.table("results.parquet", pa.Table.from_pylist(rows))
    experiment.finish("done", runs=len(wanted), verdicts={each.finding.key: each.verdict for each in judged})
    experiment.store.write("scoreboard.md", "\n".join(scoreboard(experiment, judged)).encode())
    experiment.tell(lines(judged), lambda experiment: _write(experiment, judged))


def judge(experiment: Experiment) -> list[Judged]:
    """Read what the tasks left, and judge it."""
    args = experiment.manifest["args"]
    made: list[Judged] = []
    everything: list[tuple[str, Seen]] = []
    for each in needed(args["keys"]):
        claims, parts = [], []
        for part in each.parts:
            part_seen = seen.read(experiment, part, args["quick"], args["data"])
            everything.append((each.key, part_seen))
            parts.append((each.key, part_seen))
            claims += [replace(claim, part=part.key) for claim in part.judge(part_seen)]
        if each.key in args["keys"]:
            made.append(Judged(each, settled(claims), parts))
    if "F8" in args["keys"]:
        made.append(Judged(above.FINDING, settled(above.judge(everything)), everything))
    return made


def report(experiment: Experiment, **wishes: str) -> None:
    """Write the report anew. Raises UsageError for wishes, as it has none."""
    for name, text in wishes.items():
        raise UsageError(f"--{name} {text}: findings have no two-sided map (leave it out)")
    _write(experiment, judge(experiment))


def _write(experiment: Experiment, judged: Sequence[Judged]) -> None:
    from twin.experiments.findings import report as writing

    writing.write(experiment, judged)


def shown(claim: Claim) -> str:
    """Effect and interval as text."""
    if claim.kind == "exact":
        return f"{claim.effect:.7g}"
    ends = f" [{claim.low:+.3g}, {claim.high:+.3g}]" if claim.low == claim.low else ""
    return f"{claim.effect:+.3g}{ends}" + (f" {claim.unit}" if claim.unit != "1" else "")


def lines(judged: Sequence[Judged]) -> list[str]:
    """What the terminal says: verdicts, the main effect, and every claim that does not hold; all are in the report."""
    made = [""]
    for each in judged:
        made.append(f"{each.finding.key}  {each.verdict.upper():12s}  {each.finding.title} ({each.finding.evidence}): {each.score}")
        first = main(each.claims)
        for claim in each.claims:
            if claim is first or (claim.state != "holds" and not claim.aside):
                mark = {"holds": "+", "fails": "-", "open": "?"}[claim.state]
                made.append(f"   {mark} {claim.says}: {shown(claim)}, expected {claim.expected}, n {claim.n}"
                            + (f": {claim.why}" if claim.why else ""))
    return [*made, "", "+ holds, - fails, ? open. Claims that hold, and what was measured beside them, are in the report.", ""]


def main(claims: Sequence[Claim]) -> Claim | None:
    """The claim that a table shows: the first that was measured rather than counted."""
    counted = [claim for claim in claims if not claim.aside and not claim.control]
    return next((claim for claim in counted if claim.kind != "exact"), counted[0] if counted else None)


def scoreboard(experiment: Experiment, judged: Sequence[Judged]) -> list[str]:
    """The scoreboard as Markdown: a table of verdicts, and below it how it was made."""
    manifest: Mapping[str, Any] = experiment.manifest
    made = ["| finding | evidence | verdict | claims | main effect | its controls |", "|---|---|---|---|---|---|"]
    for each in judged:
        counted = [claim for claim in each.claims if not claim.aside]
        first = main(each.claims)
        control = next((claim for claim in counted if claim.control), None)
        made.append(f"| {each.finding.key} {each.finding.title} | {each.finding.evidence} | **{each.verdict}** | {each.score} | "
                    + (f"{first.says}: {shown(first)}, n {first.n}" if first else "") + " | "
                    + (f"{control.says}: {shown(control)}" if control else "") + " |")
    size = "quick" if manifest["args"]["quick"] else "full"
    made += ["", f"The {size} set, seed {manifest['seed']}, twin {manifest['versions']['twin']}, {manifest['runs']} worlds and studies in "
             f"{span(float(manifest['wall_s']))}."]
    return made
