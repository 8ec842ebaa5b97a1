"""The report of `twin findings`: the scoreboard in words, then a section per finding with its
pictures and all of its claims."""

from __future__ import annotations

from collections.abc import Sequence

from twin.experiments import page as reporting
from twin.experiments.experiment import Experiment
from twin.experiments.findings import above, pictures
from twin.experiments.findings.kit.arms import Change
from twin.experiments.findings.kit.claims import Claim
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.scoreboard import Judged, shown
from twin.experiments.page import Cell, DataTable, Group, Report, Section, Summary, Words, number

HASTE = "This is the quick set: use the full set before you cite a number."
TONES = {
    "holds": "good",
    "fails": "bad",
    "open": "flat",
    "reproduced": "good",
    "refuted": "bad",
    "inconclusive": "flat",
}


def write(experiment: Experiment, judged: Sequence[Judged]) -> None:
    """Write ``report.html``."""
    quick = bool(experiment.manifest["args"]["quick"])
    reporting.write(
        experiment,
        Report(
            f"{len(judged)} findings on the twin",
            "Published results about recommenders, creators and consumers, tested in the twin's "
            "default "
            "world. Each has a control in which the effect must vanish, and a verdict by a rule "
            "that "
            "was fixed before the run.",
            [
                Summary(
                    f"{each.finding.key} {each.finding.title}",
                    _summary(each),
                    what=each.finding.sentence,
                )
                for each in judged
            ],
            [_section(each) for each in judged],
            [
                ("Size", "the quick set: few and small worlds" if quick else "the full set"),
                (
                    "Verdicts",
                    "refuted if a claim or a control fails, reproduced if all hold, else "
                    "inconclusive; the rules for each kind of claim are in "
                    "twin/experiments/findings/kit/judging.py",
                ),
                *reporting.usual_methods(experiment),
            ],
            under=(
                f"{experiment.manifest.get('runs', 0)} worlds and studies, seed "
                f"{experiment.scenario.seed}.",
            ),
            notices=[*reporting.failures(experiment), *([HASTE] if quick else [])],
            note="Brackets hold 95 % intervals over worlds. Those of controls are wider: they hold "
            "for all "
            "controls of a finding together.",
        ),
    )


def _summary(each: Judged) -> list[Words]:
    made: list[Words] = [[(each.verdict, TONES[each.verdict]), (f": {each.score}.", "")]]
    # Failures are spelt out because a single one refutes the finding.
    for claim in (claim for claim in each.claims if claim.state == "fails" and not claim.aside):
        made.append(
            [(f"{claim.says}: {shown(claim)}, expected {claim.expected}: {claim.why}.", "bad")]
        )
    if each.finding.note:
        made.append([(each.finding.note, "")])
    return made


def _section(each: Judged) -> Section:
    key = each.finding.key.lower()
    groups = []
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
        f"{each.finding.key} {each.finding.title}",
        f"{each.finding.sentence} Evidence: {each.finding.evidence}.",
        [f"Sources: {'; '.join(each.finding.sources)}."],
        groups,
        _table(each.claims),
        short=each.finding.key,
    )


def _conditions(part: Part, quick: bool) -> str:
    """What the part changes in the default world, and each control in the part, with reasons."""
    made = {"Changes to the default world": _differences(part.world, part.size(quick).sets)}
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
    return DataTable(
        [
            ("part", False),
            ("claim", False),
            ("expected", False),
            ("effect", True),
            ("from", True),
            ("to", True),
            ("n", True),
            ("outcome", False),
        ],
        [_row(claim) for claim in claims],
    )


def _row(claim: Claim) -> list[Cell]:
    kind = " (control)" if claim.control else ""
    # Claims that were added later already say so in their text.
    aside = " (not counted)" if claim.aside and not claim.later else ""
    return [
        Cell(claim.part),
        Cell(claim.says + kind + aside),
        Cell(claim.expected),
        number(claim.effect, shown=f"{claim.effect:.4g}"),
        number(claim.low, shown=f"{claim.low:.4g}"),
        number(claim.high, shown=f"{claim.high:.4g}"),
        number(claim.n, shown=str(claim.n)),
        Cell(
            claim.state + (f": {claim.why}" if claim.why else ""),
            tone="" if claim.aside else TONES[claim.state],
        ),
    ]
