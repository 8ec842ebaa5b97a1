"""The live page's memory: bounded, whole from the start, and told as the report tells it."""

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import SCENARIOS
from twin.ground.errors import UsageError
from twin.ground.units import HOUR
from twin.readers.live.history import History
from twin.readers.live.levers import levers, policy_yaml
from twin.readers.live.page import LivePage
from twin.readers.live.service import parse_address
from twin.record.results import per_day
from twin.record.watch import RunInfo
from twin.scenario.loading import load
from twin.world.metric import Metric

METRICS = (
    Metric(
        "made", "counter", "posts", "Made.", "producer", "Supply", labels={"by": ("human", "ai")}
    ),
    Metric("glad", "gauge", "1", "Glad.", "consumer", "Visits"),
    Metric("ages", "histogram", "d", "Ages.", "producer", "Supply", edges=(0.0, 1.0), total=True),
)
ROWS = [(metric, labels) for metric in METRICS for labels in metric.series()]


def fed(count: int, most: int, every: int = 6 * HOUR) -> tuple[History, np.ndarray]:
    """A history that was given so many readings, and all of them."""
    history = History(RunInfo("x", dt.date(2025, 1, 1), count * every, 0, ROWS, Path("x")), most)
    luck = np.random.default_rng(1)
    all_ = np.cumsum(luck.uniform(0, 3, (count, len(ROWS))), axis=0)
    all_[:, 2] = luck.uniform(0, 1, count)
    for number, values in enumerate(all_):
        history.take(number * every, values)
    return history, all_


def test_history_is_bounded_and_holds_the_first_and_the_latest_reading() -> None:
    """However many readings come, at most MOST are kept, evenly, from the first to the latest."""
    history, all_ = fed(1000, 41)
    metrics = history.metrics()
    assert 20 <= len(metrics.times) <= 42
    start = np.datetime64("2025-01-01")
    assert (metrics.times[0], metrics.times[-1]) == (start, start + np.timedelta64(999 * 6, "h"))
    assert len(set(np.diff(metrics.times[:-1]).tolist())) == 1
    assert (metrics.values[-1] == all_[-1]).all()


def test_a_reading_that_continues_a_picture_is_what_the_report_would_draw() -> None:
    """Counters per day by `results.per_day`, gauges as they are, totals of a distribution as what
    is new in a week."""
    history, all_ = fed(39, 41)
    times = history.metrics().times
    shown = history.since(38)[2][-1]
    assert np.isclose(shown[0], per_day(times, all_[:, 0])[-1])
    assert shown[2] == all_[-1, 2]
    assert np.isclose(shown[3], all_[-1, 3] - all_[38 - 28, 3])


def test_what_continues_a_picture_begins_after_what_it_has() -> None:
    """By number of reading, in order, and to the newest, however the history was thinned
    meanwhile."""
    history, all_ = fed(500, 41)
    for since in (0, 1, history.taken // 2, history.taken - 1, history.taken):
        numbers, times, values = history.since(since)
        assert (
            (numbers > since).all()
            and (np.diff(numbers) > 0).all()
            and len(numbers) == len(times) == len(values)
        )
        assert since == history.taken or (
            numbers[-1] == history.taken and np.isclose(values[-1, 2], all_[:, 2]).any()
        )


def test_a_reading_that_comes_twice_is_taken_once() -> None:
    """A resumed run repeats readings that the history may have from the run folder."""
    history, all_ = fed(10, 41)
    assert not history.take(9 * 6 * HOUR, all_[-1])
    assert history.count == 10


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_a_page_opened_before_there_is_anything_to_draw(count: int) -> None:
    """A second page opens while a first one has asked for a chapter, whatever was read by then."""
    page = LivePage(fed(count, 41)[0])
    key = next(each["id"] for each in page.outline[0]["chapters"] if each["heading"] == "Supply")
    assert json.loads(page.readings(key, 0))["columns"] == {}
    made = json.loads(page.chapter(key, "light"))
    assert made["taken"] == count
    told = json.loads(page.readings(key, 0))
    assert told["numbers"] == list(range(1, count + 1))
    assert set(told["ranges"]) == {one["key"] for one in made["pictures"] if "lines" in one}
    assert set(told["bins"]) == {
        str(each["row"]) for one in made["pictures"] for each in one.get("bins", ())
    }
    assert count < 9 or (told["ranges"] and told["bins"])


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0:8000",
        "192.168.1.2",
        "example.org:80",
        "[::]:80",
        "x.yaml",
        "1:2:3",
        "127.0.0.1:99999",
    ],
)
def test_the_page_listens_on_loopback_only(text: str) -> None:
    """Any other address is refused in one line."""
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("8400", ("127.0.0.1", 8400)),
        (":8400", ("127.0.0.1", 8400)),
        ("[::1]:1", ("::1", 1)),
        ("localhost", ("127.0.0.1", 0)),
        ("127.0.0.1:9", ("127.0.0.1", 9)),
    ],
)
def test_addresses_as_people_write_them(text: str, address: tuple[str, int]) -> None:
    """A port, a host, or both."""
    assert parse_address(text) == address


def test_levers_come_from_the_scenario_and_the_form_makes_a_policy_of_them() -> None:
    """Each with its present value under the policies in force; a value that is none is refused."""
    scenario = load(SCENARIOS / "quickstart.yaml")
    found = {each["path"]: each for each in levers(scenario)}
    assert found["recommender.preset"]["value"] == "x_2023"
    assert found["recommender.preset"]["choices"] == [
        "x_2023",
        "x_2026",
        "facebook_2018",
        "likes",
        "equal",
    ]
    assert {each["path"]: each for each in levers(scenario, ["2026 weights"])}[
        "recommender.preset"
    ]["value"] == "x_2026"
    assert (
        found["recommender.retrain_every"]["kind"],
        found["recommender.retrain_every"]["low"],
    ) == ("duration", "1h")
    known = list(found.values())
    assert policy_yaml(
        {"lever": "recommender.author_cap", "value": "2", "name": "<b>", "share": "10"}, known
    ) == ("name: <b>\nset:\n  recommender.author_cap: 2\nshare: 0.1\nof: consumers\n")
    for wrong in (
        {"lever": "x", "value": "1"},
        {"lever": "recommender.author_cap", "value": "nan"},
        {"lever": "recommender.preset", "value": "1"},
        {"lever": "recommender.dim", "value": "4", "share": "5"},
    ):
        with pytest.raises(UsageError):
            policy_yaml(wrong, known)
