"""The report of `twin audit`: which engineering setting is political and towards whom, as
sentences, map, ranked bars and tables.

Everything is read from the folder: ``results.parquet``, ``scores.parquet``, ``parts.parquet`` and
the manifest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.experiments import effects
from twin.experiments import page as reporting
from twin.experiments.audit import tables, words
from twin.experiments.audit.bars import force_bars
from twin.experiments.audit.engineering import OUTCOMES
from twin.experiments.audit.forces import Force, read_forces
from twin.experiments.audit.maps import NAMED, force_map
from twin.experiments.audit.tables import Part
from twin.experiments.experiment import Experiment
from twin.experiments.forks import WINDOW
from twin.experiments.page import Group, Picture, Report, Section, left_out, listed
from twin.experiments.words import WHO, series_name
from twin.ground.units import DAY, at, format_duration, in_percent


def write(experiment: Experiment) -> None:
    """Write ``report.html``."""
    forces = read_forces(experiment)
    parts = experiment.store.read_table("parts.parquet").to_pylist()
    scenario, args, manifest = experiment.scenario, experiment.manifest["args"], experiment.manifest
    fork_s, n = int(args["at_s"]), int(args["replicates"])
    days = f"{min(WINDOW, scenario.duration - fork_s) / DAY:.3g}"
    page = Report(
        title=f"{scenario.name}: audit of {len(forces)} engineering steps",
        lead=experiment.about,
        summary=words.summary(forces, manifest),
        sections=[
            _map(experiment, forces),
            _bars(forces),
            tables.steps(forces),
            tables.parts(parts),
            left_out("Steps left out", "Step", manifest.get("left", [])),
        ],
        methods=_methods(experiment, forces, parts, days),
        under=(
            f"{n} worlds were forked on {at(scenario.start, fork_s):%d %B %Y}, "
            f"{format_duration(fork_s)} after the start, and continued to "
            f"{at(scenario.start, scenario.duration):%d %B %Y} without and with each step: "
            f"{manifest.get('runs', 0)} runs.",
        ),
        notices=reporting.failures(experiment),
        note=f"Scores are means over the last {days} days against the same worlds without the "
        f"step, in standard deviations (sd) from world to world; more is better for that side. In "
        f"brackets {in_percent(effects.LEVEL)} intervals.",
    )
    reporting.write(experiment, page)


def _map(experiment: Experiment, forces: Sequence[Force]) -> Section:
    table = experiment.store.read_table("scores.parquet").to_pylist()
    clouds = {
        force.step: (
            np.array([row["producer"] for row in table if row["step"] == force.step], np.float64),
            np.array([row["consumer"] for row in table if row["step"] == force.step], np.float64),
        )
        for force in forces
    }
    help_ = (
        f"Each step is one large point with its {in_percent(effects.LEVEL)} intervals; small points are "
        f"worlds, each compared with itself without the step. Green: for both, red: against both, "
        f"violet: for one and against the other, blue: for or against one, grey: not "
        f"distinguishable from noise. The {NAMED} strongest that are distinguishable are named."
    )
    title = "What each step does to both sides"
    # the scenario may be able to take none of the steps
    drawn = [Picture("map", title, force_map(forces, clouds), help_)] if forces else []
    return Section(
        "map",
        "Both sides on one map",
        "Right and left: what happens to creators. Up and down: what happens to consumers.",
        groups=[Group(drawn, width="whole")] if drawn else (),
    )


def _bars(forces: Sequence[Force]) -> Section:
    still = [force.step for force in forces if force.untouched]
    quiet = f"Not drawn, as no world differs: {listed(still)}." if still else ""
    drawn = [Picture("bars", "Force and its two parts", force_bars(forces))] if forces else []
    return Section(
        "force",
        "Ranked by force",
        "The force of a step is the length of both sides' effects together. Pale: not "
        "distinguishable from noise.",
        groups=[Group(drawn, width="whole", quiet=quiet)] if drawn else (),
    )


def _methods(
    experiment: Experiment, forces: Sequence[Force], parts: Sequence[Part], days: str
) -> list[tuple[str, str]]:
    last = experiment.manifest["args"]["replicates"] - 1
    # names once each: there is a row per step
    counted = {
        side: dict.fromkeys(
            series_name(row["metric"], row["labels"]) for row in parts if row["side"] == side
        )
        for side in OUTCOMES
    }
    return [
        (
            "Worlds",
            f"{last + 1}: seed {experiment.scenario.seed}, replicates 0 to {last}. Each ran to the "
            f"fork once and continued without and with each step; every draw of luck is keyed by "
            f"person and purpose, so both draw the same.",
        ),
        (
            "Score",
            f"Per world, the mean over a side's outcomes of the change in the last {days} days, in "
            f"standard deviations of that outcome from world to world, turned so that more is "
            f"better. Outcomes weigh the same, which is a choice; an outcome that is the same in "
            f"all worlds does not count.",
        ),
        *(
            (f"Outcomes of {WHO[side]}", listed(names) or "none is here")
            for side, names in counted.items()
        ),
        (
            "Noise",
            f"Hotelling's T² of both scores against nothing, corrected over the {len(forces)} "
            f"steps by Benjamini and Hochberg: a step is distinguishable from noise if q < "
            f"{1 - effects.LEVEL:.2g}. Towards whom: sides whose own {in_percent(effects.LEVEL)} interval "
            f"(Student's t) keeps clear of zero.",
        ),
        (
            "Steps",
            "Round numbers that teams do choose between, not equal in any other sense: read the "
            "force of a step, not of a parameter. For levers together: twin audit --method morris.",
        ),
        *reporting.usual_methods(experiment),
    ]
