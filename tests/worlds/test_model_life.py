"""Training modes, sync clocks, admission and migration in a small world: what a scenario or a
policy can do to the model."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import history
from tests.worlds.shared import same_state
from twin.engine.simulation import Simulation
from twin.ground.units import DAY, HOUR
from twin.mechanisms.recommender import Recommender
from twin.mechanisms.recommender.quality import bucket
from twin.scenario.loading import Scenario

TABLE = tuple(f"recommender.tables.{entity}" for entity in ("consumer", "post", "creator"))
SMALLER = (
    "policies=[{name: smaller, at: 2d, set: {recommender.dim: 6, recommender.tables.post.kind: "
    "hash, "
    "recommender.tables.post.slots: 500}}]"
)
WARM = "recommender.migration_warm_up=2d"
LIVES = {
    "online, negatives, dense apart": (
        "recommender.training=online",
        "recommender.refresh=10min",
        "recommender.sync_every=10min",
        "recommender.sync_dense_every=1d",
        "recommender.negatives=2",
    ),
    "full retrain": (
        "recommender.training=full",
        "recommender.history=2d",
        "recommender.epochs=2",
        "recommender.retrain_every=12h",
    ),
    "a migration": (SMALLER, WARM),
    "two rows per ID, admission by chance": (
        f"{TABLE[0]}.kind=double_hash",
        f"{TABLE[0]}.slots=200",
        f"{TABLE[2]}.kind=quotient_remainder",
        f"{TABLE[2]}.slots=30",
        f"{TABLE[2]}.operator=product",
        f"{TABLE[2]}.hash_function=md5",
        f"{TABLE[1]}.admission=3",
        f"{TABLE[1]}.admission_rule=equal",
    ),
}


def feed(simulation: Simulation) -> Recommender:
    return next(m for m in simulation.mechanisms if isinstance(m, Recommender))


def started(scenario: Scenario, until: int) -> Simulation:
    simulation = Simulation(scenario)
    simulation.begin()
    simulation.run(until)
    return simulation


@pytest.mark.parametrize("life", LIVES)
def test_reference_and_resume_are_bit_identical(
    life: str, small: Callable[..., Scenario], tmp_path: Path
) -> None:
    """One by one, or saved and loaded on the third day (in the midst of a warm-up): every column
    and array as straight through."""
    scenario = small("duration=6d", *LIVES[life])
    straight, readings = history(scenario)
    single, same = history(scenario, reference=True)
    assert readings.tobytes() == same.tobytes() and same_state(straight, single) == []
    started(scenario, 3 * DAY + HOUR).save(tmp_path / "t")
    second = Simulation(scenario)
    second.load(tmp_path / "t")
    second.run(scenario.duration + 1)
    assert same_state(straight, second) == []


def test_direct_addressing_is_collisionless_in_a_whole_world(
    small: Callable[..., Scenario],
) -> None:
    """Hash tables in which no two IDs meet give the very readings and vectors of collisionless ones
    without expiry; narrow ones do not."""
    common = ("duration=4d", "recommender.dim=4")
    exact, a = history(small(*common, *(f"{table}.expire_after=0s" for table in TABLE)))
    wide, b = history(
        small(
            *common,
            *(f"{table}.kind=hash" for table in TABLE),
            *(f"{table}.slots=1048576" for table in TABLE),
        )
    )
    narrow, _ = history(
        small(
            *common,
            *(f"{table}.kind=hash" for table in TABLE),
            *(f"{table}.slots=64" for table in TABLE),
        )
    )
    board = exact.world.board
    for entity in ("consumer", "post", "creator"):  # nobody met: as many rows as IDs
        assert (
            board.get("table_admitted", entity=entity)
            == wide.world.board.get("table_admitted", entity=entity)
            > 20
        )
    other = np.array(
        [metric.name in ("table_bytes", "table_occupancy") for metric, _ in board.rows]
    )
    assert a[:, ~other].tobytes() == b[:, ~other].tobytes()
    for one, other, same in ((exact, wide, True), (exact, narrow, False)):
        for name, table in one.world.tables.items():
            assert (
                all(
                    np.array_equal(table[column], other.world.tables[name][column])
                    for column in table.columns
                )
                or not same
            )
        kept, others = feed(one).keep, feed(other).keep
        served = [
            name for name in kept if name.startswith("serve.") or name in ("W", "c", "GW", "Gc")
        ]
        assert (
            all(np.array_equal(kept[name], others[name]) for name in served) == same
            and len(served) > 8
        )


SLOTS = 24
"""So few that also the handful of people of a training at night share rows."""


def test_the_default_is_one_row_each(small: Callable[..., Scenario]) -> None:
    """Control: collisionless tables share nothing, whatever the measure; narrow hash tables show it
    in each, rare posts worst."""
    names = ("table_sharing", "table_collision", "table_shared_traffic")
    boards = [
        started(small("duration=4d", *settings), 4 * DAY).world.board
        for settings in (
            (),
            tuple(f"{table}.kind=hash" for table in TABLE)
            + tuple(f"{table}.slots={SLOTS}" for table in TABLE),
        )
    ]
    for entity in ("consumer", "post", "creator"):
        assert [boards[0].get(name, entity=entity) for name in names] == [0, 0, 0]
        assert all(boards[1].get(name, entity=entity) > 0.1 for name in names)
        assert (
            boards[1].get("table_occupancy", entity=entity)
            == boards[1].get("table_rows", entity=entity) / SLOTS
            > 0.3
        )
    foreign = [
        [
            board.get("table_foreign_gradient", entity="post", decile=str(tenth))
            for tenth in range(1, 11)
        ]
        for board in boards
    ]
    assert not any(foreign[0]) and np.mean(foreign[1][:5]) > np.mean(foreign[1][5:]) > 0.1


def test_rows_come_and_go(small: Callable[..., Scenario]) -> None:
    """Rows admitted less rows expired are the rows in use; a threshold admits fewer; both counters
    only rise."""
    counts = {}
    for needed in (1, 8):
        simulation, readings = history(
            small("duration=8d", f"{TABLE[1]}.expire_after=2d", f"{TABLE[1]}.admission={needed}")
        )
        board = simulation.world.board
        came, went = (
            readings[:, board.index(name, entity="post")]
            for name in ("table_admitted", "table_expired")
        )
        assert (np.diff(came) >= 0).all() and (np.diff(went) >= 0).all() and went[-1] > 0
        assert np.array_equal(came - went, readings[:, board.index("table_rows", entity="post")])
        counts[needed] = came[-1]
    assert counts[8] < 0.8 * counts[1]


def test_what_was_trained_on_is_counted(small: Callable[..., Scenario]) -> None:
    """Impressions counted per consumer add up to those trained on; buckets served are those of the
    counts; newcomers know nothing."""
    simulation = started(
        small("duration=8d", "audience.leave=0.0", "audience.arrivals=0/d"), 5 * DAY + 6 * HOUR + 1
    )
    keep, board = feed(simulation).keep, simulation.world.board
    assert keep["trained.consumer"].sum() == keep["counts"][1] > 3000
    size = len(keep["trained.consumer"])
    assert np.array_equal(keep["serve.known.consumer"][:size], bucket(keep["trained.consumer"]))
    assert len(set(keep["serve.known.consumer"])) > 2
    posts = simulation.world.table("posts")
    fresh = np.flatnonzero(
        posts["alive"] & (posts["born"] > 5 * DAY - 30 * 60) & (posts["impressions"] == 0)
    )
    assert len(fresh) and not keep["serve.known.post"][fresh].any()
    simulation.run(8 * DAY)
    known = [
        board.get("model_auc_by_frequency", entity="post", bucket=name)
        for name in ("0", "1-9", "10-99")
    ]
    assert all(0 <= value <= 1 for value in known) and 0.5 not in known


def test_full_retrain_holds_its_history_and_no_more(small: Callable[..., Scenario]) -> None:
    """The log reaches back the history, all that it names still exists, and it is bounded; a
    shorter one is smaller."""
    sizes = []
    for days in (1, 3):
        simulation = started(
            small("duration=9d", "recommender.training=full", f"recommender.history={days}d"),
            8 * DAY + 1,
        )
        recommender, world = feed(simulation), simulation.world
        log = recommender.learner.log
        assert log.since == 8 * DAY + 6 * HOUR - days * DAY
        posts, people = log.column("post", 0), log.column("consumer", 0)
        assert (
            world.table("posts")["alive"][posts].all()
            and world.table("consumers")["alive"][people].all()
        )
        assert recommender.oldest_held() < world.table("posts")["born"][posts].min()
        before = world.board.get("training_samples")
        simulation.run(8 * DAY + 7 * HOUR)
        recommender.measure()
        assert world.board.get("training_samples") - before >= len(
            posts
        )  # the whole history once more
        sizes.append(len(log.keep["log.consumer"]))
        assert len(posts) <= sizes[-1] < 8 * len(posts)
    assert sizes[0] < sizes[1]


def test_online_training_serves_what_just_happened(small: Callable[..., Scenario]) -> None:
    """Trained at every refresh and synced at once, the served model is minutes old; dense weights
    wait for their own sync."""
    simulation = started(
        small(
            "duration=4d",
            "recommender.training=online",
            "recommender.refresh=10min",
            "recommender.sync_every=10min",
            "recommender.sync_dense_every=12h",
        ),
        3 * DAY + 1,
    )
    keep, world = feed(simulation).keep, simulation.world
    dense, vectors = keep["serve.W"].copy(), keep["serve.consumer.vec"].copy()
    assert np.array_equal(dense, keep["W"])
    ages = []
    for step in range(1, 12):
        simulation.run(3 * DAY + step * HOUR + 1)
        ages.append(world.now - int(keep["times"]["served"][0]))
    assert (
        min(ages) < HOUR and max(ages) < 3 * HOUR
    )  # as old as the last window in which anybody came
    assert np.array_equal(keep["serve.W"], dense) and not np.array_equal(
        keep["serve.consumer.vec"][: len(vectors)], vectors
    )
    assert not np.array_equal(keep["W"], dense)
    simulation.run(3 * DAY + 12 * HOUR + 1)
    assert np.array_equal(keep["serve.W"], keep["W"])
    assert world.board.get("retrains") > 100


def test_negatives_cost_calibration(small: Callable[..., Scenario]) -> None:
    """Three negatives per impression push predicted clicks well below what is observed; none leaves
    them about right."""
    settings = ("duration=10d", "audience.initial=600")
    found = [
        history(small(*settings, f"recommender.negatives={count}"))[0].world.board.get(
            "model_calibration", head="click"
        )
        for count in (0, 3)
    ]
    assert 0.75 < found[0] < 1.35 and found[1] < 0.65 * found[0]


def test_dimension_migrates(small: Callable[..., Scenario]) -> None:
    """A policy changes the dimension and a table: the old model serves through the warm-up, then
    the new one; nothing old is left."""
    simulation = started(small("duration=6d", SMALLER, WARM), 4 * DAY - 1)
    world, keep = simulation.world, feed(simulation).keep
    assert (
        keep["serve.post.vec"].shape[1] == 32
        and keep["next.W"].shape[0] == 6 + 2
        and keep["next.trained.post"].sum() > 100
    )
    assert world.board.get("model_migrating") == 1 and world.board.get("model_dim") == 32
    served = feed(simulation).server.serving()
    assert served.interaction.shape[0] == 32
    kept = int(keep["turnover.post"][0])
    feed(simulation).measure()
    both = world.board.get("table_bytes", entity="consumer")
    simulation.run(4 * DAY + 1)
    for entity in ("consumer", "post", "creator"):
        assert keep[f"serve.{entity}.vec"].shape[1] == 6 and keep[f"table.{entity}.E"].shape[1] == 7
    assert keep["table.post.E"].shape[0] == 500 and "table.post.key" not in keep
    assert (
        not [name for name in keep if name.startswith("next.")] and keep["centroids"].shape[1] == 7
    )
    assert feed(simulation).server.serving().interaction.shape[0] == 6
    assert keep["turnover.post"][0] > kept  # a counter never falls
    feed(simulation).measure()
    assert (
        world.board.get("table_bytes", entity="consumer") < 0.5 * both
    )  # memory of both while the new one warms up
    assert np.abs(keep["serve.post.vec"]).max() > 0.01
    simulation.run(6 * DAY)
    assert world.board.get("model_dim") == 6 and world.board.get("model_migrating") == 0
    marks = [(at, text) for at, kind, text in world.marks if kind == "migration"]
    assert [(at, text.partition(":")[0]) for at, text in marks] == [
        (2 * DAY, "begun"),
        (4 * DAY, "cut over"),
    ]
    assert "dim 6" in marks[1][1] and "post hash 500" in marks[1][1]


def test_a_second_change_begins_anew_and_a_return_drops(small: Callable[..., Scenario]) -> None:
    """Changed again while it warms up, the generation is replaced and warms up afresh; changed back
    to what serves, it is dropped."""
    plan = (
        "policies=[{name: a, at: 1d, until: 5d, set: {recommender.dim: 6}}, {name: b, at: 2d, set: "
        "{recommender.dim: 9}, until: 5d}, "
        "{name: c, at: 6d, set: {recommender.dim: 5}, until: 7d}]"
    )
    simulation = started(small("duration=10d", plan, WARM), 10 * DAY)
    marks = [
        (at // DAY, text.partition(":")[0], text.rpartition("dim ")[2].partition(",")[0])
        for at, kind, text in simulation.world.marks
        if kind == "migration"
    ]
    assert marks == [
        (1, "begun", "6"),
        (2, "begun", "9"),
        (4, "cut over", "9"),
        (5, "begun", "32"),
        (6, "begun", "5"),
        (7, "begun", "32"),
        (9, "cut over", "32"),
    ]
    back = "policies=[{name: a, at: 1d, until: 2d, set: {recommender.tables.consumer.kind: hash}}]"
    simulation = started(small("duration=5d", back, WARM), 4 * DAY)
    assert [
        text.partition(":")[0] for _, kind, text in simulation.world.marks if kind == "migration"
    ] == ["begun", "dropped"]
    assert not feed(simulation).learner.generations.warming
