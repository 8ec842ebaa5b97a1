"""Every committed dashboard, drawn with Grafana's own panel components in a real Chromium from a
real Prometheus: no panel is empty, nothing is marked as an error, no request fails and the console
stays silent. Broken dashboards are caught."""

import copy
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chromium import MissingError
from tests.conftest import PATIENCE_S
from tests.e2e.drawing import DASHBOARDS, Studio, check_types, drawable, saved, studio
from tests.e2e.everything_small import BRANCH, SIZES, scenario
from tests.given.calibrated import UNTIL
from tests.given.ports import free_port
from twin.readers.dashboards.frame import REAL
from twin.record.results import load_manifest

PLATFORM, HEALTH = REAL
SIMULATED = sorted(path.stem for path in DASHBOARDS.glob("*.json") if path.stem not in REAL)
AT_DAY = "30"
"""On which a policy takes hold in the small year, for the page that compares before and after."""


@pytest.fixture(scope="module")
def scraped() -> int:
    """The port at which the run in progress serves its metrics."""
    return free_port()


@pytest.fixture(scope="module")
def room(
    scraped: int,
    everything_small: Path,
    branch_of_everything_small: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Studio]:
    """The small year and its branch in a Prometheus and a Grafana, and a browser before it."""
    try:
        with studio(tmp_path_factory.mktemp("drawn"), scraped) as ready:
            ready.add(everything_small)
            ready.add(branch_of_everything_small)
            ready.push(run=everything_small)
            yield ready
    except MissingError as error:
        pytest.skip(str(error))


def test_the_page_fits_grafanas_types(room: Studio) -> None:
    """The sources of the page agree with the types of Grafana's packages."""
    check_types()


@pytest.mark.parametrize("uid", SIMULATED)
def test_every_dashboard_is_drawn_whole(room: Studio, uid: str, tmp_path: Path) -> None:
    """Each panel of the JSON is drawn from data, each query of it has some, and the policies of the
    run are marked."""
    query = {"var-at": AT_DAY, "var-branch": "$__all"} if uid == "twin-policy" else {}
    picture = room.easel.draw(uid, tmp_path / f"{uid}.png", **query)
    assert picture.problems == []
    wanted = [panel["id"] for panel in drawable(saved(DASHBOARDS)[uid])]
    assert sorted(panel["id"] for panel in picture.panels) == sorted(wanted) and wanted
    assert picture.facts["variables"]["branch"] == (
        [BRANCH, "main"] if uid == "twin-policy" else ["main"]
    )
    told = " ".join(mark["text"] for mark in picture.facts["marks"])
    assert "AI labelled" in told and "assistant forgets" in told
    assert (tmp_path / f"{uid}.png").stat().st_size > 20_000


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_twin_is_drawn_beside_its_platform(
    room: Studio, calibrated: Path, theme: str, tmp_path: Path
) -> None:
    """At the dates that `twin forecast` names: no panel is empty, and a mark stands on the last day
    that was read."""
    query = room.follow(calibrated)
    picture = room.easel.draw(PLATFORM, tmp_path / "platform.png", theme, **query)
    assert picture.problems == []
    wanted = [panel["id"] for panel in drawable(saved(DASHBOARDS)[PLATFORM])]
    assert sorted(panel["id"] for panel in picture.panels) == sorted(wanted) and wanted
    assert picture.facts["variables"]["calibration"] == [query["var-calibration"]]
    assert [mark["time"] for mark in picture.facts["marks"]] == [
        1000 * time_of(f"{UNTIL} 12:00:00")
    ]


def test_the_dark_theme_is_drawn_too(room: Studio, tmp_path: Path) -> None:
    """With theme=dark the overview is as whole, and dark."""
    with room.easel.shown("twin-overview", "dark") as (screen, picture):
        assert picture.problems == []
        color = screen.evaluate(
            "getComputedStyle(document.querySelector('#root > div')).backgroundColor"
        )
        assert max(map(int, re.findall(r"\d+", color)[:3])) < 64


def test_what_the_pointer_reads_is_what_prometheus_holds(
    room: Studio, everything_small: Path
) -> None:
    """Under the pointer stand a simulated date and the value that Prometheus has for it."""
    manifest = load_manifest(everything_small)
    with room.easel.shown("twin-overview") as (screen, picture):
        panel = next(
            each
            for each in picture.panels
            if each["title"] == "Trust in the assistant" and each["type"] == "timeseries"
        )
        plot = screen.locator(f'[data-panel="{panel["id"]}"] .u-over')
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        screen.mouse.move(box["x"] + 5, box["y"] + 5)
        screen.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5, steps=5)
        told = screen.locator("[aria-live=polite]", has_text="2025-").inner_text()
    date = re.search(r"2025-\d\d-\d\d 00:00:00", told)
    assert date, told
    at = time_of(date[0])
    value = room.prometheus.value(
        f'twin_trust_mean{{run_id="{manifest["run_id"]}",branch="main"}}', at
    )
    shown = re.search(r"main\s+([\d.]+)", told)
    assert shown and float(shown[1]) == pytest.approx(value, rel=2e-3), told


def time_of(text: str) -> float:
    """Seconds since 1970 of a date in UTC."""
    return time.mktime(time.strptime(text + " UTC", "%Y-%m-%d %H:%M:%S %Z")) - time.timezone


def test_an_empty_or_broken_panel_is_caught(room: Studio, tmp_path: Path) -> None:
    """In a copy of a dashboard with one whole panel and one for each way to be broken, exactly the
    broken ones are reported."""
    source = copy.deepcopy(saved(DASHBOARDS)["twin-overview"])
    whole = next(panel for panel in source["panels"] if panel["type"] == "timeseries")

    def broken(title: str, expr: str | None = None, **more: Any) -> dict[str, Any]:
        panel: dict[str, Any] = copy.deepcopy(whole)
        panel["targets"] = panel["targets"][:1]
        panel["title"] = title
        panel["targets"][0]["expr"] = expr or panel["targets"][0]["expr"]
        panel["fieldConfig"]["defaults"].update(more)
        return panel

    every = [
        broken("whole"),
        broken("no such metric", "twin_no_such_metric"),
        broken("misspelt function", "avgg(twin_sessions_total)"),
        broken("other run", 'twin_sessions_total{run_id="another"}'),
        broken("not a number", "twin_trust_mean * NaN"),
        broken("out of sight", min=-2.0, max=-1.0),
        broken("misspelt option", lineWidht=3),
        {**broken("other kind"), "type": "piechart"},
        {
            **broken("one of two"),
            "targets": [
                whole["targets"][0],
                {**whole["targets"][0], "refId": "B", "expr": "twin_no_such_metric"},
            ],
        },
        {**broken("stat without data", "twin_no_such_metric"), "type": "stat", "options": {}},
        {**broken("no queries"), "targets": []},
    ]
    source.update(
        uid="twin-test-broken",
        title="Broken",
        panels=[
            {
                **panel,
                "id": place + 1,
                "gridPos": {"x": 8 * (place % 3), "y": 8 * (place // 3), "w": 8, "h": 8},
            }
            for place, panel in enumerate(every)
        ],
    )
    (tmp_path / "broken.json").write_text(json.dumps(source))
    room.push(dashboards=tmp_path)
    picture = room.easel.draw("twin-test-broken", tmp_path / "broken.png")
    found = {panel["title"]: "; ".join(panel["problems"]) for panel in picture.panels}
    assert found.pop("whole") == ""
    assert set(found) == {panel["title"] for panel in every} - {"whole"}
    for title, reason in {
        "no such metric": "query A gave no data",
        "misspelt function": 'unknown function with name "avgg"',
        "other run": "gave no data",
        "not a number": "gave no data",
        "out of sight": "nothing was drawn",
        "misspelt option": "knows no field option lineWidht",
        "other kind": "panels of type piechart are not drawn here",
        "one of two": "query B gave no data",
        "stat without data": "query A gave no data",
        "no queries": "nothing was drawn",
    }.items():
        assert reason in found[title], title
    assert any("400: " in text for text in picture.noticed), "a failed request is noticed"
    assert any("console error" in text for text in picture.noticed), (
        "an error in the console is noticed"
    )
    marked = {
        text.removeprefix("mark of an error: ")
        for text in picture.noticed
        if text.startswith("mark of an error")
    }
    assert marked == set(found), "errors are marked where they are"


def test_a_page_that_cannot_be_drawn_is_caught(room: Studio) -> None:
    """A dashboard that is not there, and a run that is not there."""
    with room.easel.shown("twin-no-such") as (_, picture):
        assert any("no dashboard twin-no-such" in text for text in picture.problems)
    with room.easel.shown("twin-overview", **{"var-run": "another"}) as (_, picture):
        assert any("the variable run has no value another" in text for text in picture.problems)


def test_the_health_of_a_run_in_progress_is_drawn(
    room: Studio, scraped: int, tmp_path: Path
) -> None:
    """The dashboard in wall-clock time, scraped from a run while it goes on."""
    scenario(tmp_path)
    began = time.time()
    sizes = [part for size in SIZES for part in ("--set", size)]
    run = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "twin",
            "run",
            tmp_path / "everything_small.yaml",
            *sizes,
            "--metrics",
            f":{scraped}",
            "--pace",
            "1",
            "--quiet",
            "--out",
            tmp_path / "run",
        ],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    try:
        wait_for_scrapes(room, run, 20)
        span = {"from": str(round(began * 1000)), "to": str(round(time.time() * 1000))}
        picture = room.easel.draw(HEALTH, tmp_path / "health.png", **span)
        rates = [
            room.prometheus.query(f"rate(twin_run_{name}_seconds_total[1m])", time.time())
            for name in ("wall", "cpu")
        ]
    finally:
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=PATIENCE_S)
    assert picture.problems == [], rates
    assert sorted(panel["id"] for panel in picture.panels) == sorted(
        panel["id"] for panel in drawable(saved(DASHBOARDS)[HEALTH])
    )


def wait_for_scrapes(room: Studio, run: "subprocess.Popen[str]", most: int) -> None:
    """Until the run was seen to move on so many times."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and run.poll() is None:
        found = room.prometheus.query("changes(twin_run_simulated_seconds[10m])", time.time())
        if found and float(found[0]["value"][1]) >= most:
            return
        time.sleep(0.5)
    raise AssertionError(f"the run was not seen to move on {most} times: {run.poll()}")
