"""An A/B test inside the twin, beside the truth that only forked worlds can show.

For each policy one more branch gives it to a share of people only. Per replicate, over the last
window, with the readings by arm of `twin.mechanisms.trials`:

    estimate = treated - control                                what the platform's experimenter would report
    truth    = everybody, policy for all - everybody, without   the effect of the roll-out
    bias     = estimate - truth                                 interference: the arms live in one
             world

Each with a 95 % interval over replicates (`effects.paired`); the interval of the bias uses the
pairing of both, and its q value corrects for the many quantities (`effects.discoveries`).
``trials.parquet``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.experiments import effects
from twin.experiments.forks import BASE, Forked, Plan, checked
from twin.ground.errors import ScenarioError, UsageError
from twin.record.watch import Rows
from twin.scenario.loading import Scenario
from twin.world.arms import EVERYBODY, derived, group
from twin.world.metric import Metric, label_text

SETTING = "trials.enabled=true"
Array = NDArray[np.float64]
Labels = Mapping[str, str]


@dataclass(frozen=True)
class Bias:
    """One quantity of one policy: estimate, truth and their difference, each with its interval; n
    replicates with both."""

    branch: str
    quantity: str
    side: str
    unit: str
    good: str
    n: int
    estimate: float
    estimate_low: float
    estimate_high: float
    truth: float
    truth_low: float
    truth_high: float
    bias: float
    bias_low: float
    bias_high: float
    q: float

    @property
    def sure(self) -> bool:
        """Whether the bias is distinguishable from noise, with all quantities of all policies
        tested."""
        return effects.established(self.q)


def shared(plan: Plan, share: float, of: str, scenario: Scenario) -> Plan:
    """The plan for a share of people only. Raises UsageError where a policy cannot be given so."""
    if any(policy.get("share") is not None for policy in plan.policies):
        raise UsageError(
            f"--share: {plan.name} is for a share already (leave --share out, or take share: out "
            f"of the file)"
        )
    policies = [{**policy, "share": share, "of": of} for policy in plan.policies]
    try:
        # levers of the whole platform have no share: better known before anything runs
        checked(scenario, policies, plan.name)
    except ScenarioError as error:
        reasons = "; ".join(
            f"{each.path.rpartition('.set.')[2]}: {each.reason}" for each in error.problems
        )
        raise UsageError(
            f"--share: {plan.name} cannot be given to a share of {of}: {reasons} (try --of, or "
            f"leave --share out)"
        ) from None
    return replace(plan, name=f"{plan.name}, for {share:.0%}", policies=policies)


@dataclass(frozen=True)
class Given:
    """A policy for all, the branch in which a share of ``of`` (consumers or creators) has it, and
    its number among the policies for a share of these (`twin.world.arms`)."""

    name: str
    part: str
    of: str
    number: int


def biases(forked: Forked, tests: Sequence[Given]) -> list[Bias]:
    """Of each policy, every quantity of that side's people that was read in all arms."""
    place = {(metric.name, label_text(labels)): i for i, (metric, labels) in enumerate(forked.rows)}
    made: list[Bias] = []
    for test in tests:
        for metric, others in _quantities(forked.rows):
            # the other side was not assigned to arms
            if (metric.side == "producer") != (test.of == "creators"):
                continue

            def read(
                branch: str, arm: str, metric: Metric = metric, others: Labels = others
            ) -> Array:
                series: Array = forked.of[branch][
                    :, -1, place[metric.name, label_text({**others, "arm": arm})]
                ]
                return series

            # arms are read in the world with the share, everybody in worlds of their own
            treated, control = (
                read(test.part, group(test.number, treated)) for treated in (True, False)
            )
            after, before = read(test.name, EVERYBODY), read(BASE, EVERYBODY)
            # replicates with all four, as the bias pairs estimate and truth of one world
            whole = np.isfinite(treated + control + after + before)
            if whole.sum() < 2:
                continue
            estimate = treated[whole], control[whole]
            truth = after[whole], before[whole]
            # per replicate, so that what both share by luck cancels
            bias = estimate[0] - estimate[1], truth[0] - truth[1]
            made.append(
                Bias(
                    branch=test.name,
                    quantity=", ".join([metric.trial, *others.values()]).replace(" ai", " AI"),
                    side=metric.side,
                    unit=metric.unit,
                    good=metric.good,
                    n=int(whole.sum()),
                    **_interval("estimate", *estimate),
                    **_interval("truth", *truth),
                    **_interval("bias", *bias),
                    # of this test alone until all are there
                    q=float(effects.paired(bias[0][:, None], bias[1][:, None]).p[0]),
                )
            )
    q = effects.discoveries(np.array([each.q for each in made]))
    return [replace(each, q=float(one)) for each, one in zip(made, q, strict=True)]


def _quantities(rows: Rows) -> Iterator[tuple[Metric, Labels]]:
    """Readings by arm that mean the same of a share as of everybody, with their other labels."""
    for each, metric in derived({metric.name: metric for metric, _ in rows}.values()):
        # numbers of people, and what depends on them, differ with the size of a group
        if each.kind not in ("count", "pooled"):
            for labels in metric.series():
                if labels.pop("arm") == EVERYBODY:
                    yield metric, labels


def _interval(name: str, y: Array, x: Array) -> dict[str, float]:
    """The mean of y - x (replicates,) and the ends of its interval, as fields of a `Bias`."""
    found = effects.paired(y[:, None], x[:, None])
    return {
        name: float(found.effect[0]),
        f"{name}_low": float(found.low[0]),
        f"{name}_high": float(found.high[0]),
    }


def table(found: Sequence[Bias]) -> pa.Table:
    """The rows of ``trials.parquet``."""
    return pa.Table.from_pylist([asdict(each) for each in found])


def lines(found: Sequence[Bias]) -> list[str]:
    """What the terminal shows."""
    made = []
    for name in dict.fromkeys(each.branch for each in found):
        made.append(f"A/B inside the twin: {name}")
        for each in found:
            # by kind of response or source only in the report and the table
            if each.branch == name and "," not in each.quantity:
                verdict = "biased by interference" if each.sure else "no bias beyond noise"
                made.append(
                    f"  {each.quantity:34s} estimate {_with(each, 'estimate'):34s} truth "
                    f"{_with(each, 'truth'):34s} bias {_with(each, 'bias'):34s}  {verdict}"
                )
    return made


def _with(each: Bias, name: str) -> str:
    """One of its quantities with its interval."""
    middle, low, high = (getattr(each, f"{name}{end}") for end in ("", "_low", "_high"))
    return f"{middle:+.3g} [{low:+.3g}, {high:+.3g}]"
