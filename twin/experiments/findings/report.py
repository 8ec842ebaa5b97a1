"""The report of `twin findings`: the scoreboard, then a section per finding. Each says what was
asked, shows the design as a diagram and the primary results beside their controls, and says what
would change the verdict. All outcomes and claims follow."""

from __future__ import annotations

from collections.abc import Sequence

from twin.experiments import page as reporting
from twin.experiments.experiment import Experiment
from twin.experiments.findings import above, design, pictures
from twin.experiments.findings.kit.arms import Change
from twin.experiments.findings.kit.claims import Claim
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.power import in_words
from twin.experiments.findings.kit.verdicts import changes, controls_of, standings, undecided
from twin.experiments.findings.scoreboard import Judged, least, shown
from twin.experiments.page import (
    Cell,
    Column,
    DataTable,
    Group,
    Report,
    Section,
    Summary,
    Words,
    number,
    tabulated,
)

HASTE = "This is the quick set: use the full set before you cite a number."
TONES = {
    "holds": "good",
    "null": "bad",
    "fails": "bad",
    "reversed": "bad",
    "confounded": "flat",
    "open": "flat",
    "reproduced": "good",
    "refuted": "bad",
    "inconclusive": "flat",
}
"""Of claims, their outcomes with controls, and verdicts."""
VERDICTS = (
    "refuted if a primary claim is reversed and its controls vanish; else confounded if a control "
    "of "
    "a primary claim does not vanish, because then the design cannot say; reproduced if all "
    "primary "
    "claims hold, null if all are null, else inconclusive. Null: an effect as large as the "
    "smallest "
    "one of interest is excluded by two one-sided tests at 5 %. Secondary claims, corrected for "
    "their number (Holm), decide nothing. The rules for each kind of claim are in "
    "twin/experiments/findings/kit/judging.py"
)


def write(experiment: Experiment, judged: Sequence[Judged]) -> None:
    """Write ``report.html``."""
    reporting.write(experiment, made(experiment, judged))


def made(experiment: Experiment, judged: Sequence[Judged]) -> Report:
    """The report."""
    quick = bool(experiment.manifest["args"]["quick"])
    return Report(
        f"{len(judged)} finding{'s' * (len(judged) > 1)} on the twin",
        "Published results about recommenders, creators and consumers, tested in the twin's "
        "default "
        "world. Each has one to three primary claims, with controls in which the effect must "
        "vanish, and a verdict by a rule that was fixed before the run.",
        [
            Summary(
                f"{each.finding.key} {each.finding.title}",
                _summary(each),
                what=each.finding.sentence,
            )
            for each in judged
        ],
        [_scoreboard(judged), *(_section(each) for each in judged)],
        [
            ("Size", "the quick set: few and small worlds" if quick else "the full set"),
            ("Verdicts", VERDICTS),
            *reporting.usual_methods(experiment),
        ],
        under=(
            f"{experiment.manifest.get('runs', 0)} worlds and studies, seed "
            f"{experiment.scenario.seed}.",
        ),
        notices=[*reporting.failures(experiment), *([HASTE] if quick else [])],
        note="Brackets hold 95 % intervals over worlds; ± is the smallest effect that matters.",
    )


def _summary(each: Judged) -> list[Words]:
    made: list[Words] = [[(each.verdict, TONES[each.verdict]), (f": {each.score}.", "")]]
    for claim, result in standings(each.claims):
        needs = undecided(claim, each.claims)
        more = f", {needs}" if needs else ""
        made.append(
            [
                (f"{claim.says}: {shown(claim)}, {least(claim)}: ", ""),
                (result, TONES[result]),
                (f"{more}.", ""),
            ]
        )
    return made


def _scoreboard(judged: Sequence[Judged]) -> Section:
    """One row per primary claim."""
    rows = [(each, claim, result) for each in judged for claim, result in standings(each.claims)]
    table = tabulated(
        [
            Column("finding", lambda row: Cell(row[0].finding.key), numeric=False),
            Column(
                "verdict",
                lambda row: Cell(row[0].verdict, tone=TONES[row[0].verdict]),
                numeric=False,
            ),
            Column("primary claim", lambda row: Cell(row[1].says), numeric=False),
            Column("effect [95 %]", lambda row: number(row[1].effect, shown=shown(row[1]))),
            Column("matters from", lambda row: number(row[1].margin, shown=least(row[1]))),
            Column("n", lambda row: number(row[1].n, shown=str(row[1].n))),
            Column("result", lambda row: Cell(row[2], tone=TONES[row[2]]), numeric=False),
            Column("its controls", lambda row: Cell(_controls(*row[:2])), numeric=False),
            Column(
                "to decide it", lambda row: Cell(undecided(row[1], row[0].claims)), numeric=False
            ),
            Column("secondary claims", lambda row: Cell(_secondary(row[0])), numeric=False),
        ],
        rows,
    )
    return Section("scoreboard", "Scoreboard", "Primary claims decide the verdicts.", table=table)


def _controls(each: Judged, claim: Claim) -> str:
    return "; ".join(
        f"{control.says}: {shown(control)}, {least(control)}, {control.state}"
        for control in controls_of(claim, each.claims)
    )


def _secondary(each: Judged) -> str:
    held = sum(result == "holds" for _, result in each.secondary)
    return f"{held} of {len(each.secondary)} hold"


def _number(value: float) -> Cell:
    return number(value, shown=f"{value:.4g}")


def _section(each: Judged) -> Section:
    key = each.finding.key.lower()
    primary = [
        pictures.of_claim(claim, controls_of(claim, each.claims), f"{key}-primary-{place}")
        for place, (claim, _) in enumerate(standings(each.claims))
    ]
    groups = [Group(primary, "Primary results and their controls")]
    if each.finding is above.FINDING:
        drawn = pictures.of_curves(above.curves(each.parts), f"{key}-ends")
        groups.append(Group(drawn, "Both ends over the dose"))
    else:
        for _, part, seen in each.parts:
            # Ids in HTML (see `Picture.key`) have no underscores.
            name = f"{key}-{part.key}".replace("_", "-")
            own = part.curves(seen)
            drawn = [
                *pictures.of_arms(part, seen, name),
                *(pictures.of_curves(own, f"{name}-curve") if own else []),
            ]
            heading = part.title + (
                f"; {seen.replicates} worlds an arm, {seen.days} days" if part.arms else ""
            )
            groups.append(Group(drawn, heading, quiet=_conditions(part, quick=seen.quick)))
    return Section(
        key,
        f"{each.finding.key} {each.finding.title}: {each.verdict}",
        f"{each.finding.sentence} Evidence: {each.finding.evidence}.",
        [
            f"Verdict: {each.verdict}; {each.score}.",
            *(f"What would change it: {line}" for line in changes(each.claims)),
            *([f"Note: {each.finding.note}"] if each.finding.note else []),
            f"Sources: {'; '.join(each.finding.sources)}.",
        ],
        groups,
        _table(each.claims),
        short=each.finding.key,
        figure=design.diagram(each.claims, each.parts),
    )


def _conditions(part: Part, quick: bool) -> str:
    """What the part changes in the default world, and each control in the part, with reasons."""
    made = {"Changes to the default world": _differences(part.world, part.size(quick).sets)}
    made["Drawn by every replicate, the same in all arms"] = "; ".join(
        f"{path} from {one.low:g} to {one.high:g} ({one.why})" for path, one in part.drawn.items()
    )
    made |= {
        f"Changes in control {name}": _differences(change) for name, change in part.controls.items()
    }
    return "\n".join(f"{where}: {what}." for where, what in made.items() if what)


def _differences(*changes: Change) -> str:
    # One reason often stands for many settings: it is written once, after all of them.
    by_reason: dict[str, list[str]] = {}
    for change in changes:
        for path, (value, reason) in change.items():
            by_reason.setdefault(reason, []).append(f"{path}={value}")
    return "; ".join(f"{', '.join(sets)} ({reason})" for reason, sets in by_reason.items())


def _table(claims: Sequence[Claim]) -> DataTable:
    """All claims, primary ones and their controls first."""
    deciding = [
        each for claim in claims if claim.primary for each in (claim, *controls_of(claim, claims))
    ]
    known = {id(each) for each in deciding}
    first = [*deciding, *(claim for claim in claims if id(claim) not in known)]
    return tabulated(
        [
            Column("role", lambda claim: Cell(claim.role), numeric=False),
            Column("part", lambda claim: Cell(claim.part), numeric=False),
            Column("claim", lambda claim: Cell(claim.says), numeric=False),
            Column("expected", lambda claim: Cell(claim.expected), numeric=False),
            Column("effect", lambda claim: _number(claim.effect)),
            Column("from", lambda claim: _number(claim.low)),
            Column("to", lambda claim: _number(claim.high)),
            Column("matters from", lambda claim: number(claim.margin, shown=least(claim))),
            Column("why", lambda claim: Cell(_why(claim)), numeric=False),
            Column("p", lambda claim: _number(claim.p)),
            Column("n", lambda claim: number(claim.n, shown=str(claim.n))),
            Column(
                "outcome",
                lambda claim: Cell(
                    "; ".join(filter(None, (claim.state, claim.why, in_words(claim)))),
                    tone="" if claim.aside else TONES[claim.state],
                ),
                numeric=False,
            ),
        ],
        first,
    )


def _why(claim: Claim) -> str:
    if claim.kind == "vanishes":
        return f"{100 * claim.share.size:g} % of the effect: {claim.share.why}"
    return claim.matters.why
