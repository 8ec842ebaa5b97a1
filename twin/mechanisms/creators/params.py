"""Parameters of creators. A part of the mechanism whose default is 0 or 1 is off: a scenario states
what it adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.ground.rhythm import MIND_HOURS
from twin.ground.units import DAY, HOUR
from twin.mechanisms.creators.kinds import Human, Machine
from twin.world.params import Duration, Params, from_table, group, par

if TYPE_CHECKING:
    Tabled = Params
else:
    Tabled = from_table(
        "a CSV or Parquet table of the human creators who are there when the world begins, in "
        "place of `human.initial`: id (of the person in audience.from), posts_per_day, followers, "
        "niche_0 ..., any of them; the rest is drawn"
    )


class CreatorsParams(Tabled):
    """Parameters of creators."""

    human: Human = group(Human, "human creators")
    ai: Machine = group(
        Machine,
        "AI creators",
        initial=15,
        posts_mean=4.0,
        posts_log_sd=0.5,
        skill_mean=-0.1,
        skill_sd=0.2,
        quality_noise=0.4,
        arousal=0.35,
        comprehensiveness=0.80,
        # all alike: they learn faster only because they post more (see the package)
        learning_log_sd=0.0,
        trend_following=0.05,
        accrual=0.0,
        supply_rate=0.2,
        supply_most=10.0,
    )
    strategy_sd: float = par(
        0.1, "sd of arousal and comprehensiveness across creators at the start", low=0, high=1
    )
    slant_sd: float = par(
        0.4,
        "sd of slant across creators at the start who have no opinion of their own",
        low=0,
        high=2,
    )
    niche_spread: float = par(
        0.35, "share of a niche that is the creator's own, not the community's", low=0, high=1
    )
    topic_spread: float = par(
        0.30, "share of a post's content that is off the niche", low=0, high=1
    )
    signal_noise: float = par(
        0.10, "sd of the error with which a classifier reads a post", low=0, high=2
    )
    settle_after: Duration = par(
        2 * DAY,
        "age at which a post's success is measured",
        unit="s",
        low=HOUR,
        high=365 * DAY,
        grid=True,
    )

    pay_impression: float = par(
        1.0, "pay per impression", unit="pay", low=0, high=1000, lever=True, per="creators"
    )
    pay_like: float = par(
        5.0, "pay per like", unit="pay", low=0, high=1000, lever=True, per="creators"
    )
    ai_pay: float = par(
        1.0, "pay of AI posts relative to human ones", low=0, high=10, lever=True, per="creators"
    )
    newcomer_bonus: float = par(
        0.0,
        "extra pay of newcomers, relative to others",
        low=0,
        high=100,
        lever=True,
        per="creators",
    )
    newcomer_for: Duration = par(
        30 * DAY,
        "how long after entry a creator is a newcomer (initial creators entered at the start)",
        unit="s",
        low=0,
        high=3650 * DAY,
        under=".newcomer_bonus>0",
    )

    baseline_memory: float = par(
        0.8, "weight of the past in a creator's reward baseline, per day with posts", low=0, high=1
    )
    reference_posts: int = par(
        10,
        "first settled posts from which a creator's reference reward is estimated",
        unit="posts",
        low=1,
        high=10_000,
    )
    cost_exponent: float = par(
        2.0,
        "how steeply effort rises with comprehensiveness and care",
        low=1,
        high=10,
        source="assumption; cost ||p||^beta of Jagadeesan, Garg & Steinhardt, NeurIPS 2023",
    )
    aspiration_memory: float = par(
        0.985,
        "weight of the past in a human's aspiration, per day with posts, at most",
        low=0,
        high=1,
    )
    aspiration_effect: float = par(
        1.0, "how steeply morale responds to reach relative to aspiration", low=0, high=20
    )
    morale_rate: float = par(0.05, "weight of the newest day in morale", unit="1/d", low=0, high=1)
    sustained: float = par(
        1.0, "effort that neutral morale sustains", unit="log pay/d", low=0, high=1e4
    )
    burnout: float = par(
        0.02,
        "morale lost per unit of effort beyond what it sustains",
        unit="1/log pay",
        low=0,
        high=100,
        source="assumption; exhaustion by overload, Maslach & Jackson 1981",
    )
    quit: float = par(
        0.001,
        "chance per day that a human quits at neutral morale and the outside option's pay",
        unit="1/d",
        low=0,
        high=1,
    )
    quit_effect: float = par(6.0, "how steeply that chance falls with morale", low=0, high=50)
    ai_quit: float = par(
        0.0,
        "chance per day that an AI creator is shut down at the outside option's pay",
        unit="1/d",
        low=0,
        high=1,
    )
    entry_window: Duration = par(
        90 * DAY, "how long an entrant counts as a recent one", unit="s", low=DAY, high=3650 * DAY
    )
    reputation_memory: float = par(
        0.99, "share of reputation kept per day", unit="1/d", low=0, high=1
    )
    reputation_start: float = par(
        1.0,
        "initial reputation of creators, as a share of the one at rest (0: none)",
        low=0,
        high=100,
    )
    likes_per_session: float = par(
        0.099,
        "likes per session, from which the initial reputation is computed",
        unit="likes/session",
        low=0,
        high=1000,
        source="KuaiRand-Pure: 0.018478 likes per impression, times 5.36 posts examined per visit",
    )
    liked_through_follows: float = par(
        0.15,
        "share of those likes that is distributed by followers, the rest by posts alone",
        low=0,
        high=1,
        source="share of the feed from the own network measured at the defaults",
    )

    drafts: int = par(
        1,
        "drafts per AI post; the one with the highest predicted engagement is posted",
        unit="drafts",
        low=1,
        high=64,
        lever=True,
        source="1: unselected; selection by a reward model: Nextdoor 2023",
    )
    critic_noise: float = par(
        0.5,
        "sd of the error with which a model reads quality from a text, for the draft predictor",
        unit="sd",
        low=0,
        high=100,
    )
    predictor_memory: float = par(
        0.97,
        "weight of the past in the draft predictor, per day",
        unit="1/d",
        low=0,
        high=1,
    )
    predictor_ridge: float = par(
        1.0,
        "ridge penalty of the draft predictor",
        unit="posts",
        low=1e-9,
        high=1e9,
    )
    ai_posts_cap: int = par(
        1_000_000,
        "most posts of an AI creator per day (UTC); a million: no cap",
        unit="posts/d",
        low=0,
        high=1_000_000,
        lever=True,
        per="creators",
    )
    disclosed_share: float = par(
        0.0, "share of AI creators that disclose what they are", low=0, high=1
    )
    label_ai: float = par(
        0.0,
        "share of AI posts that the platform detects and labels",
        low=0,
        high=1,
        lever=True,
        per="creators",
    )

    assisted_share: float = par(
        0.0,
        "share of human creators who will use an assistant",
        low=0,
        high=1,
        lever=True,
        per="creators",
    )
    assisted_from: Duration = par(
        0, "time from which assistants are available", unit="s", low=0, under=".assisted_share>0"
    )
    assisted_delay: Duration = par(
        90 * DAY,
        "mean time until adoption (exponential)",
        unit="s",
        low=0,
        under=".assisted_share>0",
    )
    assisted_rate: float = par(
        1.25,
        "factor on the posting rate of the assisted",
        low=0.01,
        high=100,
        source="+25 % output: Zhou & Lee, PNAS Nexus 2024, pgae052",
        under=".assisted_share>0",
    )
    assisted_cost: float = par(
        0.5, "factor on their effort per post", low=0, high=10, under=".assisted_share>0"
    )
    assisted_comprehensiveness: float = par(
        0.2, "comprehensiveness that the assistant adds", low=-1, high=1, under=".assisted_share>0"
    )
    assisted_noise: float = par(
        0.7,
        "factor on what is their own: noise of quality, and share of content off the niche",
        low=0,
        high=10,
        source="assumption; more alike with AI: Doshi & Hauser, Science Advances 2024",
        under=".assisted_share>0",
    )
    diurnal: tuple[float, ...] = par(
        MIND_HOURS,
        "share of human posts by local hour, 24 numbers",
        unit="%",
        source="assumed equal to consumers'",
    )
