"""`twin findings`: run the experiments of the findings, judge them by their rules, and keep the
scoreboard.

results.parquet  one row per claim: finding, part, says, role, kind, expected, effect, low, high, n,
                 p, margin, state, why, of, beside, unit, worlds
scoreboard.md    the same as a table, with seed, version and run time
report.html      see `twin.experiments.findings.report`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from twin.experiments.experiment import Experiment
from twin.experiments.findings import above, worlds
from twin.experiments.findings import report as report_page
from twin.experiments.findings.catalogue import needed
from twin.experiments.findings.kit.claims import Claim
from twin.experiments.findings.kit.declare import Examined
from twin.experiments.findings.kit.judging import settled
from twin.experiments.findings.kit.power import worlds as worlds_needed
from twin.experiments.findings.scoreboard import COLUMNS, Judged, lines, scoreboard
from twin.experiments.words import without_axes


def resume(experiment: Experiment, on: str | None) -> None:
    """Run the tasks that are left, judge, and report."""
    args = experiment.manifest["args"]
    parts = [part for each in needed(args["keys"]) for part in each.parts]
    wanted = worlds.tasks(parts, args["quick"], experiment.scenario.seed, args["data"])
    experiment.run(wanted, on, "worlds and studies")
    judged = judge(experiment)
    rows = [
        {
            "finding": each.finding.key,
            "part": claim.part,
            **{name: getattr(claim, name) for name in COLUMNS},
            "worlds": worlds_needed(claim),
        }
        for each in judged
        for claim in each.claims
    ]
    experiment.table("results.parquet", pa.Table.from_pylist(rows))
    # Before the scoreboard, which reads runs and run time from the manifest.
    experiment.finish(
        "done", runs=len(wanted), verdicts={each.finding.key: each.verdict for each in judged}
    )
    experiment.store.write("scoreboard.md", "\n".join(scoreboard(experiment, judged)).encode())
    experiment.conclude(lines(judged), lambda experiment: _write(experiment, judged))


def judge(experiment: Experiment) -> list[Judged]:
    """Judge the results of the tasks."""
    args = experiment.manifest["args"]
    made: list[Judged] = []
    everything: list[Examined] = []
    # F8 is judged on the parts of all others, so those are read even where they were not asked for.
    for each in needed(args["keys"]):
        claims: list[Claim] = []
        parts: list[Examined] = []
        for part in each.parts:
            seen = worlds.read(experiment, part, args["quick"], args["data"])
            parts.append(Examined(each.key, part, seen))
            # A judge does not know which part it belongs to: the same judge may serve several.
            claims += [replace(claim, part=part.key) for claim in part.judge(seen)]
        everything += parts
        if each.key in args["keys"]:
            made.append(Judged(each, settled(claims), parts))
    if "F8" in args["keys"]:
        made.append(Judged(above.FINDING, settled(above.judge(everything)), everything))
    return made


def report(experiment: Experiment, **options: str) -> None:
    """Write the report again. Raises UsageError for options, as this report has none."""
    without_axes("findings have", options)
    _write(experiment, judge(experiment))


def _write(experiment: Experiment, judged: Sequence[Judged]) -> None:
    report_page.write(experiment, judged)
