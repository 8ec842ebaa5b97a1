"""Readings by arm of policies for a share: which groups there are, and the metrics that follow from
the declarations `Metric.by_arm`.

The k-th policy for a share of a table (counted in the order of the plan) divides its rows into
treated and control. A stratum of either is made of the rows for whom another policy holds too, or
none of the others:

    everybody            all rows, in any arm
    treated-k            policy k holds for them, whatever else does
    control-k            it does not
    treated-k-alone      no other policy for a share holds; likewise control-k-alone
    treated-k-within-j   policy j holds too (whatever the rest do); likewise control-k-within-j

An arm's number has bit k - 1 set where policy k holds (`twin.mechanisms.policies`), so every group
is a set of arms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.world.mechanism import Mechanism
from twin.world.metric import ByArm, Metric, Side

MOST_SHARES = 4
"""Most policies for a share of one table: their combinations are arms, and every arm has settings
of its own."""
EVERYBODY = "everybody"
SIDES: dict[str, Side] = {"consumers": "consumer", "creators": "producer", "chatters": "chatbot"}
"""Whose side the rows of a table are on."""


def group(policy: int, treated: bool, within: str = "") -> str:
    """The label ``arm`` of a group: of the policy with this number (1 for the first), treated or
    control, in the stratum ``within``: empty for all, ``alone``, or the number of another policy
    that holds too."""
    tail = "" if not within else "-alone" if within == "alone" else f"-within-{within}"
    return f"{'treated' if treated else 'control'}-{policy}{tail}"


def _pairs() -> Iterator[tuple[int, str]]:
    for policy in range(1, MOST_SHARES + 1):
        others = [str(other) for other in range(1, MOST_SHARES + 1) if other != policy]
        for within in ("", "alone", *others):
            yield policy, within


PAIRS = tuple(_pairs())
"""Number of a policy and stratum of every pair of a treated and a control group."""
ARMS = (
    EVERYBODY,
    *(group(policy, treated, within) for policy, within in PAIRS for treated in (True, False)),
)
"""The values of the label ``arm``: everybody, then the pairs in the order of PAIRS, treated
first."""

MAIN = (EVERYBODY, *(arm for arm in ARMS if arm.count("-") == 1))
"""Groups that are no part of a stratum."""


def members(arms: int) -> NDArray[np.bool_]:
    """Which of so many arms (a power of two) make up each group, bool (ARMS, arms); no arm in
    groups of policies that there are not, nor in any but everybody where there is one arm."""
    number = np.arange(arms)
    shares = arms.bit_length() - 1
    made = np.zeros((len(ARMS), arms), bool)
    made[0] = True
    for place, (policy, within) in enumerate(PAIRS):
        if policy > shares or (within.isdigit() and int(within) > shares):
            continue
        bit = 1 << (policy - 1)
        stratum = np.ones(arms, bool)
        if within == "alone":
            stratum = number & ~bit == 0
        elif within:
            stratum = number & (1 << (int(within) - 1)) > 0
        held = number & bit > 0
        made[1 + 2 * place] = stratum & held
        made[2 + 2 * place] = stratum & ~held
    return made


def derived(metrics: Iterable[Metric]) -> Iterator[tuple[ByArm, Metric]]:
    """Every declared reading by arm with the metric that shows it, in order."""
    for metric in metrics:
        for each in metric.by_arm:
            yield each, _metric(each)


def _metric(each: ByArm, sd: bool = False) -> Metric:
    text = each.help.rstrip(".")
    if sd:
        text = f"{text}: standard deviation between the rows of an arm"
    return Metric(
        f"trial_{each.name}{'_sd' if sd else ''}",
        "gauge",
        each.unit,
        f"{text}, by arm; no reading of an arm in which there is nobody.",
        SIDES[each.table],
        "Trial",
        labels={**each.labels, "arm": ARMS},
        good="neither" if sd else each.good,
        trial=f"{each.name.replace('_', ' ')}{' (sd)' if sd else ''}",
    )


def declared(kinds: Sequence[type[Mechanism[Any]]]) -> list[Metric]:
    """All metrics of these mechanisms, in their order; the one that reads arms, if there is one,
    has those that follow from the declarations of all."""
    made: list[Metric] = []
    for kind in kinds:
        made += kind.metrics
        if kind.reads_arms:
            for each, metric in derived(one for other in kinds for one in other.metrics):
                made.append(metric)
                if each.sd:
                    made.append(_metric(each, sd=True))
    return made
