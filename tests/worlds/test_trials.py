"""Readings by arm of policies for a share."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import history
from tests.worlds.shared import EVERYTHING, same_state
from twin.engine.simulation import Simulation
from twin.ground.units import DAY
from twin.kernels.respond import Response
from twin.kernels.rules import SOURCES, Source
from twin.kernels.training import HEADS
from twin.mechanisms.audience import sessions
from twin.mechanisms.trials.pooled import rarefied
from twin.scenario.loading import Scenario
from twin.world.arms import ARMS, EVERYBODY, group

HALF = (
    "policies=[{name: t, at: 4d, share: 0.5, of: consumers, set: {audience.counts_shown: false}}]"
)
ON = "trials.enabled=true"
DAYS = 2
LOGGED = (
    ON,
    f"duration={2 * DAYS}d",
    f"metrics.every={DAYS}d",
    # nobody joins or leaves, opinions stand still, and the log keeps every impression
    "audience.arrivals=0/d",
    "audience.leave=0",
    "opinions.exposure_rate=0",
    "opinions.peer_rate=0",
    "recommender.retrain_every=30d",
    "recommender.random_share=0.1",
    "policies=[{name: half, at: 0d, share: 0.5, set: {audience.counts_shown: false}},"
    "{name: few, at: 0d, share: 0.3, set: {recommender.ranking: chronological}}]",
)
Floats = NDArray[np.float64]


def test_arms_are_means_of_their_people_and_change_nothing_else(
    small: Callable[..., Scenario],
) -> None:
    """Every mean is that of its rows; without the mechanism all other metrics are bit for bit the
    same."""
    simulation, values = history(small("duration=8d", ON, HALF))
    _, others = history(small("duration=8d", HALF))
    kept = [i for i, (metric, _) in enumerate(simulation.world.board.rows) if not metric.trial]
    assert np.array_equal(values[:, kept], others, equal_nan=True)
    table, get = simulation.world.table("consumers"), simulation.world.board.get
    here, arm = table["active"], table["arm"]
    for name, who in (
        ("everybody", here),
        ("treated-1", here & (arm == 1)),
        ("control-1", here & (arm == 0)),
    ):
        joy = table["satisfaction"][who].astype(float)
        assert get("trial_satisfaction", arm=name) == pytest.approx(joy.mean(), rel=1e-12)
        assert get("trial_satisfaction_sd", arm=name) == pytest.approx(joy.std(ddof=1), rel=1e-9)
        assert get("trial_people", arm=name) == who.sum()
    # nobody's share of creators was asked for, and there is no second policy
    assert np.isnan(get("trial_income", arm="treated-1"))
    assert np.isnan(get("trial_satisfaction", arm="treated-2"))
    makers = simulation.world.table("creators")
    people = makers["active"] & ~makers["ai"]
    for name in ("income", "morale", "reach", "followers"):
        mean = makers[name][people].mean(dtype=np.float64)
        assert get(f"trial_{name}", arm="everybody") == pytest.approx(mean, rel=1e-12)


def test_sessions_of_the_arms_add_up(small: Callable[..., Scenario]) -> None:
    """Sessions per person and day, times the people, are the sessions of those who are still
    there."""
    simulation, _ = history(
        small("duration=8d", ON, "metrics.every=1d", "audience.arrivals=0/d", HALF)
    )
    table, get = simulation.world.table("consumers"), simulation.world.board.get
    here = table["active"]
    rates = {
        name: get("trial_sessions", arm=name) for name in ("everybody", "treated-1", "control-1")
    }
    treated = here & (table["arm"] == 1)
    parts = rates["treated-1"] * treated.sum() + rates["control-1"] * (here & ~treated).sum()
    assert np.isclose(rates["everybody"] * here.sum(), parts, rtol=1e-12)
    assert 0.1 < rates["everybody"] < 2


def test_groups_are_made_of_arms(small: Callable[..., Scenario]) -> None:
    """Three policies for a share: every group of every policy and stratum is that of its people,
    for consumers and for creators."""
    simulation, _ = history(
        small(
            "duration=2d",
            ON,
            "policies=["
            + ",".join(
                f"{{name: {of}{k}, at: 0d, share: {share}, of: {of}, set: {{{lever}}}}}"
                for of, lever in (
                    ("consumers", "audience.counts_shown: false"),
                    ("creators", "creators.pay_like: 9.0"),
                )
                for k, share in enumerate((0.5, 0.6, 0.4))
            )
            + "]",
        )
    )
    for table, name, column in (
        ("consumers", "satisfaction", "satisfaction"),
        ("creators", "morale", "morale"),
    ):
        rows, get = simulation.world.table(table), simulation.world.board.get
        here = rows["active"] & ~rows["ai"] if table == "creators" else rows["active"]
        arm, values = rows["arm"].astype(int), rows[column].astype(float)
        read = 0
        for policy in (1, 2, 3, 4):
            for treated in (True, False):
                for within in ("", "alone", "1", "2", "3", "4"):
                    if within == str(policy):
                        continue
                    bit = 1 << (policy - 1)
                    who = here & ((arm & bit > 0) == treated)
                    if within == "alone":
                        who &= arm & ~bit == 0
                    elif within:
                        who &= arm & (1 << (int(within) - 1)) > 0
                    got = get(f"trial_{name}", arm=group(policy, treated, within))
                    if policy == 4 or within == "4":
                        assert np.isnan(got)
                    else:
                        assert got == pytest.approx(values[who].mean(), rel=1e-12)
                        read += 1
        assert read == 3 * 2 * 4


@pytest.fixture(scope="module")
def logged(small: Callable[..., Scenario]) -> Simulation:
    """A world whose log holds every impression; of those since the reading half-way the last
    reading tells."""
    scenario = small(*LOGGED)
    simulation = Simulation(scenario)
    simulation.begin()
    simulation.run(DAYS * DAY + 1)
    simulation.mark = float(simulation.world.state["trials.mark"][0])
    simulation.first = int(simulation.world.state["recommender.log.size"][0])
    simulation.run(scenario.duration + 1)
    return simulation


class Log:
    """Plain sums over the log, by group."""

    def __init__(self, simulation: Simulation) -> None:
        world, state = simulation.world, simulation.world.state
        size = int(state["recommender.log.size"][0])
        for name in ("consumer", "post", "responses", "source", "place"):
            setattr(self, name, state[f"recommender.log.{name}"][:size].astype(int))
        self.people, self.posts = world.table("consumers"), world.table("posts")
        self.makers, self.get = world.table("creators"), world.board.get
        self.mark = simulation.mark
        self.after = np.arange(size) >= simulation.first
        self.arm = self.people["arm"].astype(int)
        self.arousal = self.posts["arousal"][self.post].astype(float)
        self.slant = self.posts["slant"][self.post].astype(float)

    def people_of(self, arm: str) -> NDArray[np.bool_]:
        """Who is in a group."""
        if arm == EVERYBODY:
            return self.people["active"]
        kind, policy, *within = arm.split("-")
        bit = 1 << (int(policy) - 1)
        who = self.people["active"] & ((self.arm & bit > 0) == (kind == "treated"))
        if within == ["alone"]:
            who = who & (self.arm & ~bit == 0)
        elif within:
            who = who & (self.arm & (1 << (int(within[1]) - 1)) > 0)
        return who


GROUPS = (
    EVERYBODY,
    "treated-1",
    "control-1",
    "treated-2",
    "control-2",
    "treated-1-within-2",
    "control-1-alone",
)


def head(log: Log, response: int) -> NDArray[np.bool_]:
    return log.responses >> response & 1 == 1


@pytest.mark.parametrize("arm", GROUPS)
def test_readings_are_those_of_the_log(arm: str, logged: Simulation) -> None:
    """Each aggregate against a plain one over the impressions of the group's people."""
    log = Log(logged)
    assert log.people["active"].all()
    who = log.people_of(arm)
    mine, people = who[log.consumer] & log.after, who.sum()
    shown, get = mine.sum(), lambda name, **labels: log.get(f"trial_{name}", **labels, arm=arm)
    clicked = head(log, Response.CLICK)
    per_person = np.bincount(log.consumer[log.after], minlength=len(who))[who] / DAYS
    close = {"rel": 1e-6}
    assert get("impressions") == pytest.approx(per_person.mean(), **close)
    assert get("impressions_sd") == pytest.approx(per_person.std(ddof=1), **close)
    aroused = log.arousal > log.mark
    assert 0.1 < aroused.mean() < 0.6
    for k, name in enumerate(HEADS):
        yes = head(log, k) & mine
        assert get("responses", head=name) == pytest.approx(yes.sum() / people / DAYS, **close)
        assert get("responses_per_impression", head=name) == pytest.approx(
            yes.sum() / shown, **close
        )
        assert get("aroused_responses", head=name) == pytest.approx(
            (yes & aroused).sum() / people / DAYS, **close
        )
        if yes.any():
            assert get("aroused_share_of_responses", head=name) == pytest.approx(
                (yes & aroused).sum() / yes.sum(), **close
            )
    assert get("shown_arousal") == pytest.approx(log.arousal[mine].mean(), **close)
    assert get("shown_arousal_spread") == pytest.approx(log.arousal[mine].std(), rel=1e-4)
    assert get("shown_aroused") == pytest.approx(aroused[mine].mean(), **close)
    quality = log.posts["quality"][log.post].astype(float)
    assert get("shown_quality") == pytest.approx(quality[mine].mean(), rel=1e-4, abs=1e-5)
    opinion = log.people["opinion"][log.consumer].astype(float)
    hostile = log.arousal * np.abs(log.slant - opinion) / 2
    assert get("shown_hostility") == pytest.approx(hostile[mine].mean(), **close)
    assert get("shown_hostility_spread") == pytest.approx(hostile[mine].std(), rel=1e-4)
    assert get("cross_cutting_share") == pytest.approx((log.slant * opinion < 0)[mine].mean())
    outside = log.source != Source.IN_NETWORK
    assert get("outside_impressions") == pytest.approx((outside & mine).sum() / people / DAYS)
    for k, name in enumerate(SOURCES):
        there = (log.source == k) & mine
        assert get("source_impressions", source=name) == pytest.approx(there.sum() / people / DAYS)
        if there.any():
            assert get("source_clicks_per_impression", source=name) == pytest.approx(
                (there & clicked).sum() / there.sum(), **close
            )
    maker = log.posts["creator"][log.post]
    ai = log.makers["ai"][maker] & mine
    assert get("shown_ai") == pytest.approx(ai.sum() / shown)
    assert get("clicks_per_ai_impression") == pytest.approx((ai & clicked).sum() / ai.sum())
    # how often a post had been shown before, by anybody: the log is in the order of events
    order = np.argsort(log.post, kind="stable")
    counts = np.bincount(log.post)
    first = np.concatenate([[0], np.cumsum(counts)])[log.post[order]]
    before = np.empty(len(order))
    before[order] = np.arange(len(order)) - first
    assert get("shown_popularity") == pytest.approx(before[mine].mean(), **close)
    # likewise of likes; no campaign adds any here
    likes = head(log, Response.LIKE)[order].astype(float)
    so_far = np.cumsum(likes) - likes
    had = np.empty(len(order))
    had[order] = so_far - so_far[np.concatenate([[0], np.cumsum(counts)])[log.post[order]]]
    assert get("shown_log_likes") == pytest.approx(np.log1p(had[mine]).mean(), rel=1e-5)


@pytest.mark.parametrize("pair", [(1, ""), (2, ""), (1, "within-2"), (2, "alone")])
def test_pooled_readings_are_those_of_the_log(pair: tuple[int, str], logged: Simulation) -> None:
    """Different posts at equal impressions, and diversity within people and pooled."""
    log = Log(logged)
    policy, within = pair
    arms = [group(policy, treated, within.removeprefix("within-")) for treated in (True, False)]
    shown = [
        np.bincount(log.post[log.people_of(arm)[log.consumer] & log.after]).astype(float)
        for arm in arms
    ]
    m = min(each.sum() for each in shown)
    maker = log.posts["creator"][log.post]
    opened = np.zeros((len(log.arm), int(log.makers["community"].max()) + 1))
    clicked = head(log, Response.CLICK)
    # what was opened before the reading half-way has faded since
    weight = np.where(log.after, 1.0, np.exp(-DAYS / 7))
    np.add.at(
        opened,
        (log.consumer[clicked], log.makers["community"][maker[clicked]]),
        weight[clicked],
    )

    def entropy(counts: Floats) -> float:
        share = counts[counts > 0] / counts.sum()
        return float(-(share * np.log(share)).sum())

    for arm, counts in zip(arms, shown, strict=True):
        got = log.get("trial_distinct_posts", arm=arm)
        assert got == pytest.approx(rarefied(counts, m))
        # the smaller group is read as it is
        if counts.sum() == m:
            assert got == pytest.approx((counts > 0).sum())
        who = log.people_of(arm)
        some = who & (opened.sum(axis=1) > 0)
        assert log.get("trial_opened_entropy_within", arm=arm) == pytest.approx(
            np.mean([entropy(row) for row in opened[some]]), rel=1e-6
        )
        assert log.get("trial_opened_entropy_pooled", arm=arm) == pytest.approx(
            entropy(opened[who].sum(axis=0)), rel=1e-6
        )
        came = np.zeros(len(who), bool)
        came[log.consumer] = True
        assert log.get("trial_weekly", arm=arm) == (came & who).sum()
        assert log.get("trial_weekly_active", arm=arm) == pytest.approx(
            (came & who).sum() / who.sum()
        )
    assert np.isnan(log.get("trial_distinct_posts", arm=EVERYBODY))


def test_everybody_has_the_means_of_the_whole_world(logged: Simulation) -> None:
    """What the audience adds up for all, counted apart by person, is the same where nobody
    left."""
    get = logged.world.board.get
    for name in (
        "shown_match",
        "shown_quality",
        "shown_arousal",
        "shown_popularity",
        "cross_cutting_share",
        "regret_share",
        "session_depth",
        "engaged_per_session",
        "enjoyed_per_session",
    ):
        assert get(f"trial_{name}", arm=EVERYBODY) == pytest.approx(get(name), rel=1e-4, abs=1e-5)
    assert get("trial_outside_share", arm=EVERYBODY) == pytest.approx(1 - get("in_network_share"))
    assert get("trial_enjoyed_per_impression", arm=EVERYBODY) == pytest.approx(
        get("enjoyed_per_session") / get("session_depth")
    )


def test_rarefaction_is_what_draws_give() -> None:
    """Expected different posts among m impressions drawn without replacement, against draws."""
    rng = np.random.default_rng(5)
    counts = np.array([50.0, 20, 5, 5, 1, 1, 1, 0])
    posts = np.repeat(np.arange(len(counts)), counts.astype(int))
    for m in (1, 10, 40):
        drawn = [len(set(rng.permutation(posts)[:m].tolist())) for _ in range(4000)]
        assert rarefied(counts, m) == pytest.approx(np.mean(drawn), abs=0.06)
    assert rarefied(counts, counts.sum()) == pytest.approx(7)


def test_of_the_assistant(small: Callable[..., Scenario]) -> None:
    """Users by the arm of the person that they are: columns, sessions since the last reading, and
    well-being."""
    simulation, _ = history(
        small(
            "duration=12d",
            ON,
            "metrics.every=12d",
            "chatbots.adopters=1",
            "chatbots.adoption_delay=0s",
            "audience.arrivals=0/d",
            "audience.leave=0",
            "policies=[{name: p, at: 0d, share: 0.5, set: {chatbots.personalisation: 0.0}}]",
        )
    )
    world, get = simulation.world, simulation.world.board.get
    users, people = world.table("chatters"), world.table("consumers")
    used = users["alive"] & (users["sessions"] > 0) & people["active"][users["person"]]
    arm = people["arm"][users["person"]]
    chats, disclosed = 0.0, 0.0
    for bit, name in ((1, "treated-1"), (0, "control-1")):
        who = used & (arm == bit)
        for reading in ("trust", "anthropomorphism", "concern"):
            assert get(f"trial_{reading}", arm=name) == pytest.approx(
                users[reading][who].mean(dtype=float), rel=1e-9
            )
        assert get("trial_chats", arm=name) == pytest.approx(users["sessions"][who].mean() / 12)
        chats += users["sessions"][who].sum()
        disclosed += get("trial_disclosed", arm=name) * users["sessions"][who].sum()
    assert get("trial_disclosed", arm="treated-1") == 0 < get("trial_disclosed", arm="control-1")
    assert chats == get("chat_sessions")
    assert disclosed / chats == pytest.approx(get("disclosed_mean"), rel=1e-5)
    assert get("trial_chat_satisfaction", arm=EVERYBODY) == pytest.approx(
        get("chat_satisfaction_mean"), rel=1e-5
    )
    going = used & (users["next_at"] < 2**62)
    if going.sum() == used.sum():
        assert get("trial_attachment", arm=EVERYBODY) == pytest.approx(get("attachment_mean"))
    # nobody is enrolled in the assistant's own trial, so its mean outside is everybody's
    assert get("trial_wellbeing", arm=EVERYBODY) == pytest.approx(
        get("wellbeing_mean", arm="outside")
    )


def test_small_creators_are_those_from_before(small: Callable[..., Scenario]) -> None:
    """Who was small at the last reading before the policy counts as small throughout."""
    scenario = small(
        "duration=8d",
        ON,
        "metrics.every=1d",
        "policies=[{name: m, at: 4d, share: 0.5, of: creators, set: {creators.pay_like: 9.0}}]",
    )
    simulation = Simulation(scenario)
    simulation.begin()
    simulation.run(4 * DAY)
    makers = simulation.world.table("creators")
    keys, posts = makers["key"].copy(), makers["posts_made"].copy()
    before = dict(zip(keys.tolist(), simulation.world.state["trials.small"].tolist(), strict=False))
    simulation.run(7 * DAY + 1)
    posts = makers["posts_made"].copy()
    simulation.run(8 * DAY + 1)
    makers, get = simulation.world.table("creators"), simulation.world.board.get
    small_ = np.array([before.get(key, True) for key in makers["key"].tolist()])
    who = makers["active"] & ~makers["ai"] & small_ & (makers["arm"] == 1)
    made = makers["posts_made"] - np.pad(posts, (0, len(makers) - len(posts)))
    assert get("trial_posts_small", arm="treated-1") == pytest.approx(made[who].mean())
    assert 0 < who.sum() < (makers["active"] & ~makers["ai"] & (makers["arm"] == 1)).sum()


def test_a_policy_that_changes_nothing_finds_nothing(small: Callable[..., Scenario]) -> None:
    """An A/A test: differences between the arms are those of chance, and the world is that without
    the policy."""
    same = "policies=[{name: same, at: 0d, share: 0.5, set: {recommender.slate: 30}}]"
    one, values = history(small("duration=6d", ON, "audience.initial=800", same))
    _, without = history(small("duration=6d", "audience.initial=800", "policies=[]"))
    rows = [
        i
        for i, (metric, _) in enumerate(one.world.board.rows)
        if not metric.trial and metric.name != "policies_active"
    ]
    other = [
        i for i, (m, _) in enumerate(small("duration=6d").series()) if m.name != "policies_active"
    ]
    assert np.array_equal(values[:, rows], without[:, other], equal_nan=True)
    get = one.world.board.get
    scores = []
    for name in ("satisfaction", "sessions", "impressions", "opinion", "opened_entropy_within"):
        n = [get("trial_people", arm=arm) for arm in ("treated-1", "control-1")]
        mean = [get(f"trial_{name}", arm=arm) for arm in ("treated-1", "control-1")]
        sd = get(f"trial_{name}_sd", arm="control-1")
        scores.append((mean[0] - mean[1]) / (sd * np.sqrt(1 / n[0] + 1 / n[1])))
    assert np.abs(scores).max() < 3.5 and np.abs(scores).mean() < 1.6
    assert 0.4 < n[0] / sum(n) < 0.6


def test_people_who_leave_stay_enrolled(small: Callable[..., Scenario]) -> None:
    """Weekly actives are a share of all who were there when the policy began or joined since, also
    once their rows are given to others."""
    scenario = small(
        "duration=12d", ON, "metrics.every=1d", "audience.leave=0.05", "audience.arrivals=5/d", HALF
    )
    simulation = Simulation(scenario)
    simulation.begin()
    simulation.run(3 * DAY + 1)
    people, world = simulation.world.table("consumers"), simulation.world
    enrolled: dict[int, int] = {}
    # everybody who was there at the reading before the policy's start, or came later
    active = people["active"]
    for day in range(3, 13):
        simulation.run(day * DAY + 1)
        active = people["alive"] & (people["left_at"] >= 3 * DAY)
        enrolled |= dict(
            zip(people["key"][active].tolist(), people["arm"][active].tolist(), strict=True)
        )
    # who joined and left again within a day is missed by none of these: both count by rows
    came = world.service("consumers.came_this_week")()
    for bit, name in ((1, "treated-1"), (0, "control-1")):
        many = sum(arm == bit for arm in enrolled.values())
        got = world.board.get("trial_weekly_active", arm=name)
        assert got == pytest.approx((came & (people["arm"] == bit)).sum() / many)
        assert many > world.board.get("trial_people", arm=name)


@pytest.mark.parametrize(
    ("set_", "reading", "least"),
    [
        ("recommender.small_factor: 0.02", "small_impressions", 1.4),
        ("recommender.small_withheld: 1.0", "small_impressions", 1.4),
        ("recommender.arousal_factor: 0.02", "shown_aroused", 1.2),
        ("recommender.ai_factor: 0.02", "shown_ai", 1.5),
    ],
)
def test_levers_for_a_share_of_people_are_read_by_arm(
    set_: str, reading: str, least: float, small: Callable[..., Scenario]
) -> None:
    """What a lever takes away is less among the treated than among the control group, by much."""
    simulation, _ = history(
        small(
            "duration=8d",
            ON,
            "metrics.every=4d",
            "audience.initial=600",
            f"policies=[{{name: p, at: 0d, share: 0.5, set: {{{set_}}}}}]",
        )
    )
    get = simulation.world.board.get
    treated, control = (get(f"trial_{reading}", arm=arm) for arm in ("treated-1", "control-1"))
    assert control > least * treated


def test_posts_of_some_creators_are_shown_more(small: Callable[..., Scenario]) -> None:
    """A factor on the posts of a share of creators: they reach more people than the others."""
    simulation, _ = history(
        small(
            "duration=16d",
            ON,
            "creators.human.initial=200",
            "creators.human.posts_log_sd=0.5",
            "policies=[{name: p, at: 0d, share: 0.5, of: creators, "
            "set: {recommender.creator_factor: 5.0}}]",
        )
    )
    get = simulation.world.board.get
    reach = [get("trial_reach", arm=arm) for arm in ("treated-1", "control-1")]
    assert reach[0] > 1.5 * reach[1] > 0


def with_trials(small: Callable[..., Scenario], *more: str) -> Scenario:
    """Every mechanism, and policies for a share: three of consumers, two of creators."""
    shares = (
        "{name: quarter, at: 2d, share: 0.25, set: {recommender.slate: 6}},"
        "{name: soft, at: 3d, share: 0.5, set: {recommender.small_factor: 0.5, "
        "recommender.arousal_factor: 0.3, recommender.small_withheld: 0.3}},"
        "{name: seen, at: 4d, share: 0.4, of: creators, set: {recommender.creator_factor: 2.0}},"
    )
    policies = EVERYTHING[-1].replace("{name: makers", shares + "{name: makers")
    return small(*EVERYTHING[:-1], policies, ON, *more, base="everything")


@pytest.mark.parametrize("how", ["reference", "three threads", "loaded"])
def test_same_bytes(
    how: str,
    small: Callable[..., Scenario],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Event by event, on threads, and after a save: every reading, column and array."""
    # `quick` and `wide` of EVERYTHING begin later
    scenario = with_trials(small, "duration=21d")
    straight, values = history(scenario)
    assert np.isfinite(values[-1]).sum() > 1000
    if how == "reference":
        other, again = history(scenario, reference=True)
        assert values.tobytes() == again.tobytes()
    else:
        # threads share every window, in the smallest pieces
        for name, least in (("SHARED", 2), ("LEAST_CHUNK", 1), ("MOST_CHUNK", 3)):
            monkeypatch.setattr(sessions, name, least)
        other = Simulation(scenario, threads=3 if how == "three threads" else 1)
        other.begin()
        if how == "loaded":
            other.run(9 * DAY + 50 * 60)
            other.save(tmp_path / "t")
            other = Simulation(scenario)
            other.load(tmp_path / "t")
        other.run(scenario.duration + 1)
    assert same_state(straight, other) == []


def test_arms_are_named_once() -> None:
    """Labels of groups are distinct, and everybody comes first."""
    assert len(set(ARMS)) == len(ARMS) == 41 and ARMS[0] == EVERYBODY
