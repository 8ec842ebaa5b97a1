"""Finding 7 in worlds: 26 weeks with the assistant, and a single session beside four weeks.

"One-shot" is what a study of the first week would have concluded, "longitudinal" what the last
weeks show.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.experiments.findings.f7.arms import (
    ASSISTANT,
    ATTACHED,
    BY_WEEK,
    CONCERN,
    CONTROLS,
    DEFAULT,
    DOSES,
    EXPECTED,
    HUMAN,
    HURT,
    LATE,
    MET,
    ONCE,
    RISING,
    SOURCE,
    SURPRISE,
    TRUST,
    USE,
    USERS,
    WEEKS,
    personalised,
    size,
)
from twin.experiments.findings.kit.arms import Curve, Outcome, averaged
from twin.experiments.findings.kit.claims import Claim, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.judging import slope
from twin.experiments.findings.kit.readings import Readings


def _late(seen: Readings, arm: str, metric: Outcome) -> NDArray[np.float64]:
    """Mean of the last weeks (replicates,)."""
    return np.asarray(seen.over_time(arm, metric)[:, -LATE:].mean(1), np.float64)


def _rise(seen: Readings, arm: str, metric: Outcome) -> NDArray[np.float64]:
    """Last weeks less the first one (replicates,)."""
    return _late(seen, arm, metric) - seen.of(arm, metric, 0)


def judge_weeks(seen: Readings) -> list[Claim]:
    """What rises over the weeks and with personalisation, what a study of the first week alone
    would have shown, and the controls."""
    return [*_over_weeks(seen), *_one_shot(seen), *_ratchet(seen), *_controls(seen)]


def _over_weeks(seen: Readings) -> list[Claim]:
    made = [
        sign(f"{m.words}, last {LATE} weeks less the first", _rise(seen, DEFAULT, m), 1, SOURCE)
        for m in RISING
    ]
    made.append(
        sign(
            f"{ATTACHED.words}, last {LATE} weeks less the first",
            _rise(seen, DEFAULT, ATTACHED),
            1,
            "Chandra et al. 2504.14112",
            aside=True,
        )
    )
    for m in RISING:
        # Not the last week alone: weekly means of rare failures are noisy.
        late = np.array([_late(seen, f"{dose:g}", m) for dose in DOSES])
        made.append(
            sign(
                f"{m.words} in the last {LATE} weeks, per sd of personalisation",
                slope(np.array(DOSES), late),
                1,
                SOURCE,
            )
        )
    return made


def _one_shot(seen: Readings) -> list[Claim]:
    """The effect of personalisation as a study of the first week sees it, beside the last weeks."""
    made = []
    for m in (CONCERN, HURT):
        # Window 0 is the first week: all that a one-shot study sees.
        once = seen.effect(DEFAULT, "0", m, 0)
        long = _late(seen, DEFAULT, m) - _late(seen, "0", m)
        made += [
            sign(
                f"{m.words}: effect of personalisation in the last weeks less that in the first",
                long - once,
                1,
                "only a longitudinal view shows it",
            ),
            sign(
                f"one-shot: effect of personalisation on {m.words} in the first week",
                once,
                1,
                "reported",
                aside=True,
            ),
            sign(
                f"longitudinal: effect of personalisation on {m.words} in the last {LATE} weeks",
                long,
                1,
                "reported",
                aside=True,
            ),
        ]
    made.append(
        sign(
            f"one-shot: effect of personalisation on {SURPRISE.words} in the first week",
            seen.effect(DEFAULT, "0", SURPRISE, 0),
            1,
            "reported",
            aside=True,
        )
    )
    return made


def _ratchet(seen: Readings) -> list[Claim]:
    """Expectation rises faster than it falls, so that it settles above mean performance."""
    plain = _late(seen, "0", SURPRISE)
    return [
        sign(
            f"longitudinal: {SURPRISE.words} in the last {LATE} weeks",
            _late(seen, DEFAULT, SURPRISE),
            -1,
            "the ratchet: E above mean P",
        ),
        sign(
            f"no personalisation, rates .15 and .05: {SURPRISE.words} in the last weeks",
            plain,
            -1,
            "expectile above mean",
        ),
        vanishes(
            f"lambda up = lambda down, no personalisation: {SURPRISE.words} in the last weeks",
            _late(seen, "equal rates/0", SURPRISE),
            plain,
        ),
    ]


def _controls(seen: Readings) -> list[Claim]:
    """Without personalisation nothing rises, but for what chance and failures do by the ratchet."""
    certain = [
        vanishes(
            f"no personalisation, nothing random: {m.words}, last weeks less the first",
            _rise(seen, "nothing random/0", m),
            _rise(seen, DEFAULT, m),
        )
        # Not HURT: without failures there is no disappointment to read.
        for m in (MET, TRUST, CONCERN, HUMAN, EXPECTED)
    ]
    # Concern and anthropomorphism do not depend on performance, so chance may stay in the world.
    plain = [
        vanishes(
            f"no personalisation: {m.words}, last weeks less the first",
            _rise(seen, "0", m),
            _rise(seen, DEFAULT, m),
        )
        for m in (CONCERN, HUMAN)
    ]
    ratchet = [
        sign(
            f"no personalisation, with chance and failures: {m.words}, last weeks less the first",
            _rise(seen, "0", m),
            1,
            "reported: the ratchet works without personalisation too",
            aside=True,
        )
        for m in (TRUST, HURT)
    ]
    return [*certain, *plain, *ratchet]


def judge_once(seen: Readings) -> list[Claim]:
    """Many sessions show what personalisation does to disconfirmation and disappointment; a single
    session cannot."""
    made = []
    for m in (SURPRISE, HURT):
        many = seen.effect(DEFAULT, "0", m)
        once = seen.effect(f"one session/{DEFAULT}", "one session/0", m)
        made += [
            sign(
                f"in 4 weeks: effect of personalisation on {m.words}",
                many,
                1,
                "reported",
                aside=True,
            ),
            vanishes(f"a single session: effect of personalisation on {m.words}", once, many),
        ]
    return made


def curves_weeks(seen: Readings) -> list[Curve]:
    """Every outcome by week: personalised, not personalised, and with equal rates."""
    made = []
    weeks = [week + 1.0 for week in range(WEEKS)]
    for m in (*RISING, SURPRISE):
        for arm, name in (
            (DEFAULT, "personalised"),
            ("0", "not personalised"),
            ("equal rates/0", "not, equal rates"),
        ):
            made.append(
                averaged(
                    f"{m.words[0].upper()}{m.words[1:]} by week",
                    name,
                    x=weeks,
                    values=seen.over_time(arm, m).T,
                    x_label="week",
                    control="rates" in name,
                )
            )
    return made


MONTHS = Part(
    "weeks",
    "26 weeks: the one-shot and the longitudinal view",
    varies="personalisation of the assistant",
    judge=judge_weeks,
    arms=[
        *personalised(DOSES),
        # Controls are asked without personalisation, so one dose is enough.
        *personalised((0.0,), "equal rates"),
        *personalised((0.0,), "nothing random"),
    ],
    outcomes=[*RISING, SURPRISE, ATTACHED, MET, USE, USERS],
    world=ASSISTANT,
    controls=CONTROLS,
    full=size(12, 6000),
    quick=size(4, 500),
    windows=BY_WEEK,
    curves=curves_weeks,
    doses=True,
    both_ends=(USE, HURT),
)
SINGLE = Part(
    "once",
    "A single session beside four weeks",
    varies="personalisation of the assistant",
    judge=judge_once,
    arms=[*personalised((0.0, 0.6)), *personalised((0.0, 0.6), "one session")],
    outcomes=[SURPRISE, HURT, USE],
    world=ASSISTANT,
    controls={"one session": ONCE},
    full=size(12, 6000, 28),
    quick=size(4, 500, 28),
)
