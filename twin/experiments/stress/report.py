"""The report of `twin stress`: how often and where the policy fails its goals, in words and
pictures, and all worlds as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence

from twin.experiments import page as reporting
from twin.experiments.experiment import Experiment
from twin.experiments.forks import WINDOW
from twin.experiments.page import Group, Picture, Report, Section
from twin.experiments.stress import pictures, tables, words
from twin.experiments.stress import verdicts as stress_verdicts
from twin.experiments.stress.goals import Goal
from twin.experiments.stress.outcomes import (
    CONFIRM,
    DRAWN,
    SEARCH,
    Outcome,
    read_args,
    read_outcomes,
)
from twin.experiments.stress.uncertain import Uncertain
from twin.experiments.stress.verdicts import Verdict
from twin.ground.units import DAY, at, format_duration

CLOSE = 4
"""Most parameters of a goal whose margins are drawn world by world."""


def write(experiment: Experiment) -> None:
    """Write ``report.html`` from what is in the folder."""
    goals, given = read_args(experiment)
    seen = read_outcomes(experiment, goals, given)
    # from the outcomes again, so that a report needs results.parquet alone
    found = stress_verdicts.verdicts(seen, goals, given)
    args, scenario = experiment.manifest["args"], experiment.scenario
    fork = at(scenario.start, int(args["at_s"]))
    counts = [
        f"{sum(each.world.phase == phase for each in seen)} {pictures.NAMES[phase]}"
        for phase in (DRAWN, SEARCH, CONFIRM)
    ]
    page = Report(
        title=f"{scenario.name}: {args['policy']['name']} under stress",
        lead=experiment.about,
        summary=words.summary(found),
        sections=[
            _margins(seen, goals, found),
            _directions(seen, goals, given, found),
            tables.ranges(given),
            tables.worlds(seen, goals, given),
        ],
        methods=_methods(experiment, found),
        under=(
            f"Worlds: {', '.join(counts)}. Each was forked on {fork:%d %B %Y}, "
            f"{format_duration(int(args['at_s']))} after the start, and continued to "
            f"{at(scenario.start, scenario.duration):%d %B %Y} without and with: "
            f"{args['policy']['describe']}.",
        ),
        notices=[*reporting.failures(experiment), *(note for each in given for note in each.notes)],
        note="How likely means: under the ranges stated below, each parameter drawn independently. "
        "In brackets 95 % intervals.",
    )
    reporting.write(experiment, page)


def _margins(seen: Sequence[Outcome], goals: Sequence[Goal], found: Sequence[Verdict]) -> Section:
    help_ = (
        "One point a world. Left of the line the goal fails. Bars: mean and interval over the "
        "fresh seeds."
    )
    drawn = [
        Picture(f"margin-{g}", verdict.goal.text, pictures.strip(seen, goals, g, verdict), help_)
        for g, verdict in enumerate(found)
    ]
    return Section(
        "margins",
        "By how much goals are kept",
        "Worlds drawn blindly show how often; those searched are aimed at the worst.",
        groups=[Group(drawn, width="wide")],
    )


def _directions(
    seen: Sequence[Outcome],
    goals: Sequence[Goal],
    given: Sequence[Uncertain],
    found: Sequence[Verdict],
) -> Section:
    # what the search asked for leans to the worst, so only the worlds drawn say which way it lies
    drawn = [each for each in seen if each.world.phase == DRAWN]
    places = {one.vary.path: place for place, one in enumerate(given)}
    groups = []
    for g, verdict in enumerate(found):
        shown = [
            Picture(
                f"direction-{g}",
                "Which parameters decide",
                pictures.ladder(verdict.directions),
                "Rank correlation of each parameter with the margin; left: high values break the "
                "goal. Grey may be noise.",
            )
        ]
        # directions are sorted, so these are the strongest
        for k, each in enumerate([each for each in verdict.directions if each.sure][:CLOSE]):
            place = places[each.parameter]
            picture = pictures.against(drawn, goals, g, given[place], place)
            shown.append(Picture(f"close-{g}-{k}", each.parameter, picture))
        unsure = [each.parameter for each in verdict.directions if not each.sure]
        quiet = f"Not drawn, as they are not established: {', '.join(unsure)}." if unsure else ""
        groups.append(Group(shown, verdict.goal.text, quiet=quiet))
    return Section(
        "directions",
        "Where failure lies",
        "Over the worlds drawn. Means are places in the range: 0 its lower end, 1 its upper.",
        groups=groups,
        table=tables.directions(found),
    )


def _methods(experiment: Experiment, found: Sequence[Verdict]) -> list[tuple[str, str]]:
    args, scenario = experiment.manifest["args"], experiment.scenario
    days = min(WINDOW, scenario.duration - int(args["at_s"])) / DAY
    tested = sum(math.isfinite(each.p) for verdict in found for each in verdict.directions)
    sure = sum(each.sure for verdict in found for each in verdict.directions)
    return [
        (
            "Goals",
            f"means over the last {days:.3g} days with the policy; effect(...): less the same "
            f"world without it, with the same luck. What is counted is counted per day. Margin: "
            f"distance from the threshold, negative where the goal fails.",
        ),
        (
            "Drawn",
            f"{args['worlds']} worlds, a Latin hypercube of the ranges scrambled by seed "
            f"{scenario.seed}, replicate i for world i; share of failures with Clopper and "
            f"Pearson's 95 % interval, of worlds whose margin is known.",
        ),
        (
            "Searched",
            f"{args['search']} worlds by Optuna's tree-structured Parzen estimator, warm with "
            f"those drawn, at the least margin (of many goals: in standard deviations of the "
            f"worlds drawn).",
        ),
        (
            "Confirmed",
            f"per goal the worlds of least and greatest margin, {args['confirm']} replicates that "
            f"no world had; mean margin with a 95 % interval (t distribution).",
        ),
        (
            "Direction",
            f"Spearman's rank correlation with the margin, over the worlds drawn: {tested} tests, "
            f"{sure} distinguishable from noise (Benjamini and Hochberg's q below 0.05 over all "
            f"goals and parameters).",
        ),
        *reporting.usual_methods(experiment),
    ]
