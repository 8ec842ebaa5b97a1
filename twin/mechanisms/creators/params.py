"""Parameters of creators. What is 0 or 1 by default is off, so that a scenario says what it
adds."""

from __future__ import annotations

from twin.ground.rhythm import MIND_HOURS
from twin.ground.units import DAY, HOUR
from twin.world.params import Duration, Params, Rate, group, par


class Kind(Params):
    """One kind of creator."""

    initial: int = par(
        300,
        "creators of this kind at the start (with an imported graph: every node is a human one)",
        unit="creators",
        low=0,
        high=1_000_000,
    )
    arrivals: Rate | None = par(
        None,
        "new creators of this kind, while recent ones earn what the outside option pays; nothing: "
        "as many "
        "as leave at the start at neutral morale, see balance.py",
        unit="creators/d",
        low=0,
        high=1e5,
        lever=True,
        source="a stationary number of creators where nothing changes",
    )
    posts_mean: Rate = par(0.8, "mean posts per creator", unit="posts/creator/d", low=0, high=1000)
    posts_log_sd: float = par(
        2.1,
        "log-sd of that rate across creators",
        low=0,
        high=4,
        source="top 10 % write 80 %: Pew 2019, lognormal",
    )
    posts_most: Rate = par(
        20.0, "highest rate of a creator", unit="posts/creator/d", low=0.01, high=1000
    )
    skill_mean: float = par(0.0, "mean quality of posts", unit="sd", low=-5, high=5)
    skill_sd: float = par(0.6, "sd of skill across creators", unit="sd", low=0, high=5)
    quality_noise: float = par(0.7, "sd of quality within a creator", unit="sd", low=0, high=5)
    arousal: float = par(0.30, "arousal at the start", low=0, high=1)
    comprehensiveness: float = par(0.40, "comprehensiveness at the start", low=0, high=1)
    entry_imitation: float = par(
        0.8,
        "share of the way from those two to the mean of active incumbents of the same kind and "
        "community "
        "at which a later entrant begins",
        low=0,
        high=1,
    )
    exploration: float = par(
        0.10, "sd of a post's strategy around the creator's mean", low=0, high=1
    )
    learning: float = par(
        0.3,
        "learning rate of strategies, the mean over creators",
        low=0,
        high=10,
        lever=True,
        source="fitted by twin.experiments.fitting.makers to Brady et al. 2021: 2 to 3 % more "
        "outrage the day after "
        "doubled feedback (0.22 to 0.39); rule of Williams, Machine Learning 8, 1992",
    )
    learning_log_sd: float = par(
        1.5,
        "log-sd across creators of the factor on that rate (mean 1; 0: all alike)",
        low=0,
        high=3,
        source="assumption; most makers hardly respond to a boost and a minority much: Marketing "
        "Science "
        "2023.0178 (abstract); at 1.5 three in five respond less than half the mean, a tenth does "
        "three fifths of all responding",
    )
    trend_following: float = par(
        0.0,
        "share of the way to trending content that the niche moves per day",
        unit="1/d",
        low=0,
        high=1,
        lever=True,
    )
    accrual: float = par(
        1.0,
        "reputation gained per like",
        low=0,
        high=100,
        lever=True,
        source="no speaker's reputation from AI posts: essay behind finding 6",
    )
    cost_post: float = par(
        0.0, "effort of any post, in the unit of log pay", unit="log pay", low=0, high=100
    )
    cost_comprehensiveness: float = par(
        0.0, "effort of a fully comprehensive post beyond that", unit="log pay", low=0, high=100
    )
    cost_quality: float = par(
        0.0, "effort of a post made with full care beyond that", unit="log pay", low=0, high=100
    )
    effort_gain: float = par(
        0.0,
        "quality gained by full care (0: care is no choice, and stays 0)",
        unit="sd",
        low=0,
        high=10,
    )
    supply_elasticity: float = par(
        0.0,
        "elasticity of the posting rate to what a post brings, net of effort",
        low=0,
        high=10,
        lever=True,
        source="assumption; labour supply of constant elasticity",
    )
    supply_rate: float = par(
        0.02, "share of the way to that rate per day", unit="1/d", low=0, high=1
    )
    supply_most: float = par(
        2.0, "largest factor by which the rate rises or falls", low=1, high=1000
    )
    outside_option: float = par(
        0.0, "pay that a creator could have elsewhere", unit="pay/d", low=0, high=1e9, lever=True
    )
    outside_effect: float = par(
        0.0, "elasticity of the chance to quit to income over the outside option", low=0, high=20
    )
    entry_elasticity: float = par(
        0.0,
        "elasticity of arrivals to recent entrants' income over the outside option (0: Poisson at "
        "the given rate)",
        low=0,
        high=20,
    )
    work_share: float = par(0.0, "chance that a post is a long-lived work", low=0, high=1)


class Human(Kind):
    """Human creators."""

    imitation: float = par(
        0.003,
        "share of the way to what is done by followed creators who earn more, per day, for a "
        "creator of mean "
        "responsiveness",
        unit="1/d",
        low=0,
        high=1,
        lever=True,
        source="assumption; learning from others' success: Bandura 1977, norm learning in Brady et "
        "al. 2021",
    )


class Machine(Kind):
    """AI creators."""

    communities: int = par(
        0,
        "how many communities, largest first, AI creators work in (0: all)",
        unit="communities",
        low=0,
        high=32767,
    )


class CreatorsParams(Params):
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
        0.10, "sd of the error of what a classifier reads off a post", low=0, high=2
    )
    settle_after: Duration = par(
        2 * DAY,
        "age at which a post's success is reckoned",
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
        "how long a creator is a newcomer (those at the start began at the start)",
        unit="s",
        low=0,
        high=3650 * DAY,
    )

    baseline_memory: float = par(
        0.8, "weight of the past in a creator's reward baseline, per day with posts", low=0, high=1
    )
    reference_posts: int = par(
        10,
        "first settled posts off which a creator's own taste for posting is read",
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
        1.0, "how steeply morale answers to reach against aspiration", low=0, high=20
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
        "share of the reputation at rest that creators have at the start (0: none)",
        low=0,
        high=100,
    )
    likes_per_session: float = par(
        0.099,
        "likes that a visit gives, from which the reputation at rest is worked out",
        unit="likes/session",
        low=0,
        high=1000,
        source="KuaiRand-Pure: 0.018478 likes per impression, times 5.36 posts examined per visit",
    )
    liked_through_follows: float = par(
        0.15,
        "share of those likes that goes by followers, the rest by posts alone",
        low=0,
        high=1,
        source="share of the feed from the own network measured at the defaults",
    )

    drafts: int = par(
        1,
        "drafts of an AI post, of which that with the highest predicted engagement is posted",
        unit="drafts",
        low=1,
        high=64,
        lever=True,
        source="1: unselected; selection by a reward model: Nextdoor 2023",
    )
    critic_noise: float = par(
        0.5,
        "sd of the error with which a model reads quality off a text, for the draft predictor",
        unit="sd",
        low=0,
        high=100,
    )
    predictor_memory: float = par(
        0.97, "weight of the past in the draft predictor, per day", unit="1/d", low=0, high=1
    )
    predictor_ridge: float = par(
        1.0, "ridge penalty of the draft predictor", unit="posts", low=1e-9, high=1e9
    )
    ai_posts_cap: int = par(
        1_000_000,
        "most posts of an AI creator per day (UTC); a million is none",
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
    assisted_from: Duration = par(0, "time from which assistants can be had", unit="s", low=0)
    assisted_delay: Duration = par(
        90 * DAY, "mean time until adoption (exponential)", unit="s", low=0
    )
    assisted_rate: float = par(
        1.25,
        "factor on the posting rate of the assisted",
        low=0.01,
        high=100,
        source="+25 % output: Zhou & Lee, PNAS Nexus 2024, pgae052",
    )
    assisted_cost: float = par(0.5, "factor on their effort per post", low=0, high=10)
    assisted_comprehensiveness: float = par(
        0.2, "comprehensiveness that the assistant adds", low=-1, high=1
    )
    assisted_noise: float = par(
        0.7,
        "factor on what is their own: noise of quality and share of content off the niche",
        low=0,
        high=10,
        source="assumption; more alike with AI: Doshi & Hauser, Science Advances 2024",
    )
    diurnal: tuple[float, ...] = par(
        MIND_HOURS,
        "share of human posts by local hour, 24 numbers",
        unit="%",
        source="assumed equal to consumers'",
    )
