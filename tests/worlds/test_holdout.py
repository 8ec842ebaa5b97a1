"""Random slots as a holdout: never trained on, judged apart, beside what the true chances of a
click give; and posts that nobody saw."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import SIGNALS_OFF, history
from tests.worlds.shared import EVERYTHING, same_state
from twin.engine.simulation import Simulation
from twin.ground.compiled import kernel
from twin.ground.draws import mix64, unit, words
from twin.ground.units import DAY, HOUR
from twin.kernels.rules import SOURCES, Source
from twin.kernels.truth import true_clicks
from twin.mechanisms.audience import Audience
from twin.mechanisms.recommender import Recommender
from twin.mechanisms.recommender.holdout import Holdout
from twin.mechanisms.recommender.log import LOGGED, InteractionLog
from twin.scenario.loading import Scenario

Small = Callable[..., Scenario]
SHARE = "recommender.random_share=0.2"
HALF = (
    "policies=[{name: label, at: 2d, set: {creators.label_ai: 0.5}}, "
    "{name: half, at: 4d, share: 0.5, set: {audience.counts_shown: false}}]"
)
MODES = {
    "incremental, reward, negatives": (
        "recommender.reward.weight=0.5",
        "recommender.negatives=1",
        "recommender.tables.post.admission=3",
    ),
    "incremental, IDs alone": SIGNALS_OFF,
    "full": ("recommender.training=full", "recommender.history=2d", "recommender.epochs=2"),
    "online": (
        "recommender.training=online",
        "recommender.refresh=10min",
        "recommender.sync_every=10min",
    ),
}


def feed(simulation: Simulation) -> Recommender:
    return next(m for m in simulation.mechanisms if isinstance(m, Recommender))


def strip(log: InteractionLog) -> int:
    """Take the lines of random slots out of the interval that runs; how many they were."""
    keep, size = log.keep, len(log)
    stays = np.flatnonzero(
        (keep["log.source"][:size] != Source.RANDOM) | (np.arange(size) < log.interval)
    )
    for name in (*LOGGED, "tally"):
        if len(keep[f"log.{name}"]) >= size:
            keep[f"log.{name}"][: len(stays)] = keep[f"log.{name}"][stays]
    for name in ("window", "trained"):
        keep[f"log.{name}"][0] = np.searchsorted(stays, keep[f"log.{name}"][0])
    keep["log.size"][0] = len(stays)
    return size - len(stays)


@pytest.mark.parametrize("mode", MODES)
def test_trains_as_if_the_log_had_never_held_them(
    mode: str, small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A world whose log loses the lines of random slots before anything learns from it is the same
    to the byte in all that is learned, served, judged of trained traffic and done by people,
    through a whole run; only the holdout itself is missing. (Public counters are not the log's:
    they count everything.)"""
    scenario = small("duration=5d", "recommender.random_share=0.1", *MODES[mode])
    whole, a = history(scenario)
    gone, seen = [0], [-1]
    for name in ("retrain", "follow_window"):
        plain: Any = getattr(Recommender, name)

        @wraps(plain)  # clocks go by their handlers' names
        def stripped(self: Recommender, plain: Any = plain) -> None:
            if self.world.now != seen[-1]:  # online, both are called
                seen.append(self.world.now)
                gone.append(strip(self.learner.log))
            plain(self)

        monkeypatch.setattr(Recommender, name, stripped)
    without, b = history(scenario)
    other = [
        name for name in same_state(whole, without) if "holdout" not in name and ".log." not in name
    ]
    assert other == [] and sum(gone) > 100
    of_holdout = np.array(
        [
            any(word in metric.name for word in ("holdout", "ceiling"))
            for metric, _ in whole.world.board.rows
        ]
    )
    assert (
        np.array_equal(a[:, ~of_holdout], b[:, ~of_holdout], equal_nan=True)
        and of_holdout.sum() == 14
    )
    assert (
        np.isfinite(a[-1, of_holdout]).sum() > 8 and np.isnan(b[-1, of_holdout]).sum() == 13
    )  # its size is 0
    assert feed(whole).keep["trained.consumer"].sum() > 500


@pytest.mark.parametrize("training", ["incremental", "full", "online"])
def test_where_all_is_random_nothing_is_trained(training: str, small: Small) -> None:
    """A feed that is one holdout trains on nothing and is judged on everything."""
    simulation, _ = history(
        small(
            "duration=4d",
            "recommender.random_share=1.0",
            f"recommender.training={training}",
            "recommender.reward.weight=1.0",
        )
    )
    board, keep = simulation.world.board, feed(simulation).keep
    assert (
        board.get("training_samples") == board.get("retrains") == 0
        and not keep["trained.post"].any()
        and not keep["S"].any()
    )
    assert all(
        board.get("table_admitted", entity=entity) == 0
        for entity in ("consumer", "post", "creator")
    )
    assert keep["reward.judged"][0] == 0 and board.get("model_auc", head="click") == 0.5
    assert board.get("model_holdout_size") == board.get("source_impressions", source="random") > 500
    assert np.isfinite(board.get("model_auc_holdout", head="click"))


def mann_whitney(score: NDArray[Any], truth: NDArray[np.bool_]) -> float:
    """Share of pairs of a positive and a negative in which the positive has the higher score, ties
    half."""
    gap = score[truth][:, None].astype(float) - score[~truth][None, :]
    return float(((gap > 0) + 0.5 * (gap == 0)).mean())


def test_judged_right(small: Small) -> None:
    """All metrics by their definitions, over the impressions of the last three days and no
    others."""
    simulation, readings = history(small("duration=8d", SHARE, "recommender.holdout_memory=3d"))
    board, keep, state = simulation.world.board, feed(simulation).keep, simulation.world.state
    shown = readings[:, board.index("source_impressions", source=SOURCES[Source.RANDOM])]
    size = readings[:, board.index("model_holdout_size")]
    assert np.array_equal(size[4:], shown[4:] - shown[1:-3]) and size[-1] > 300
    for place, head in enumerate(("click", "long_view", "like")):
        p, truth = (
            keep["holdout.p"][:, place],
            (keep["holdout.responses"] >> place & 1).astype(bool),
        )
        if not truth.any():
            continue
        assert board.get("model_auc_holdout", head=head) == pytest.approx(
            mann_whitney(p, truth), abs=1e-12
        )
        loss = -np.log(np.where(truth, p, 1 - p.astype(float))).mean()
        assert board.get("model_log_loss_holdout", head=head) == pytest.approx(loss, rel=1e-6)
        assert board.get("model_calibration_holdout", head=head) == pytest.approx(
            p.mean(dtype=float) / truth.mean(), rel=1e-6
        )
    p, clicked, new = (
        keep["holdout.p"][:, 0],
        (keep["holdout.responses"] & 1).astype(bool),
        keep["holdout.new"],
    )
    assert 50 < new.sum() < len(new)
    assert board.get("model_auc_holdout_new") == pytest.approx(
        mann_whitney(p[new], clicked[new]), abs=1e-12
    )
    true = state["audience.holdout.p"][-len(p) :]
    assert np.array_equal(state["audience.holdout.clicked"][-len(p) :], clicked)
    assert board.get("click_auc_ceiling") == pytest.approx(mann_whitney(true, clicked), abs=1e-12)
    assert board.get("click_log_loss_ceiling") == pytest.approx(
        -np.log(np.where(clicked, true, 1 - true.astype(float))).mean(), rel=1e-6
    )
    assert board.get("click_rate_holdout") == clicked.mean()


@pytest.mark.parametrize(
    "settings",
    [
        ("recommender.retrain_every=7h",),
        ("recommender.training=online", "recommender.retrain_every=5h"),
        ("recommender.retrain_every=3d", "recommender.holdout_memory=1d"),
    ],
)
def test_model_and_truth_are_judged_on_the_same_impressions(
    settings: tuple[str, ...], small: Small
) -> None:
    """Whenever it retrains: those that the audience reckons with are the model's, one by one, and
    what neither judges is forgotten."""
    simulation = Simulation(
        small("duration=12d", SHARE, "recommender.holdout_memory=2d", *settings)
    )
    seen: list[int] = []

    def compare(now: int, values: NDArray[np.float64]) -> None:
        audience = next(m for m in simulation.mechanisms if isinstance(m, Audience))
        first, last = audience.truth._judged()
        clicked = audience.keep["holdout.clicked"]
        assert np.array_equal(
            clicked[first:last], (feed(simulation).keep["holdout.responses"] & 1).astype(bool)
        )
        oldest = (
            now - max(2 * DAY, int(simulation.world.levers["recommender.retrain_every"])) - 3 * DAY
        )  # type: ignore[arg-type]
        assert (audience.keep["holdout.at"] > oldest).all()
        seen.append(last - first)

    simulation.on_measure = compare
    simulation.begin()
    simulation.run(12 * DAY + 1)
    assert len(seen) == 13 and min(seen[4:]) > 100


def test_at_most_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest stay; intervals older than the memory go."""
    monkeypatch.setattr("twin.mechanisms.recommender.holdout.MOST", 5)
    keep: dict[str, NDArray[Any]] = {}
    holdout = Holdout(keep, 20)
    holdout.setup()
    for k, count in enumerate((0, 3, 1, 0, 3)):
        holdout.judge(
            np.full((count, 3), k, "f4"),
            np.full(count, k, "u2"),
            np.zeros(count, bool),
            10 * k,
            10 * k + 10,
        )
        assert holdout.span() == ((10 * max(k - 1, 1), 10 * k + 10) if k else (10, 10))
    assert keep["holdout.responses"].tolist() == [4, 4, 4]
    holdout.judge(np.full((4, 3), 5, "f4"), np.full(4, 5, "u2"), np.zeros(4, bool), 50, 60)
    assert keep["holdout.responses"].tolist() == [4, 5, 5, 5, 5]


@kernel
def lucky(stream, consumer, post, people, posts, p):
    """Whether each meeting ends with a click by the luck of the pair, bool (n,)."""
    out = np.empty(len(p), np.bool_)
    for i in range(len(p)):
        a, _, _, _ = words(stream, mix64(people.key[consumer[i]] ^ mix64(posts.key[post[i]])), 0, 0)
        out[i] = unit(a) < p[i]
    return out


def test_the_true_chance_is_what_decided(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every impression of a slate, whatever its source, likes of the same window included: the
    luck of the pair lies below the chance read back from the log where there was a click, and
    nowhere else."""
    checked = [0, 0]

    def check(self: Audience) -> None:
        window = self.world.service("window")()
        chosen = np.flatnonzero(window.source != Source.SHELF)
        if not len(chosen):
            return
        people, posts = self.sessions.people(), self.sessions.posts()
        makers, behaviour = self.sessions.makers(), self.sessions.behaviour()
        p = true_clicks(chosen, window, people, posts, makers, behaviour)
        stream = behaviour.streams.response
        clicked = lucky(stream, window.consumer[chosen], window.post[chosen], people, posts, p)
        assert np.array_equal(clicked, window.responses[chosen] & 1 == 1)
        checked[0] += len(chosen)
        checked[1] += len(np.unique(window.post)) < len(window.post)

    monkeypatch.setattr(Audience, "note_truth", check)
    history(
        small("audience.initial=1500", "duration=9d", *EVERYTHING[:-1], HALF, base="everything")
    )
    assert checked[0] > 10_000 and checked[1] > 100


def test_truth_is_the_ceiling(small: Small) -> None:
    """Over three worlds: true chances are calibrated (four standard errors of a sum of Bernoulli
    draws; fails once in 16,000 by luck), tell posts apart, and better than the model does by four
    standard errors of the paired difference of ranks."""
    gains = []
    for seed in (1, 2, 3):
        simulation, _ = history(
            small(
                "audience.initial=1000",
                "duration=14d",
                "recommender.random_share=0.3",
                f"seed={seed}",
            )
        )
        board, keep, state = simulation.world.board, feed(simulation).keep, simulation.world.state
        p, clicked = keep["holdout.p"][:, 0], (keep["holdout.responses"] & 1).astype(bool)
        true = state["audience.holdout.p"][-len(p) :].astype(float)
        assert abs(true.sum() - clicked.sum()) < 4 * np.sqrt((true * (1 - true)).sum())
        assert board.get("click_auc_ceiling") > 0.6
        assert 0.5 < board.get("model_auc_holdout", head="click") < board.get("click_auc_ceiling")
        assert board.get("click_log_loss_ceiling") < board.get(
            "model_log_loss_holdout", head="click"
        )
        gains.append(difference(true, p, clicked))
    assert all(gain > 4 * error for gain, error in gains)


def difference(
    one: NDArray[Any], other: NDArray[Any], truth: NDArray[np.bool_]
) -> tuple[float, float]:
    """Difference of the AUC of two scores of the same impressions, and its standard error (DeLong
    et al. 1988)."""
    parts = []
    for score in (one, other):
        gap = score[truth][:, None].astype(float) - score[~truth][None, :]
        parts.append((gap > 0) + 0.5 * (gap == 0))
    gap = parts[0] - parts[1]
    rows, columns = gap.mean(1), gap.mean(0)
    return float(gap.mean()), float(
        np.sqrt(rows.var(ddof=1) / len(rows) + columns.var(ddof=1) / len(columns))
    )


@pytest.mark.parametrize("mode", ["full", "online"])
def test_reference_and_resume_are_bit_identical(mode: str, small: Small, tmp_path: Path) -> None:
    """One by one, or saved and loaded within an interval between trainings: every column and array
    as straight through. (Incremental training and threads: EVERYTHING in `shared` and
    test_threads has random slots.)"""
    assert any(setting.startswith("recommender.random_share=0.1") for setting in EVERYTHING)
    scenario = small(
        "duration=5d", "recommender.random_share=0.1", "recommender.holdout_memory=2d", *MODES[mode]
    )
    straight, readings = history(scenario)
    single, same = history(scenario, reference=True)
    assert readings.tobytes() == same.tobytes() and same_state(straight, single) == []
    first = Simulation(scenario)
    first.begin()
    first.run(3 * DAY + 2 * HOUR)
    first.save(tmp_path / "t")
    second = Simulation(scenario)
    second.load(tmp_path / "t")
    second.run(scenario.duration + 1)
    assert (
        same_state(straight, second) == [] and straight.world.board.get("model_holdout_size") > 50
    )


def test_no_reading_while_there_are_none(small: Small) -> None:
    """Without random slots nothing is read or kept; where they end, the readings end when the last
    are forgotten."""
    names = (
        "model_auc_holdout_new",
        "click_auc_ceiling",
        "click_log_loss_ceiling",
        "click_rate_holdout",
    )
    simulation, readings = history(small("duration=3d"))
    board = simulation.world.board
    assert (
        np.isnan(readings[:, [board.index(name) for name in names]]).all()
        and board.get("model_holdout_size") == 0
    )
    assert not len(feed(simulation).keep["holdout.starts"]) and not len(
        simulation.world.state["audience.holdout.p"]
    )
    _, readings = history(
        small(
            "duration=9d",
            "recommender.holdout_memory=2d",
            "policies=[{name: some, at: 1d, until: 4d, set: {recommender.random_share: 0.5}}]",
        )
    )
    read = np.isfinite(readings[:, [board.index(name) for name in names]])
    assert not read[:2].any() and read[2:6].all() and not read[7:].any()


def test_posts_that_nobody_saw(small: Small) -> None:
    """The share is that of the first bin of their reach; a feed that draws from all leaves fewer
    unseen than one of what trends."""
    shares = []
    for ranking in ("random", "popularity"):
        simulation, readings = history(small("duration=8d", f"recommender.ranking={ranking}"))
        board = simulation.world.board
        first = board.index("post_reach", bin="0")
        reach = readings[:, first : first + len(board.metrics["post_reach"].edges)]
        share = readings[:, board.index("posts_unseen_share")]
        some = reach.sum(1) > 0
        assert (
            np.allclose(share[some], reach[some, 0] / reach[some].sum(1))
            and np.isnan(share[~some]).all()
            and some.sum() > 3
        )
        shares.append(share[some].mean())
    assert shares[0] < 0.5 * shares[1]


def test_a_feed_without_a_model_is_the_same_world_whatever_the_tables(small: Small) -> None:
    """Ranked by popularity: worlds with colliding and with own rows differ in what the model knows
    and in nothing that people see or do, so both are judged on the same impressions."""
    worlds = [
        history(
            small(
                "duration=4d",
                SHARE,
                "recommender.ranking=popularity",
                *(
                    f"recommender.tables.{entity}.{each}"
                    for entity in ("consumer", "post")
                    for each in table
                ),
            )
        )
        for table in (["kind=collisionless"], ["kind=hash", "slots=16"])
    ]
    (one, a), (_, b) = worlds
    board = one.world.board
    of_model = np.array([metric.name.startswith(("model_", "table_")) for metric, _ in board.rows])
    assert np.array_equal(a[:, ~of_model], b[:, ~of_model], equal_nan=True)
    size, auc = board.index("model_holdout_size"), board.index("model_auc_holdout", head="click")
    assert np.array_equal(a[:, size], b[:, size]) and a[-1, size] > 100
    assert a[-1, auc] != b[-1, auc]
