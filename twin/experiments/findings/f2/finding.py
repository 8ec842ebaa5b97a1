"""F2: a reward model per person loses the averaging of a pooled one: agreement, echo chambers and
truth, in the feed and in the chatbot.

Barreto et al. (arXiv 2503.17338) raise sycophancy as a caveat and do not measure it: no published
size exists, so that worlds are asked for signs and closed forms for numbers. Heterogeneity sigma
scales how far people differ; the model assumes the spread that there is, so that at sigma = 0 the
personal model is the pooled one to the bit. A second control keeps people alike and lets the model
look for differences.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.experiments.findings.f2 import equations as forms
from twin.experiments.findings.kit.arms import (
    Arm,
    Curve,
    Outcome,
    Size,
    Study,
    averaged,
    because,
    smaller,
)
from twin.experiments.findings.kit.declare import Finding, Part
from twin.experiments.findings.kit.judging import Claim, band, exact, sign, slope, vanishes
from twin.experiments.findings.kit.readings import Readings

SOURCE = "Barreto et al. 2503.17338"
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
SIGMAS = (0.0, 0.5, 1.0, 2.0)
MU, WORTH = 0.3, 0.1
"""Defaults of chatbots.answers: taste_mean and agreement."""

BETWEEN = Outcome(
    "stance_between_variance", "consumer", "variance between people of what they see lean"
)
WITHIN = Outcome("stance_within_entropy", "consumer", "entropy of what one person sees lean")
CROSS = Outcome("cross_cutting_share", "consumer", "share of posts from the other side")
GINI = Outcome("exposure_gini", "producer", "Gini of reach across creators")
SLANT = Outcome("creator_slant_spread", "producer", "spread of slant across creators")
CHAT_BETWEEN = Outcome(
    "chat_stance_between", "consumer", "variance between people of the stance of answers"
)
CHAT_WITHIN = Outcome(
    "chat_stance_entropy", "consumer", "entropy of the stance of one person's answers"
)
AGREES = Outcome("chat_agreement_mean", "consumer", "answers on the person's side, -1..1")
WORTH_MET = Outcome("chat_performance_mean", "consumer", "mean worth of sessions")
FALSE = Outcome("chat_false_rate", "producer", "share of false answers that the assistant gives")
USE = Outcome("chat_sessions", "producer", "sessions that the assistant holds a day")

PANEL = because(
    "isolates the mechanism: a panel in which nobody comes",
    audience__arrivals="0/d",
    creators__human__arrivals="0/d",
    creators__ai__arrivals="0/d",
)
OTHERS = because(
    "not part of this experiment", ratings__enabled="false", campaigns__enabled="false"
)
FEED = (
    PANEL
    | OTHERS
    | because("not part of this experiment", chatbots__enabled="false")
    | because(
        "turns the reward model on, which is off by default: a logit of preference counts as ten "
        "likes do",
        recommender__reward__weight="5",
    )
)
CHAT = (
    PANEL
    | OTHERS
    | because(
        "not part of this experiment: feed and assistant do not meet", opinions__enabled="false"
    )
    | because(
        "size: everybody is a user and begins at once, so that fewer people do",
        chatbots__adopters="1",
        chatbots__adoption_delay="1d",
    )
)
CLOSED_FORM = (
    because(
        "the closed form: answers of equal quality, every session a stated comparison, everybody's "
        "own model served",
        chatbots__answers__truth_value="0",
        chatbots__answers__contested="1",
        chatbots__answers__feedback="1",
        chatbots__personalisation="1",
    )
    | because(
        "the closed form weighs everybody alike, at any time",
        chatbots__sessions_log_sd="0",
        chatbots__wellbeing__lonely_use="0",
        chatbots__usage_effect="0",
        chatbots__stop="0",
        chatbots__personalisation_gain="0",
    )
    | because("time scale: months of comparisons in weeks", chatbots__sessions_mean="4/d")
)


def _feed_size(replicates: int, days: int, people: int, creators: int) -> Size:
    return smaller(
        replicates,
        days,
        people,
        creators,
        creators__ai__initial=str(creators // 10),
        network__communities="6",
        network__follows_mean="10",
    )


def _chat_size(replicates: int, days: int, people: int) -> Size:
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
        ),
    )


def _shares(path: str, control: str = "", shares: Sequence[float] = SHARES) -> list[Arm]:
    return [Arm(f"{share:g}", share, {path: f"{share:g}"}, control) for share in shares]


def _gained(seen: Readings, metric: Outcome, control: str = "") -> np.ndarray:
    """Personal less pooled (replicates,)."""
    before = f"{control}/" if control else ""
    return seen.effect(f"{before}1", f"{before}0", metric)


def judge_feed(seen: Readings) -> list[Claim]:
    """Signs over the share of the personal, and its control."""
    made = []
    for metric, way in ((BETWEEN, 1), (WITHIN, -1)):
        doses, values = seen.doses(metric)
        made.append(
            sign(
                f"feed: {metric.words}, per sd of the personal share",
                slope(doses, values),
                way,
                SOURCE,
            )
        )
        made.append(
            vanishes(
                f"feed, sigma of the model 0: {metric.words}, personal less pooled",
                _gained(seen, metric, "no spread"),
                _gained(seen, metric),
            )
        )
    made.append(
        sign(
            f"feed: {CROSS.words}, personal less pooled",
            _gained(seen, CROSS),
            -1,
            "no sign of its own: reported",
            aside=True,
        )
    )
    return made


def judge_chat(seen: Readings) -> list[Claim]:
    """Signs over the share of the personal, truth cost, and its controls."""
    made = []
    for metric, way in ((CHAT_BETWEEN, 1), (CHAT_WITHIN, -1), (FALSE, 1)):
        doses, values = seen.doses(metric)
        made.append(
            sign(
                f"chatbot: {metric.words}, per sd of the personal share",
                slope(doses, values),
                way,
                f"{SOURCE}; Sharma et al. 2310.13548",
            )
        )
        made.append(
            vanishes(
                f"chatbot, sigma 0: {metric.words}, personal less pooled",
                _gained(seen, metric, "all alike"),
                _gained(seen, metric),
            )
        )
    made.append(
        sign(
            f"chatbot: {AGREES.words}, personal less pooled",
            _gained(seen, AGREES),
            1,
            "no sign of its own: some like to be contradicted",
            aside=True,
        )
    )
    return made


def _at(sigma: float, own: bool) -> str:
    return f"{'personal' if own else 'pooled'} {sigma:g}"


def judge_feed_sigma(seen: Readings) -> list[Claim]:
    """The gap between both models grows with how far people differ and is nothing where they are
    alike."""
    gaps = {
        metric.metric: np.array([seen.effect(_at(s, True), _at(s, False), metric) for s in SIGMAS])
        for metric in (BETWEEN, WITHIN)
    }
    made = []
    for metric, way in ((BETWEEN, 1), (WITHIN, -1)):
        gap = gaps[metric.metric]
        made.append(
            sign(
                f"feed: personal less pooled, {metric.words}, per sd of sigma",
                slope(SIGMAS, gap),
                way,
                SOURCE,
            )
        )
        made.append(
            vanishes(
                f"feed, people and model at sigma 0: personal less pooled, {metric.words}",
                gap[0],
                gap[2],
            )
        )
    return made


def _agreement_gap(seen: Readings, sigma: float, control: str = "") -> np.ndarray:
    """Worth of being agreed with, personal less pooled, per unit of taste (replicates,): all else
    is shared luck."""
    before = f"{control}/" if control else ""
    return (
        seen.effect(f"{before}{_at(sigma, True)}", f"{before}{_at(sigma, False)}", WORTH_MET)
        / WORTH
    )


def judge_chat_sigma(seen: Readings) -> list[Claim]:
    """The gap in agreement against its formula; nothing where people are alike."""
    gaps = np.array([_agreement_gap(seen, sigma) for sigma in SIGMAS])
    made = [
        sign("chatbot: gap in agreement, per sd of sigma", slope(SIGMAS, gaps), 1, "E|a| - |E a|")
    ]
    for sigma, gap in list(zip(SIGMAS, gaps, strict=True))[1:]:
        want = forms.gap(MU, sigma)
        made.append(
            band(
                f"chatbot: gap in agreement at sigma {sigma:g}, formula {want:.3f}",
                gap,
                want - 0.05 * max(1, sigma),
                want + 0.05 * max(1, sigma),
                "E|a| - |E a|, for what is learned and a finite crowd",
            )
        )
    made.append(
        vanishes("chatbot, people and model at sigma 0: gap in agreement", gaps[0], gaps[2])
    )
    made.append(
        vanishes(
            "chatbot, people at sigma 0 and a model free to tell them apart: gap in agreement",
            _agreement_gap(seen, 0.0, "free model"),
            gaps[2],
        )
    )
    echo = seen.effect(_at(1.0, True), _at(1.0, False), CHAT_BETWEEN)
    made.append(
        sign(
            "chatbot: stance of answers between people at sigma 1, personal less pooled",
            echo,
            1,
            "1 less 0 at mu = 0",
        )
    )
    return made


def _sigma_arms(
    sets: dict[str, str],
    personal: str,
    control: str = "",
    sigmas: Sequence[float] = SIGMAS,
    spread: float | None = None,
    model: str = "",
) -> list[Arm]:
    """Personal and pooled at every sigma; ``sets`` path -> value at sigma 1; ``model`` the path of
    the spread that the model assumes."""
    made = []
    for sigma in sigmas:
        scaled = {path: f"{float(value) * sigma:g}" for path, value in sets.items()}
        scaled[model] = f"{sigma if spread is None else spread:g}"
        made += [
            Arm(_at(sigma, own), sigma, {**scaled, personal: "1" if own else "0"}, control)
            for own in (True, False)
        ]
    return made


KNOWN = ((0.0, 1.0, 1.0, 0.5), (0.5, 1.0, 1.0, 1.0), (-1.0, 0.7, 1.0, 0.5), (0.2, 3.0, 0.5, 2.0))
"""(mu, sigma, b, dq) of closed forms that are checked."""
NO_GAP = {"sigma 0": (0.7, 0.0, 1.0, 0.5), "b 0": (0.3, 1.0, 0.0, 0.5)}


def studies(quick: bool) -> list[Study]:
    """Known weights at several (mu, sigma, b, dq), learned ones, and the gap over sigma."""
    made = [
        Study(
            f"known {case}",
            "f2.equations:known",
            dict(zip(("mu", "sigma", "b", "dq"), case, strict=True)),
        )
        for case in (*KNOWN, *NO_GAP.values())
    ]
    size = {"each": 400, "people": 1000 if quick else 4000}
    made += [
        Study(
            f"learned {mu:g}",
            "f2.equations:learned",
            {"mu": mu, "sigma": 1.0, "spread": 1.0, **size},
        )
        for mu in (0.0, 0.5)
    ]
    return [
        *made,
        Study(
            "learned alike",
            "f2.equations:learned",
            {"mu": 0.7, "sigma": 0.0, "spread": 0.3, **size},
        ),
    ]


def judge_forms(seen: Readings) -> list[Claim]:
    """.798 against 0, the gap, the two camps and the truth cost, to 1e-9; what is learned within
    .02."""
    first, pooled = seen.study(f"known {KNOWN[0]}")
    made = [
        exact(
            "known weights, N(0, 1): agreement, personal",
            first[0],
            float(np.sqrt(2 / np.pi)),
            "E|a| = .798",
            within=1e-9,
        ),
        exact("known weights, N(0, 1): agreement, pooled", pooled[0], 0.0, "|E a|", within=1e-9),
        exact(
            "known weights, N(0, 1): variance of stance between people, personal",
            first[1],
            1.0,
            "two camps",
            within=1e-9,
        ),
        exact(
            "known weights, N(0, 1): the same, pooled",
            pooled[1],
            0.0,
            "one mix for all",
            within=1e-9,
        ),
    ]
    for case in KNOWN:
        mu, sigma, b, dq = case
        own, pool = seen.study(f"known {case}")
        where = f"known weights, mu {mu:g} sigma {sigma:g}"
        made.append(
            exact(
                f"{where}: gap in agreement",
                own[0] - pool[0],
                forms.gap(mu, sigma),
                "E|a| - |E a|",
                within=1e-9,
            )
        )
        made.append(
            exact(
                f"{where}, b {b:g} dq {dq:g}: false answers, personal",
                own[2],
                forms.false_rate(mu, sigma, b, dq),
                "Phi((-dq/2b - mu)/sigma)",
                within=1e-9,
            )
        )
        if mu >= 0:
            made.append(
                exact(
                    f"{where}, b {b:g} dq {dq:g}: false answers, pooled",
                    pool[2],
                    0.0,
                    "never at mu >= 0",
                )
            )
    for name, case in NO_GAP.items():
        own, pool = seen.study(f"known {case}")
        made.append(
            exact(
                f"control, {name}: known weights, gap in agreement",
                own[0] - pool[0],
                0.0,
                "control",
            )
        )
    for mu in (0.0, 0.5):
        own, pool = seen.study(f"learned {mu:g}")
        made.append(
            exact(
                f"400 comparisons each, mu {mu:g}: agreement, personal",
                own[0],
                mu + forms.gap(mu, 1.0),
                "E|a|",
                within=0.02,
            )
        )
        made.append(
            exact(
                f"400 comparisons each, mu {mu:g}: false answers, personal",
                own[1],
                forms.false_rate(mu, 1.0, 1.0, 1.0),
                "truth cost",
                within=0.02,
            )
        )
    own, pool = seen.study("learned alike")
    made.append(
        exact(
            "control, sigma 0: 400 comparisons each, gap in agreement",
            own[0] - pool[0],
            0.0,
            "control",
        )
    )
    return made


def curves_forms(seen: Readings) -> list[Curve]:
    """The formula over sigma."""
    x = np.linspace(0, 3, 61)
    return [
        Curve(
            "Gap in agreement, closed form",
            f"mu = {mu:g}",
            x.tolist(),
            [forms.gap(mu, float(s)) for s in x],
            x_label="sigma",
            y_label="E|a| - |E a|",
        )
        for mu in (0.0, 0.3, 1.0)
    ]


def curves_chat_sigma(seen: Readings) -> list[Curve]:
    """Worlds beside the formula."""
    gaps = np.array([_agreement_gap(seen, sigma) for sigma in SIGMAS])
    x = np.linspace(0, 2, 41)
    panel = "Gap in agreement of the chatbot"
    return [
        averaged(panel, "worlds", SIGMAS, gaps, "sigma", "taste"),
        Curve(
            panel, "E|a| - |E a|", x.tolist(), [forms.gap(MU, float(s)) for s in x], x_label="sigma"
        ),
    ]


FEED_SHARE, CHAT_SHARE = "recommender.reward.personalisation", "chatbots.answers.personalisation"
FEED_SPREAD, CHAT_SPREAD = "recommender.reward.spread", "chatbots.answers.spread"
PARTS = (
    Part(
        "forms",
        "Closed forms, with known and with learned weights",
        "-",
        judge_forms,
        studies=studies,
        curves=curves_forms,
    ),
    Part(
        "feed",
        "In the feed: from the pooled to the personal model",
        "share of the personal reward in the feed",
        judge_feed,
        [*_shares(FEED_SHARE), *_shares(FEED_SHARE, "no spread", (0.0, 1.0))],
        [BETWEEN, WITHIN, CROSS, GINI, SLANT],
        FEED,
        {
            "no spread": because(
                "heterogeneity 0: the model assumes that people are alike",
                recommender__reward__spread="0",
            )
        },
        full=_feed_size(10, 120, 2000, 300),
        quick=_feed_size(4, 30, 600, 60),
        doses=True,
        both_ends=(GINI, BETWEEN),
    ),
    Part(
        "feed_sigma",
        "In the feed: how far people differ",
        "heterogeneity of opinions",
        judge_feed_sigma,
        _sigma_arms(
            {"opinions.lean": "0.6", "opinions.spread": "0.4"}, FEED_SHARE, model=FEED_SPREAD
        ),
        [BETWEEN, WITHIN, GINI],
        FEED,
        full=_feed_size(10, 120, 2000, 300),
        quick=_feed_size(4, 30, 600, 60),
    ),
    Part(
        "chat",
        "In the chatbot: from the pooled to the personal model",
        "share of the personal reward in answers",
        judge_chat,
        [*_shares(CHAT_SHARE), *_shares(CHAT_SHARE, "all alike", (0.0, 1.0))],
        [CHAT_BETWEEN, CHAT_WITHIN, AGREES, FALSE, USE],
        CHAT,
        {
            "all alike": because(
                "heterogeneity 0 of people, and the model assumes it",
                chatbots__answers__taste_sd="0",
                chatbots__answers__spread="0",
            )
        },
        full=_chat_size(10, 180, 4000),
        quick=_chat_size(4, 90, 1000),
        doses=True,
        both_ends=(FALSE, CHAT_BETWEEN),
    ),
    Part(
        "chat_sigma",
        "In the chatbot: how far people differ, beside the closed form",
        "heterogeneity of the taste for agreement",
        judge_chat_sigma,
        [
            *_sigma_arms({"chatbots.answers.taste_sd": "1"}, CHAT_SHARE, model=CHAT_SPREAD),
            *_sigma_arms(
                {"chatbots.answers.taste_sd": "1"},
                CHAT_SHARE,
                "free model",
                (0.0,),
                1.0,
                CHAT_SPREAD,
            ),
        ],
        [WORTH_MET, AGREES, CHAT_BETWEEN, USE],
        CHAT | CLOSED_FORM,
        {
            "free model": because(
                "people alike, and a model that assumes a spread of 1 all the same",
                chatbots__answers__taste_sd="0",
            )
        },
        full=_chat_size(10, 90, 4000),
        quick=_chat_size(4, 30, 1000),
        curves=curves_chat_sigma,
    ),
)
FINDING = Finding(
    "F2",
    "Personal reward models remove averaging",
    "A reward model per person loses the averaging of a pooled one: sycophancy, echo chambers.",
    "sign",
    (
        "Barreto et al., arXiv 2503.17338 (raises sycophancy as a caveat, does not measure it)",
        "Sharma et al., arXiv 2310.13548 (sign)",
    ),
    PARTS,
    "No size has been published. Mean agreement has no sign of its own: a personal model also "
    "contradicts those who like to be "
    "contradicted; what it raises is agreement weighted by the taste for it, E|a| against |E a|. "
    "The control with a free model vanishes in the full set and does not in the quick one (-.004; "
    "the gap is .50 at sigma 1): where people "
    "are alike, what a model takes for differences is error, and error can only lose agreement. By "
    "the rule this refutes the quick set's "
    "finding; the controls in which the model assumes no spread, and the closed forms at sigma = "
    "0, are exactly zero.",
)
