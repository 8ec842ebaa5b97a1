"""Several threads give the bytes of one: whole worlds, interrupted and resumed runs, guesses at
responses; and the crew itself."""

import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT, history
from tests.worlds.shared import EVERYTHING, same_state
from twin.engine.simulation import Simulation
from twin.ground.compiled import kernel
from twin.ground.crew import Crew, asked, cores
from twin.ground.errors import UsageError
from twin.ground.units import DAY
from twin.kernels.respond import Feature, Meeting, features, likes_until, reaches, respond
from twin.kernels.scene import SHOWN
from twin.mechanisms.audience import Audience, sessions
from twin.mechanisms.recommender import learning, quality, serving, training
from twin.scenario.loading import Scenario, load


@pytest.fixture(scope="module")
def crowd(small: Callable[..., Scenario]) -> Scenario:
    """Every mechanism at work, and windows with enough sessions to share."""
    return small(
        "audience.initial=1500", *EVERYTHING[:-1], "duration=9d", "policies=[]", base="everything"
    )


@pytest.fixture(scope="module")
def alone(crowd: Scenario) -> tuple[Simulation, np.ndarray]:
    """On one thread."""
    return history(crowd)


@pytest.fixture(autouse=True)
def shared_whatever_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads share every window and every log here, in the smallest pieces that they could
    take."""
    for name, least in (("SHARED", 2), ("LEAST_CHUNK", 1), ("MOST_CHUNK", 3)):
        monkeypatch.setattr(sessions, name, least)
    for module in (training, quality, learning, serving):
        for name in {"SHARED", "LEAST"} & set(vars(module)):
            monkeypatch.setattr(module, name, 20)


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_threads_do_not_change_a_byte(
    threads: int, crowd: Scenario, alone: tuple[Simulation, np.ndarray]
) -> None:
    """All readings, all columns, all arrays; with more threads than processors too."""
    world = Simulation(crowd, threads=threads)
    readings: list[np.ndarray] = []
    world.on_measure = lambda now, values: readings.append(values)
    world.begin()
    world.run(crowd.duration + 1)
    assert np.array(readings).tobytes() == alone[1].tobytes()
    assert same_state(alone[0], world) == []


def test_resumed_with_another_number_of_threads(
    crowd: Scenario, alone: tuple[Simulation, np.ndarray], tmp_path: Path
) -> None:
    """Two threads up to a barrier, three from there on."""
    first, second = Simulation(crowd, threads=2), Simulation(crowd, threads=3)
    first.begin()
    first.run(4 * DAY + 30 * 60)
    first.save(tmp_path / "t")
    second.load(tmp_path / "t")
    second.run(crowd.duration + 1)
    assert same_state(alone[0], second) == []


@pytest.mark.parametrize("name", ["quickstart", "real_network"])
def test_shipped_worlds_on_threads(name: str, request: pytest.FixtureRequest) -> None:
    """Two weeks of the shipped scenarios, most of them before the start."""
    more = ("policies=[]", "warm_up=11d", "duration=3d")
    if name == "real_network":
        more = (
            *more,
            f"network.path={request.getfixturevalue('real_data') / 'ego-facebook.txt.gz'}",
        )
    worlds = [
        Simulation(load(ROOT / "scenarios" / f"{name}.yaml", more), threads=threads)
        for threads in (1, 2)
    ]
    for world in worlds:
        world.begin()
        world.run(3 * DAY + 1)
    assert same_state(*worlds) == []


def test_the_oracle_and_the_reference_give_the_same_on_threads(
    small: Callable[..., Scenario],
) -> None:
    """Sessions that are ranked by live counters, and those that go one by one, are not shared; what
    else is may be."""
    scenario = small("duration=4d")
    for flags in ({"oracle": True}, {"reference": True}):
        one, two = Simulation(scenario, **flags), Simulation(scenario, threads=4, **flags)
        for world in (one, two):
            world.begin()
            world.run(scenario.duration + 1)
        assert same_state(one, two) == []


@kernel
def guessed(likes, row, post, people, posts, makers, behaviour, x):
    """The responses at so many likes, and until when they are said to stay."""
    meeting = Meeting(row=row, post=post, likes=likes, same=0, place=0)
    features(meeting, people, posts, makers, behaviour.shown[0], x)
    mask, slack = respond(row, post, behaviour, people, posts, x, True)
    return mask, likes_until(likes, slack)


@pytest.mark.parametrize("seed", range(25))
def test_a_guess_holds_as_long_as_it_says(seed: int, alone: tuple[Simulation, np.ndarray]) -> None:
    """No response changes up to the number of likes at which the guess is said to hold, whatever
    proof weighs; most hold long."""
    rng = np.random.default_rng(seed)
    weight, likes = rng.uniform(-3, 3), int(rng.integers(0, 3000) ** rng.random())
    audience: Audience = next(m for m in alone[0].mechanisms if isinstance(m, Audience))
    people, posts = audience.sessions.people(), audience.sessions.posts()
    behaviour = audience.sessions.behaviour()
    coefficients = behaviour.coefficients.copy()
    coefficients[:, 1 + Feature.PROOF] = rng.choice([0, 1], 9) * weight
    behaviour = behaviour._replace(
        coefficients=coefficients,
        reach=reaches(coefficients),
        shown=np.ones(1, SHOWN),
        streams=behaviour.streams._replace(response=np.uint64(seed)),
    )
    x, held = np.empty(len(Feature)), 0
    arguments = people, posts, audience.sessions.makers(), behaviour, x
    for _ in range(40):
        row, post = int(rng.integers(len(people.key))), int(rng.integers(len(posts.key)))
        mask, until = guessed(likes, row, post, *arguments)
        assert until >= likes
        for more in {
            likes,
            int(until),
            int(min(until, likes + 1)),
            *rng.integers(likes, min(until, 10**6) + 1, 6).tolist(),
        }:
            assert guessed(int(more), row, post, *arguments)[0] == mask
        held += until > likes
    assert held > 20 or abs(weight) > 0.3 or likes < 100


def test_crew_does_everything_once_and_passes_errors_on() -> None:
    """Pieces cover the range, tasks are done once, an error of any thread is raised; one thread
    never makes another."""
    for threads in (1, 2, 5):
        crew, seen, lock = Crew(threads), [], threading.Lock()

        def work(low: int, high: int, seen: list[int] = seen, lock: threading.Lock = lock) -> None:
            with lock:
                seen.extend(range(low, high))

        crew.split(1000, 90, work)
        assert sorted(seen) == list(range(1000))
        done: list[int] = []
        crew.each([partial(done.append, k) for k in range(20)])
        assert sorted(done) == list(range(20))
        assert (crew._pool is None) == (threads == 1)

        def wrong() -> None:
            raise ValueError("from a task")

        with pytest.raises(ValueError, match="from a task"):
            crew.each([wrong] * 8)
    with pytest.raises(UsageError, match="at least one"):
        Crew(0)


def test_threads_are_made_anew_after_a_fork() -> None:
    """A child process has none of its parent's threads, and makes its own."""
    crew = Crew(2)
    crew.each([lambda: None] * 4)
    child = os.fork()
    if child == 0:
        done: list[int] = []
        crew.each([partial(done.append, k) for k in range(6)])
        os._exit(0 if len(done) == 6 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_how_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The flag, else the environment, else the default; nonsense is refused by name."""
    monkeypatch.delenv("TWIN_THREADS", raising=False)
    assert asked(None, 7) == 7 and asked(3, 7) == 3 and cores() >= 1
    monkeypatch.setenv("TWIN_THREADS", "5")
    assert asked(None, 7) == 5 and asked(3, 7) == 3
    for text in ("0", "two", "-1", "1.5"):
        monkeypatch.setenv("TWIN_THREADS", text)
        with pytest.raises(UsageError, match=f"TWIN_THREADS={text}"):
            asked(None, 7)
