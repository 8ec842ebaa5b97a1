"""F7: chatbot personalisation over 26 weeks: trust and closeness rise, and with them concern,
expectations and the cost of a failure.

No coefficients were found (Araujo & Bol 2024: directions), so every size is an assumption of the
twin and the finding a hypothesis that is shown with controls. "One-shot" is what a study of the
first week would have concluded, "longitudinal" what the last quarter shows. Who makes is here the
assistant: its side is read off its use and its answers; who watches are its users. Means are over
those still using it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.experiments.findings.kit.arms import Arm, Curve, Outcome, Size, Study, averaged, because
from twin.experiments.findings.kit.declare import Finding, Part
from twin.experiments.findings.kit.judging import Claim, exact, sign, slope, vanishes
from twin.experiments.findings.kit.readings import Readings

SOURCE = "Araujo & Bol 2024, direction"
WEEKS, LATE = 26, 6
"""Length, and the last weeks that count as late."""
BY_WEEK = tuple((week / WEEKS, (week + 1) / WEEKS) for week in range(WEEKS))
DOSES = (0.0, 0.3, 0.6, 1.0)
DEFAULT = "0.6"
GAIN = "chatbots.personalisation"

TRUST = Outcome("trust_mean", "consumer", "trust")
HUMAN = Outcome("anthropomorphism_mean", "consumer", "anthropomorphism")
CONCERN = Outcome("concern_mean", "consumer", "privacy concern")
EXPECTED = Outcome("expectation_mean", "consumer", "expectation")
HURT = Outcome("disappointment_per_failure", "consumer", "disappointment per failure")
SURPRISE = Outcome("disconfirmation_mean", "consumer", "performance less expectation")
ATTACHED = Outcome("attachment_mean", "consumer", "attachment")
MET = Outcome("chat_performance_mean", "producer", "performance of the assistant")
USE = Outcome("chat_sessions", "producer", "sessions that the assistant holds a day")
USERS = Outcome("chat_users", "producer", "users that the assistant keeps")
RISING = (TRUST, HUMAN, CONCERN, EXPECTED, HURT)
"""The sentence: these rise over time and with personalisation."""

ASSISTANT = (
    because(
        "isolates the mechanism: a panel in which nobody comes",
        audience__arrivals="0/d",
        creators__human__arrivals="0/d",
        creators__ai__arrivals="0/d",
    )
    | because(
        "not part of this experiment: feed and assistant do not meet",
        ratings__enabled="false",
        campaigns__enabled="false",
        opinions__enabled="false",
    )
    | because(
        "a panel: everybody is a user and begins at once, so that weeks are weeks of use",
        chatbots__adopters="1",
        chatbots__adoption_delay="1d",
    )
)
CONTROLS = {
    "equal rates": because(
        "lambda up = lambda down: the mean of both defaults",
        chatbots__expectation_up="0.1",
        chatbots__expectation_down="0.1",
    ),
    "nothing random": because(
        "performance is certain, so that only personalisation could move anything",
        chatbots__performance_sd="0",
        chatbots__expectation_sd="0",
        chatbots__failure_rate="0",
        chatbots__answers__contested="0",
    ),
}
ONCE = because(
    "everybody stops after a session",
    chatbots__stop="1",
    chatbots__stop_effect="0",
    chatbots__stop_concern="0",
    chatbots__stop_attachment="0",
)


def _size(replicates: int, people: int, days: int = 7 * WEEKS) -> Size:
    return Size(
        replicates,
        days,
        because(
            "size: people and the least of a feed, which the assistant does not touch",
            audience__initial=str(people),
            creators__human__initial="20",
            creators__ai__initial="0",
            network__communities="4",
            recommender__lists="4",
            recommender__dim="4",
            recommender__refresh="30min",
            metrics__every="1d",
        )
        | because(
            "size: nobody opens the feed, which costs as much time as the assistant does",
            audience__return_a="0.01",
            audience__return_b="100",
        ),
    )


def _arms(doses: Sequence[float], control: str = "") -> list[Arm]:
    return [Arm(f"{dose:g}", dose, {GAIN: f"{dose:g}"}, control) for dose in doses]


def _late(seen: Readings, arm: str, metric: Outcome) -> NDArray[np.float64]:
    """Mean of the last weeks (replicates,)."""
    return np.asarray(seen.over_time(arm, metric)[:, -LATE:].mean(1), np.float64)


def _rise(seen: Readings, arm: str, metric: Outcome) -> NDArray[np.float64]:
    """Last weeks less the first one (replicates,)."""
    return _late(seen, arm, metric) - seen.of(arm, metric, 0)


def judge_weeks(seen: Readings) -> list[Claim]:
    """Rises over the weeks, with personalisation, and what the first week alone would have shown;
    with their controls."""
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
    doses = np.array(DOSES)
    for m in RISING:
        late = np.array([_late(seen, f"{dose:g}", m) for dose in DOSES])
        made.append(
            sign(
                f"{m.words} in the last {LATE} weeks, per sd of personalisation",
                slope(doses, late),
                1,
                SOURCE,
            )
        )
    for m in (CONCERN, HURT):
        once, long = seen.effect(DEFAULT, "0", m, 0), _late(seen, DEFAULT, m) - _late(seen, "0", m)
        made.append(
            sign(
                f"{m.words}: effect of personalisation in the last weeks less that in the first",
                long - once,
                1,
                "only a longitudinal view shows it",
            )
        )
        made.append(
            sign(
                f"one-shot: effect of personalisation on {m.words} in the first week",
                once,
                1,
                "reported",
                aside=True,
            )
        )
        made.append(
            sign(
                f"longitudinal: effect of personalisation on {m.words} in the last {LATE} weeks",
                long,
                1,
                "reported",
                aside=True,
            )
        )
    once = seen.effect(DEFAULT, "0", SURPRISE, 0)
    made.append(
        sign(
            f"one-shot: effect of personalisation on {SURPRISE.words} in the first week",
            once,
            1,
            "reported",
            aside=True,
        )
    )
    made.append(
        sign(
            f"longitudinal: {SURPRISE.words} in the last {LATE} weeks",
            _late(seen, DEFAULT, SURPRISE),
            -1,
            "the ratchet: E above mean P",
        )
    )
    ratchet = _late(seen, "0", SURPRISE)
    made.append(
        sign(
            f"no personalisation, rates .15 and .05: {SURPRISE.words} in the last weeks",
            ratchet,
            -1,
            "expectile above mean",
        )
    )
    made.append(
        vanishes(
            f"lambda up = lambda down, no personalisation: {SURPRISE.words} in the last weeks",
            _late(seen, "equal rates/0", SURPRISE),
            ratchet,
        )
    )
    for m in (MET, TRUST, CONCERN, HUMAN, EXPECTED):
        made.append(
            vanishes(
                f"no personalisation, nothing random: {m.words}, last weeks less the first",
                _rise(seen, "nothing random/0", m),
                _rise(seen, DEFAULT, m),
            )
        )
    for m in (CONCERN, HUMAN):
        made.append(
            vanishes(
                f"no personalisation: {m.words}, last weeks less the first",
                _rise(seen, "0", m),
                _rise(seen, DEFAULT, m),
            )
        )
    for m in (TRUST, HURT):
        made.append(
            sign(
                f"no personalisation, with chance and failures: {m.words}, last weeks less the "
                f"first",
                _rise(seen, "0", m),
                1,
                "reported: the ratchet works without personalisation too",
                aside=True,
            )
        )
    return made


def judge_once(seen: Readings) -> list[Claim]:
    """With many sessions personalisation moves what is met and expected; a single one cannot show
    it."""
    made = []
    for m in (SURPRISE, HURT):
        many, once = (
            seen.effect(DEFAULT, "0", m),
            seen.effect(f"one session/{DEFAULT}", "one session/0", m),
        )
        made.append(
            sign(
                f"in 4 weeks: effect of personalisation on {m.words}",
                many,
                1,
                "reported",
                aside=True,
            )
        )
        made.append(
            vanishes(f"a single session: effect of personalisation on {m.words}", once, many)
        )
    return made


def curves_weeks(seen: Readings) -> list[Curve]:
    """Every outcome by week: personalised, not, and with equal rates."""
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
                    weeks,
                    seen.over_time(arm, m).T,
                    "week",
                    control="rates" in name,
                )
            )
    return made


# ---- assigned and self-selected use ----
FELT = Outcome("wellbeing_mean", "consumer", "well-being of those encouraged", {"arm": "assigned"})
TRIAL = Outcome("wellbeing_assigned_effect", "consumer", "well-being, assigned less control")
TOGETHER = Outcome(
    "wellbeing_usage_correlation",
    "consumer",
    "correlation of well-being and use",
    {"among": "trial"},
)
USED = Outcome("chat_use_mean", "producer", "use by those encouraged", {"arm": "assigned"})
FANG = "Fang et al. 2503.17473 v2"


def _trial(control: str = "") -> list[Arm]:
    path = "chatbots.wellbeing.encouragement"
    return [Arm("encouraged", 2.0, {path: "2"}, control), Arm("not", 1.0, {path: "1"}, control)]


HARM = {"chatbots.wellbeing.use_effect": "-0.5"}
TRIAL_ARMS = [
    *_trial(),
    *(Arm(f"{arm.name}, use harms", arm.dose, {**arm.sets, **HARM}) for arm in _trial()),
    _trial("no selection")[0],
]


def judge_trial(seen: Readings) -> list[Claim]:
    """Assignment shows nothing where use does nothing, while chosen use goes with worse
    well-being."""
    chosen = seen.of("encouraged", TOGETHER)
    return [
        sign(
            "encouragement raises use (sessions/d)",
            seen.effect("encouraged", "not", USED),
            1,
            "the trial's design",
        ),
        sign("self-selected use goes with worse well-being: correlation", chosen, -1, FANG),
        vanishes(
            "use does nothing: well-being of the same people encouraged or not",
            seen.effect("encouraged", "not", FELT),
            chosen,
        ),
        vanishes(
            "nobody seeks company of the assistant: correlation of well-being and use",
            seen.of("no selection/encouraged", TOGETHER),
            chosen,
        ),
        sign(
            "where use harms, assignment shows it",
            seen.effect("encouraged, use harms", "not, use harms", FELT),
            -1,
            "the trial can see",
        ),
        sign(
            "the trial's own estimate, assigned less control (sd), where use does nothing",
            seen.of("encouraged", TRIAL),
            -1,
            "reported: no effect",
            aside=True,
        ),
    ]


def studies(quick: bool) -> list[Study]:
    """The equations on their own."""
    people = 500 if quick else 1000
    return [
        Study("geometric", "f7.studies:geometric", {"rate": 0.1, "sessions": 60, "first": 0.1}),
        Study(
            "settled",
            "f7.studies:settled",
            {"up": 0.003, "down": 0.001, "people": people, "sessions": 10000},
        ),
        Study(
            "equal",
            "f7.studies:settled",
            {"up": 0.002, "down": 0.002, "people": people, "sessions": 10000},
        ),
        Study("failing", "f7.studies:failing", {"rate": 0.15, "depth": 0.4, "sessions": 40}),
    ]


def judge_forms(seen: Readings) -> list[Claim]:
    """(1 - l)^t, the expectile, and a failure's cost that grows and saturates."""
    got, law = seen.study("geometric")
    at, surprise, expectile = seen.study("settled")
    even = seen.study("equal")
    cost, form = seen.study("failing")
    return [
        exact(
            "equal rates: largest error of D_t = (1 - l)^t D_0 over 60 sessions",
            np.abs(got - law).max(),
            0.0,
            "exact",
            within=1e-9,
        ),
        exact("rates 3 : 1: expectile of N(0, 1) (sd)", expectile, 0.436, "tau = .75", within=5e-4),
        exact(
            "rates 3 : 1: where expectation settles (sd above mean performance)",
            at,
            expectile,
            "expectile",
            within=0.01,
        ),
        exact(
            "rates 3 : 1: lasting disappointment, mean D (sd)",
            surprise,
            -expectile,
            "minus the expectile",
            within=0.02,
        ),
        exact(
            "control, equal rates: where expectation settles (sd)",
            even[0],
            0.0,
            "the mean",
            within=0.01,
        ),
        exact(
            "cost of a failure after t sessions: largest error of beta (E_t - P_fail)",
            np.abs(cost - form).max(),
            0.0,
            "exact",
            within=1e-9,
        ),
        exact(
            "it grows with every session, and less each time",
            float((np.diff(cost) > 0).all() and (np.diff(cost, 2) < 0).all()),
            1.0,
            "saturates",
        ),
    ]


def curves_forms(seen: Readings) -> list[Curve]:
    """Both courses beside their laws."""
    made = []
    for name, panel in (
        ("geometric", "Disconfirmation at constant performance"),
        ("failing", "Cost of a failure after t sessions"),
    ):
        for values, what in zip(seen.study(name), ("sessions", "closed form"), strict=True):
            made.append(
                Curve(
                    panel,
                    what,
                    list(range(len(values))),
                    values.tolist(),
                    x_label="session",
                    control=what != "sessions",
                )
            )
    return made


PARTS = (
    Part("forms", "Closed forms", "-", judge_forms, studies=studies, curves=curves_forms),
    Part(
        "weeks",
        "26 weeks: the one-shot and the longitudinal view",
        "personalisation of the assistant",
        judge_weeks,
        [*_arms(DOSES), *_arms((0.0,), "equal rates"), *_arms((0.0,), "nothing random")],
        [*RISING, SURPRISE, ATTACHED, MET, USE, USERS],
        ASSISTANT,
        CONTROLS,
        _size(12, 6000),
        _size(4, 500),
        BY_WEEK,
        curves=curves_weeks,
        doses=True,
        both_ends=(USE, HURT),
    ),
    Part(
        "once",
        "A single session beside four weeks",
        "personalisation of the assistant",
        judge_once,
        [*_arms((0.0, 0.6)), *_arms((0.0, 0.6), "one session")],
        [SURPRISE, HURT, USE],
        ASSISTANT,
        {"one session": ONCE},
        _size(12, 6000, 28),
        _size(4, 500, 28),
    ),
    Part(
        "trial",
        "Assigned and self-selected use",
        "encouragement to use the assistant",
        judge_trial,
        TRIAL_ARMS,
        [FELT, TRIAL, TOGETHER, USED],
        ASSISTANT
        | because("everybody is enrolled in the trial", chatbots__wellbeing__trial_share="1"),
        {
            "no selection": because(
                "loneliness does not drive use", chatbots__wellbeing__lonely_use="0"
            )
        },
        full=_size(12, 6000),
        quick=_size(8, 800, 42),
    ),
)
FINDING = Finding(
    "F7",
    "Chatbot personalisation over time",
    "Personalisation raises trust and anthropomorphism and, at once, privacy concern and "
    "expectations: each interaction raises the "
    "baseline, so failures disappoint more. Only a longitudinal view shows it.",
    "hypothesis",
    (
        "Araujo & Bol 2024 (directions; no coefficients found)",
        "Fang et al., arXiv 2503.17473 v2 (no effect of assignment)",
        "Oliver 1980; Bhattacherjee 2001 (forms)",
    ),
    PARTS,
    "Sizes are assumptions of the twin. Creators of the feed are not touched by the assistant: who "
    "makes is here the assistant itself, "
    "read off its use and its performance. Personalisation does not raise what a failure costs, "
    "but lowers it: one costs E less P, and P "
    "rises with personalisation ahead of E (disconfirmation in the last weeks is less negative "
    "with it). This reading was not tested "
    "apart. The ratchet itself, E above mean P, is there without personalisation too. With equal "
    "rates disconfirmation is on its way to "
    "zero after 26 weeks, not there: people begin above what they meet, and who seldom asks still "
    "is (-.017 in the first week, -.006 in "
    "the fourth, -.001 in the last).",
)
