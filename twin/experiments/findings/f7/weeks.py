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
    COST,
    DEFAULT,
    DOSES,
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
from twin.experiments.findings.kit.means import slope
from twin.experiments.findings.kit.readings import Readings
from twin.mechanisms.chatbots import ChatbotsParams

LOSS_WEIGHT = ChatbotsParams().loss_weight
"""beta_down, of the default world."""


def _late(seen: Readings, arm: str, metric: Outcome) -> NDArray[np.float64]:
    """Mean of the last weeks (replicates,)."""
    return np.asarray(seen.over_time(arm, metric)[:, -LATE:].mean(1), np.float64)


def _rise(seen: Readings, arm: str, metric: Outcome) -> NDArray[np.float64]:
    """Last weeks less the first one (replicates,)."""
    return _late(seen, arm, metric) - seen.of(arm, metric, 0)


def _same_severity(seen: Readings, late: bool, control: str = "") -> NDArray[np.float64]:
    """What a failure to the same performance costs more with personalisation (replicates,).

    A failure costs beta (E - P_fail) where it disappoints (see `f7.studies`), and personalisation
    raises P_fail with the performance P of all sessions: failures take off the same from both. So
    the cost at one P_fail is the cost that was met, plus beta times the rise of P.
    """
    before = f"{control}/" if control else ""
    arms = f"{before}{DEFAULT}", f"{before}0"
    hurt, met = (
        _late(seen, arms[0], m) - _late(seen, arms[1], m) if late else seen.effect(*arms, m)
        for m in (HURT, MET)
    )
    return np.asarray(hurt + LOSS_WEIGHT * met, np.float64)


def judge_weeks(seen: Readings) -> list[Claim]:
    """What rises over the weeks and with personalisation, what a study of the first week alone
    would have shown, and the controls."""
    return [*_over_weeks(seen), *_with_personalisation(seen), *_one_shot(seen), *_ratchet(seen)]


def _over_weeks(seen: Readings) -> list[Claim]:
    """What rises over the weeks; without personalisation, chance and failures nothing does."""
    made: list[Claim] = []
    for m in RISING:
        rise = sign(
            f"{m.words}, last {LATE} weeks less the first",
            _rise(seen, DEFAULT, m),
            1,
            SOURCE,
            matters=m.matters,
            primary=m in (TRUST, CONCERN),
        )
        made.append(rise)
        # Without failures there is no disappointment to read.
        if m is not HURT:
            made.append(
                vanishes(
                    f"no personalisation, nothing random: {m.words}, last {LATE} weeks less the "
                    f"first",
                    _rise(seen, "nothing random/0", m),
                    rise,
                )
            )
        # Concern and anthropomorphism do not depend on performance, so chance may stay in the
        # world. Trust and disappointment do: there the ratchet works without personalisation too.
        words = f"no personalisation, with chance and failures: {m.words}, last {LATE} weeks less"
        if m in (CONCERN, HUMAN):
            made.append(vanishes(f"{words} the first", _rise(seen, "0", m), rise))
        elif m in (TRUST, HURT):
            made.append(
                sign(
                    f"{words} the first",
                    _rise(seen, "0", m),
                    1,
                    "reported: the ratchet",
                    matters=m.matters,
                    aside=True,
                )
            )
    made.append(
        sign(
            f"{ATTACHED.words}, last {LATE} weeks less the first",
            _rise(seen, DEFAULT, ATTACHED),
            1,
            "Chandra et al. 2504.14112",
            matters=ATTACHED.matters,
            aside=True,
        )
    )
    return made


def _with_personalisation(seen: Readings) -> list[Claim]:
    made = []
    for m in RISING:
        # Not the last week alone: weekly means of rare failures are noisy.
        late = np.array([_late(seen, f"{dose:g}", m) for dose in DOSES])
        made.append(
            sign(
                f"{m.words} in the last {LATE} weeks, per sd of personalisation",
                slope(np.array(DOSES), late),
                1,
                SOURCE,
                matters=m.matters,
            )
        )
    return [
        *made,
        sign(
            f"a failure of the same severity in the last {LATE} weeks: disappointment, "
            f"personalised less not",
            _same_severity(seen, late=True),
            1,
            f"{SOURCE}; Oliver 1980",
            matters=COST,
        ),
    ]


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
                matters=m.matters,
            ),
            _reported(
                f"one-shot: effect of personalisation on {m.words} in the first week", once, m
            ),
            _reported(
                f"longitudinal: effect of personalisation on {m.words} in the last {LATE} weeks",
                long,
                m,
            ),
        ]
    return [
        *made,
        _reported(
            f"one-shot: effect of personalisation on {SURPRISE.words} in the first week",
            seen.effect(DEFAULT, "0", SURPRISE, 0),
            SURPRISE,
        ),
    ]


def _reported(says: str, values: NDArray[np.float64], metric: Outcome) -> Claim:
    return sign(says, values, 1, "reported", matters=metric.matters, aside=True)


def _ratchet(seen: Readings) -> list[Claim]:
    """Expectation rises faster than it falls, so that it settles above mean performance."""
    plain = sign(
        f"no personalisation, rates 0.15 and 0.05: {SURPRISE.words} in the last weeks",
        _late(seen, "0", SURPRISE),
        -1,
        "expectile above mean",
        matters=SURPRISE.matters,
    )
    return [
        sign(
            f"longitudinal: {SURPRISE.words} in the last {LATE} weeks",
            _late(seen, DEFAULT, SURPRISE),
            -1,
            "the ratchet: E above mean P",
            matters=SURPRISE.matters,
        ),
        plain,
        vanishes(
            f"lambda up = lambda down, no personalisation: {SURPRISE.words} in the last weeks",
            _late(seen, "equal rates/0", SURPRISE),
            plain,
        ),
    ]


def judge_once(seen: Readings) -> list[Claim]:
    """Many sessions show what personalisation does to disappointment; a single session cannot. A
    failure of the same severity and a failure as it is met, apart."""
    made = []
    for says, many, once, primary in (
        (
            "disappointment by a failure of the same severity",
            _same_severity(seen, late=False),
            _same_severity(seen, late=False, control="one session"),
            True,
        ),
        (
            f"{HURT.words} as it is met, severity included",
            seen.effect(DEFAULT, "0", HURT),
            seen.effect(f"one session/{DEFAULT}", "one session/0", HURT),
            False,
        ),
    ):
        claim = sign(
            f"in 4 weeks: effect of personalisation on {says}",
            many,
            1,
            f"{SOURCE}; Oliver 1980",
            matters=COST,
            primary=primary,
        )
        control = vanishes(f"a single session: effect of personalisation on {says}", once, claim)
        made += [claim, control]
    surprise = sign(
        f"in 4 weeks: effect of personalisation on {SURPRISE.words}",
        seen.effect(DEFAULT, "0", SURPRISE),
        1,
        "reported",
        matters=SURPRISE.matters,
        aside=True,
    )
    return [
        *made,
        surprise,
        vanishes(
            f"a single session: effect of personalisation on {SURPRISE.words}",
            seen.effect(f"one session/{DEFAULT}", "one session/0", SURPRISE),
            surprise,
        ),
    ]


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
    outcomes=[SURPRISE, HURT, MET, USE],
    world=ASSISTANT,
    controls={"one session": ONCE},
    full=size(12, 6000, 28),
    quick=size(4, 500, 28),
)
