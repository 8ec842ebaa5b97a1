"""Creators in a little world of their own: what a post costs, earns and teaches; who comes and
goes; drafts, labels, campaigns."""

import datetime as dt

import numpy as np
import pytest

from twin.ground.draws import children
from twin.ground.errors import StateError
from twin.ground.units import DAY, HOUR, NEVER
from twin.kernels import create as kernel
from twin.kernels.follows import Follows
from twin.mechanisms.creators import Creators, CreatorsParams
from twin.mechanisms.creators.declared import TALLIES
from twin.mechanisms.creators.posting import FEATURES, effort
from twin.world.board import Board
from twin.world.columns import Column
from twin.world.params import leaves, meta, value_at
from twin.world.state import World

COMMUNITIES, VISITS, LEAVING = 4, 0.5, 0.0006
SILENT = {"posts_mean": "0.0/d", "posts_log_sd": 0.0}


def make(people=200, seed=1, **params):
    """A world of people in communities 0 to 3 (size 4:3:2:1) and their creators; nobody browses."""
    world = World(dt.date(2025, 1, 1), seed, 0, Board(Creators.metrics))
    for column in (
        Column("active", "?", "1", "Here"),
        Column("taste", "f4", "1", "Taste", shape=(16,)),
        Column("tz", "i1", "h", "Zone"),
        Column("community", "i2", "1", "Home"),
    ):
        world.define("test", "consumers", column)
    for column in (
        Column("community", "i2", "1", "Home"),
        Column("arm", "i1", "1", "Arm"),
        Column("followers", "i4", "1", "Followers"),
    ):
        world.define("test", "creators", column)
    for column in (
        Column("impressions", "i4", "1", "Seen"),
        Column("counts", "i4", "1", "Responses", shape=(8,)),
    ):
        world.define("test", "posts", column)
    for table, columns in Creators.columns.items():
        for column in columns:
            world.define("creators", table, column)
    centres = np.eye(16, dtype=np.float32)[:COMMUNITIES]
    world.provide("community_centres", lambda: centres.copy())
    world.provide("graph_nodes", lambda: 0)
    graph = Follows(
        np.zeros(people + 1, np.int32), np.zeros(0, np.int16), *(np.zeros(0, np.int32),) * 4
    )
    world.provide("follow_graph", lambda: graph)
    world.provide("visits", lambda: (np.full(people, VISITS), np.full(people, LEAVING)))
    world.provide("oldest_held", lambda: world.now - 10 * DAY)
    world.provide("releasable", lambda: world.table("posts")["born"] < world.now - 10 * DAY)
    mechanism = Creators(CreatorsParams.model_validate(params), world)
    for path, info in leaves(CreatorsParams):
        if meta(info)["lever"]:
            world.levers[f"creators.{path}"] = value_at(mechanism.p, path)

    def home(table, rows):
        if table == "creators":
            creators = world.table("creators")
            person, topic = creators["person"][rows], creators["topic"][rows]
            where = np.where(
                person >= 0,
                world.table("consumers")["community"][np.maximum(person, 0)],
                rows % COMMUNITIES,
            )
            creators["community"][rows] = np.where(topic >= 0, topic, where)

    world.on_add(home)
    world.on_add(mechanism.born)
    world.on_release(mechanism.gone)
    community = np.sort(np.arange(people) * 10 // people % 10)
    community = np.searchsorted([4, 7, 9], community, side="right")
    world.add(
        "test",
        "consumers",
        children(np.full(people, np.uint64(4)), np.arange(people)),
        active=np.ones(people, bool),
        taste=centres[community],
        community=community,
    )
    mechanism.setup()
    return world, mechanism


def go(world, mechanism, days, see=None, step=6 * HOUR, turnover=False):
    """Let days pass; ``see`` fills the counters of the posts before they are settled."""
    for _ in range(days * DAY // step):
        world.now += step
        if turnover and world.now % DAY == 0:
            mechanism.population.turnover()
        mechanism.posting.post()
        if world.now % DAY == 0:
            if see is not None:
                see(world)
            mechanism.learning.settle()


def seen(views=100, likes=0, clicks=0):
    """Everything that is not settled has so many impressions, likes and clicks."""

    def see(world):
        posts = world.table("posts")
        new = posts["alive"] & ~posts["settled"]
        posts["impressions"][new] = views
        posts["counts"][new, 2], posts["counts"][new, 0] = likes, clicks

    return see


def test_effort_is_as_stated():
    """c0 + c1 comprehensiveness^beta + c2 care^beta, by kind, times the assistant's factor; 0 by
    default."""
    p = CreatorsParams.model_validate(
        {
            "human": {"cost_post": 0.5, "cost_comprehensiveness": 2.0, "cost_quality": 3.0},
            "cost_exponent": 3.0,
            "assisted_cost": 0.25,
        }
    )
    ai, assisted = np.array([False, False, True]), np.array([False, True, False])
    cost = effort(p, ai, assisted, np.full(3, 0.4), np.full(3, 0.6))
    whole = 0.5 + 2 * 0.4**3 + 3 * 0.6**3
    assert cost == pytest.approx([whole, whole / 4, 0], abs=1e-12)
    assert not effort(CreatorsParams(), ai, assisted, np.ones(3), np.ones(3)).any()


def test_burnout_is_geometric_above_what_morale_sustains():
    """Constant effort e: morale leaves its fixed point e / 2s by the factor 1 + 2 s b per day, down
    to 0; below it nothing happens."""
    world, mechanism = make(
        human={"initial": 20, **SILENT}, ai={"initial": 0}, sustained=1.5, burnout=0.05
    )
    creators = world.table("creators")
    load = np.where(np.arange(20) < 10, 2.0, 1.4)
    zero = np.zeros(20)
    for day in range(1, 30):
        creators["effort"][:] = creators["spent"][:] = load
        mechanism.learning._day(zero, zero)
        fixed = 2.0 / 3.0
        assert creators["morale"][:10] == pytest.approx(
            max(fixed - (fixed - 0.5) * 1.15**day, 0), abs=1e-5
        )
        assert (creators["morale"][10:] == 0.5).all()
    assert creators["morale"][0] == 0
    mechanism.measure()
    assert world.board.get("creators_burnt_out") == 0.5


def test_effort_is_a_moving_mean_of_what_posts_cost():
    """Each post adds its cost once; after many days of the same rate the mean is rate times
    cost."""
    world, mechanism = make(
        human={"initial": 50, "posts_mean": "2.0/d", "posts_log_sd": 0.0, "cost_post": 0.3},
        ai={"initial": 0},
        burnout=0.0,
        morale_rate=0.0,
    )
    go(world, mechanism, 120, seen())
    creators = world.table("creators")
    assert creators["effort"].mean() == pytest.approx(0.6, rel=0.05)
    assert (creators["spent"] == 0).all() and world.table("posts")["cost"][
        world.table("posts")["alive"]
    ] == pytest.approx(0.3)
    mechanism.measure()
    assert world.board.get("creator_effort", by="human") == pytest.approx(
        creators["effort"].mean(), rel=1e-5
    )
    assert world.board.get("creator_net_utility", by="human") == pytest.approx(
        np.log(101) - 0.3, abs=1e-4
    )


def test_supply_answers_to_pay_with_the_stated_elasticity():
    """Pace goes geometrically to ((1 + pay) / (1 + pay before))^elasticity, within its bound; the
    first posts set the reference."""
    world, mechanism = make(
        human={
            "initial": 40,
            "posts_mean": "3.0/d",
            "posts_log_sd": 0.0,
            "supply_elasticity": 0.5,
            "supply_rate": 0.1,
        },
        ai={"initial": 10, "supply_elasticity": 5.0},
        morale_rate=0.0,
    )
    creators = world.table("creators")
    go(world, mechanism, 20, seen(99))
    assert creators["reference"] == pytest.approx(np.log(100), abs=1e-5) and creators[
        "pace"
    ] == pytest.approx(1, abs=1e-5)
    go(world, mechanism, 150, seen(224))
    human = ~creators["ai"]
    assert creators["pace"][human] == pytest.approx(1.5, abs=1e-3)  # (225 / 100)^.5
    assert creators["pace"][~human] == pytest.approx(10.0, abs=1e-3)  # 2.25^5 = 57.7, bounded
    go(world, mechanism, 200, seen(0))
    assert creators["pace"][human] == pytest.approx(0.5, abs=1e-3) and creators["pace"][
        ~human
    ] == pytest.approx(0.1, abs=1e-3)


def test_no_adaptation_no_change():
    """Learning, elasticity and trend-following at 0: strategies, niches and pace stay as they were
    born, whatever is paid."""
    still = {"learning": 0.0, "trend_following": 0.0, "cost_post": 0.2, "effort_gain": 0.5}
    world, mechanism = make(human={"initial": 40, **still}, ai={"initial": 10, **still})
    names = ("arousal", "comprehensiveness", "slant", "care", "niche", "pace", "skill", "rate")
    before = {name: world.table("creators")[name].copy() for name in names}
    go(
        world,
        mechanism,
        30,
        lambda w: w.table("posts")["impressions"].__setitem__(
            slice(None), (w.table("posts")["arousal"] * 900)
        ),
    )
    assert world.table("creators")["posts_made"].sum() > 500
    for name in names:
        assert np.array_equal(world.table("creators")[name], before[name]), name


def test_strategies_follow_the_score_function():
    """One day's step is responsiveness rate sigma mean((r - baseline) eps), by hand, and at most
    sigma; over months arousal rises where arousal is seen more."""
    world, mechanism = make(
        human={
            "initial": 60,
            "posts_mean": "4.0/d",
            "posts_log_sd": 0.0,
            "learning": 0.5,
            "learning_log_sd": 1.0,
        },
        ai={"initial": 0},
        morale_rate=0.0,
    )
    creators, posts = world.table("creators"), world.table("posts")

    def see(w):
        posts["impressions"][posts["alive"]] = 1000 * posts["arousal"][posts["alive"]]

    go(world, mechanism, 5, see)
    before, baseline = creators["arousal"].astype(float), creators["baseline"].astype(float)
    due = np.flatnonzero(posts["alive"] & ~posts["settled"] & (posts["born"] <= 4 * DAY))
    for _ in range(4):
        world.now += 6 * HOUR
        mechanism.posting.post()
    see(world)
    step = np.zeros(60)
    reward = np.log1p(posts["impressions"][due].astype(float))
    for i in range(60):
        mine = posts["creator"][due] == i
        if mine.any():
            step[i] = (
                0.5
                * 0.1
                * ((reward[mine] - baseline[i]) * posts["tried"][due][mine, 0]).mean()
                * creators["responsiveness"][i]
            )
    assert 0 < (np.abs(step) > 0.1).sum() < 30
    step = np.clip(step, -0.1, 0.1)
    mechanism.learning.settle()
    assert creators["arousal"] == pytest.approx(np.clip(before + step, 0, 1), abs=1e-5)
    go(world, mechanism, 150, see)
    assert creators["arousal"].mean() > before.mean() + 0.2


def test_cost_teaches_to_do_less_of_it():
    """Where nobody's reach depends on it, costly comprehensiveness falls; free comprehensiveness
    stays about where it was."""
    ends = []
    for cost in (0.0, 3.0):
        world, mechanism = make(
            human={
                "initial": 60,
                "posts_mean": "4.0/d",
                "posts_log_sd": 0.0,
                "learning": 0.5,
                "cost_comprehensiveness": cost,
            },
            ai={"initial": 0},
            morale_rate=0.0,
            burnout=0.0,
        )
        go(world, mechanism, 100, seen(100))
        ends.append(world.table("creators")["comprehensiveness"].mean())
    assert ends[0] == pytest.approx(0.4, abs=0.05) and ends[1] < 0.3


def test_care_raises_quality_only_where_it_can():
    """With a gain, care is explored and quality rises by gain times care; without one it stays
    0."""
    quality = {}
    for gain in (0.0, 2.0):
        world, mechanism = make(
            human={"initial": 100, "posts_mean": "4.0/d", "posts_log_sd": 0.0, "effort_gain": gain},
            ai={"initial": 0},
        )
        world.table("creators")["care"][:] = 0.5
        go(world, mechanism, 3)
        posts = world.table("posts")
        quality[gain] = posts["quality"].copy()
        assert posts["cost"].max() == 0 and posts["tried"][:, 3].std() == pytest.approx(
            float(gain > 0), abs=0.1
        )
    assert (quality[2.0] - quality[0.0]).mean() == pytest.approx(1.0, abs=0.02)


def test_works_earn_as_long_as_they_live_and_others_once():
    """A work is paid day by day for what is new, in all exactly once; a plain post is paid at
    settlement and never again."""
    income = {}
    for share in (0.0, 1.0):
        world, mechanism = make(
            human={"initial": 1, **SILENT, "work_share": share}, ai={"initial": 0}, pay_like=7.0
        )
        posts = world.table("posts")
        world.table("creators")["next_at"][0] = 10
        earned = []
        real = mechanism.learning._day
        mechanism.learning._day = lambda e, liked, real=real, earned=earned: (
            earned.append(e.sum()),
            real(e, liked),
        )
        for day in range(8):
            go(
                world,
                mechanism,
                1,
                lambda w, posts=posts, day=day: (
                    posts["impressions"].__setitem__(0, 10 * day),
                    posts["counts"].__setitem__((0, 2), day),
                ),
            )
        income[share] = earned
        assert posts["work"][0] == bool(share) and posts["settled"][0]
        assert world.table("creators")["reputation"][0] > 0
    assert income[1.0] == [0] + [17.0] * 7 and sum(income[1.0]) == 10 * 7 + 7 * 7
    assert income[0.0] == [0, 0, 34, 0, 0, 0, 0, 0]


def test_pay_levers_by_kind_newcomer_and_arm():
    """AI pay, newcomers' bonus and a policy for a share of creators each change pay as stated."""
    world, mechanism = make(
        human={"initial": 4},
        ai={"initial": 2},
        pay_like=2.0,
        ai_pay=0.5,
        newcomer_bonus=1.0,
        newcomer_for="10d",
    )
    maker, views, likes = np.arange(6), np.full(6, 10.0), np.full(6, 3.0)
    world.now = 5 * DAY
    assert mechanism.learning.pay(maker, views, likes) == pytest.approx([32] * 4 + [16] * 2)
    world.now = 20 * DAY
    assert mechanism.learning.pay(maker, views, likes) == pytest.approx([16] * 4 + [8] * 2)
    world.arms["creators"] = [{}, {"creators.pay_impression": 0.0, "creators.ai_pay": 2.0}]
    world.table("creators")["arm"][[1, 5]] = 1
    assert mechanism.learning.pay(maker, views, likes) == pytest.approx([16, 6, 16, 16, 8, 12])


def test_ridge_is_exact_and_forgets():
    """Coefficients equal numpy's solution to 1e-9; a forgotten past weighs gamma^days; without data
    they are 0."""
    rng = np.random.default_rng(5)
    gram, moment = np.zeros((6, 6)), np.zeros(6)
    assert not kernel.solve(gram, moment, 1.0).any()
    whole, right = np.zeros((6, 6)), np.zeros(6)
    for _ in range(4):
        x, y, w = rng.normal(size=(50, 6)), rng.normal(size=50), rng.uniform(size=50)
        x[:, 0] = 1
        kernel.accumulate(0.9, x, y, w, gram, moment)
        whole, right = 0.9 * whole + (x * w[:, None]).T @ x, 0.9 * right + x.T @ (w * y)
    beta = kernel.solve(gram, moment, 0.7)
    penalty = np.diag([kernel.FREE] + [0.7] * 5)
    assert beta == pytest.approx(np.linalg.solve(whole + penalty, right), abs=1e-9)
    assert kernel.predict(x, beta) == pytest.approx(x @ beta, abs=1e-12)


def click_by(world, rng, slope):
    """Clicks whose rate depends on arousal and topic alone, of 200 impressions each."""
    posts = world.table("posts")
    new = posts["alive"] & ~posts["settled"] & (posts["impressions"] == 0)
    rate = 0.2 + slope * (posts["arousal"] - 0.35) + slope * 0.3 * posts["content"][:, 0]
    posts["impressions"][new] = 200
    posts["counts"][new, 0] = rng.binomial(200, np.clip(rate[new], 0, 1))


@pytest.fixture(scope="module")
def learned():
    """Posts of a month, by makers with one and with eight drafts; clicks rise with arousal and
    topic 0."""
    worlds = {}
    for drafts in (1, 8):
        world, mechanism = make(
            human={"initial": 40},
            ai={"initial": 20, "learning": 0.0, "trend_following": 0.0},
            drafts=drafts,
        )
        rng = np.random.default_rng(3)
        made = []
        for day in range(40):
            go(world, mechanism, 1, lambda w, rng=rng: click_by(w, rng, 0.5))
            posts = world.table("posts")
            new = np.flatnonzero(
                posts["alive"]
                & (posts["born"] >= day * DAY)
                & world.table("creators")["ai"][posts["creator"]]
            )
            made.append(
                (
                    posts["arousal"][new].copy(),
                    posts["content"][new, 0].copy(),
                    posts["key"][new].copy(),
                )
            )
        worlds[drafts] = (world, mechanism, made)
    return worlds


def test_without_data_drafts_make_no_difference(learned):
    """Until the first posts are settled all predictions are equal: eight drafts give the bytes of
    one."""
    for day in range(3):
        for one, many in zip(learned[1][2][day], learned[8][2][day], strict=True):
            assert np.array_equal(one, many)
    assert not np.array_equal(learned[1][2][30][0], learned[8][2][30][0])


def test_the_predictor_learns_what_draws_clicks_and_selection_uses_it(learned):
    """Signals of arousal and topic get the right sign; chosen drafts have more of both, far beyond
    noise; skill is not touched."""
    world, mechanism, _ = learned[8]
    assert (
        mechanism.keep["beta"][2] + 2 * 0.3 * mechanism.keep["beta"][5] > 0.1
        and mechanism.keep["beta"][12] > 0.03
    )
    assert mechanism.keep["fit"][0] > 0.3
    for k in (0, 1):
        one, many = (np.concatenate([day[k] for day in learned[m][2][15:]]) for m in (1, 8))
        gap = many - one  # the same posts, other drafts
        assert gap.mean() > 5 * gap.std() / np.sqrt(len(gap))
    ai = world.table("creators")["ai"]
    assert np.array_equal(
        world.table("creators")["skill"][ai], learned[1][0].table("creators")["skill"][ai]
    )


def test_the_chosen_draft_has_the_highest_prediction(learned):
    """By brute force: every draft drawn and scored by hand."""
    world, mechanism, _ = learned[8]
    maker = np.flatnonzero(world.table("creators")["ai"])
    keys = children(np.full(len(maker), np.uint64(99)), np.arange(len(maker)))
    chosen = mechanism.posting._selected(keys, maker)
    scores = []
    for draft in range(8):
        made = mechanism.posting.draw(keys, maker, draft)
        x = mechanism.posting.features(made.content, made.signal, made.reading, maker)
        scores.append(x @ mechanism.keep["beta"])
    best = np.argmax(scores, axis=0)
    for i, draft in enumerate(best):
        one = mechanism.posting.draw(keys, maker, int(draft))
        assert chosen.quality[i] == one.quality[i] and np.array_equal(
            chosen.content[i], one.content[i]
        )
    assert len(set(best.tolist())) > 3


def test_the_predictor_sees_public_counters_only():
    """Other true qualities once they are posted, same counters: the same coefficients."""
    betas = []
    for shift in (0.0, 3.0):
        world, mechanism = make(human={"initial": 60}, ai={"initial": 5})
        rng = np.random.default_rng(3)

        def see(w, rng=rng, shift=shift):
            click_by(w, rng, 0.5)
            w.table("posts")["quality"][:] += shift

        go(world, mechanism, 8, see)
        betas.append(mechanism.keep["beta"].copy())
    assert betas[0].any() and np.array_equal(*betas) and len(betas[0]) == FEATURES


def test_cap_on_ai_posts():
    """No AI creator gets out more than the cap on any day; what is kept back is counted; humans and
    campaigns are free."""
    posted, blocked = {}, {}
    for cap in (1_000_000, 3, 0):
        world, mechanism = make(
            human={"initial": 30, "posts_mean": "6.0/d"},
            ai={"initial": 8, "posts_mean": "6.0/d"},
            ai_posts_cap=cap,
        )
        spam = mechanism.accounts.enlist(3, 0.5, 20.0, np.ones((3, 16)), "spam")
        go(world, mechanism, 6, step=HOUR)
        posts, creators = world.table("posts"), world.table("creators")
        free = ~creators["ai"] | creators["campaign"]
        days = np.zeros((len(creators), 7), int)
        np.add.at(days, (posts["creator"], posts["born"] // DAY), 1)
        assert days[~free].max() <= cap and days[spam].max() > 8
        posted[cap], blocked[cap] = (
            days[~free].sum(),
            mechanism.keep["tally"][TALLIES.index("blocked")],
        )
        assert days[free].sum() == len(posts) - posted[cap]
        if cap == 3:
            assert (days[~free] == 3).sum() > 20
    assert blocked[1_000_000] == 0 and posted[0] == 0
    assert posted[3] + blocked[3] == posted[1_000_000] == blocked[0]


def test_labels_come_from_disclosure_or_detection():
    """By default nothing is labelled; a disclosing maker's posts all are, detected posts are a
    share; human posts never."""
    shares = {}
    for disclosed, detected in ((0.0, 0.0), (1.0, 0.0), (0.0, 0.3), (0.4, 0.0)):
        world, mechanism = make(
            human={"initial": 30},
            ai={"initial": 60, "posts_mean": "5.0/d", "posts_log_sd": 0.0},
            disclosed_share=disclosed,
            label_ai=detected,
        )
        go(world, mechanism, 7)
        posts, creators = world.table("posts"), world.table("creators")
        ai = creators["ai"][posts["creator"]]
        assert ai.sum() > 1500 and not posts["labelled"][~ai].any()
        assert (
            np.array_equal(posts["labelled"][ai], creators["discloses"][posts["creator"]][ai])
            or detected
        )
        mechanism.measure()
        shares[disclosed, detected] = world.board.get("labelled_share")
        assert shares[disclosed, detected] == pytest.approx(posts["labelled"][ai].mean(), abs=1e-12)
    assert shares[0.0, 0.0] == 0 and shares[1.0, 0.0] == 1
    assert shares[0.0, 0.3] == pytest.approx(0.3, abs=0.05) and shares[0.4, 0.0] == pytest.approx(
        0.4, abs=0.25
    )


def test_assistants_change_output_and_sameness_as_stated():
    """+25 % output, half the effort, more comprehensive, more alike; posts carry the mark; without
    assistants none does."""
    made = {}
    for share in (0.0, 1.0):
        world, mechanism = make(
            1500,
            human={"initial": 400, "posts_mean": "3.0/d", "posts_log_sd": 0.0, "cost_post": 0.4},
            ai={"initial": 20},
            assisted_share=share,
            assisted_delay="0s",
            assisted_noise=0.5,
            burnout=0.0,
        )
        go(world, mechanism, 10)
        posts, creators = world.table("posts"), world.table("creators")
        human = ~creators["ai"][posts["creator"]]
        maker = posts["creator"][human]
        match = (posts["content"][human] * creators["niche"][maker]).sum(1).mean()
        spread = (posts["quality"][human] - creators["skill"][maker]).std()
        assert (posts["assisted"] == (human & (share == 1))).all() and not creators["assisted"][
            creators["ai"]
        ].any()
        made[share] = (
            human.sum(),
            posts["cost"][human].mean(),
            posts["comprehensiveness"][human].mean(),
            match,
            spread,
        )
        mechanism.measure()
        assert (
            world.board.get("creators_assisted_share")
            == share
            == world.board.get("posts_assisted_share")
        )
    assert made[1.0][0] / made[0.0][0] == pytest.approx(
        1.25, rel=0.06
    )  # 12,000 posts: 5 standard errors of their ratio
    assert made[1.0][1] == pytest.approx(made[0.0][1] / 2) and made[1.0][2] == pytest.approx(
        made[0.0][2] + 0.2, abs=0.01
    )
    assert made[1.0][3] > made[0.0][3] and made[1.0][4] == pytest.approx(made[0.0][4] / 2, rel=0.05)


def test_assistants_spread_exponentially_to_a_share():
    """From the given day, a share of humans adopts with the given mean delay; a policy can take the
    assistants away."""
    world, mechanism = make(
        2000,
        human={"initial": 1500, **SILENT},
        ai={"initial": 0},
        assisted_share=0.6,
        assisted_from="30d",
        assisted_delay="50d",
        quit=0.0,
    )
    creators = world.table("creators")
    for day, wanted in ((30, 0.0), (80, 0.6 * (1 - np.exp(-1))), (400, 0.6)):
        world.now = day * DAY
        mechanism.population.turnover()
        assert creators["assisted"][:1500].mean() == pytest.approx(wanted, abs=0.06)
    world.levers["creators.assisted_share"] = 0.0
    mechanism.population.turnover()
    assert not creators["assisted"].any()


def test_signals_are_noisy_readings():
    """Without noise the classifier reads the truth; with it the error has the stated sd, and stays
    within the range."""
    for noise in (0.0, 0.1):
        world, mechanism = make(
            human={"initial": 150, "posts_mean": "5.0/d", "posts_log_sd": 0.0},
            ai={"initial": 0},
            signal_noise=noise,
        )
        go(world, mechanism, 3)
        posts = world.table("posts")
        truth = np.stack([posts["slant"], posts["arousal"], posts["comprehensiveness"]], axis=1)
        inside = (np.abs(truth[:, 0]) < 0.6) & (np.abs(truth[:, 1:] - 0.5) < 0.2).all(1)
        assert inside.sum() > 300 and (posts["signal"] - truth)[inside].std() == pytest.approx(
            noise, abs=0.01
        )
        assert np.abs(posts["signal"]).max() <= 1 and posts["signal"][:, 1:].min() >= 0


def test_exit_hazard_and_entry_answer_to_income():
    """Quits per day are q exp(a (1/2 - m)) ((1 + outside) / (1 + income))^b; arrivals follow recent
    entrants' income."""
    world, mechanism = make(
        5000,
        human={
            "initial": 4000,
            **SILENT,
            "outside_option": 9.0,
            "outside_effect": 1.0,
            "arrivals": "5.0/d",
            "entry_elasticity": 2.0,
        },
        ai={"initial": 100, "arrivals": "0.0/d"},
        quit=0.01,
        ai_quit=0.02,
    )
    creators, rows = world.table("creators"), np.arange(4000)
    assert mechanism.population._chance(rows, 0) == pytest.approx(
        np.full(4000, 0.01)
    )  # too early to compare
    assert mechanism.population._attraction(0) == 1.0
    world.now = 400 * DAY
    creators["income"][:] = np.where(np.arange(len(creators)) < 2000, 4.0, 19.0)
    creators["morale"][1000:2000] = 0.25
    chance = mechanism.population._chance(rows, 0)
    assert chance[:1000] == pytest.approx(0.02, abs=1e-6) and chance[2000:] == pytest.approx(
        0.005, abs=1e-6
    )
    assert chance[1000:2000] == pytest.approx(0.02 * np.exp(1.5), abs=1e-6)
    assert mechanism.population._chance(np.arange(4000, 4100), 1) == pytest.approx(
        np.full(100, 0.02)
    )
    creators["entered_at"][:] = 350 * DAY
    creators["income"][:] = 29.0 * (
        1 - (27 / 28) ** 47
    )  # a newcomer's mean of 29, freed of its start
    assert mechanism.population._attraction(0) == pytest.approx(9.0)
    mechanism.population.turnover()
    assert mechanism.keep["made"][0, 0] - 4000 == pytest.approx(45, abs=30)
    out = 4000 - (~creators["ai"] & creators["active"]).sum() + mechanism.keep["made"][0, 0] - 4000
    assert (
        out == mechanism.keep["made"][0, 2]
        and mechanism.keep["made"][1, 2] == (creators["ai"] & ~creators["active"]).sum()
    )


def test_entry_is_plain_poisson_by_default():
    """Elasticity 0: the same newcomers whatever creators earn."""
    counts = []
    for income in (0.0, 1000.0):
        world, mechanism = make(
            2000,
            human={"initial": 50, **SILENT, "arrivals": "2.0/d"},
            ai={"initial": 0, "arrivals": "1.0/d"},
            quit=0.0,
        )
        for day in range(60):
            world.now = (100 + day) * DAY
            world.table("creators")["income"][:] = income
            mechanism.population.turnover()
        counts.append(mechanism.keep["made"][:, 0].copy())
    assert (
        np.array_equal(*counts)
        and counts[0][0] == pytest.approx(170, abs=50)
        and counts[0][1] == pytest.approx(60, abs=35)
    )


def test_reputation_accrues_by_kind_and_equally_if_told():
    """Same likes: no reputation for AI by default; with equal accrual the same as for humans, to
    the bit."""
    for accrual in (0.0, 1.0):
        world, mechanism = make(
            human={"initial": 10, **SILENT}, ai={"initial": 10, **SILENT, "accrual": accrual}
        )
        for day in range(30):
            mechanism.learning._day(np.zeros(20), np.full(20, 5.0 + day))
        reputation = world.table("creators")["reputation"]
        assert (reputation[:10] == reputation[0]).all() and reputation[0] > 100
        assert (reputation[10:] == accrual * reputation[0]).all()


def test_campaign_accounts_push_and_stay_apart():
    """They post at their rate with the given slant and niche, earn and learn nothing, and are in no
    statistic of creators."""
    worlds = []
    for enlisted in (0, 5):
        world, mechanism = make(human={"initial": 30}, ai={"initial": 6})
        rows = mechanism.accounts.enlist(
            enlisted, -0.7, 8.0, np.tile(np.eye(16)[3] * 5, (enlisted, 1)), "campaign.one"
        )
        go(world, mechanism, 20, seen(50, 5, 20), turnover=True)
        mechanism.measure()
        worlds.append((world, mechanism, rows))
    world, mechanism, rows = worlds[1]
    creators, posts = world.table("creators"), world.table("posts")
    theirs = np.isin(posts["creator"], rows) & posts["alive"]
    assert (
        world.board.get("campaign_account_posts")
        == creators["posts_made"][rows].sum()
        == pytest.approx(800, abs=140)
    )
    assert (posts["slant"][theirs] == np.float32(-0.7)).all() and (
        posts["content"][theirs, 3] > 0.8
    ).all()
    assert not posts["labelled"][theirs].any() and not posts["work"][theirs].any()
    assert (creators["slant"][rows] == np.float32(-0.7)).all() and (
        creators["income"][rows] == 0
    ).all()
    assert (creators["niche"][rows] == np.eye(16, dtype=np.float32)[3]).all() and (
        creators["morale"][rows] == 0.5
    ).all()
    plain = worlds[0][0]
    for name in (
        "posts",
        "creators_active",
        "creator_income",
        "creator_entries",
        "creator_exits",
        "reach_per_post",
        "creator_arousal",
        "supply_arousal",
    ):
        for by in ("human", "ai"):
            if name != "creator_arousal" or by == "human":
                assert world.board.get(name, by=by) == plain.board.get(name, by=by), name
    again = mechanism.accounts.enlist(2, 0.1, 1.0, np.ones((2, 16)), "campaign.one")
    assert np.array_equal(
        creators["key"][np.concatenate([rows, again])],
        children(np.full(7, world.draws.stream("campaign.one")), np.arange(7)),
    )
    with pytest.raises(StateError, match="campaign"):
        mechanism.accounts.throttle(np.array([0]), 1.0)


def test_campaign_accounts_are_steered():
    """Throttling every day with the same rate does not keep them from posting; 0 silences, a
    dismissed account stays silent."""
    world, mechanism = make(human={"initial": 0}, ai={"initial": 0})
    creators = world.table("creators")
    rows = mechanism.accounts.enlist(40, 0.5, 2.0, np.ones((40, 16)), "c")
    other = mechanism.accounts.enlist(40, 0.5, 2.0, np.ones((40, 16)), "d")
    before = creators["next_at"][rows].copy()
    mechanism.accounts.throttle(rows, 2.0)
    assert np.abs(creators["next_at"][rows] - before).max() <= 1
    mechanism.accounts.throttle(rows, 0.5)
    assert creators["next_at"][rows] == pytest.approx(4 * before, abs=5)
    mechanism.accounts.throttle(rows, 2.0)
    for _ in range(50):
        mechanism.accounts.throttle(rows, 2.0)
        go(world, mechanism, 1)
    assert creators["posts_made"][rows].sum() == pytest.approx(4000, abs=300)
    mechanism.accounts.throttle(rows, 0.0)
    mechanism.accounts.dismiss(other)
    mechanism.accounts.throttle(other, 50.0)
    made = creators["posts_made"].copy()
    go(world, mechanism, 5)
    assert (
        np.array_equal(creators["posts_made"], made) and (creators["next_at"][other] == NEVER).all()
    )
    mechanism.accounts.throttle(rows, 4.0)
    go(world, mechanism, 10)
    assert (creators["posts_made"] - made)[rows].sum() == pytest.approx(1600, abs=200)
    mechanism.accounts.aim(rows, np.linspace(-1, 1, 40), np.eye(16)[np.zeros(40, int)])
    assert (
        creators["slant"][rows] == pytest.approx(np.linspace(-1, 1, 40))
        and (creators["niche"][rows, 0] == 1).all()
    )
    mechanism.measure()
    assert (
        world.board.get("creators_active", by="ai")
        == 0
        == world.board.get("creator_exits", by="ai")
    )


def test_ai_creators_keep_to_their_communities():
    """Confined to the two largest: all AI creators and their niches are there; human posts are
    counted on both sides."""
    world, mechanism = make(
        400, human={"initial": 200}, ai={"initial": 60, "communities": 2}, quit=0.1
    )
    creators = world.table("creators")
    go(world, mechanism, 10, seen(), turnover=True)
    ai = creators["ai"]
    assert set(creators["community"][ai]) == {0, 1} and (
        creators["community"][ai] == 0
    ).mean() == pytest.approx(4 / 7, abs=0.25)
    mechanism.measure()
    board, posts = world.board, world.table("posts")
    assert board.get("human_posts", topic="invaded") + board.get(
        "human_posts", topic="other"
    ) == board.get("posts", by="human")
    human = creators["community"][posts["creator"][posts["alive"] & ~ai[posts["creator"]]]]
    assert (
        board.get("human_posts", topic="other") == (human >= 2).sum() > 50
    )  # nothing has been released yet
    assert board.get("niche_posts") == (human >= 2).sum()
    exits = [board.get("human_exits", topic=topic) for topic in ("invaded", "other")]
    assert (
        sum(exits) == board.get("creator_exits", by="human")
        and exits[1] == board.get("niche_exits") > 0
    )
    still = creators["active"] & ~ai
    assert board.get("niche_creators") == pytest.approx((creators["community"][still] >= 2).mean())
    assert board.get("niche_income") == pytest.approx(
        creators["income"][still & (creators["community"] >= 2)].mean(), rel=1e-5
    )


def test_supply_metrics_describe_what_was_made_since_the_last_reading():
    """Means are over new posts by kind; with nothing new the last ones stand, and a reading changes
    no column."""
    world, mechanism = make(human={"initial": 60, "work_share": 0.2}, ai={"initial": 10})
    mechanism.measure()
    assert world.board.get("supply_arousal", by="ai") == pytest.approx(0.35, abs=0.1)
    silent = [
        metric.name
        for (metric, _), value in zip(world.board.rows, world.board.values, strict=True)
        if not np.isfinite(value)
    ]
    assert silent == ["posts_unseen_share"]  # no post has had its time
    for first in (0, 4):
        go(world, mechanism, 4)
        mechanism.measure()
        posts = world.table("posts")
        ai = world.table("creators")["ai"][posts["creator"]]
        for kind, by in enumerate(("human", "ai")):
            new = (posts["born"] >= first * DAY) & (ai == bool(kind))
            assert world.board.get("supply_arousal", by=by) == pytest.approx(
                posts["arousal"][new].mean(dtype=float), abs=1e-9
            )
            assert world.board.get("works", by=by) == posts["work"][ai == bool(kind)].sum()
    before = world.board.snapshot()
    mechanism.measure()
    assert np.array_equal(before, world.board.values) and world.board.get("works", by="human") > 5
