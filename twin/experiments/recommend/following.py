"""`twin sync --advice`: a platform followed through a policy that was advised.

Days before the policy are synced as ever. Days since are held against what was foretold of them and
not fitted: the worlds of the calibration do not have the policy.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from twin.experiments import commands
from twin.experiments.calibrate import again
from twin.experiments.recommend import actual
from twin.experiments.sync import command as syncing
from twin.experiments.sync import versions, words
from twin.ground.errors import UsageError


@dataclass(frozen=True)
class Applied:
    """What was applied: a policy of the ``advice`` in a folder (None: the recommended one) ``since`` a
    day (None: the first that it foretells)."""

    advice: str
    policy: str | None
    since: dt.date | None


def follow(
    calibrated: str, on: str, until: dt.date | None, given: Applied, where: str | None
) -> Iterator[str]:
    """Sync until the policy, compare since, write the advice's report again; gives what is said.
    Raises UsageError."""
    experiment, policy = actual.opened(given.advice, calibrated, given.policy)
    made_on = dt.date.fromisoformat(experiment.manifest["args"]["until"])
    since = given.since or made_on + dt.timedelta(days=1)
    if since <= made_on:
        raise UsageError(f"--since {since}: the advice is from {made_on}")
    of = again.opened(calibrated, on, quiet=True)
    before = since - dt.timedelta(days=1)
    observed = of.observed if until is None else of.observed.until(until)
    known = actual.check(experiment, observed, policy, since)
    if before > versions.newest(of.experiment).until and before <= of.bank.last:
        yield from words.lines(syncing.sync(calibrated, on, before, where, quiet=True))
    actual.write(experiment, known)
    yield from actual.lines(known)
    yield (
        f"days since {since} are not fitted, as the worlds of {calibrated} do not have the policy "
        f"(to go on: calibrate on days since then, with its settings)"
    )
    yield f"report: {commands.report(given.advice)}"
