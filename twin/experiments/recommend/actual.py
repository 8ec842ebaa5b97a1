"""How advice went: what was foretold of the days since a policy was applied, beside what came.

    T^2 = (m - f)' S^-1 (m - f)    m: means of the quantities over the days since, f and S: mean and
                                   covariance of the same means in the draws of an arm

p is the share of draws that lie farther out, as in `twin.experiments.sync.alarm`, for the arm with the
policy and for the one without.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass

import numpy as np

from twin.experiments import commands
from twin.experiments.calibrate import again
from twin.experiments.experiment import Experiment
from twin.experiments.forks import BASE
from twin.experiments.recommend.advice import Fan, central
from twin.experiments.recommend.words import fan
from twin.experiments.sync import alarm
from twin.ground.errors import UsageError, nearest
from twin.observing.daily import QUANTITIES, Seen, centred, daily, level
from twin.observing.folder import Observed

FILE = "actual.json"
UNLIKELY = 0.05
"""p below which days are called other than foretold."""


@dataclass(frozen=True)
class Row:
    """A quantity: mean of so many ``days`` as ``observed``, and as foretold ``with_`` the policy and
    ``without`` (10, 50 and 90 % of draws), on the platform's own scale; ``held``: share of days inside
    the central 80 % of what was foretold with it."""

    quantity: str
    days: int
    observed: float
    with_: Fan
    without: Fan
    held: float


@dataclass(frozen=True)
class Actual:
    """How a policy went, from ``since`` to ``until``; ``p`` of all quantities together, with it and
    without, of which ``least`` is the smallest that so many worlds allow."""

    policy: str
    since: dt.date
    until: dt.date
    p: tuple[float, float]
    least: float
    rows: tuple[Row, ...]


def verdict(known: Actual) -> str:
    """In a sentence."""
    days = (known.until - known.since).days + 1
    with_, without = known.p
    begins = f"{known.policy}, {days} days since {known.since}:"
    if known.least > UNLIKELY:
        return f"{begins} too few worlds to say whether it went as foretold"
    said = "as foretold with it" if with_ > UNLIKELY else "not as foretold with it"
    other = "; also as foretold without it" if without > UNLIKELY else ""
    if with_ <= UNLIKELY < without:
        said, other = "as foretold without it: it did not do what was foretold", ""
    return f"{begins} {said} (p {with_:.2g}){other} (without it p {without:.2g})"


def lines(known: Actual) -> list[str]:
    """The same with each quantity."""
    return [
        verdict(known),
        *(
            f"  {row.quantity}: {row.observed:.3g}; foretold {fan(row.with_)} with it, "
            f"{fan(row.without)} without"
            for row in known.rows
        ),
    ]


def opened(out: str, calibrated: str, policy: str | None) -> tuple[Experiment, str]:
    """Finished advice of a calibration, and which of its policies was applied (default: the one that
    was recommended). Raises UsageError where there is none."""
    flag = f"--advice {out}"
    if commands.of(out) != "recommend":
        raise UsageError(f"{flag}: holds no advice (make it: twin recommend {calibrated})")
    experiment = commands.opened(out, quiet=True)
    if "recommended" not in experiment.manifest:
        raise UsageError(f"{flag}: is not finished (continue with: twin resume {out})")
    digest = again.finished(calibrated).manifest["args"]["observed"]
    if experiment.manifest["args"]["read"] != digest:
        raise UsageError(f"{flag}: is not from {calibrated}")
    known = [plan["name"] for plan in experiment.manifest["args"]["policies"]]
    named = policy or experiment.manifest["recommended"]
    if named is None:
        raise UsageError(
            f"{flag}: recommends no policy; say which was applied ({', '.join(known)})"
        )
    if named not in known:
        raise UsageError(f"--applied {named}: is not in {out} ({nearest(named, known)})")
    return experiment, str(named)


def check(experiment: Experiment, observed: Observed, policy: str, since: dt.date) -> Actual:
    """The days from ``since`` on against what was foretold of as many days under the policy. Raises
    UsageError where there are none."""
    before = since - dt.timedelta(days=1)
    table = experiment.store.read_table("draws.parquet").to_pandas()
    ahead = int(table["ahead_d"].max())
    until = min(observed.last, before + dt.timedelta(days=ahead))
    if until < since:
        raise UsageError(f"--since {since}: {observed.path} has no day since then")
    if missing := observed.missing(since, until):
        raise UsageError(f"--since {since}: {observed.path} has no rows on {missing[0]}")
    days = [since + dt.timedelta(days=at) for at in range((until - since).days + 1)]
    seen = Seen({}, daily(observed))
    values = centred(seen, before)
    rows, means = [], []
    for name in QUANTITIES:
        own = [values.get(name, {}).get(day) for day in days]
        arms = [
            table[(table["policy"] == each) & (table["quantity"] == name)]
            for each in (policy, BASE)
        ]
        if any(value is None for value in own) or any(arm.empty for arm in arms):
            continue
        with_, without = (
            arm.pivot_table("value", "draw", "ahead_d").to_numpy()[:, : len(days)] for arm in arms
        )
        came = np.array(own, float)
        base = level(seen.daily[name], before)
        shown = QUANTITIES[name].shown
        low, high = np.quantile(with_, (0.1, 0.9), axis=0)
        rows.append(
            Row(
                name,
                len(days),
                float(shown(np.array([came.mean() + base]))[0]),
                central(shown(with_.mean(1) + base)),
                central(shown(without.mean(1) + base)),
                float(((came >= low) & (came <= high)).mean()),
            )
        )
        means.append((came.mean(), with_.mean(1), without.mean(1)))
    if not rows:
        raise UsageError(f"--since {since}: {observed.path} has nothing that was foretold")
    came = np.array([each[0] for each in means])
    p = tuple(alarm.p(came, np.column_stack([each[side] for each in means])) for side in (1, 2))
    least = 1.0 / (1 + len(means[0][1]))
    return Actual(policy, since, until, (p[0], p[1]), least, tuple(rows))


def write(experiment: Experiment, known: Actual) -> None:
    """Keep it in the folder of the advice."""
    facts = asdict(known) | {"since": known.since.isoformat(), "until": known.until.isoformat()}
    experiment.store.write_json(FILE, facts)


def read(experiment: Experiment) -> Actual | None:
    """What is kept; None where the policy was not applied yet."""
    if not experiment.store.exists(FILE):
        return None
    found = experiment.store.read_json(FILE)
    rows = tuple(
        Row(**{**row, "with_": tuple(row["with_"]), "without": tuple(row["without"])})
        for row in found["rows"]
    )
    return Actual(
        found["policy"],
        dt.date.fromisoformat(found["since"]),
        dt.date.fromisoformat(found["until"]),
        (found["p"][0], found["p"][1]),
        found["least"],
        rows,
    )
