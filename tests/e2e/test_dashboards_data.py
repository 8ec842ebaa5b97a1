"""Every query of every committed dashboard, on a real Prometheus that holds the year of everything
in small and a branch of it."""

import datetime as dt
import json
import math
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest

from tests.conftest import PATIENCE_S, ROOT
from tests.e2e.asked import course, filled, panels, queries, span
from tests.e2e.everything_small import BRANCH, DAYS, PARTS, SHORTER, SIZES, scenario
from tests.e2e.prometheus import Prometheus, running
from tests.given.calibrated import AHEAD
from tests.given.inside import called
from tests.given.ports import free_port
from twin.experiments.following import read
from twin.ground.units import DAY, at
from twin.readers.dashboards import has_panel
from twin.readers.dashboards.frame import PLATFORM, REAL
from twin.readers.forecast_series import QUANTITIES
from twin.readers.panels import sketches
from twin.record.results import Metrics, load_events, load_manifest, load_metrics
from twin.world.metric import Metric, label_text

COMMITTED = {
    path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "dashboards").glob("*.json"))
}
SIMULATED = [uid for uid in COMMITTED if uid not in REAL]
AT = 30
"""A day with a whole window on both sides in the small year."""


@pytest.fixture(scope="module")
def prometheus(
    everything_small: Path,
    branch_of_everything_small: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Prometheus]:
    """A server with both."""
    with running(tmp_path_factory.mktemp("prometheus")) as server:
        for run in (everything_small, branch_of_everything_small):
            called("send", run, "--remote-write", server.write_url, cwd=run)
        yield server


@pytest.fixture(scope="module")
def variables(everything_small: Path) -> dict[str, str]:
    """The dashboards' variables as they are at first, with the run chosen."""
    return {
        "run": load_manifest(everything_small)["run_id"],
        "branch": "main",
        "replicate": ".*",
        "base": "main",
        "at": str(AT),
        "step": "1d",
    }


def shown(
    prometheus: Prometheus, dashboard: dict[str, Any], query: str, *, instant: bool = False
) -> list[dict[str, Any]]:
    """What a query gives over the small year, day by day, or at its end."""
    start = span(dashboard)[0]
    return course(prometheus, {"instant": instant}, query, start, start + DAYS * DAY, DAY)


@pytest.mark.parametrize("uid", SIMULATED)
def test_every_query_of_every_panel_gives_data(
    uid: str, prometheus: Prometheus, variables: dict[str, str]
) -> None:
    """No panel is empty, no line is missing: each query gives at least one number."""
    dashboard = COMMITTED[uid]
    empty = [
        f"{panel['title']}: {query}"
        for panel, target, query in queries(dashboard, variables)
        if not shown(prometheus, dashboard, query, instant=target["instant"])
    ]
    assert not empty, "\n".join(empty)
    assert all(panel["targets"] for panel in panels(dashboard))


def test_a_query_without_data_is_noticed(prometheus: Prometheus, variables: dict[str, str]) -> None:
    """The check above can fail: another run, a metric that is not there, only NaN."""
    dashboard = COMMITTED["twin-overview"]
    first = next(queries(dashboard, variables))[2]
    assert shown(prometheus, dashboard, first)
    for query in (
        first.replace(variables["run"], "another"),
        first.replace("twin_posts_total", "twin_pots_total"),
        f"({first}) * NaN",
    ):
        assert query != first and not shown(prometheus, dashboard, query)


@pytest.mark.parametrize("uid", SIMULATED)
def test_variables_offer_what_is_there(
    uid: str, prometheus: Prometheus, variables: dict[str, str], everything_small: Path
) -> None:
    """In the dashboard's time range: the run, both branches, the replicate; and what is chosen at
    first is among them."""
    start, end = span(COMMITTED[uid])
    found = {}
    for variable in COMMITTED[uid]["templating"]["list"]:
        if variable["type"] == "query":
            asked = filled(
                variable["query"]["query"], {**variables, "__range": f"{end - start:.0f}s"}
            )
            label = re.fullmatch(r'/(\w+)="\(\[\^"\]\+\)"/', variable["regex"])[1]
            answers = prometheus.query(
                asked.removeprefix("query_result(").removesuffix(")"), at=end
            )
            found[variable["name"]] = {each["metric"][label] for each in answers}
            first = variable["current"].get("value", [])
            assert set([first] if isinstance(first, str) else first) <= found[variable["name"]] | {
                "$__all"
            }
    assert found.pop("run") == {variables["run"]} and found.pop("replicate") == {"0"}
    assert found and all(each == {"main", BRANCH} for each in found.values())


@pytest.fixture(scope="module")
def metrics(everything_small: Path) -> Metrics:
    """The readings of the small year."""
    return load_metrics(everything_small)


def test_what_is_drawn_is_what_was_read(
    prometheus: Prometheus, variables: dict[str, str], metrics: Metrics
) -> None:
    """Every line of the four sides equals the run's Parquet: gauges as they are, totals as their
    rise over a day; day by day, exactly."""
    sides = {
        "producer": "twin-creators",
        "consumer": "twin-consumers",
        "platform": "twin-recommender",
        "chatbot": "twin-chatbots",
    }
    times = metrics.times.astype("datetime64[s]").astype(np.int64)
    compared, shown_there = 0, [each for each in metrics.declared.values() if has_panel(each)]
    for side, uid in sides.items():
        drawn = {panel["title"]: panel for panel in panels(COMMITTED[uid])}
        for _, pictures in sketches(shown_there, side):
            for picture in pictures:
                targets = [
                    each
                    for each in drawn[picture.title]["targets"]
                    if "standard error" not in each["legendFormat"]
                ]
                for (metric, labels), target in zip(picture.lines, targets, strict=True):
                    (line,) = shown(prometheus, COMMITTED[uid], filled(target["expr"], variables))
                    assert line["values"] == wanted(
                        metric, metrics.series(metric.name, **labels), times
                    ), (metric.name, label_text(labels))
                    compared += 1
    assert compared == sum(
        1 for metric in shown_there for _ in metric.series() if not metric.name.endswith("_se")
    )


def wanted(metric: Metric, values: np.ndarray, times: np.ndarray) -> dict[float, float]:
    """What a line has to show, by time; the first reading is taken before anybody came and is not
    shown."""
    if metric.kind == "counter" or metric.total:
        values = np.concatenate([[math.nan], values[1:] - values[:-1]])
    return {
        float(at): float(value)
        for at, value in zip(times[1:], values[1:], strict=True)
        if math.isfinite(value)
    }


def test_errors_lie_around_their_mean(
    prometheus: Prometheus, variables: dict[str, str], metrics: Metrics
) -> None:
    """The thin lines are the mean and one standard error more and less."""
    (panel,) = [
        each for each in panels(COMMITTED["twin-recommender"]) if each["title"] == "Vote net mean"
    ]
    around = {
        target["legendFormat"].split(", ")[1]: shown(
            prometheus, COMMITTED["twin-recommender"], filled(target["expr"], variables)
        )[0]
        for target in panel["targets"]
        if target["legendFormat"].startswith("up, ") and "standard error" in target["legendFormat"]
    }
    mean, error = (
        metrics.series("vote_net_mean", seed="up")[1:],
        metrics.series("vote_net_se", seed="up")[1:],
    )
    assert (error > 0).any()
    assert np.array_equal(list(around["plus standard error"]["values"].values()), mean + error)
    assert np.array_equal(list(around["minus standard error"]["values"].values()), mean - error)


def test_before_and_after_are_the_means_around_the_day(
    prometheus: Prometheus, variables: dict[str, str], metrics: Metrics
) -> None:
    """A gauge: the mean of the readings; a running total: its rise per day; and the change is the
    one over the other."""
    policy, window = COMMITTED["twin-policy"], 28
    bars = {panel["title"]: panel for panel in panels(policy) if panel["type"] == "bargauge"}
    for title, name in (("Sessions", "sessions"), ("Satisfaction", "satisfaction_mean")):
        values = metrics.of(name)[:, 0]
        if name == "sessions":
            before, after = (
                (values[AT] - values[AT - window]) / window,
                (values[AT + window] - values[AT]) / window,
            )
        else:  # a range takes in its two ends
            before, after = values[AT - window : AT + 1].mean(), values[AT : AT + window + 1].mean()
        found = [
            prometheus.value(filled(target["expr"], variables), span(policy)[0] + DAYS * DAY)
            for target in bars[title]["targets"]
        ]
        assert found == pytest.approx([before, after], rel=1e-12) and before != after
        (bar,) = [
            target
            for target in bars["What changed"]["targets"]
            if target["legendFormat"].startswith(f"{title}, ")
        ]
        assert prometheus.value(filled(bar["expr"], variables), span(policy)[1]) == pytest.approx(
            after / before - 1, rel=1e-9
        )


def test_branches_stand_side_by_side_and_apart(
    prometheus: Prometheus,
    variables: dict[str, str],
    metrics: Metrics,
    branch_of_everything_small: Path,
) -> None:
    """With all branches: a line each, named by its branch; the difference is zero until they part,
    and theirs then."""
    policy, both = COMMITTED["twin-policy"], {**variables, "branch": ".*"}
    courses = [
        panel
        for panel in panels(policy)
        if panel["title"] == "Enjoyed posts per session" and panel["type"] == "timeseries"
    ]
    side_by_side, difference = (panel["targets"][0] for panel in courses)
    lines = {
        line["metric"]["branch"]: line["values"]
        for line in shown(prometheus, policy, filled(side_by_side["expr"], both))
    }
    assert (
        set(lines) == {"main", BRANCH}
        and side_by_side["legendFormat"] == difference["legendFormat"] == "{{branch}}"
    )
    apart = {
        line["metric"]["branch"]: list(line["values"].values())
        for line in shown(prometheus, policy, filled(difference["expr"], both))
    }
    own, other = (
        each.series("enjoyed_per_session")[1:]
        for each in (metrics, load_metrics(branch_of_everything_small))
    )
    assert apart["main"] == [0.0] * DAYS
    assert apart[BRANCH] == list(other - own)
    assert apart[BRANCH][:PARTS] == [0.0] * PARTS and all(apart[BRANCH][PARTS + 2 :])


def test_a_mark_stands_where_the_number_of_policies_changed(
    prometheus: Prometheus, variables: dict[str, str], everything_small: Path
) -> None:
    """The annotation from the data alone: on the days when a policy began or ended, and on no
    other."""
    policy = COMMITTED["twin-policy"]
    (mark,) = [each for each in policy["annotations"]["list"] if "expr" in each]
    assert mark["step"] == "1d"
    (found,) = shown(prometheus, policy, filled(mark["expr"], variables))
    start = span(policy)[0]
    policies = [
        when.timestamp() for when, kind, _ in load_events(everything_small) if kind == "policy"
    ]
    assert len(policies) >= 9
    days = {
        math.ceil((when - start) / DAY) for when in policies
    }  # seen by the reading at the end of the day
    assert {round((at - start) / DAY) for at in found["values"]} <= {
        day + offset for day in days for offset in (0, 1)
    }
    shown_on = {round((at - start) / DAY) for at in found["values"]}
    assert all(
        {round(day / SHORTER), round(day / SHORTER) + 1} & shown_on for day in (270, 300, 345)
    )


@pytest.fixture(scope="module")
def followed(
    prometheus: Prometheus, calibrated: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Its twin beside a platform, in the same server; what the address that is printed asks for."""
    out = tmp_path_factory.mktemp("forecast") / "forecast.txt"
    given = ("--out", out, "--remote-write", prometheus.write_url)
    told = called("forecast", calibrated, *given, cwd=out.parent).stdout
    return dict(parse_qsl(urlsplit(told.split("dashboard: ")[1].strip()).query))


def beside(prometheus: Prometheus, followed: dict[str, str]) -> dict[tuple[str, str], Any]:
    """What each query of the dashboard gives, by panel and legend."""
    first, last = (int(followed[end]) // 1000 // DAY * DAY for end in ("from", "to"))
    values = {"calibration": followed["var-calibration"], "__range": f"{last - first}s"}
    return {
        (panel["title"], target["legendFormat"]): course(
            prometheus, target, query, first, last, DAY
        )
        for panel, target, query in queries(COMMITTED[PLATFORM], values)
    }


def test_the_twin_is_beside_its_platform(
    prometheus: Prometheus, followed: dict[str, str], calibrated: Path
) -> None:
    """Every query gives one line, and the lines are the calibration's forecast and what was
    observed, at the midnight at which their day begins."""
    found = beside(prometheus, followed)
    assert not [name for name, lines in found.items() if len(lines) != 1]
    drawn = {name: lines[0]["values"] for name, lines in found.items()}
    known = read.read(calibrated, None)

    def dated(days: dict[dt.date, float]) -> dict[float, float]:
        return {at(day, 0).timestamp(): value for day, value in days.items()}

    for each in QUANTITIES:
        title, fans, seen = (
            each.name.capitalize(),
            known.latest(each.name),
            known.observed[each.name],
        )
        # of the first day every item is new, so none is counted
        assert len(fans) == AHEAD and len(seen) == (7 if each.name == "new items" else 8)
        assert drawn[title, "Observed"] == dated(seen)
        for place, legend in (
            (3, "Forecast, median"),
            (1, "Central 80 %, from"),
            (6, "Central 95 %"),
        ):
            assert drawn[title, legend] == dated({day: fan[place] for day, fan in fans.items()})
        apart = {
            day: (seen[day] - fan[3])
            / (fan[5] - fan[3] if seen[day] >= fan[3] else fan[3] - fan[1])
            for day, fan in fans.items()
        }
        told = drawn["Observed less forecast", each.name]
        assert told == pytest.approx(dated(apart), rel=1e-9)
        share = np.mean([abs(value) <= 1 for value in apart.values()])
        assert list(drawn["Days inside the central 80 %", each.name].values()) == [share]
        assert list(drawn["Days foretold and observed", each.name].values()) == [AHEAD]
    assert list(drawn["Days ahead", "Days ahead"].values()) == [1, 2]


def test_run_health_shows_a_run_that_goes_on(tmp_path: Path) -> None:
    """Every query of Run health gives data while a real run is scraped by a real Prometheus."""
    dashboard, port = COMMITTED["twin-run-health"], free_port()
    scrape = f"scrape_configs:\n  - {{job_name: twin, scrape_interval: 1s, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}\n"
    scenario(tmp_path)
    with running(tmp_path / "prometheus", more=scrape) as server:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "twin",
                "run",
                "everything_small.yaml",
                "--out",
                "run",
                "--quiet",
                "--metrics",
                f":{port}",
                "--pace",
                "1",
                *(part for size in SIZES for part in ("--set", size)),
            ],
            cwd=tmp_path,
        )
        try:
            manifest = tmp_path / "run" / "manifest.json"
            missing, until = ["all"], time.monotonic() + PATIENCE_S
            while missing and time.monotonic() < until and process.poll() is None:
                time.sleep(1)
                if not manifest.exists():
                    continue
                chosen = {
                    "run": load_manifest(manifest.parent)["run_id"],
                    "branch": ".*",
                    "replicate": ".*",
                }
                now = time.time()
                missing = [
                    query
                    for _, target, query in queries(dashboard, chosen)
                    if not course(server, target, query, now - 900, now, 1)
                ]
            assert process.poll() is None and not missing, missing
        finally:
            process.kill()
            process.wait()
