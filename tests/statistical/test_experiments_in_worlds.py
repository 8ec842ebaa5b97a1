"""Experiments and controls of FINDINGS on people and creators, in whole worlds and by scenario
settings alone.

Worlds are paired: same seed, same people, so that a control that says "no effect" is tested to the
bit wherever it can be. Where an effect is asked for, the margin is 3.9 standard errors or more
(`worlds.errors`, or across seeds or creators), or it follows with certainty from common luck.
"""

import numpy as np
import pytest

from tests.statistical.worlds import CLOSED, SAME_PEOPLE, World, differing, errors, only, worlds
from twin.mechanisms.recommender.presets import effective
from twin.mechanisms.recommender.weights import Rates

ALONE = ("campaigns.enabled=false", "chatbots.enabled=false", "ratings.enabled=false")
NOBODY_FOLLOWS_ANEW = (
    "audience.responses.follow.intercept=-30",
    "audience.responses.hide.intercept=-30",
)
X_2026 = effective("x_2026", Rates().model_dump())
PLAIN_SCORE = (
    "recommender.negative_offset=0",
    "recommender.out_of_network=1",
    "recommender.author_decay=1",
    "recommender.ai_factor=1",
    "recommender.diversity=0",
    "recommender.reward.weight=0",
)


@pytest.fixture(scope="module")
def run(small):
    return worlds(small)


# F1: feed weights move producers
ADAPT = (
    *CLOSED,
    *ALONE,
    "duration=40d",
    "audience.initial=500",
    "creators.ai.initial=0",
    "creators.human.posts_mean=0.7/d",
    "creators.human.posts_log_sd=0.2",
    "creators.human.arousal=0.5",
    "creators.human.exploration=0.3",
    "audience.patience=0.95",
    "audience.responses.comment.intercept=-4",
    "audience.responses.comment.arousal=8",
    "audience.responses.click.arousal=0",
    "audience.counts_shown=false",
    "recommender.dim=8",
    "recommender.training=online",
    "recommender.sync_every=1h",
    "recommender.dense_rate=0.2",
    "creators.human.learning_log_sd=0",
    "creators.human.imitation=0",
)
"""A world in which arousal draws comments and nothing else, and a feed that learns it in days."""


def prizing(comment: float) -> tuple[str, ...]:
    return (*only("click", weight=0.3), f"recommender.weights.comment={comment}")


def arousal(world: World) -> np.ndarray:
    creators = world.simulation.world.table("creators")
    return creators["arousal"][creators["active"]].astype(float)


def test_supply_goes_where_the_weights_pull(run):
    """F1 (i): where comments count for a post, not against it, arousal is shown and then made:
    across creators, 3.9 standard errors."""
    up, down = (
        run(*ADAPT, *prizing(weight), "creators.human.learning=0.5") for weight in (1.0, -1.0)
    )
    assert up.last("supply_arousal", by="human") > down.last("supply_arousal", by="human")
    assert errors((up.series("shown_arousal") - down.series("shown_arousal"))[10:]) > 3.9
    gap = arousal(up) - arousal(down)
    assert gap.mean() > 3.9 * gap.std(ddof=1) / np.sqrt(len(gap))


def test_producers_who_do_not_adapt_stay_as_they_are(run):
    """Control A: learning, elasticity and trend-following 0: strategies and pace never move,
    whatever the weights; the feed still does."""
    still = (
        "creators.human.learning=0",
        "creators.human.imitation=0",
        "creators.human.supply_elasticity=0",
        "creators.human.trend_following=0",
        "duration=12d",
    )
    one, other = (run(*ADAPT, *prizing(weight), *still) for weight in (1.0, -1.0))
    for name in ("creator_arousal", "creator_comprehensiveness", "creator_pace"):
        assert np.ptp(one.series(name, by="human")) == 0
    assert np.ptp(one.series("creator_slant_spread")) == 0
    assert np.array_equal(arousal(one), arousal(other)) and len(arousal(one)) == 60
    assert "shown_arousal" in differing(one, other)


def test_only_the_ratio_of_weights_matters(run):
    """Control B: all weights times c > 0, multipliers off: the same world to the bit; a reward that
    is not scaled along shows the scale."""
    common = ("duration=10d", *PLAIN_SCORE)
    preset = run(*common)
    for factor in (4.0, 0.125):
        scaled = tuple(
            f"recommender.weights.{head}={weight * factor}" for head, weight in X_2026.items()
        )
        assert differing(preset, run(*common, *scaled)) == set()
        assert differing(
            run(*common, "recommender.reward.weight=1"),
            run(*common, *scaled, "recommender.reward.weight=1"),
        )


# F1: topology moves opinion
SILENT = (
    *CLOSED,
    *ALONE,
    *NOBODY_FOLLOWS_ANEW,
    "opinions.exposure_rate=0",
    "opinions.tolerance=2",
    "duration=8d",
)


@pytest.mark.parametrize("model", ["friedkin_johnsen", "degroot", "deffuant", "hegselmann_krause"])
def test_without_ties_and_posts_nobody_moves(run, model):
    """Control W = I: nobody follows anybody and posts leave no mark: no reading of opinion moves;
    with ties it does."""
    settings = (
        *SILENT,
        "duration=3d",
        f"opinions.model={model}",
        "opinions.peer_rate=0.5",
        "opinions.start=anchors",
    )
    alone, tied = (
        run(*settings, "network.follows_mean=0"),
        run(*settings, "network.follows_mean=10"),
    )
    assert alone.last("follow_edges") == 0 < tied.last("follow_edges")
    for name in (
        "opinion_mean",
        "opinion_variance",
        "opinion_polarisation",
        "between_community_variance",
    ):
        assert np.ptp(alone.series(name)) == 0 < np.ptp(tied.series(name))


def test_topology_decides_how_fast_communities_agree(run):
    """F1 (ii): about as many follows, but inside communities: the variance between them decays at
    less than half the rate; full stubbornness (Lambda = 0) stops it."""
    settings = (*SILENT, "opinions.peer_rate=0.3")
    mixed, apart = (
        run(*settings, "opinions.model=degroot", f"network.homophily={share}")
        for share in (0.1, 0.95)
    )
    assert abs(mixed.last("follows_mean") / apart.last("follows_mean") - 1) < 0.1
    first, rate = (
        (lambda world: world.series("between_community_variance")[0]),
        (
            lambda world: (
                -np.log(
                    world.series("between_community_variance")[8]
                    / world.series("between_community_variance")[0]
                )
            )
        ),
    )
    assert first(mixed) == first(apart) and rate(mixed) > 2 * rate(apart) > 0
    stubborn = run(*settings, "opinions.stubbornness_mean=1", "opinions.stubbornness_spread=0")
    assert np.ptp(stubborn.series("opinion_variance")) == 0


# F1: contamination and selection
def test_seed_votes_that_nobody_sees_change_nothing(run):
    """F1 (iii): hidden scores: people vote as in an unseeded world, to the bit, and seeded posts
    end like others; shown ones add votes."""
    common = (
        *CLOSED,
        "campaigns.enabled=false",
        "chatbots.enabled=false",
        "duration=12d",
        "creators.human.initial=100",
    )
    seeded = ("ratings.votes.seed_up=0.5", "ratings.votes.herd_up=2")
    hidden = [run(*common, "ratings.votes_shown=false", *more) for more in ((), seeded)]
    assert differing(*hidden) == {
        "vote_posts",
        "vote_score_mean",
        "vote_net_mean",
        "vote_net_se",
        "vote_seed_ratio",
    }
    treated, control = (
        (hidden[1].last("vote_net_mean", seed=arm), hidden[1].last("vote_net_se", seed=arm))
        for arm in ("up", "none")
    )
    assert (
        abs(treated[0] - control[0]) < 3.9 * np.hypot(treated[1], control[1])
        and hidden[1].last("vote_posts", seed="up") > 50
    )
    shown = [run(*common, *more) for more in ((), seeded)]
    assert (
        np.diff([world.series("votes", way="up")[1:] for world in shown], axis=0) >= 0
    ).all()  # same luck, higher chances
    assert shown[1].last("votes", way="up") > 1.2 * shown[0].last("votes", way="up")


def test_extreme_ratings_come_from_who_reports(run):
    """F1 (iv): posted ratings hold more 1 and 5 stars than what buyers think, by 3.9 s.e.; where
    everyone reports they are what buyers think, star by star, and not J-shaped."""
    common = (
        *CLOSED,
        "campaigns.enabled=false",
        "chatbots.enabled=false",
        "duration=16d",
        "creators.human.work_share=0.5",
    )
    some, everyone = (run(*common, f"ratings.reporting={who}") for who in ("selective", "everyone"))
    posted, bought = (
        some.last("rating_extreme_share", sample=sample) for sample in ("posted", "bought")
    )
    assert posted - bought > 3.9 * np.sqrt(
        0.25 / some.last("ratings") + 0.25 / some.last("purchases")
    )
    assert (
        np.array_equal(everyone.series("ratings"), everyone.series("purchases"))
        and everyone.last("ratings") > 300
    )
    assert np.array_equal(everyone.bins("ratings_star"), everyone.bins("ratings_star_bought"))
    assert (
        everyone.last("rating_report_share") == 1
        and everyone.last("rating_j_shape", sample="posted") < 0
    )


# F2: personal reward models remove averaging
REWARD = (*CLOSED, *ALONE, "duration=20d", "audience.initial=600", "recommender.reward.weight=5")


def test_personal_reward_makes_echo_chambers(run):
    """Personal against pooled: what people see leans further apart between them. (Cross-cutting
    exposure has no sign of its own here: where the pool leans, it shows one half of the people the
    other side.)"""
    personal, pooled = (
        run(*REWARD, f"recommender.reward.personalisation={share}") for share in (1, 0)
    )
    assert (
        errors(
            (personal.series("stance_between_variance") - pooled.series("stance_between_variance"))[
                6:
            ]
        )
        > 3.9
    )


def test_a_model_without_spread_is_the_pool(run):
    """Control: where the model assumes no spread, personal and pooled serving are one world to the
    bit."""
    short = (*REWARD, "duration=8d", "audience.initial=300")
    pool, own = (
        differing(
            *(
                run(
                    *short,
                    f"recommender.reward.spread={spread}",
                    f"recommender.reward.personalisation={share}",
                )
                for share in (0, 1)
            )
        )
        for spread in (0, 1)
    )
    assert pool == set() and "stance_between_variance" in own


CHAT = (
    *CLOSED,
    "campaigns.enabled=false",
    "ratings.enabled=false",
    "creators.ai.initial=0",
    "chatbots.adopters=1",
    "chatbots.adoption_delay=1d",
    "chatbots.sessions_mean=3/d",
    "duration=12d",
)


@pytest.mark.parametrize("mean, sd", [(0.3, 0.0), (0.0, 1.0)])
def test_answers_diverge_only_where_tastes_do(run, mean, sd):
    """Everybody alike (sigma = 0): personal and pooled answers agree with everybody, gap 0; N(0,
    1): personal ones split people."""
    settings = (
        "chatbots.personalisation=1",
        "chatbots.answers.truth_value=0",
        "chatbots.answers.feedback=1",
        "chatbots.answers.contested=1",
        "chatbots.answers.comparison_noise=0.01",
    )
    personal, pooled = (
        run(
            *CHAT,
            *settings,
            f"chatbots.answers.taste_mean={mean}",
            f"chatbots.answers.taste_sd={sd}",
            f"chatbots.answers.personalisation={share}",
        )
        for share in (1, 0)
    )
    assert pooled.last("chat_stance_between") == 0
    if sd == 0:
        assert personal.last("chat_agreement_mean") == pooled.last("chat_agreement_mean") == 1
        assert personal.last("chat_stance_between") == personal.last("chat_stance_entropy") == 0
    else:
        assert (
            personal.last("chat_stance_between") > 0.6
            and abs(personal.last("chat_agreement_mean")) < 0.3
        )


# F7: the assistant over time
STEADY = (*CHAT, "chatbots.failure_rate=0", "chatbots.answers.contested=0")


def test_equal_rates_leave_no_disappointment(run):
    """Control lambda up = down, no personalisation: mean disconfirmation 0 (.008, four s.e.); the
    ratchet leaves a lasting one."""
    ratchet, equal = (
        run(*STEADY, "chatbots.personalisation=0", *more).series("disconfirmation_mean")[6:].mean()
        for more in ((), ("chatbots.expectation_up=0.1", "chatbots.expectation_down=0.1"))
    )
    assert abs(equal) < 0.008 and ratchet < -0.03


def test_without_personalisation_all_stays_flat(run):
    """Control g = 0, nothing random: performance, expectation and trust stand still, nothing is
    told and nobody worries; with g trust, concern and expectation rise together."""
    certain = ("chatbots.performance_sd=0", "chatbots.expectation_sd=0")
    flat, personal = run(*STEADY, *certain, "chatbots.personalisation=0"), run(*STEADY, *certain)
    for name in ("chat_performance_mean", "expectation_mean", "trust_mean"):
        assert (
            np.ptp(flat.series(name)[2:]) < 1e-6
            and personal.last(name) > personal.series(name)[2] + 0.02
        )
    for name in ("concern_mean", "disclosed_mean"):
        assert not flat.series(name).any() and personal.last(name) > 0
    assert personal.last("concern_mean") > personal.series("concern_mean")[2] + 0.02


def test_the_trial_sees_what_use_does_and_nothing_else(run):
    """Assigned against control: without an effect of use, encouragement moves use and not one
    well-being, while use goes with loneliness; with an effect, the difference it makes is effect
    times the difference it makes to use, to f4 rounding."""
    use, felt, effect = [], [], 0.5
    for encouragement in (1, 2):
        worlds_ = [
            run(
                *CHAT,
                "chatbots.wellbeing.trial_share=1",
                f"chatbots.wellbeing.encouragement={encouragement}",
                f"chatbots.wellbeing.use_effect={size}",
            )
            for size in (0, effect)
        ]
        use.append([world.last("chat_use_mean", arm="assigned") for world in worlds_])
        felt.append([world.last("wellbeing_mean", arm="assigned") for world in worlds_])
        assert worlds_[0].last("wellbeing_usage_correlation", among="trial") < 0
    assert felt[1][0] == felt[0][0] and use[1][0] > 1.5 * use[0][0]
    assert felt[1][1] - felt[0][1] == pytest.approx(effect * (use[1][1] - use[0][1]), abs=1e-5)


# F6: displacement by AI supply
def test_no_ai_all_human(run):
    """Control: without AI creators every impression is a human's, at every reading."""
    world = run(*CLOSED, *ALONE, "duration=6d", "creators.ai.initial=0")
    assert (world.series("creator_human_share") == 1).all() and world.last(
        "impressions", by="human"
    ) > 500
    assert world.last("impressions", by="ai") == world.last("posts", by="ai") == 0


def test_reputation_accrues_as_likes_do(run):
    """By default likes build an AI creator nothing; with equal accrual and endless memory each
    kind's stock is its likes, exactly those of settled posts: between the likes three days ago and
    those of now."""
    common = (
        *CLOSED,
        *ALONE,
        "duration=16d",
        "creators.ai.initial=20",
        "creators.reputation_memory=1",
    )
    assert (
        not run(*common).series("reputation_mean", by="ai").any()
        and run(*common).last("reputation_mean", by="human") > 0
    )
    equal = run(*common, "creators.ai.accrual=1")
    for kind in ("human", "ai"):
        likes, stock = (
            equal.series("responses", head="like", by=kind),
            equal.series("reputation_mean", by=kind)[-1],
        )
        assert (
            0 < likes[-4] <= stock * equal.last("creators_active", by=kind) + 1e-3
            and stock * equal.last("creators_active", by=kind) <= likes[-1] + 1e-3
        )


def test_endless_attention_knows_no_displacement(run):
    """Twenty AI creators take over half of human impressions where slates are short; where
    everybody sees everything, none of them."""
    endless = (
        "recommender.slate=100",
        "audience.patience=0.999",
        "audience.patience_sd=0",
        "recommender.author_cap=100",
        "recommender.lists=1",
        "recommender.probes=1",
        "recommender.probe_cap=4096",
        "recommender.expiry=12h",
        "creators.human.posts_mean=0.3/d",
        "creators.ai.posts_mean=1/d",
        "audience.return_effect=0",
        *(
            f"recommender.quota.{source}=500"
            for source in ("in_network", "nearest", "trending", "explore")
        ),
    )
    for settings, low, high in (((), 0.2, 0.5), (endless, 0.99, 1.01)):
        without, with_ai = (
            run(*CLOSED, *ALONE, "duration=10d", *settings, f"creators.ai.initial={count}")
            for count in (0, 20)
        )
        assert (
            low
            < with_ai.last("impressions", by="human") / without.last("impressions", by="human")
            < high
        )
        assert with_ai.last("impressions", by="ai") > 2000


def test_topics_that_ai_leaves_alone_are_spared(run):
    """Placebo: AI in one community of four that keep to themselves, feeds of followed creators,
    exit answers to income. Human posts fall in the invaded one and nowhere else: difference in
    differences over six seeds, 3.9 standard errors."""
    apart = (
        *SAME_PEOPLE,
        *ALONE,
        *NOBODY_FOLLOWS_ANEW,
        "audience.initial=400",
        "audience.return_effect=0",
        "opinions.exposure_rate=0",
        "opinions.peer_rate=0",
        "network.homophily=1",
        "network.follows_most=0.5",
        "network.communities=4",
        "network.size_exponent=0",
        "creators.human.initial=160",
        "creators.human.arrivals=0/d",
        "creators.ai.arrivals=0/d",
        "creators.human.posts_mean=1/d",
        "creators.human.posts_log_sd=0.5",
        "creators.quit=0.01",
        "creators.quit_effect=0",
        "creators.human.outside_option=20",
        "creators.human.outside_effect=3",
        "creators.morale_rate=0",
        "creators.ai.communities=1",
        "creators.ai.posts_mean=6/d",
        "recommender.quota.nearest=0",
        "recommender.quota.trending=0",
        "recommender.quota.explore=0",
        "duration=24d",
    )
    change = np.array(
        [
            [
                np.log(
                    with_ai.last("human_posts", topic=topic)
                    / without.last("human_posts", topic=topic)
                )
                for topic in ("invaded", "other")
            ]
            for without, with_ai in (
                [run(*apart, f"seed={seed}", f"creators.ai.initial={count}") for count in (0, 60)]
                for seed in range(1, 7)
            )
        ]
    )
    both = change[:, 0] - change[:, 1]
    assert (np.abs(change[:, 1]) < 0.04).all() and (change[:, 0] < -0.05).all()
    assert -both.mean() > 3.9 * both.std(ddof=1) / np.sqrt(len(both))
