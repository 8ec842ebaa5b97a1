"""Finding 2: outcomes, worlds and arms, in the feed and in the chatbot.

There are two ways to turn an experiment. One is the share of the personal model, from pooled (0) to
personal (1). The other is heterogeneity sigma, which scales how far people differ, with both models
at each sigma.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.experiments.findings.kit.arms import (
    Arm,
    Outcome,
    Size,
    because,
    minimal_feed,
    smaller,
)
from twin.experiments.findings.kit.claims import Matters
from twin.experiments.findings.kit.readings import Readings

SOURCE = "Barreto et al. 2503.17338"
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
SIGMAS = (0.0, 0.5, 1.0, 2.0)
VARIANCE = Matters(0.01, "assumption: one per cent of the largest variance, two camps at -1 and 1")
BITS = Matters(0.02, "assumption: a fiftieth of a bit, the entropy of an even mix")
IN_A_HUNDRED = Matters(0.01, "assumption: one post or answer in a hundred")
BETWEEN = Outcome(
    "stance_between_variance",
    "consumer",
    "variance between people of the stance of what they see",
    matters=VARIANCE,
)
WITHIN = Outcome(
    "stance_within_entropy",
    "consumer",
    "entropy of the stance of what one person sees",
    matters=BITS,
)
CROSS = Outcome(
    "cross_cutting_share", "consumer", "share of posts from the other side", matters=IN_A_HUNDRED
)
GINI = Outcome("exposure_gini", "producer", "Gini of reach across creators")
SLANT = Outcome("creator_slant_spread", "producer", "spread of slant across creators")
CHAT_BETWEEN = Outcome(
    "chat_stance_between",
    "consumer",
    "variance between people of the stance of answers",
    matters=VARIANCE,
)
CHAT_WITHIN = Outcome(
    "chat_stance_entropy",
    "consumer",
    "entropy of the stance of one person's answers",
    matters=BITS,
)
AGREES = Outcome(
    "chat_agreement_mean",
    "consumer",
    "answers on the person's side, -1 to 1",
    matters=Matters(0.02, "assumption: one answer in a hundred, from one side to the other"),
)
WORTH_MET = Outcome("chat_performance_mean", "consumer", "mean worth of sessions")
FALSE = Outcome(
    "chat_false_rate",
    "producer",
    "share of false answers that the assistant gives",
    matters=IN_A_HUNDRED,
)
USE = Outcome("chat_sessions", "producer", "sessions that the assistant holds a day")
PANEL = because(
    "isolates the mechanism: a panel without newcomers",
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
        "turns the reward model on, which is off by default: a logit of preference counts as much "
        "as ten likes",
        recommender__reward__weight="5",
    )
)
CHAT = (
    PANEL
    | OTHERS
    | because(
        "not part of this experiment: feed and assistant do not interact", opinions__enabled="false"
    )
    | because(
        "size: everybody is a user from the first day, so that fewer people suffice",
        chatbots__adopters="1",
        chatbots__adoption_delay="1d",
    )
)
# The form has no learning over time, no dropouts and no weights by use: worlds must not either.
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
        "the closed form weighs everybody equally, at any time",
        chatbots__sessions_log_sd="0",
        chatbots__wellbeing__lonely_use="0",
        chatbots__usage_effect="0",
        chatbots__stop="0",
        chatbots__personalisation_gain="0",
    )
    | because("time scale: months of comparisons take weeks", chatbots__sessions_mean="4/d")
)


def feed_size(replicates: int, days: int, people: int, creators: int) -> Size:
    """Worlds of the feed: so many, of this length and size."""
    return smaller(
        replicates,
        days,
        people,
        creators,
        creators__ai__initial=str(creators // 10),
        network__communities="6",
        network__follows_mean="10",
    )


def chat_size(replicates: int, days: int, people: int) -> Size:
    """Worlds of the chatbot: so many, of this length, with so many users and almost no feed."""
    return Size(replicates, days, minimal_feed(people))


def share_arms(path: str, control: str = "", shares: Sequence[float] = SHARES) -> list[Arm]:
    """Arms over the share of the personal model, which the setting ``path`` gives."""
    return [Arm(f"{share:g}", share, {path: f"{share:g}"}, control) for share in shares]


def gained(seen: Readings, metric: Outcome, control: str = "") -> np.ndarray:
    """Personal less pooled (replicates,)."""
    before = f"{control}/" if control else ""
    # Arms are named by their share: 1 is personal, 0 pooled.
    return seen.effect(f"{before}1", f"{before}0", metric)


def model_at(sigma: float, own: bool) -> str:
    """The name of an arm: which model, and at which sigma."""
    return f"{'personal' if own else 'pooled'} {sigma:g}"


def sigma_arms(
    sets: dict[str, str],
    personal: str,
    control: str = "",
    sigmas: Sequence[float] = SIGMAS,
    spread: float | None = None,
    model: str = "",
) -> list[Arm]:
    """Personal and pooled model at every sigma.

    ``sets`` maps paths to values at sigma 1, ``personal`` is the path of the personal share and
    ``model`` that of the spread that the model assumes: ``spread``, or sigma itself by default.
    """
    # Every setting of heterogeneity scales with sigma, so that the shape of the crowd stays the
    # same.
    made = []
    for sigma in sigmas:
        scaled = {path: f"{float(value) * sigma:g}" for path, value in sets.items()}
        scaled[model] = f"{sigma if spread is None else spread:g}"
        made += [
            Arm(model_at(sigma, own), sigma, {**scaled, personal: "1" if own else "0"}, control)
            for own in (True, False)
        ]
    return made
