"""What `twin forecasts list` prints: the registry, for a stranger."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence

from twin.experiments.forecasts.declare import Branch, Outcome
from twin.experiments.forecasts.plan import Answered, Plan
from twin.experiments.forecasts.quantities import QUANTITIES
from twin.ground.units import DAY

WIDTH = 100


def short(plans: Sequence[Plan]) -> list[str]:
    """A line an experiment and a line an outcome."""
    made: list[str] = []
    for plan in plans:
        each = plan.experiment
        made.append(f"{each.id}  {each.status:11s}  {each.title}")
        made += [
            f"     {_outcome(plan, answer.outcome)}: {answer.outcome.says}: "
            + (answer.reading.estimand if answer.reading else "cannot")
            for answer in plan.answers
        ]
    lacks = sum(answer.reading is None for plan in plans for answer in plan.answers)
    every = sum(len(plan.answers) for plan in plans)
    return [*made, "", f"{every - lacks} of {every} outcomes can be expressed in this world."]


def full(plans: Sequence[Plan]) -> list[str]:
    """All that is registered of some experiments."""
    return [line for plan in plans for line in _full(plan)]


def _full(plan: Plan) -> Iterator[str]:
    each = plan.experiment
    yield f"{each.id}  {each.title} ({each.standing})"
    named = (
        ("design", each.design),
        ("confounders", each.confounders),
        ("the twin lacks", each.lacks),
    )
    for name, text in named:
        if text:
            yield from _wrapped(f"{name}: {text}")
    yield from _wrapped(
        f"world: {_levers(each.world) or 'the default one'}; forked at {plan.at / DAY:g} d, "
        f"{plan.length / DAY:g} d after that"
    )
    yield from _wrapped(f"drawn: {', '.join(one.text for one in plan.given)}")
    for name, branch in each.branches.items():
        yield from _wrapped(f"branch {name}: {_branch(branch)}")
    for answer in plan.answers:
        yield from _wrapped(f"{_outcome(plan, answer.outcome)}: {answer.outcome.says}")
        yield from _wrapped(_how(answer) if answer.reading else f"cannot: {answer.why}", 8)
    yield ""


def _wrapped(text: str, indent: int = 4) -> list[str]:
    start = " " * indent
    return textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=start + "  ")


def _outcome(plan: Plan, each: Outcome) -> str:
    notes = (", secondary" if not each.primary else "") + (", sign" if each.sign else "")
    notes += ", in-sample" if each.id in plan.experiment.checks else ""
    return f"{each.id} {each.form}, SESOI {each.sesoi:g}{notes}"


def _how(answer: Answered) -> str:
    reading = answer.reading
    assert reading is not None
    says = [QUANTITIES[name].says for name in reading.parts]
    if reading.against:
        says.append(f"against {QUANTITIES[reading.against].says}")
    begin, end = answer.outcome.days
    branches = reading.treated + (
        f" against {reading.control}" if reading.control != reading.treated else ""
    )
    return f"{', '.join(says)}; {reading.estimand}; {branches}; days {begin:g} to {end:g}"


def _branch(branch: Branch) -> str:
    made = [branch.says]
    if branch.sets:
        made.append(f"set {_levers(branch.sets)}")
    for policy in (*branch.before, *branch.policies):
        share = f"{policy['share']:.0%} of {policy['of']}: " if "share" in policy else ""
        made.append(f"{policy['name']}: {share}{_levers(policy['set'])}")
    return "; ".join(made)


def _levers(levers: object) -> str:
    return json.dumps(levers)[1:-1].replace('"', "") if levers else ""
